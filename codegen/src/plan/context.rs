//! What the rules of one service have in common: its labels, selectors, timing and window table.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::expr::{equal, one_of, select};
use super::windows::{self, Timing};
use crate::model::{Estate, Service, Slo};

/// A service within its estate, with everything that its rules share.
#[derive(Debug)]
pub struct Context<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// The service.
    pub service: &'a Service,
    /// Intervals and holds, scaled.
    pub timing: Timing,
}

impl<'a> Context<'a> {
    /// The context of a service.
    pub fn new(estate: &'a Estate, service: &'a Service) -> Self {
        Self { estate, service, timing: windows::timing().scaled(estate.time_scale) }
    }

    /// The service's own series: the estate's selector for this service, and the identity.
    pub fn raw_matchers(&self) -> Vec<String> {
        let base = self.estate.selector.replace("{{service}}", self.service.name.as_str());
        std::iter::once(base).chain(self.identity_matchers()).collect()
    }

    fn identity_matchers(&self) -> impl Iterator<Item = String> + '_ {
        self.estate.identity.iter().map(|(key, value)| equal(key, value))
    }

    /// A recorded series of this service; of the named SLOs only, unless there are none.
    pub fn recorded(&self, series: &str, slos: &[&str]) -> String {
        let mut matchers = vec![equal(slo::SERVICE_LABEL, self.service.name.as_str())];
        if !slos.is_empty() {
            matchers.push(one_of(slo::SLO_LABEL, slos));
        }
        matchers.extend(self.identity_matchers());
        select(series, &matchers)
    }

    /// The labels that tell one SLO from every other: service, slo, identity.
    pub fn join(&self) -> Vec<String> {
        let own = [slo::SERVICE_LABEL, slo::SLO_LABEL].map(str::to_owned);
        own.into_iter().chain(self.estate.identity.keys().cloned()).collect()
    }

    /// Static labels of a series recorded per SLO.
    pub fn slo_labels(&self, slo: &Slo) -> BTreeMap<String, String> {
        let mut labels = self.service_labels();
        labels.insert(slo::SLO_LABEL.to_owned(), slo.name.to_string());
        labels
    }

    /// Static labels of anything about the whole service.
    pub fn service_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.estate.identity.clone();
        labels.insert(slo::SERVICE_LABEL.to_owned(), self.service.name.to_string());
        labels
    }
}
