//! `kilter status`: asks a Prometheus, and tells how every SLO is; or whether its rules are the generated ones.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;
use serde_json::json;

use super::Status;
use super::args::{Status as Arguments, TextFormat};
use super::generate::{color, counted, plural, run, selected};
use super::progress::Progress;
use crate::diagnostic::report;
use crate::model::{Estate, Service};
use crate::pipeline::Made;
use crate::plan::windows;
use crate::prometheus::{Answer, Client, PromError, Sample};
use crate::render::target::{self, Group};
use crate::render::{Artifact, Kind};
use crate::status::observed::Observed;
use crate::status::rules::Comparison;
use crate::status::{self, Data, FailOn, Report, State, ask, rules};

pub(super) fn status(args: &Arguments) -> Result<Status, String> {
    let client = args.reach.client()?;
    let progress = Progress::start("reading and planning", false);
    let made = run(&args.input, args.time_scale)?;
    let Some((estate, _, artifacts)) = &made.output else {
        drop(progress);
        eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
        eprintln!("{}; nothing was asked", counted(&made.diagnostics));
        return Ok(Status::Failed);
    };
    let services = chosen(args, &made, estate)?;
    progress.say(|| format!("asking {}", client.address()));
    let said = |error: PromError| error.to_string();
    // Only the rules, unless something else shall fail too.
    let only_rules = args.rules && args.fail_on.iter().all(|it| *it == FailOn::Rules);
    let report = (!only_rules).then(|| asked(&client, estate, &services)).transpose().map_err(said)?;
    let with_rules = args.rules || args.fail_on.contains(&FailOn::Rules);
    let whole = services.len() == estate.services.len();
    let compared = with_rules.then(|| compared(&client, artifacts, &services, whole)).transpose().map_err(said)?;
    drop(progress);
    Ok(tell(args, report.as_ref(), compared.as_ref()))
}

/// The services that the arguments name.
fn chosen<'a>(args: &Arguments, made: &Made, estate: &'a Estate) -> Result<Vec<&'a Service>, String> {
    let by_path = selected(&made.sources);
    let named = |it: &&Service| args.service.is_empty() || args.service.contains(&it.name);
    let all: Vec<&Service> =
        estate.services.iter().filter(|it| by_path.contains(it.name.as_str())).filter(named).collect();
    let known = |name: &crate::model::Name| all.iter().any(|it| it.name == *name);
    if let Some(unknown) = args.service.iter().find(|it| !known(it)) {
        let all: Vec<&str> = by_path.into_iter().collect();
        return Err(format!("no SLO file has the service {unknown}\n  next: one of {}", all.join(", ")));
    }
    Ok(all)
}

/// Everything that the report needs: three queries and a window's worth per hundred services, whatever their SLOs.
pub(super) fn asked(client: &Client, estate: &Estate, services: &[&Service]) -> Result<Report, PromError> {
    let mut warnings = BTreeSet::new();
    let mut samples = |answer: Answer<Vec<Sample>>| {
        warnings.extend(answer.warnings);
        answer.data
    };
    let clock = samples(client.instant(ask::CLOCK, None)?);
    let at = clock.first().map_or(0, |it| it.point.at);
    let mut observed = Observed::at(at);
    let chunks = ask::chunks(estate, services);
    for chunk in &chunks {
        observed.add_recorded(estate, &samples(client.instant(&chunk.recorded(), Some(at))?));
        observed.add_alerts(estate, &samples(client.instant(&chunk.alerts(), Some(at))?));
        for (window, query) in chunk.events() {
            observed.add_events(estate, window, &samples(client.instant(&query, Some(at))?));
        }
    }
    if observed.is_empty() {
        observed.scraped = Some(!samples(client.instant(ask::SCRAPED, Some(at))?).is_empty());
    }
    // Only of what is missing: since when.
    let draft = status::report(estate, services, &observed, client.address());
    let day = windows::timing().missing_ticket_memory;
    for chunk in &chunks {
        let mut absent: BTreeSet<&str> = BTreeSet::new();
        let mut gone: BTreeMap<&'static str, (BTreeSet<&str>, crate::model::Duration)> = BTreeMap::new();
        for row in draft.slos.iter().filter(|it| chunk.has(&it.service)) {
            match row.data {
                Data::NotDeployed { .. } => drop(absent.insert(row.slo.as_str())),
                Data::Gone { .. } | Data::Retired { .. } | Data::Never => {
                    let Some(slo) = status::ask::slo_of(services, &row.service, &row.slo) else { continue };
                    let (names, back) =
                        gone.entry(status::measured_series(slo)).or_insert((BTreeSet::new(), slo.window));
                    names.insert(row.slo.as_str());
                    *back = (*back).max(slo.window);
                }
                _ => {}
            }
        }
        if !absent.is_empty() {
            let query = chunk.last(slo::ERROR_BUDGET, &absent, day);
            observed.add_last(estate, slo::ERROR_BUDGET, &samples(client.instant(&query, Some(at))?));
        }
        for (series, (names, back)) in gone {
            let query = chunk.last(series, &names, back);
            observed.add_last(estate, series, &samples(client.instant(&query, Some(at))?));
        }
    }
    let mut report = status::report(estate, services, &observed, client.address());
    report.warnings = warnings.into_iter().collect();
    Ok(report)
}

