//! A service and its SLOs.

use std::collections::BTreeSet;

use super::known::Known;
use super::{
    Code, Findings, bounds, dependencies, events, items, name, number, policy, printable, resource, sli, text, unknown,
    volume,
};
use crate::load::Sources;
use crate::model::{Decimal, Duration, Estate, Name, Objective, Service, Sli, Slo};
use crate::plan::windows;
use crate::yaml::Node;

/// The longest compliance window: what most Prometheus servers can hold at all.
const LONGEST: Duration = Duration::from_mins(90 * 24 * 60);

/// Calendar windows, and the rolling ones that say nearly the same.
const CALENDAR: &[(&str, &str)] = &[("week", "7d"), ("month", "30d"), ("quarter", "90d"), ("year", "90d")];

/// One SLO file. Everything wrong in it is reported, so a part that is wrong does not hide the next.
pub(super) fn service(
    tree: &Node,
    index: usize,
    sources: &Sources,
    (estate, outer, known): (&Estate, &policy::Scope, &Known),
    findings: &mut Findings<'_>,
) -> Option<Service> {
    let scope = policy::of_service(tree, outer, estate, findings);
    let service = name(tree, "service", findings);
    let team = name(tree, "team", findings);
    if let Some(team) = team.as_ref().filter(|it| !estate.teams.is_empty() && !estate.teams.contains_key(it)) {
        let known: Vec<&str> = estate.teams.keys().map(Name::as_str).collect();
        unknown(
            Code::UnknownTeam,
            team.as_str(),
            &known,
            "kilter.yaml has no receivers for the team",
            tree.get("team")?,
            findings,
        );
    }
    let mut used = BTreeSet::new();
    let mut slos = Vec::new();
    let mitigations = |slo: Option<usize>| {
        let named = sources.mitigations.iter().find(|it| it.file == index && it.slo == slo);
        named.map(|it| sources.files[it.text].text.clone())
    };
    for (number, node) in items(tree.get("slos")).iter().enumerate() {
        let slo = read(node, estate, (&scope, known), findings)
            .map(|it| Slo { mitigations: mitigations(Some(number)), ..it });
        if let Some((text, place)) = text(node, "name").filter(|(text, _)| !used.insert((*text).to_owned())) {
            let message = format!("this service has another SLO named `{}`", printable(text));
            findings.error(
                Code::Duplicate,
                place.range,
                message,
                "rename one of them: its name is a label of everything recorded",
            );
        }
        slos.extend(slo);
    }
    if let Some(list) = tree.get("slos").filter(|list| items(Some(list)).is_empty() && list.kind() == "a list") {
        findings.error(
            Code::MissingKey,
            list.range,
            "`slos` is empty",
            "add an SLO: `kilter schema slo` and docs/slo-file.md show what it takes",
        );
    }
    let contract = known.contract.as_ref().map_or("", |it| it.service.as_str());
    let other = service.as_ref().filter(|it| !contract.is_empty() && it.as_str() != contract);
    if let (Some(service), Some(place)) = (other, tree.get("contract")) {
        let message = format!("this is the contract of `{}`, but the SLOs are of `{service}`", printable(contract));
        let help = "name the file of this service; kilter::Service::new names a service otherwise than its package";
        findings.warning(Code::OtherService, place.range, message, help);
    }
    let bounds = bounds::needed(&slos, known);
    bounds::few_enough(&bounds, known, tree, findings);
    let mitigations = mitigations(None);
    let source = sources.files[index].path.clone();
    let (depends_on, resources) = (dependencies::read(tree), resource::read(tree, known, findings));
    let (extra, signals) = (scope.extra, known.signals());
    Some(Service {
        name: service?,
        team: team?,
        source,
        mitigations,
        depends_on,
        slos,
        extra,
        resources,
        bounds,
        signals,
    })
}

fn read(
    node: &Node,
    estate: &Estate,
    (scope, known): (&policy::Scope, &Known),
    findings: &mut Findings<'_>,
) -> Option<Slo> {
    let name = name(node, "name", findings);
    let objective = objective(node, findings);
    let window = window(node, findings);
    let sli = sli::read(node.get("sli"), known, findings);
    let min_errors = min_errors(node, sli.as_ref(), objective, findings);
    let by = sli::by(node, sli.as_ref(), estate, findings);
    let description = description(node, findings);
    if let (Some(sli), Some(node)) = (&sli, node.get("sli")) {
        events::check_labels(sli, &by, node, findings);
    }
    let policy::Resolved { policy, min_errors, no_data } =
        policy::of_slo(node, scope, estate, (window, objective, min_errors), findings);
    let table = window.map(|it| windows::table(it).pairs.as_slice()).unwrap_or_default();
    let pairs = policy.windows.as_deref().unwrap_or(table);
    volume::traffic(node, sli.as_ref(), (objective, window), (pairs, min_errors), findings);
    Some(Slo {
        name: name?,
        description,
        impact: text(node, "impact").map(|(text, _)| words(text)).filter(|it| !it.is_empty()),
        mitigations: None,
        objective: objective?,
        window: window?,
        sli: sli?,
        by,
        min_errors,
        no_data,
        policy,
    })
}

