//! What the rules of one service have in common: its labels, selectors, timing and window table.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::class::{self, Class};
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
    /// How its rules are divided into groups.
    pub layout: Layout,
    /// Its classes in that layout.
    classes: Vec<Class<'a>>,
}

/// How the rules of a service are divided into groups. Whatever the layout, a rule of an SLO is evaluated after those of
/// its group that it reads; only the budget, which looks back over weeks, is in a group of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One group for everything.
    Whole,
    /// One for each class of at most so many SLOs, with their pairs, burn rates and alerts; one for the rest.
    Split(usize),
}

impl Layout {
    /// The most SLOs that share rules.
    pub const fn most(self) -> usize {
        match self {
            Self::Whole => usize::MAX,
            Self::Split(most) => most,
        }
    }
}

impl<'a> Context<'a> {
    /// The context of a service.
    pub fn new(estate: &'a Estate, service: &'a Service) -> Self {
        let (timing, layout) = (windows::timing().scaled(estate.time_scale), Layout::Whole);
        Self { estate, service, timing, layout, classes: class::classes(service, layout.most()) }
    }

    /// Divides the rules otherwise.
    pub fn divide(&mut self, layout: Layout) {
        self.layout = layout;
        self.classes = class::classes(self.service, layout.most());
    }

    /// The classes of the service.
    pub fn classes(&self) -> &[Class<'a>] {
        &self.classes
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
