//! `kilter report`.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::Status;
use super::args::{Input, Report, TextFormat};
use super::backtest::{How, asked, scrape_interval};
use super::generate::{color, counted, current, selected};
use super::progress::Progress;
use crate::backtest::moment::{Night, Offset};
use crate::backtest::{self, Backtest, Period, questions};
use crate::diagnostic::{Diagnostic, Severity, report as findings};
use crate::load::{self, LoadError, LoadOptions, Sources};
use crate::model::Duration;
use crate::output;
use crate::pipeline::{self, Made, Options, PipelineError};
use crate::plan::windows;
use crate::prometheus::Client;
use crate::render::{Kind, templates};
use crate::report::change::{self, Base};
use crate::report::{self, history, now, page};

/// What the report is made of.
const KINDS: &[Kind] = &[Kind::Rules, Kind::Alertmanager, Kind::Runbooks];

pub(super) fn report(args: &Report) -> Result<Status, String> {
    complete(args)?;
    let progress = Progress::start("reading and planning", args.quiet);
    let here = LoadOptions { paths: args.input.paths.clone(), config: args.input.config.clone(), current: current() };
    let made = run(&here).map_err(|error| error.to_string())?;
    eprint!("{}", findings::human(&made.diagnostics, &made.sources, color()));
    if made.output.is_none() {
        if args.format == TextFormat::Json {
            println!("{:#}", json!({"findings": findings::json_value(&made.diagnostics, &made.sources)}));
        }
        eprintln!("{}; there is no report", counted(&made.diagnostics));
        return Ok(Status::Findings);
    }
    let (text, folder) = match &args.base {
        Some(folder) => (compared(args, &made, base(&args.input, folder, &made.sources)?, &progress)?, None),
        None => (whole(args, &made, &progress)?, args.out.as_deref().filter(|it| *it != Path::new("-"))),
    };
    drop(progress);
    match folder {
        None => print!("{text}"),
        Some(path) => {
            write(path, &text)?;
            if !args.quiet {
                eprintln!("wrote {}", path.display());
            }
        }
    }
    Ok(Status::Fine)
}

/// What a comment needs, in words: clap would also name what only the page needs.
fn complete(args: &Report) -> Result<(), String> {
    let next = "kilter report --markdown --base ../base > comment.md";
    match (args.markdown, &args.base, &args.out) {
        (true, None, _) => Err(format!(
            "--markdown tells what changes, and needs --base DIR: a folder with the earlier files\n  next: git worktree add ../base origin/main && {next}"
        )),
        (true, _, Some(_)) => {
            Err(format!("--markdown prints its text and takes no --out, which is for the page\n  next: {next}"))
        }
        _ => Ok(()),
    }
}

fn run(options: &LoadOptions) -> Result<Made, PipelineError> {
    pipeline::run_with(options, &Options { only: KINDS, ..Options::default() })
}

/// The page.
fn whole(args: &Report, made: &Made, progress: &Progress) -> Result<String, String> {
    let Some((estate, plan, _)) = &made.output else { return Ok(String::new()) };
    let services = selected(&made.sources);
    progress.say(|| format!("evaluating the rules of {} services", services.len()));
    let root = args.out.as_deref().map(|it| way(it, &made.sources.root)).unwrap_or_default();
    let mut page = page::page(&page::Input { estate, plan, services: &services, root: &root });
    if args.reach.prometheus.is_some() {
        let client = args.reach.client()?;
        progress.say(|| format!("asking {}", client.address()));
        let shown: Vec<_> = estate.services.iter().filter(|it| services.contains(it.name.as_str())).collect();
        let status = super::status::asked(&client, estate, &shown).map_err(|error| error.to_string())?;
        now::add(&mut page, &status);
        if let Some(since) = args.since {
            let chosen =
                shown.iter().flat_map(|it| it.slos.iter().map(|slo| (it.name.to_string(), slo.name.to_string())));
            let period = period(since, made);
            history::add(&mut page, &past(args, &client, made, &chosen.collect(), period, progress)?);
        }
    }
    if let Some(path) = &args.backtest {
        history::add(&mut page, &saved(path)?);
    }
    match args.format {
        TextFormat::Json => Ok(format!("{:#}\n", json!(page))),
        TextFormat::Human => {
            let (templates, _) = templates::of(&made.sources);
            report::html(&page, &templates).map_err(|error| failed(&error, &made.sources))
        }
    }
}