fn description(node: &Node, findings: &mut Findings<'_>) -> String {
    let Some((text, place)) = text(node, "description") else { return String::new() };
    if text.trim().is_empty() {
        findings.error(
            Code::BadValue,
            place.range,
            "the description is empty",
            "say in one sentence what works when this SLO is met",
        );
    }
    words(text)
}

/// A text on one line.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn objective(node: &Node, findings: &mut Findings<'_>) -> Option<Objective> {
    let (text, place) = number(node, "objective")?;
    let decimal = |text: &str| text.trim().parse::<Decimal>();
    let fraction = match text.strip_suffix('%') {
        Some(percent) => decimal(percent).map(|it| it.shift_left(2)),
        None => decimal(text),
    };
    let objective = fraction.ok().and_then(Objective::new);
    if objective.is_none() {
        let why = match fraction {
            Err(error) => error.to_string(),
            Ok(it) if it.is_zero() => "an objective of 0% can never be missed".to_owned(),
            Ok(it) if it == Decimal::new(1, 0) => {
                "an objective of 100% has no error budget: every failure would alert for ever".to_owned()
            }
            Ok(_) => "an objective lies below 100%".to_owned(),
        };
        // Without its sign, `99.9` is far more often 99.9% than 9990%.
        let percent = fraction.ok().filter(|_| !text.contains('%')).and_then(|it| Objective::new(it.shift_left(2)));
        let help = match percent {
            Some(percent) => format!("did you mean `objective: {}`?", percent.percent()),
            None => "for example: objective: 99.9%".to_owned(),
        };
        let message = format!("`{}` is no objective: {why}", printable(text));
        findings.error(Code::BadObjective, place.range, message, help);
    }
    objective
}

fn window(node: &Node, findings: &mut Findings<'_>) -> Option<Duration> {
    let Some((text, place)) = text(node, "window") else { return Some(Duration::from_mins(30 * 24 * 60)) };
    let shortest = windows::shortest_window();
    let whole_days = |it: &Duration| it.millis().is_multiple_of(86_400_000);
    match text.parse::<Duration>() {
        Ok(window) if (shortest..=LONGEST).contains(&window) && whole_days(&window) => Some(window),
        Ok(_) => {
            let message =
                format!("a compliance window of {} is not whole days from {shortest} to {LONGEST}", printable(text));
            findings.error(Code::BadValue, place.range, message, "for example: window: 30d");
            None
        }
        Err(_) if CALENDAR.iter().any(|(word, _)| text.eq_ignore_ascii_case(word)) => {
            let rolling = CALENDAR.iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map_or("30d", |it| it.1);
            let message = format!("compliance windows roll, so there is no calendar {}", text.to_lowercase());
            findings.error(Code::CalendarWindow, place.range, message, format!("write window: {rolling}"));
            None
        }
        Err(error) => {
            findings.error(
                Code::BadValue,
                place.range,
                format!("`{}` is {error}", printable(text)),
                "for example: window: 30d",
            );
            None
        }
    }
}

/// The low-traffic guard of the SLO's own; `None` leaves it to the tier. An SLI that weighs time counts no events.
fn min_errors(
    node: &Node,
    sli: Option<&Sli>,
    objective: Option<Objective>,
    findings: &mut Findings<'_>,
) -> Option<u32> {
    if !sli.is_some_and(Sli::is_time_weighted) {
        return policy::min_errors(node, findings);
    }
    if let Some(place) = node.get("min_errors") {
        let message = "`min_errors` counts events, but this SLI weighs time: it has as many seconds by day as by night";
        findings.error(Code::Conflict, place.range, message, "leave `min_errors` out");
    }
    // Five bad seconds: what a tighter objective than 99.99% promises is spent faster than that.
    let tight = objective.is_some_and(|it| it.error_budget() < Decimal::new(1, 4));
    Some(if tight { 0 } else { 5 })
}
