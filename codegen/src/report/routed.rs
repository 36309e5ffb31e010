//! The alerts of SLOs as a plan routes them, and which of them a change lets begin or end.

use std::collections::BTreeMap;

use kilter_contract::slo as names;

use super::change::Made;
use crate::change::What;
use crate::change::slos::{ServiceChange, SloChange};
use crate::model::{Name, Severity};
use crate::numbers::list;

/// Who hears of what, before and after a change.
#[derive(Debug)]
pub struct Alerts {
    old: All,
    new: All,
}

/// Alerts of every SLO, by service and SLO; those of a service as a whole stand under no SLO.
type All = BTreeMap<(String, String), Vec<Routed>>;

impl Alerts {
    /// Reads both.
    pub fn of(old: Option<&Made>, new: &Made) -> Self {
        Self { old: old.map(all).unwrap_or_default(), new: all(new) }
    }

    /// What ends and begins with an SLO, in sentences.
    pub fn of_slo(&self, service: &ServiceChange<'_>, it: &SloChange<'_>) -> Vec<String> {
        let key = |service: &Name, slo: &Name| (service.to_string(), slo.to_string());
        let old = self.old.get(&key(service.from.unwrap_or(service.name), it.from.unwrap_or(it.name)));
        match (old, self.new.get(&key(service.name, it.name)), it.what) {
            (Some(old), _, What::Removed) => said(old.iter(), "end"),
            (Some(old), Some(new), What::Changed) => changed(old, new),
            _ => Vec::new(),
        }
    }

    /// What ends with a service as a whole.
    pub fn of_service(&self, it: &ServiceChange<'_>) -> Vec<String> {
        let old = self.old.get(&(it.name.to_string(), String::new())).filter(|_| it.what == What::Removed);
        old.map(|it| said(it.iter(), "end")).unwrap_or_default()
    }
}

/// An alert: its name, who hears of it, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Routed {
    severity: Severity,
    receiver: String,
    name: String,
}

/// All of an estate.
fn all((estate, plan, _): &Made) -> All {
    let mut all = All::new();
    for proof in &plan.routing.proofs {
        let label = |key: &str| proof.label(key);
        let (Some(service), Some(name)) = (label(names::SERVICE_LABEL), label("alertname")) else { continue };
        // What goes one level up has another severity: it is about a page.
        let severities = [Severity::Page, Severity::Ticket];
        let known =
            severities.into_iter().find(|it| label(names::SEVERITY_LABEL) == Some(estate.policy.severities.of(*it)));
        let Some(severity) = known else { continue };
        let slo = label(names::SLO_LABEL).unwrap_or_default().to_owned();
        let alert = Routed { severity, receiver: proof.receiver.clone(), name: name.to_owned() };
        all.entry((service.to_owned(), slo)).or_default().push(alert);
    }
    for alerts in all.values_mut() {
        alerts.sort();
        alerts.dedup();
    }
    all
}

/// What ends and what begins in an SLO that stays. Alerts on its budget are told with their windows.
fn changed(old: &[Routed], new: &[Routed]) -> Vec<String> {
    let mut all = said(only(old, new), "end");
    all.extend(said(only(new, old), "begin"));
    all
}

fn only<'a>(these: &'a [Routed], others: &'a [Routed]) -> impl Iterator<Item = &'a Routed> {
    let known = |it: &Routed| others.iter().any(|that| (that.severity, &that.name) == (it.severity, &it.name));
    these.iter().filter(move |it| it.name != names::ERROR_BUDGET_BURN && !known(it))
}

/// `pages that end: A and B (to pager)`, for each severity and receiver.
fn said<'a>(alerts: impl Iterator<Item = &'a Routed>, what: &str) -> Vec<String> {
    let mut groups: BTreeMap<(Severity, &str), Vec<String>> = BTreeMap::new();
    for it in alerts {
        groups.entry((it.severity, &it.receiver)).or_default().push(it.name.clone());
    }
    let sentence = |((severity, receiver), names): ((Severity, &str), Vec<String>)| {
        format!("{}s that {what}: {} (to {receiver})", severity.as_str(), list(&names))
    };
    groups.into_iter().map(sentence).collect()
}
