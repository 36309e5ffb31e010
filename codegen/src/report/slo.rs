//! The part of one SLO: its promise, its budget, when its alerts fire, who hears, and what to do.

use std::collections::BTreeSet;

use kilter_contract::slo as names;
use serde::Serialize;

use super::detection::{Detection, Noticed};
use super::markup::{self, Place};
use super::now::Now;
use super::simulation;
use crate::model::{Estate, Service, Severity, Slo};
use crate::numbers::{self, percent, seconds, span};
use crate::plan::context::Context;
use crate::plan::runbook::conditions::{self, Condition};
use crate::plan::runbook::{Runbook, measured};
use crate::plan::{Plan, alerting, links, windows};
use crate::replay::Rules;

/// An SLO as the page shows it. What ends in `_html` is HTML, everything else text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SloView {
    /// Its anchor, unique on the page.
    pub id: String,
    /// Its service.
    pub service: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description_html: String,
    /// What users lose.
    pub impact_html: Option<String>,
    /// What it measures, in one word.
    pub kind: String,
    /// Name of its tier.
    pub tier: Option<String>,
    /// In percent.
    pub objective: String,
    /// Compliance window.
    pub window: String,
    /// What is counted: requests, calls, moments.
    pub things: String,
    /// What is bad.
    pub bad_html: String,
    /// Labels whose values have an SLO each.
    pub by: Option<String>,
    /// What may be lost.
    pub budget: Budget,
    /// What is not counted, what counts without being measured, and what never alerts.
    pub conditions: Vec<Condition>,
    /// What is left of it, when a Prometheus is asked.
    pub now: Option<Now>,
    /// Pairs of alert windows.
    pub pairs: Vec<PairRow>,
    /// Faults, and when they are noticed.
    pub detection: Vec<DetectionRow>,
    /// What a total outage does, in short.
    pub outage: String,
    /// Its alerts.
    pub alerts: Vec<AlertRow>,
    /// Who hears of a page that lasts.
    pub escalation: Option<String>,
    /// When tickets are delivered, unless at any time.
    pub office_hours: Option<String>,
    /// A fault, drawn.
    pub simulation: Option<Figure>,
    /// Its past, when it is given.
    pub history: Option<History>,
    /// Its dashboard.
    pub dashboard: Option<String>,
    /// Where its runbook is published.
    pub runbook_link: Option<String>,
    /// Its runbook.
    pub runbook_html: String,
}

/// An error budget in units that people know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// So long of a total outage.
    pub time: String,
    /// So many of so many may be bad.
    pub share: String,
    /// Traffic of an example, what happens in a window at that, and what of it may be bad; none of what weighs time.
    pub example: Option<Example>,
}

/// A budget at some traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    /// Events per second.
    pub per_second: u64,
    /// Events in a window.
    pub all: String,
    /// What of it may be bad.
    pub bad: String,
}

/// A drawing with the words for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// SVG.
    pub svg_html: String,
    /// What it shows.
    pub caption: String,
}

/// What the past says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// The time that was looked at.
    pub span: String,
    /// What happened, in sentences.
    pub said: Vec<String>,
    /// A drawing of it.
    pub figure: Option<Figure>,
}

/// A pair of alert windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairRow {
    /// `page` or `ticket`.
    pub severity: String,
    /// Decides.
    pub long: String,
    /// Resets.
    pub short: String,
    /// Burn rate above which it fires.
    pub factor: String,
    /// The same as a share of bad events.
    pub errors: String,
}

/// A fault, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectionRow {
    /// What fails.
    pub fault: String,
    /// The share of events that are bad.
    pub ratio: f64,
    /// As a share of all events.
    pub errors: String,
    /// The page.
    pub page: Option<NoticedCells>,
    /// The ticket.
    pub ticket: Option<NoticedCells>,
}

