//! The Alertmanager tree of the estate, and for each alert the proof of where it goes.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;
use serde::{Deserialize, Serialize};

use super::windows::Severity;
use super::{Plan, Rule, RuleFile};
use crate::model::{Duration, Estate};
use crate::yaml;

/// Receiver of whatever has no route of its own.
pub const DEFAULT_RECEIVER: &str = "default";
/// Receiver of the dead-man's switch.
pub const WATCHDOG_RECEIVER: &str = "watchdog";

/// The tree, its inhibition, and the proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Routing {
    /// The root.
    pub route: Route,
    /// What silences what.
    pub inhibit_rules: Vec<Inhibition>,
    /// Which labels reach which receiver: `amtool config routes test` shows it.
    #[serde(skip)]
    pub proofs: Vec<Proof>,
    /// Receivers that the tree names; the base file must have them.
    #[serde(skip)]
    pub receivers: BTreeSet<String>,
}

/// A route of Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Route {
    /// Who is told.
    pub receiver: String,
    /// `key="value"`, double-quoted: read alike by every parser of Alertmanager.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub matchers: Vec<String>,
    /// What makes one notification.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Before the first notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_wait: Option<String>,
    /// Before the next of a group that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_interval: Option<String>,
    /// Before the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat_interval: Option<String>,
    /// First match wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// An inhibition rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inhibition {
    /// While these fire,
    pub source_matchers: Vec<String>,
    /// these are silent,
    pub target_matchers: Vec<String>,
    /// when these labels are equal.
    pub equal: Vec<String>,
}

/// Labels of an alert and the receiver that they must reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// Labels, sorted.
    pub labels: Vec<(String, String)>,
    /// The receiver.
    pub receiver: String,
}

#[derive(Deserialize)]
struct TimingFile {
    page: Waits,
    ticket: Waits,
    watchdog: Waits,
}

#[derive(Deserialize)]
struct Waits {
    group_wait: String,
    group_interval: String,
    repeat_interval: String,
}

/// Plans the tree for the estate and everything planned for it.
pub fn routing(estate: &Estate, plan: &Plan) -> Routing {
    let timing = timing();
    let mut children =
        vec![route(estate, WATCHDOG_RECEIVER, vec![equal("alertname", slo::WATCHDOG)], &timing.watchdog)];
    for (name, team) in &estate.teams {
        let severities = [(Severity::Page, &team.page, &timing.page), (Severity::Ticket, &team.ticket, &timing.ticket)];
        let by_severity = severities.map(|(severity, receiver, waits)| {
            route(estate, receiver, vec![equal(slo::SEVERITY_LABEL, severity.as_str())], waits)
        });
        children.push(Route {
            receiver: team.ticket.clone(),
            matchers: vec![equal(slo::TEAM_LABEL, name.as_str())],
            routes: by_severity.to_vec(),
            ..Route::default()
        });
    }
    let mut root = route(estate, DEFAULT_RECEIVER, Vec::new(), &timing.page);
    root.routes = children;
    Routing {
        receivers: receivers(&root),
        proofs: proofs(estate, plan),
        route: root,
        inhibit_rules: inhibitions(estate),
    }
}

/// A page silences the ticket of the same alert and the same SLO and group, and nothing else of it. Labels that both
/// sides lack are equal, which is right for `by` labels of other SLOs.
fn inhibitions(estate: &Estate) -> Vec<Inhibition> {
    let mut labels: BTreeSet<String> = estate.identity.keys().cloned().collect();
    labels.extend(estate.services.iter().flat_map(|it| &it.slos).flat_map(|it| it.by.iter().cloned()));
    let own = ["alertname", slo::SERVICE_LABEL, slo::SLO_LABEL].map(str::to_owned);
    vec![Inhibition {
        source_matchers: vec![equal(slo::SEVERITY_LABEL, slo::PAGE)],
        target_matchers: vec![equal(slo::SEVERITY_LABEL, slo::TICKET)],
        equal: own.into_iter().chain(labels).collect(),
    }]
}

fn route(estate: &Estate, receiver: &str, matchers: Vec<String>, waits: &Waits) -> Route {
    let scaled = |text: &str| {
        let duration = text.parse::<Duration>().unwrap_or(Duration::from_secs(15));
        Some(estate.time_scale.apply(duration).to_string())
    };
    let own = ["alertname", slo::SERVICE_LABEL, slo::SLO_LABEL].map(str::to_owned);
    Route {
        receiver: receiver.to_owned(),
        matchers,
        group_by: own.into_iter().chain(estate.identity.keys().cloned()).collect(),
        group_wait: scaled(&waits.group_wait),
        group_interval: scaled(&waits.group_interval),
        repeat_interval: scaled(&waits.repeat_interval),
        routes: Vec::new(),
    }
}

fn receivers(route: &Route) -> BTreeSet<String> {
    let below = route.routes.iter().flat_map(receivers);
    std::iter::once(route.receiver.clone()).chain(below).collect()
}

/// One proof per alert, severity and SLO.
fn proofs(estate: &Estate, plan: &Plan) -> Vec<Proof> {
    let mut all = BTreeSet::new();
    for (service, planned) in estate.services.iter().zip(&plan.services) {
        for (alert, labels) in alerts(&planned.rules) {
            for name in service.slos.iter().map(|it| it.name.to_string()) {
                let mut labels = labels.clone();
                labels.entry(slo::SERVICE_LABEL.to_owned()).or_insert_with(|| service.name.to_string());
                if alert != slo::SERVICE_DOWN {
                    labels.insert(slo::SLO_LABEL.to_owned(), name);
                }
                all.insert(proof(estate, &alert, labels));
            }
        }
    }
    all.extend(alerts(&plan.estate_rules).into_iter().map(|(alert, labels)| proof(estate, &alert, labels)));
    all.into_iter().collect()
}

fn alerts(file: &RuleFile) -> Vec<(String, BTreeMap<String, String>)> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    let alert = |rule: &Rule| match rule {
        Rule::Alerting { alert, labels, .. } => Some((alert.clone(), labels.clone())),
        Rule::Recording { .. } => None,
    };
    rules.filter_map(alert).collect()
}

/// Where an alert must go, by the meaning of teams and severities, not by walking the tree.
fn proof(estate: &Estate, alert: &str, mut labels: BTreeMap<String, String>) -> Proof {
    let team = labels.get(slo::TEAM_LABEL).and_then(|it| estate.teams.iter().find(|(name, _)| name.as_str() == it));
    let page = labels.get(slo::SEVERITY_LABEL).is_some_and(|it| it == slo::PAGE);
    let receiver = match team {
        _ if alert == slo::WATCHDOG => WATCHDOG_RECEIVER.to_owned(),
        Some((_, team)) if page => team.page.clone(),
        Some((_, team)) => team.ticket.clone(),
        None => DEFAULT_RECEIVER.to_owned(),
    };
    labels.insert("alertname".to_owned(), alert.to_owned());
    Proof { labels: labels.into_iter().collect(), receiver }
}

fn equal(key: &str, value: &str) -> String {
    super::expr::equal(key, value)
}

fn timing() -> TimingFile {
    yaml::from_str(include_str!("../../windows/routing.yaml"))
        .unwrap_or_else(|error| unreachable!("routing.yaml of ours: {error}"))
}
