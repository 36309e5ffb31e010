//! Policy classes: SLOs of a service that share windows, factors, guards and the policy for missing data share rules.

use super::maintenance::has_measured;
use super::windows::{self, Pair, Severity};
use crate::model::{Decimal, Duration, Extra, NoData, Service, Slo};

/// The label that tells the alerts of a service's classes apart.
pub const POLICY_LABEL: &str = "policy";

/// SLOs that are watched by the same rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class<'a> {
    /// Its members, in the order of the file.
    pub slos: Vec<&'a Slo>,
    /// Alert windows with their factors for these SLOs.
    pub pairs: Vec<(Pair, Decimal)>,
    /// Compliance window.
    pub window: Duration,
    /// Low-traffic guard.
    pub min_errors: u32,
    /// Policy for missing data.
    pub no_data: NoData,
    /// Whether its SLOs have maintenance, each its own.
    pub maintained: bool,
    /// What its alerts carry.
    pub extra: Extra,
    /// Its number when the service has several classes: their alerts differ in the label `policy`. `None` when it
    /// holds every SLO of the service; then nothing needs to name its SLOs.
    pub number: Option<usize>,
}

impl Class<'_> {
    /// Names of its SLOs for a matcher; empty when the service has no other.
    pub fn names(&self) -> Vec<&str> {
        if self.number.is_none() {
            return Vec::new();
        }
        self.slos.iter().map(|slo| slo.name.as_str()).collect()
    }

    /// Every `by` label of its SLOs, sorted.
    pub fn by(&self) -> Vec<String> {
        let mut all: Vec<String> = self.slos.iter().flat_map(|slo| slo.by.clone()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Whether what is measured is recorded beside what counts.
    pub fn measured(&self) -> bool {
        self.slos.first().is_some_and(|slo| has_measured(slo))
    }

    /// How missing data and lost traffic are delivered; `None` when nothing is told.
    pub fn missing_severity(&self) -> Option<Severity> {
        match self.no_data {
            NoData::Page => Some(Severity::Page),
            // It counts as errors, so it is as urgent as errors are.
            NoData::Bad if !self.pairs_of(Severity::Page).is_empty() => Some(Severity::Page),
            NoData::Bad | NoData::Ticket => Some(Severity::Ticket),
            NoData::Ignore => None,
        }
    }

    /// The pairs of one severity.
    pub fn pairs_of(&self, severity: Severity) -> Vec<&(Pair, Decimal)> {
        self.pairs.iter().filter(|(pair, _)| pair.severity == severity).collect()
    }
}

/// The classes of a service, in the order in which the file first needs them. No class has more SLOs than `most`: what an
/// engine takes in one group is limited.
pub fn classes(service: &Service, most: usize) -> Vec<Class<'_>> {
    let mut all: Vec<Class<'_>> = Vec::new();
    for slo in &service.slos {
        let pairs: Vec<_> =
            windows::pairs(slo).iter().map(|pair| (pair.clone(), pair.factor(slo.window, slo.objective))).collect();
        let maintained = slo.policy.maintenance.is_some();
        let same = |it: &&mut Class<'_>| {
            it.slos.len() < most
                && it.pairs == pairs
                && (it.window, it.min_errors, it.no_data) == (slo.window, slo.min_errors, slo.no_data)
                && (it.maintained, &it.extra) == (maintained, &slo.policy.extra)
        };
        match all.iter_mut().find(same) {
            Some(class) => class.slos.push(slo),
            None => all.push(Class {
                slos: vec![slo],
                pairs,
                window: slo.window,
                min_errors: slo.min_errors,
                no_data: slo.no_data,
                maintained,
                extra: slo.policy.extra.clone(),
                number: Some(all.len() + 1),
            }),
        }
    }
    if let [only] = all.as_mut_slice() {
        only.number = None;
    }
    all
}