/// An alert of a fault, in words and in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NoticedCells {
    /// The numbers.
    #[serde(flatten)]
    pub numbers: Noticed,
    /// When it fires.
    pub after: String,
    /// Budget spent by then.
    pub spent: String,
    /// When it is over.
    pub over: String,
}

/// An alert and who hears of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertRow {
    /// Its name.
    pub name: String,
    /// `page` or `ticket`.
    pub severity: String,
    /// The receiver.
    pub receiver: String,
    /// No team receives it.
    pub unrouted: bool,
    /// What to do, on this page.
    pub anchor: Option<String>,
}

/// What the part of an SLO is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Its plan.
    pub plan: &'a Plan,
    /// The service.
    pub context: &'a Context<'a>,
    /// The SLO.
    pub slo: &'a Slo,
    /// Its runbook.
    pub runbook: Option<&'a Runbook>,
    /// Its rules.
    pub rules: &'a Rules,
    /// What is noticed when.
    pub detection: &'a [Detection],
    /// The way from the page to the folder of the generated files.
    pub root: &'a str,
    /// Anchors of every SLO on the page.
    pub here: &'a BTreeSet<String>,
}

/// The part of an SLO, without what a Prometheus says.
pub fn view(parts: &Parts<'_>) -> SloView {
    let Parts { estate, context, slo, .. } = *parts;
    let service = context.service;
    let id = id(service.name.as_str(), slo.name.as_str());
    let team = estate.teams.get(&service.team);
    let hold = span(windows::timing().escalation_hold);
    let pages = estate.policy.severities.of(Severity::Page);
    let runbook_html = parts.runbook.map(|it| runbook(parts, &id, &it.text)).unwrap_or_default();
    let alerts = alerts(parts, &id, &runbook_html);
    let wakes = alerts.iter().any(|it| it.severity == pages);
    SloView {
        service: service.name.to_string(),
        name: slo.name.to_string(),
        description_html: markup::inline(&slo.description),
        impact_html: slo.impact.as_deref().map(markup::inline),
        kind: slo.sli.kind().replace('_', " "),
        tier: slo.policy.tier.clone(),
        objective: slo.objective.percent(),
        window: slo.window.to_string(),
        things: measured::things(&slo.sli).to_owned(),
        bad_html: markup::inline(&measured::words(&slo.sli)),
        by: (!slo.by.is_empty()).then(|| slo.by.join(", ")),
        budget: budget(slo),
        conditions: conditions::counting(slo).into_iter().chain(conditions::guard(slo)).collect(),
        now: None,
        pairs: pairs(slo),
        detection: parts.detection.iter().map(row).collect(),
        outage: parts.detection.first().map(outage).unwrap_or_default(),
        alerts,
        escalation: team
            .filter(|_| wakes)
            .and_then(|it| it.escalation.as_ref())
            .map(|it| format!("{it}, after {hold}")),
        office_hours: team
            .and_then(|it| it.office_hours.as_ref())
            .map(|it| format!("{}, {} to {} {}", numbers::list(&it.days), it.from, it.to, it.location)),
        simulation: Some(simulation::figure(parts)),
        history: None,
        dashboard: links::dashboard(context, slo.name.as_str(), "6h"),
        runbook_link: estate.links.runbooks.as_ref().map(|base| format!("{base}/{}/{}.md", service.name, slo.name)),
        runbook_html,
        id,
    }
}

/// The anchor of an SLO. No name has a dot, so none of a service is one of an SLO.
pub fn id(service: &str, slo: &str) -> String {
    format!("{service}.{slo}")
}

fn budget(slo: &Slo) -> Budget {
    let things = measured::things(&slo.sli);
    let (bad, all) = numbers::share(slo);
    let example = (!slo.sli.is_time_weighted()).then(|| {
        let (all, bad) = numbers::events(slo, 10);
        Example { per_second: 10, all: numbers::grouped(all), bad: numbers::grouped(bad) }
    });
    Budget {
        time: span(numbers::budget(slo)),
        share: format!("{} of {} {things}", numbers::grouped(bad), numbers::grouped(all)),
        example,
    }
}