/// The change report.
fn compared(
    args: &Report,
    made: &Made,
    (base, earlier): (Base, Option<Made>),
    progress: &Progress,
) -> Result<String, String> {
    let Some(now) = &made.output else { return Ok(String::new()) };
    let mut services: BTreeSet<&str> = selected(&made.sources);
    services.extend(earlier.as_ref().map(|it| selected(&it.sources)).unwrap_or_default());
    let wanted = (!args.input.paths.is_empty()).then_some(&services);
    let mut input = change::Input {
        base: &base,
        now,
        earlier: earlier.as_ref().and_then(|it| it.output.as_ref()),
        wanted,
        history: change::History::new(),
    };
    if let Some(since) = args.since {
        let client = args.reach.client()?;
        let period = period(since, made);
        let ask = |made: &Made, chosen: BTreeSet<(String, String)>| {
            if chosen.is_empty() { Ok(None) } else { past(args, &client, made, &chosen, period, progress).map(Some) }
        };
        let differing = change::differing(&input);
        let before = match &earlier {
            Some(it) => ask(it, differing.iter().filter_map(|it| it.old.clone()).collect())?,
            None => None,
        };
        if let Some(after) = ask(made, differing.iter().filter_map(|it| it.new.clone()).collect())? {
            input.history = change::history(&differing, before.as_ref(), &after);
        }
    }
    let report = change::report(&input);
    match args.format {
        TextFormat::Json => Ok(format!("{:#}\n", json!(report))),
        TextFormat::Human => {
            let (templates, _) = templates::of(&made.sources);
            change::markdown(&report, &templates).map_err(|error| failed(&error, &made.sources))
        }
    }
}

/// So long until now.
fn period(since: Duration, made: &Made) -> Period {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(0));
    let step = made.output.as_ref().map(|(estate, ..)| questions::step(estate, questions::millis(since)));
    Period::until(now, since, step.unwrap_or(windows::timing().interval))
}

/// What the alerts of these SLOs would have done.
fn past(
    args: &Report,
    client: &Client,
    made: &Made,
    chosen: &BTreeSet<(String, String)>,
    period: Period,
    progress: &Progress,
) -> Result<Backtest, String> {
    let Some((estate, plan, _)) = &made.output else { return Err("there is no estate".to_owned()) };
    let input = backtest::Input {
        estate,
        plan,
        variants: &[],
        chosen,
        incidents: None,
        period,
        offset: Offset::default(),
        night: Night::default(),
        grace: Duration::from_mins(15),
        scrape: scrape_interval(&made.sources),
        left_open: client.build_info().is_ok_and(|it| it.version.starts_with('3')),
    };
    let how = How { estimate: false, yes: false, quiet: args.quiet, at_once: 2 };
    asked(how, &input, client, progress)?.ok_or_else(|| "nothing was asked".to_owned())
}

/// An outcome of `kilter backtest`.
fn saved(path: &Path) -> Result<Backtest, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| {
        format!(
            "{} is no outcome of kilter backtest: {error}\n  next: kilter backtest --format json > {}",
            path.display(),
            path.display()
        )
    })
}

/// A template that failed: the user's own with its place, ours as the bug that it is.
fn failed(error: &crate::render::engine::TemplateError, sources: &Sources) -> String {
    match templates::diagnostic(error, sources) {
        Some(all) => format!("the report's template failed\n{}", findings::human(&all, sources, false)),
        None => error.to_string(),
    }
}

