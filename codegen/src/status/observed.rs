//! What a server answered, by SLO and group.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;

use super::Alert;
use crate::model::{Duration, Estate, Slo};
use crate::prometheus::{Labels, Sample};

/// A service, an SLO and the values of its `by` labels.
pub type Key = (String, String, BTreeMap<String, String>);

/// Everything that a report is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// The server's time, in milliseconds.
    pub at: i64,
    /// Recorded values by name. Of two copies of a highly available ruler the worse counts.
    recorded: BTreeMap<Key, BTreeMap<String, f64>>,
    /// Labels by which the server's rules divide each service's SLO.
    divided: BTreeMap<(String, String), BTreeSet<String>>,
    /// Events within a compliance window.
    events: BTreeMap<(Key, Duration), f64>,
    /// When what is missing was there last, in milliseconds, by series.
    last: BTreeMap<(Key, String), i64>,
    /// Alerts of SLOs.
    alerts: BTreeMap<Key, Vec<Alert>>,
    /// Alerts of services.
    of_services: BTreeMap<String, Vec<Alert>>,
    /// Whether the server has scraped anything; only known of one that has nothing recorded.
    pub scraped: Option<bool>,
}

impl Observed {
    /// At this time of the server.
    pub fn at(at: i64) -> Self {
        Self { at, ..Self::default() }
    }

    /// Adds the answer to [`super::ask::Chunk::recorded`].
    pub fn add_recorded(&mut self, estate: &Estate, samples: &[Sample]) {
        self.divided.extend(divisions(samples));
        for sample in samples {
            let Some(name) = sample.labels.get("__name__") else { continue };
            let Some(key) = self.key(estate, &sample.labels) else { continue };
            let value = self.recorded.entry(key).or_default().entry(name.clone()).or_insert(sample.point.value);
            *value = value.max(sample.point.value);
        }
    }

    /// Adds the answer to one of [`super::ask::Chunk::events`].
    pub fn add_events(&mut self, estate: &Estate, window: Duration, samples: &[Sample]) {
        for sample in samples {
            let Some(key) = self.key(estate, &sample.labels) else { continue };
            let value = self.events.entry((key, window)).or_insert(sample.point.value);
            *value = value.max(sample.point.value);
        }
    }

    /// Adds the answer to [`super::ask::Chunk::last`].
    #[expect(clippy::cast_possible_truncation, reason = "a time within some weeks of now")]
    pub fn add_last(&mut self, estate: &Estate, series: &str, samples: &[Sample]) {
        for sample in samples {
            let Some(key) = self.key(estate, &sample.labels) else { continue };
            let at = (sample.point.value * 1_000.0).round() as i64;
            let last = self.last.entry((key, series.to_owned())).or_insert(at);
            *last = (*last).max(at);
        }
    }

    /// Adds the answer to [`super::ask::Chunk::alerts`].
    pub fn add_alerts(&mut self, estate: &Estate, samples: &[Sample]) {
        let text = |of: &Labels, name: &str| of.get(name).cloned().unwrap_or_default();
        for Sample { labels, .. } in samples {
            let alert = Alert {
                name: text(labels, "alertname"),
                severity: text(labels, slo::SEVERITY_LABEL),
                firing: labels.get("alertstate").is_some_and(|it| it == "firing"),
            };
            let all = match self.key(estate, labels) {
                Some(key) => self.alerts.entry(key).or_default(),
                None if labels.contains_key(slo::SLO_LABEL) => continue,
                None => self.of_services.entry(text(labels, slo::SERVICE_LABEL)).or_default(),
            };
            if !all.contains(&alert) {
                all.push(alert);
                all.sort();
            }
        }
    }