fn pairs(slo: &Slo) -> Vec<PairRow> {
    let budget = slo.objective.error_budget();
    let row = |pair: &windows::Pair| {
        let factor = pair.factor(slo.window, slo.objective);
        PairRow {
            severity: pair.severity.as_str().to_owned(),
            long: pair.long.to_string(),
            short: pair.short.to_string(),
            factor: factor.to_string(),
            errors: percent(factor.times(budget).to_f64()),
        }
    };
    windows::pairs(slo).iter().map(row).collect()
}

fn row(it: &Detection) -> DetectionRow {
    let fault =
        if it.fault.ratio >= 1.0 { "everything fails".to_owned() } else { format!("{} × the budget", it.fault.burn) };
    DetectionRow {
        fault,
        ratio: it.fault.ratio,
        errors: percent(it.fault.ratio),
        page: it.page.as_ref().map(cells),
        ticket: it.ticket.as_ref().map(cells),
    }
}

/// An alert of a fault, in words.
pub(super) fn cells(it: &Noticed) -> NoticedCells {
    NoticedCells {
        numbers: *it,
        after: seconds(it.after),
        spent: percent(it.spent),
        over: it.over.map_or_else(|| "-".to_owned(), seconds),
    }
}

fn outage(it: &Detection) -> String {
    let said = |what: &str, it: &Noticed| format!("{what} within {}", seconds(it.after));
    it.page
        .as_ref()
        .map(|it| said("page", it))
        .or_else(|| it.ticket.as_ref().map(|it| said("ticket", it)))
        .unwrap_or_else(|| "nobody".to_owned())
}

/// The alerts of the SLO and of its service as a whole, as the plan routes them.
fn alerts(parts: &Parts<'_>, id: &str, runbook: &str) -> Vec<AlertRow> {
    let severities = &parts.estate.policy.severities;
    let mut all: Vec<AlertRow> = Vec::new();
    for proof in &parts.plan.routing.proofs {
        let label = |key: &str| proof.label(key);
        let own = label(names::SERVICE_LABEL) == Some(parts.context.service.name.as_str());
        let slo = label(names::SLO_LABEL);
        let name = label("alertname").unwrap_or_default();
        if !own || slo.is_some_and(|it| it != parts.slo.name.as_str()) || (slo.is_none() && name != names::SERVICE_DOWN)
        {
            continue;
        }
        let severity = label(names::SEVERITY_LABEL).unwrap_or_default();
        let known = [Severity::Page, Severity::Ticket].into_iter().find(|it| severities.of(*it) == severity);
        let anchor = known.map(|it| format!("{id}.runbook.{}", alerting::section(name, it)));
        all.push(AlertRow {
            name: name.to_owned(),
            severity: severity.to_owned(),
            receiver: proof.receiver.clone(),
            unrouted: proof.unrouted,
            anchor: anchor.filter(|it| runbook.contains(&format!("id=\"{it}\""))),
        });
    }
    // Pages first; the burn of the budget before what is missing.
    all.sort_by_key(|it| (it.severity != severities.page, it.name.clone()));
    all.dedup();
    all
}

/// The runbook, with its links as they lead from the page.
fn runbook(parts: &Parts<'_>, id: &str, text: &str) -> String {
    let service = parts.context.service.name.as_str();
    let base = match &parts.estate.links.runbooks {
        Some(base) => format!("{base}/{service}/"),
        None => format!("{}rules/runbooks/{service}/", parts.root),
    };
    markup::block(text, Place { prefix: &format!("{id}.runbook."), base: &base, below: 4, service, here: parts.here })
}

/// A service's receivers, for the head of its part.
pub(super) fn receivers(estate: &Estate, service: &Service) -> (String, String) {
    let to = |severity| estate.receiver(&service.team, severity).to_owned();
    (to(Severity::Page), to(Severity::Ticket))
}