/// The earlier files: those of the same paths below a folder. Where no kilter.yaml names them, the one of now does.
fn base(input: &Input, folder: &Path, now: &Sources) -> Result<(Base, Option<Made>), String> {
    let here = current();
    let folder = here.join(folder);
    if !folder.is_dir() {
        return Err(format!(
            "{}: there is no such folder\n  next: git worktree add {} origin/main",
            folder.display(),
            folder.display()
        ));
    }
    let there = |path: &PathBuf| -> Result<Option<PathBuf>, String> {
        let inside = path.strip_prefix(&here).unwrap_or(path);
        if inside.is_absolute() || inside == Path::new("-") {
            return Err(format!("{}: with --base, paths are below the current folder", path.display()));
        }
        Ok(folder.join(inside).exists().then(|| inside.to_path_buf()))
    };
    let paths: Vec<Option<PathBuf>> = input.paths.iter().map(there).collect::<Result<_, _>>()?;
    let config = input.config.as_ref().map(there).transpose()?.flatten();
    let mut paths: Vec<PathBuf> = paths.into_iter().flatten().collect();
    let configured = config.is_some() || folder.join("kilter.yaml").is_file();
    let matched = input.paths.is_empty() && !configured;
    if matched {
        let root = folder.join(now.root.strip_prefix(&here).unwrap_or(Path::new("")));
        paths = load::named_by(now, &root);
    }
    let options = LoadOptions { paths, config, current: folder };
    Ok(match run(&options) {
        Err(PipelineError::Load(LoadError::Nothing(_))) => (nothing(input, &options.current, configured), None),
        Err(error) => (Base::Broken(error.to_string()), None),
        Ok(made) if made.output.is_some() => (if matched { Base::Matched } else { Base::Made }, Some(made)),
        Ok(made) => (Base::Broken(first(&made.diagnostics, &made.sources)), Some(made)),
    })
}

/// Nothing is read below a folder. What there would be to read is told, so that nobody takes all of it for new.
fn nothing(input: &Input, folder: &Path, configured: bool) -> Base {
    let there = load::slo_files(folder);
    let Some(first) = there.first() else { return Base::Nothing };
    let first = first.strip_prefix(folder).unwrap_or(first).display();
    let more = if there.len() > 1 { format!(" and {} more", there.len() - 1) } else { String::new() };
    let why = match (input.paths.is_empty(), configured) {
        (false, _) => "but not those that are asked about",
        (true, true) => "but the services of its kilter.yaml match none of them",
        (true, false) => {
            "but nothing names them: it has no kilter.yaml, and the services of this one match none of them"
        }
    };
    Base::Unnamed(format!("The base has SLO files ({first}{more}), {why}"))
}

/// The first error in a line, and how many there are.
fn first(all: &[Diagnostic], sources: &Sources) -> String {
    let errors: Vec<&Diagnostic> = all.iter().filter(|it| it.severity == Severity::Error).collect();
    let said = errors.first().map(|it| {
        let text = sources.text(it.span.file);
        let line = text.get(..it.span.range.start).map_or(1, |before| before.matches('\n').count() + 1);
        let path = sources.files.get(it.span.file).map_or("", |it| it.path.as_str());
        format!("{path}:{line}: {} ({})", it.message, it.code)
    });
    let more = if errors.len() > 1 { format!(" and {} more", errors.len() - 1) } else { String::new() };
    said.unwrap_or_default() + &more
}

/// A report goes in the place of an earlier one, never of anything else.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Ok(old) = std::fs::read_to_string(path)
        && !old.is_empty()
        && !output::is_ours(&old)
    {
        return Err(format!(
            "{} was not written by kilter: it has no `{}` near its top\n  next: move it away, or name another file",
            path.display(),
            output::BANNER
        ));
    }
    output::write(path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// The way from a file to a folder, for links: empty, or with a slash at its end.
fn way(file: &Path, folder: &Path) -> String {
    let whole = |path: &Path| -> Vec<String> {
        let path = current().join(path);
        let path = path.canonicalize().unwrap_or(path);
        let part = |it: Component<'_>| match it {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        };
        path.components().filter_map(part).collect()
    };
    let (from, to) = (whole(file.parent().unwrap_or(Path::new(""))), whole(folder));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().map(String::as_str)).map(|it| format!("{it}/")).collect()
}
