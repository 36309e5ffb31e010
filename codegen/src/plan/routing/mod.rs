//! The Alertmanager tree of the estate, and for each alert the proof of where it goes.

mod inhibition;
mod proof;

use std::collections::BTreeSet;

use kilter_contract::slo;
use serde::{Deserialize, Serialize};

use super::Plan;
use super::windows::Severity;
use crate::model::{Duration, Estate, OfficeHours, Team};
use crate::yaml;
pub use inhibition::Inhibition;
pub use proof::Proof;

/// What the file says behind the receiver of an alert that no team receives.
pub const UNROUTED: &str = " (no team receives it)";

/// Alerts of ours, for the matcher of a subtree among other people's routes.
pub fn own_alerts() -> String {
    format!("alertname=~{}", super::expr::quote(&slo::ALERTS.join("|")))
}

/// The tree, its inhibition, and the proofs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Routing {
    /// The root.
    pub route: Route,
    /// What silences what.
    pub inhibit_rules: Vec<Inhibition>,
    /// Office hours that routes name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub time_intervals: Vec<NamedHours>,
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
    /// When it delivers; at any time when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub active_time_intervals: Vec<String>,
    /// First match wins.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
}

/// Hours under a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedHours {
    /// As routes name them.
    pub name: String,
    /// When they are: one interval.
    pub time_intervals: Vec<Hours>,
}

/// An interval of Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hours {
    /// Days.
    pub weekdays: Vec<String>,
    /// One span.
    pub times: Vec<Times>,
    /// IANA name.
    pub location: String,
}

/// A span of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Times {
    /// `09:00`.
    pub start_time: String,
    /// `17:00`.
    pub end_time: String,
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

/// Plans the tree for the estate, and the proofs for everything planned for it when they are wanted.
pub fn routing(estate: &Estate, plan: &Plan, proven: bool) -> Routing {
    let timing = timing();
    let switch = &estate.alertmanager.deadmans_switch;
    let mut children = vec![route(estate, switch, vec![equal("alertname", slo::WATCHDOG)], &timing.watchdog)];
    // Before the teams: such an alert names the team whose page it is about, and is not the team's.
    children.extend(
        estate
            .leadership
            .as_ref()
            .map(|it| route(estate, &it.receiver, vec![equal(slo::SEVERITY_LABEL, slo::LEADERSHIP)], &timing.page)),
    );
    children.extend(estate.teams.iter().map(|(name, team)| of_team(estate, name.as_str(), team, &timing)));
    let mut root = route(estate, &estate.alertmanager.default, Vec::new(), &timing.page);
    root.routes = children;
    let hours = estate.teams.iter().filter_map(|(name, team)| Some(named(name.as_str(), team.office_hours.as_ref()?)));
    Routing {
        receivers: receivers(&root),
        proofs: if proven { proof::proofs(estate, plan) } else { Vec::new() },
        route: root,
        inhibit_rules: inhibition::inhibitions(estate),
        time_intervals: hours.collect(),
    }
}

fn of_team(estate: &Estate, name: &str, team: &Team, timing: &TimingFile) -> Route {
    let of = |severity: &str, receiver: &str, waits| {
        route(estate, receiver, vec![equal(slo::SEVERITY_LABEL, severity)], waits)
    };
    let names = &estate.policy.severities;
    let mut ticket = of(names.of(Severity::Ticket), &team.ticket, &timing.ticket);
    ticket.active_time_intervals = team.office_hours.iter().map(|_| hours_name(name)).collect();
    let mut routes = vec![of(names.of(Severity::Page), &team.page, &timing.page), ticket];
    routes.extend(team.escalation.as_ref().map(|receiver| of(slo::ESCALATION, receiver, &timing.page)));
    Route { receiver: team.ticket.clone(), matchers: vec![equal(slo::TEAM_LABEL, name)], routes, ..Route::default() }
}

fn hours_name(team: &str) -> String {
    format!("office-hours-{team}")
}

fn named(team: &str, hours: &OfficeHours) -> NamedHours {
    let times = vec![Times { start_time: hours.from.clone(), end_time: hours.to.clone() }];
    let interval = Hours { weekdays: hours.days.clone(), times, location: hours.location.clone() };
    NamedHours { name: hours_name(team), time_intervals: vec![interval] }
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
        ..Route::default()
    }
}

fn receivers(route: &Route) -> BTreeSet<String> {
    let below = route.routes.iter().flat_map(receivers);
    std::iter::once(route.receiver.clone()).chain(below).collect()
}

fn equal(key: &str, value: &str) -> String {
    super::expr::equal(key, value)
}

fn timing() -> TimingFile {
    yaml::from_str(include_str!("../../../windows/routing.yaml"))
        .unwrap_or_else(|error| unreachable!("routing.yaml of ours: {error}"))
}
