//! `kilter backtest`: what the alerts would have done over the history that a Prometheus holds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;

use super::Status;
use super::args::{Input, Reach, TextFormat, time_scale};
use super::generate::{color, counted, current, selected};
use super::progress::Progress;
use crate::backtest::ask::Asking;
use crate::backtest::moment::{Night, Offset};
use crate::backtest::questions::{Cost, Question};
use crate::backtest::result::{Backtest as Outcome, Verdict};
use crate::backtest::{self, Incident, Input as Asked, Period, Variant, incidents, questions, variant, words};
use crate::diagnostic::{Diagnostic, any_error, report};
use crate::load::{self, LoadOptions, Sources};
use crate::model::{Duration, Estate, TimeScale};
use crate::pipeline::{self, Made, Options};
use crate::plan::windows;
use crate::prometheus::Client;
use crate::render::Kind;
use crate::yaml::Value;

pub(super) const HELP: &str = "Examples:
  kilter backtest slo.yaml --prometheus http://localhost:9090 --since 30d
  kilter backtest --since 30d --incidents incidents.yaml     what paged, what was missed, how early
  kilter backtest --what-if objective=99.5% --what-if window=7d,min_errors=10
  kilter backtest --slo checkout --since 90d --step 5m --format json > backtest.json
  kilter backtest --estimate                                 what it would cost the server; nothing is read

Works on what was scraped: no rule need be deployed. The guide is docs/backtest.md.

Exit status: 0 fine, 1 an incident was missed, 2 could not run, or an input is wrong.";

/// Samples that are read without being asked twice: minutes of a Prometheus' time.
const MOST_SAMPLES: u64 = 1_000_000_000;
const MOST_QUERIES: usize = 20_000;

#[derive(Debug, ClapArgs)]
pub(super) struct Backtest {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    reach: Reach,
    /// How far back.
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    since: Duration,
    /// Until this moment (RFC 3339). Default: now.
    #[arg(long, value_name = "MOMENT")]
    until: Option<String>,
    /// Only these SLOs: NAME, or SERVICE/NAME; may be given several times.
    #[arg(long, value_name = "NAME")]
    slo: Vec<String>,
    /// Judge by this list of incidents, YAML or CSV.
    #[arg(long, value_name = "FILE")]
    incidents: Option<PathBuf>,
    /// Also as if the SLOs said this: objective, window, min_errors, tier, no_data, windows, joined by commas; may be given
    /// several times.
    #[arg(long, value_name = "KEY=VALUE,...")]
    what_if: Vec<String>,
    /// How long after an incident a page may still tell of it.
    #[arg(long, value_name = "DURATION", default_value = "15m", value_parser = Duration::or_zero)]
    grace: Duration,
    /// When nobody wants to be woken.
    #[arg(long, value_name = "HH:MM-HH:MM", default_value = "22:00-07:00")]
    night: Night,
    /// The clock of nights and of what is printed, such as +01:00.
    #[arg(long, value_name = "OFFSET", default_value = "UTC", allow_hyphen_values = true)]
    utc_offset: Offset,
    /// Between two evaluations: 30s as the rules, 1m, 150s or 5m. Default: the finest that 60,000 evaluations reach.
    #[arg(long, value_name = "DURATION")]
    step: Option<Duration>,
    /// Queries at a time.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=32))]
    concurrency: u8,
    /// Tell what it would cost the server, and stop.
    #[arg(long)]
    estimate: bool,
    /// Ask even when that is more than a billion samples or 20,000 queries.
    #[arg(long, short)]
    yes: bool,
    /// As the rules were generated.
    #[arg(long, value_name = "1/N", default_value = "1/1", value_parser = time_scale)]
    time_scale: TimeScale,
    /// How the outcome is printed.
    #[arg(long, value_enum, default_value = "human")]
    format: TextFormat,
    /// No progress, no estimate.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn run(args: &Backtest) -> Result<Status, String> {
    let progress = Progress::start("reading and planning", args.quiet);
    let options =
        LoadOptions { paths: args.input.paths.clone(), config: args.input.config.clone(), current: current() };
    let wanted = Options { scale: args.time_scale, only: &[Kind::Rules], ..Options::default() };
    let Made { mut sources, mut diagnostics, output, .. } =
        pipeline::run_with(&options, &wanted).map_err(|error| error.to_string())?;
    let Some((estate, plan, _)) = output else { return Ok(wrong(&diagnostics, &sources)) };
    let chosen = chosen(args, &sources, &estate)?;
    let before = diagnostics.len();
    let list = list(args, &mut sources, &estate, &mut diagnostics)?;
    let variants = variants(args, &mut sources, &estate, &chosen, &mut diagnostics);
    if any_error(&diagnostics) {
        return Ok(wrong(&diagnostics, &sources));
    }
    // What `kilter lint` says of the files is told there.
    if !args.quiet {
        eprint!("{}", report::human(&diagnostics[before..], &sources, color()));
    }
    let client = args.reach.client()?;
    let input = Asked {
        estate: &estate,
        plan: &plan,
        variants: &variants,
        chosen: &chosen,
        incidents: list.as_deref(),
        period: period(args, &estate)?,
        offset: args.utc_offset,
        night: args.night,
        grace: estate.time_scale.apply(args.grace),
        scrape: scrape_interval(&sources),
        // Mimir and Thanos say which Prometheus they are made of; what says nothing is taken for an old one.
        left_open: client.build_info().is_ok_and(|it| it.version.starts_with('3')),
    };
    let how = How { estimate: args.estimate, yes: args.yes, quiet: args.quiet, at_once: usize::from(args.concurrency) };
    let Some(outcome) = asked(how, &input, &client, &progress)? else { return Ok(Status::Fine) };
    drop(progress);
    match args.format {
        TextFormat::Human => print!("{}", words::human(&outcome)),
        TextFormat::Json => {
            println!("{}", serde_json::to_string_pretty(&outcome).map_err(|error| error.to_string())?);
        }
    }
    Ok(status(&outcome))
}

