//! Which labels reach which receiver, by the meaning of teams and severities, not by walking the tree.

use std::collections::BTreeMap;

use kilter_contract::slo;
use rayon::prelude::*;

use super::super::alerting::has_traffic_to_lose;
use super::super::class::{POLICY_LABEL, classes};
use super::super::escalation;
use super::super::{Plan, Rule, RuleFile, ServicePlan};
use crate::model::{Estate, Service, Slo};

/// Labels of an alert and the receiver that they must reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof {
    /// Labels, sorted.
    pub labels: Vec<(String, String)>,
    /// The receiver.
    pub receiver: String,
    /// An alert about a service that no team receives: it falls to the default receiver.
    pub unrouted: bool,
}

impl Proof {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }
}

/// One proof per alert, severity and SLO.
pub(super) fn proofs(estate: &Estate, plan: &Plan) -> Vec<Proof> {
    let services: Vec<(&Service, &ServicePlan)> = estate.services.iter().zip(&plan.services).collect();
    let mut all: Vec<Proof> =
        services.par_iter().flat_map_iter(|(service, planned)| of_service(estate, service, planned)).collect();
    for (alert, labels) in alerts(&plan.estate_rules) {
        all.push(proof(estate, &alert, labels.clone()));
        // What the leadership hears of a page names the page's team, which has a route of its own.
        let named =
            labels.get(slo::SEVERITY_LABEL).is_some_and(|it| it == slo::LEADERSHIP) && alert == slo::PAGE_UNANSWERED;
        for team in escalation::paged(estate).into_iter().filter(|_| named) {
            let mut labels = labels.clone();
            labels.insert(slo::TEAM_LABEL.to_owned(), team.to_string());
            all.push(proof(estate, &alert, labels));
        }
    }
    all.par_sort_unstable();
    all.dedup();
    all
}

fn of_service(estate: &Estate, service: &Service, planned: &ServicePlan) -> Vec<Proof> {
    let mut all = Vec::new();
    let classes = classes(service, planned.layout.most());
    for (alert, mut labels) in alerts(&planned.rules) {
        labels.entry(slo::SERVICE_LABEL.to_owned()).or_insert_with(|| service.name.to_string());
        if slo::PER_SERVICE.contains(&alert.as_str()) {
            all.push(proof(estate, &alert, labels));
            continue;
        }
        // A rule of one class raises alerts of its own SLOs only.
        let number = labels.get(POLICY_LABEL).and_then(|it| it.parse::<usize>().ok());
        let own = classes.iter().filter(|it| number.is_none() || it.number == number);
        let raised = |it: &&&Slo| alert != slo::TRAFFIC_LOST || has_traffic_to_lose(it);
        for name in own.flat_map(|it| &it.slos).filter(raised).map(|it| it.name.to_string()) {
            let mut labels = labels.clone();
            labels.insert(slo::SLO_LABEL.to_owned(), name);
            all.push(proof(estate, &alert, labels));
        }
    }
    all
}

fn alerts(file: &RuleFile) -> Vec<(String, BTreeMap<String, String>)> {
    let rules = file.groups.iter().flat_map(|group| &group.rules);
    let alert = |rule: &Rule| match rule {
        Rule::Alerting { alert, labels, .. } => Some((alert.clone(), labels.clone())),
        Rule::Recording { .. } => None,
    };
    rules.filter_map(alert).collect()
}

fn proof(estate: &Estate, alert: &str, mut labels: BTreeMap<String, String>) -> Proof {
    let team = labels.get(slo::TEAM_LABEL).and_then(|it| estate.teams.iter().find(|(name, _)| name.as_str() == it));
    let receiver = match (team, labels.get(slo::SEVERITY_LABEL).map(String::as_str)) {
        _ if alert == slo::WATCHDOG => estate.alertmanager.deadmans_switch.clone(),
        (_, Some(slo::LEADERSHIP)) => estate.leadership.as_ref().map_or_else(String::new, |it| it.receiver.clone()),
        (Some((_, team)), Some(severity)) if severity == estate.policy.severities.page => team.page.clone(),
        (Some((_, team)), Some(slo::ESCALATION)) => team.escalation.clone().unwrap_or_else(|| team.ticket.clone()),
        (Some((_, team)), _) => team.ticket.clone(),
        (None, _) => estate.alertmanager.default.clone(),
    };
    let unrouted = team.is_none() && labels.contains_key(slo::SERVICE_LABEL);
    // What alerts carry beside Kilter's own labels routes nothing of ours; with blanks it could not be written as a proof.
    labels.retain(|_, value| !value.contains(char::is_whitespace));
    labels.insert("alertname".to_owned(), alert.to_owned());
    Proof { labels: labels.into_iter().collect(), receiver, unrouted }
}
