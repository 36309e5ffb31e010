//! What a server answered, by SLO and group.

use std::collections::BTreeMap;

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
        for sample in samples {
            let Some(name) = sample.labels.get("__name__") else { continue };
            let Some(key) = key(estate, &sample.labels) else { continue };
            let value = self.recorded.entry(key).or_default().entry(name.clone()).or_insert(sample.point.value);
            *value = value.max(sample.point.value);
        }
    }

    /// Adds the answer to one of [`super::ask::Chunk::events`].
    pub fn add_events(&mut self, estate: &Estate, window: Duration, samples: &[Sample]) {
        for sample in samples {
            let Some(key) = key(estate, &sample.labels) else { continue };
            let value = self.events.entry((key, window)).or_insert(sample.point.value);
            *value = value.max(sample.point.value);
        }
    }

    /// Adds the answer to [`super::ask::Chunk::last`].
    #[expect(clippy::cast_possible_truncation, reason = "a time within some weeks of now")]
    pub fn add_last(&mut self, estate: &Estate, series: &str, samples: &[Sample]) {
        for sample in samples {
            let Some(key) = key(estate, &sample.labels) else { continue };
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
            let all = match key(estate, labels) {
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
        if of.by.is_empty() {
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
}

/// What labels are about; `None` when that is no SLO of the estate.
fn key(estate: &Estate, labels: &Labels) -> Option<Key> {
    let (service, name) = (labels.get(slo::SERVICE_LABEL)?, labels.get(slo::SLO_LABEL)?);
    let found = estate.services.binary_search_by(|it| it.name.as_str().cmp(service)).ok()?;
    let slo = estate.services[found].slos.iter().find(|it| it.name.as_str() == name)?;
    let group = slo.by.iter().filter_map(|it| Some((it.clone(), labels.get(it)?.clone()))).collect();
    Some((service.clone(), name.clone(), group))
}