/// How a server is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// Only what it would cost.
    pub(super) estimate: bool,
    /// Whatever it costs.
    pub(super) yes: bool,
    /// Nothing is said of it.
    pub(super) quiet: bool,
    /// Queries at a time.
    pub(super) at_once: usize,
}

/// Asks the server; `None` when only the estimate was wanted.
pub(super) fn asked(
    args: How,
    input: &Asked<'_>,
    client: &Client,
    progress: &Progress,
) -> Result<Option<Outcome>, String> {
    let (heard, warnings) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let warn = |all: Vec<String>| warnings.lock().map(|mut it| it.extend(all)).unwrap_or_default();
    let range = |it: &Question| {
        let answer = client.range(&it.query, it.start, it.end, it.step)?;
        warn(answer.warnings);
        Ok(answer.data)
    };
    let count = |query: &str, at: i64| {
        let answer = client.instant(query, Some(at))?;
        Ok(answer.data.first().map_or(0, |it| whole(it.point.value)))
    };
    let at_once = args.at_once;
    progress.say(|| format!("asking {} how much there is", client.address()));
    let counting = Asking { range: &range, count: &count, at_once, heard: &|| {} };
    let questions = backtest::cost(input, counting).map_err(|error| error.to_string())?;
    let cost = questions.cost;
    let says = format!("{}: {}", client.address(), priced(&cost));
    if args.estimate {
        println!("{says}");
        return Ok(None);
    }
    if !args.yes && (cost.samples > MOST_SAMPLES || cost.queries > MOST_QUERIES) {
        return Err(format!(
            "{says}: more than is asked for without being told so\n  next: a shorter --since, a larger --step, one --slo; or --yes"
        ));
    }
    if !args.quiet {
        eprintln!("{says}");
    }
    let tell = || {
        let done = heard.fetch_add(1, Ordering::Relaxed) + 1;
        progress.say(|| format!("asking, {done} of {} queries", cost.queries));
    };
    let asking = Asking { heard: &tell, ..counting };
    let mut outcome = backtest::run(input, &questions, client.address(), asking).map_err(|error| error.to_string())?;
    outcome.warnings = warnings.into_inner().unwrap_or_default().into_iter().collect();
    Ok(Some(outcome))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count is neither broken nor negative")]
fn whole(count: f64) -> usize {
    count.max(0.0) as usize
}

fn priced(cost: &Cost) -> String {
    let Cost { queries, counts, points, series, samples } = *cost;
    let of = |number: u64| {
        let digits = number.to_string();
        let from_right = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
        digits
            .char_indices()
            .map(|(at, c)| if from_right(at) { format!(",{c}") } else { c.to_string() })
            .collect::<String>()
    };
    format!(
        "{} queries, {} points, at most {} series in one expression and about {} samples; {} counts were asked for this estimate",
        of(queries as u64),
        of(points as u64),
        of(series as u64),
        of(samples),
        of(counts as u64)
    )
}

/// Prints findings that end the run: nothing was asked, so that nothing is known.
fn wrong(diagnostics: &[Diagnostic], sources: &Sources) -> Status {
    eprint!("{}", report::human(diagnostics, sources, color()));
    eprintln!("{}; nothing was asked", counted(diagnostics));
    Status::Failed
}

fn status(outcome: &Outcome) -> Status {
    if outcome.slos.iter().all(|it| it.groups.is_empty()) {
        eprintln!(
            "error: the server has no data of any of these SLOs in this time\n  next: is `selector` right, does it scrape the service, and how long does it remember?"
        );
        return Status::Failed;
    }
    let missed = |it: &Verdict| matches!(it, Verdict::Missed { .. });
    if outcome.variants.first().is_some_and(|it| it.verdicts.iter().any(missed)) {
        Status::Findings
    } else {
        Status::Fine
    }
}

/// Service and name of the SLOs that are asked about.
fn chosen(args: &Backtest, sources: &Sources, estate: &Estate) -> Result<BTreeSet<(String, String)>, String> {
    let services = selected(sources);
    let named = estate.services.iter().filter(|it| services.contains(it.name.as_str()));
    let all: BTreeSet<(String, String)> =
        named.flat_map(|it| it.slos.iter().map(|slo| (it.name.to_string(), slo.name.to_string()))).collect();
    let is = |(service, slo): &(String, String), name: &str| match name.split_once('/') {
        Some(both) => both == (service.as_str(), slo.as_str()),
        None => slo == name,
    };
    if let Some(name) = args.slo.iter().find(|name| !all.iter().any(|it| is(it, name))) {
        let known: Vec<String> = all.iter().map(|(service, slo)| format!("{service}/{slo}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(format!("there is no SLO `{name}`\n  next: {}", crate::spec::check::help(name, &known)));
    }
    Ok(all.into_iter().filter(|it| args.slo.is_empty() || args.slo.iter().any(|name| is(it, name))).collect())
}

fn list(
    args: &Backtest,
    sources: &mut Sources,
    estate: &Estate,
    found: &mut Vec<Diagnostic>,
) -> Result<Option<Vec<Incident>>, String> {
    let Some(path) = &args.incidents else { return Ok(None) };
    let before = found.len();
    let file = load::add_text(sources, path, &current(), found).map_err(|error| error.to_string())?;
    // What is no text has nothing in it that could be wrong, too.
    if found.len() > before {
        return Ok(None);
    }
    Ok(Some(incidents::read(file, sources, estate, args.utc_offset, found)))
}

fn variants(
    args: &Backtest,
    sources: &mut Sources,
    estate: &Estate,
    chosen: &BTreeSet<(String, String)>,
    found: &mut Vec<Diagnostic>,
) -> Vec<Variant> {
    let before = found.clone();
    let mut all = Vec::new();
    for text in &args.what_if {
        let (variant, said) = variant::read(text, sources, estate, chosen, &before);
        all.extend(variant);
        found.extend(said);
    }
    all
}

/// The judged time.
fn period(args: &Backtest, estate: &Estate) -> Result<Period, String> {
    let to = match &args.until {
        Some(text) => (args.utc_offset.read(text))
            .ok_or_else(|| format!("--until: `{text}` is no moment\n  next: for example 2026-11-03T09:12:00Z"))?,
        None => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(0)),
    };
    let timing = windows::timing().scaled(estate.time_scale);
    let length = i64::try_from(args.since.millis()).unwrap_or(0);
    let step = args.step.unwrap_or_else(|| questions::step(estate, length));
    let whole =
        step.millis().is_multiple_of(timing.interval.millis()) && timing.rate.millis().is_multiple_of(step.millis());
    if !whole {
        return Err(format!(
            "--step: {step} is no multiple of {} that divides {}\n  next: 30s, 1m, 150s or 5m (at this time scale)",
            timing.interval, timing.rate
        ));
    }
    if args.since < step {
        return Err(format!("--since: {} is shorter than one step of {step}", args.since));
    }
    Ok(Period::until(to, args.since, step))
}

/// As kilter.yaml says; 15 s is the usual one.
pub(super) fn scrape_interval(sources: &Sources) -> Duration {
    let config = sources.trees.first().and_then(Option::as_ref).filter(|_| sources.has_config);
    let stated = config.and_then(|it| it.get("scrape_interval")).and_then(|it| match &it.value {
        Value::Scalar { text, .. } => text.parse().ok(),
        _ => None,
    });
    stated.unwrap_or(Duration::from_secs(15))
}