/// Data to stdout, talk to stderr.
fn tell(args: &Arguments, report: Option<&Report>, compared: Option<&Comparison>) -> Status {
    let gate = FailOn::GATE;
    let on: &[FailOn] = if args.gate && args.fail_on.is_empty() { &gate } else { &args.fail_on };
    let differ = compared.is_some_and(|it| !it.differences.is_empty());
    let failed = report.is_some_and(|it| it.fails(on)) || differ && on.contains(&FailOn::Rules);
    match args.format {
        TextFormat::Json => {
            let mut value = report.map_or_else(|| json!({}), |it| serde_json::to_value(it).unwrap_or_default());
            if let Some(it) = compared {
                value["prometheus"] = it.prometheus.clone().into();
                value["rules"] = serde_json::to_value(it).unwrap_or_default();
            }
            value["failed"] = failed.into();
            println!("{value:#}");
        }
        TextFormat::Human => {
            let table = |it| if args.gate { status::gate(it, on, color()) } else { status::human(it, color()) };
            print!("{}{}", report.map(table).unwrap_or_default(), compared.map(rules::human).unwrap_or_default());
        }
    }
    if let Some(report) = report {
        report.warnings.iter().for_each(|it| eprintln!("warning: {it}"));
        eprintln!("{}", counts(report));
        if let Some(next) = next(report) {
            eprintln!("  next: {next}");
        }
    }
    if let Some(compared) = compared {
        if compared.reload_failed {
            eprintln!("warning: the server could not load its configuration when it was told to; its log says why");
        }
        eprintln!("{}", counted_rules(compared));
    }
    if failed { Status::Findings } else { Status::Fine }
}

fn counted_rules(of: &Comparison) -> String {
    let (differences, server) = (of.differences.len(), &of.prometheus);
    let generated = format!("{} rules in {} groups", of.rules, of.groups);
    if differences == 0 {
        return format!("{server} runs all {generated} as generated");
    }
    format!(
        "{differences} difference{} on {server}, of {generated}\n  next: let the server load what kilter generate writes",
        plural(differences)
    )
}

/// `12 SLOs on ...: 1 page, 2 missing, 9 fine; 1 service as a whole: 1 page`.
fn counts(report: &Report) -> String {
    let count = |states: &mut dyn Iterator<Item = State>| {
        let mut by_state: BTreeMap<State, usize> = BTreeMap::new();
        states.for_each(|it| *by_state.entry(it).or_default() += 1);
        let counts = by_state.iter().map(|(state, count)| format!("{count} {}", state.as_str()));
        counts.collect::<Vec<_>>().join(", ")
    };
    let (all, slos) = (report.slos.len(), count(&mut report.slos.iter().map(|it| it.state)));
    let text = format!("{all} SLO{} on {}: {slos}", plural(all), report.prometheus);
    let (all, services) = (report.services.len(), count(&mut report.services.iter().map(|it| it.state)));
    if all == 0 { text } else { format!("{text}; {all} service{} as a whole: {services}", plural(all)) }
}

/// What to do when rules are not there at all.
fn next(report: &Report) -> Option<&'static str> {
    let has = |ask: fn(&Data) -> bool| report.slos.iter().any(|it| ask(&it.data));
    if has(|it| *it == Data::EmptyServer) {
        return Some(
            "is this the right Prometheus, and its prefix or tenant? It has to load rules/*.rules.yaml (docs/status.md)",
        );
    }
    has(|it| matches!(it, Data::NoSuchSlo | Data::NotDeployed { .. }))
        .then_some("let the server load what kilter generate writes; kilter status --rules tells what differs")
}

/// The rules of these services, and when they are all of the estate its own too, held against the server's.
fn compared(
    client: &Client,
    artifacts: &[Artifact],
    services: &[&Service],
    whole: bool,
) -> Result<Comparison, PromError> {
    let (mut generated, mut others): (Vec<Group>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
    for artifact in artifacts.iter().filter(|it| it.kind == Kind::Rules && it.path.ends_with(".rules.yaml")) {
        let own = match &artifact.service {
            Some(name) => services.iter().any(|it| it.name.as_str() == name),
            None => whole,
        };
        // Forms of a target's own stand in folders, and hold the same groups.
        if artifact.path.matches('/').count() > 1 {
            continue;
        }
        let groups = target::groups(&artifact.text).unwrap_or_default();
        if own {
            generated.extend(groups);
        } else {
            others.extend(groups.into_iter().map(|it| it.name));
        }
    }
    let served = client.rules()?.data;
    let mut compared = rules::compare(client.address(), &generated, &others, &served, whole);
    // Only Prometheus tells it.
    compared.reload_failed = client.runtime().is_ok_and(|it| !it.reload_config_success);
    Ok(compared)
}