    /// Whether anything of Kilter's is recorded.
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty()
    }

    /// A recorded value of now.
    pub fn value(&self, key: &Key, name: &str) -> Option<f64> {
        self.recorded.get(key)?.get(name).copied().filter(|it| !it.is_nan())
    }

    /// Whether the server runs rules of a service.
    pub fn runs(&self, service: &str) -> bool {
        self.recorded.iter().any(|((it, ..), values)| it == service && values.contains_key(slo::ERROR_BUDGET))
    }

    /// Groups of an SLO of which anything is known; one without labels when there is none.
    pub fn groups(&self, service: &str, of: &Slo) -> Vec<Key> {
        let plain: Key = (service.to_owned(), of.name.to_string(), BTreeMap::new());
        if self.divided(service, of.name.as_str()).map_or(of.by.is_empty(), BTreeSet::is_empty) {
            return vec![plain];
        }
        let mut all: Vec<Key> = Vec::new();
        let measured = |values: &BTreeMap<String, f64>| {
            [slo::TOTAL_RATE, slo::PERIOD_COVERAGE].iter().any(|it| values.contains_key(*it))
        };
        let known = self.recorded.iter().filter(|(_, values)| measured(values)).map(|(key, _)| key);
        let same = |it: &&Key| it.0 == service && it.1 == of.name.as_str();
        all.extend(known.chain(self.alerts.keys()).filter(same).filter(|it| !it.2.is_empty()).cloned());
        all.sort();
        all.dedup();
        if all.is_empty() { vec![plain] } else { all }
    }

    /// The labels by which the server's rules divide an SLO, when data of it are recorded.
    pub fn divided(&self, service: &str, slo: &str) -> Option<&BTreeSet<String>> {
        self.divided.get(&(service.to_owned(), slo.to_owned()))
    }

    /// Events within a compliance window.
    pub fn events(&self, key: &Key, window: Duration) -> Option<f64> {
        self.events.get(&(key.clone(), window)).copied().filter(|it| it.is_finite())
    }

    /// When a series was there last.
    pub fn last(&self, key: &Key, series: &str) -> Option<i64> {
        self.last.get(&(key.clone(), series.to_owned())).copied()
    }

    /// Alerts of an SLO's group, and those of the whole SLO.
    pub fn alerts(&self, key: &Key) -> Vec<Alert> {
        let whole: Key = (key.0.clone(), key.1.clone(), BTreeMap::new());
        let keys = if key.2.is_empty() { vec![key] } else { vec![key, &whole] };
        let mut all: Vec<Alert> = keys.into_iter().filter_map(|it| self.alerts.get(it)).flatten().cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    /// Services with alerts of their own.
    pub fn services(&self) -> impl Iterator<Item = (&String, &Vec<Alert>)> {
        self.of_services.iter()
    }

    /// What labels are about; `None` when that is no SLO of the estate. Its group is as the server's rules divide it, and as
    /// the file does where nothing is recorded.
    fn key(&self, estate: &Estate, labels: &Labels) -> Option<Key> {
        let (service, name) = (labels.get(slo::SERVICE_LABEL)?, labels.get(slo::SLO_LABEL)?);
        let found = estate.services.binary_search_by(|it| it.name.as_str().cmp(service)).ok()?;
        let slo = estate.services[found].slos.iter().find(|it| it.name.as_str() == name)?;
        let value = |it: &String| Some((it.clone(), labels.get(it)?.clone()));
        let group = match self.divided(service, name) {
            Some(served) => served.iter().filter_map(value).collect(),
            None => slo.by.iter().filter_map(value).collect(),
        };
        Some((service.clone(), name.clone(), group))
    }
}

/// The labels that data of each SLO have and its error budget has not: what divides it. Labels of an external system, such
/// as a replica's, are on both.
fn divisions(samples: &[Sample]) -> impl Iterator<Item = ((String, String), BTreeSet<String>)> {
    let mut all: BTreeMap<(String, String), [BTreeSet<&str>; 2]> = BTreeMap::new();
    for Sample { labels, .. } in samples {
        let text = |name: &str| labels.get(name).map(String::as_str);
        let side = match text("__name__") {
            Some(slo::ERROR_BUDGET) => 0,
            Some(slo::TOTAL_RATE | slo::MEASURED_RATE | slo::PERIOD_COVERAGE) => 1,
            _ => continue,
        };
        let (Some(service), Some(name)) = (text(slo::SERVICE_LABEL), text(slo::SLO_LABEL)) else { continue };
        let found = &mut all.entry((service.to_owned(), name.to_owned())).or_default()[side];
        found.extend(labels.keys().map(String::as_str));
    }
    let known = all.into_iter().filter(|(_, [budget, data])| !budget.is_empty() && !data.is_empty());
    let divided = |of: [BTreeSet<&str>; 2]| of[1].difference(&of[0]).map(|it| (*it).to_owned()).collect();
    known.map(move |(slo, of)| (slo, divided(of))).collect::<Vec<_>>().into_iter()
}
