//! What a family of a page must be: a signal of the contract, or one that the service declares for itself.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::service::{ExportedSignal, ServiceContract};
use kilter_contract::{CATALOG, Instrument, Label, Signal, Unit, Values, error_type};

/// A signal, whoever declares it.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) name: String,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub(super) instrument: &'static str,
    /// The word of OpenMetrics' `UNIT`; empty when it counts things.
    pub(super) unit: &'static str,
    pub(super) help: String,
    pub(super) labels: Vec<ExpectedLabel>,
    /// Bounds that it must have; empty unless it is a histogram.
    pub(super) bounds: Vec<f64>,
    /// Bounds that it may have.
    pub(super) further: Vec<f64>,
    /// Whether the service declares it for itself.
    pub(super) own: bool,
}

/// A label of it.
#[derive(Debug, Clone)]
pub(super) struct ExpectedLabel {
    pub(super) key: String,
    pub(super) optional: bool,
    allowed: Allowed,
}

#[derive(Debug, Clone)]
enum Allowed {
    Contract(Values),
    /// Kinds of the contract and these.
    Kinds(Vec<String>),
    Closed(Vec<String>),
    Any,
}

impl ExpectedLabel {
    pub(super) fn allows(&self, value: &str) -> bool {
        match &self.allowed {
            Allowed::Contract(values) => values.allows(value) || value == error_type::OTHER && self.folds(),
            Allowed::Kinds(declared) => {
                error_type::is_well_formed(value)
                    && (!error_type::is_declarable(value) || declared.iter().any(|it| it == value))
            }
            Allowed::Closed(set) => set.iter().any(|it| it == value),
            Allowed::Any => true,
        }
    }

    /// Whether values beyond a budget become `_OTHER`.
    fn folds(&self) -> bool {
        matches!(self.allowed, Allowed::Contract(Values::RouteTemplate | Values::StatusCode))
    }

    /// What it takes, in words.
    pub(super) fn takes(&self) -> String {
        match &self.allowed {
            Allowed::Contract(Values::Closed(set)) => set.join(", "),
            Allowed::Contract(Values::RouteTemplate) => "the template of a route, such as /orders/{id}".to_owned(),
            Allowed::Contract(Values::StatusCode) => "three digits, such as 200".to_owned(),
            Allowed::Contract(Values::ErrorType) | Allowed::Kinds(_) => {
                let declared = match &self.allowed {
                    Allowed::Kinds(declared) if !declared.is_empty() => format!(", {}", declared.join(", ")),
                    _ => ", or a kind of the service's own in lower case".to_owned(),
                };
                format!("500 to 599, {}{declared}", error_type::KINDS.join(", "))
            }
            Allowed::Closed(set) => set.join(", "),
            Allowed::Contract(Values::Configured) | Allowed::Any => "any name of the configuration".to_owned(),
        }
    }

    fn of(label: &Label, kinds: Option<&[String]>) -> Self {
        let allowed = match (label.values, kinds) {
            (Values::ErrorType, Some(kinds)) => Allowed::Kinds(kinds.to_vec()),
            (values, _) => Allowed::Contract(values),
        };
        Self { key: label.key.to_owned(), optional: label.optional, allowed }
    }
}

impl Expected {
    fn of(signal: &Signal, known: Option<&Own>) -> Self {
        let bounds = match signal.instrument {
            Instrument::Histogram(buckets) => seconds(&buckets.le()),
            _ => Vec::new(),
        };
        let further = known.and_then(|it| it.bounds.get(signal.name)).map(|it| seconds(it)).unwrap_or_default();
        let kinds = known.and_then(|it| it.contract.as_ref()).map(|it| it.error_kinds.as_slice());
        Self {
            name: signal.name.to_owned(),
            instrument: if signal.instrument == Instrument::Info { "info" } else { signal.prometheus_type() },
            unit: signal.unit.suffix(),
            help: signal.help.to_owned(),
            labels: signal.labels.iter().map(|it| ExpectedLabel::of(it, kinds)).collect(),
            bounds,
            further,
            own: false,
        }
    }

    fn declared(signal: &ExportedSignal, known: &Own) -> Option<Self> {
        let instrument = ["counter", "gauge", "histogram", "info"].into_iter().find(|it| *it == signal.instrument)?;
        let unit = [Unit::Seconds, Unit::Bytes].into_iter().find(|it| it.ucum() == signal.unit);
        let label = |it: &kilter_contract::service::ExportedLabel| ExpectedLabel {
            key: it.key.clone(),
            optional: it.optional,
            allowed: it.values.clone().map_or(Allowed::Any, Allowed::Closed),
        };
        Some(Self {
            name: signal.name.clone(),
            instrument,
            unit: unit.map_or("", Unit::suffix),
            help: signal.help.clone(),
            labels: signal.labels.iter().map(label).collect(),
            bounds: seconds(&signal.bounds),
            further: known.bounds.get(&signal.name).map(|it| seconds(it)).unwrap_or_default(),
            own: true,
        })
    }

    pub(super) fn label(&self, key: &str) -> Option<&ExpectedLabel> {
        self.labels.iter().find(|it| it.key == key)
    }

    pub(super) fn is_histogram(&self) -> bool {
        self.instrument == "histogram"
    }

    /// Whose it is, in words.
    pub(super) const fn whose(&self) -> &'static str {
        if self.own { "the service's own contract" } else { "the contract" }
    }
}

fn seconds(le: &[String]) -> Vec<f64> {
    le.iter().filter_map(|it| it.parse().ok()).collect()
}

/// What is known of one service beyond the contract that all share.
#[derive(Debug, Clone, Default)]
pub struct Own {
    /// Its own contract.
    pub contract: Option<ServiceContract>,
    /// `le` texts beyond those that a histogram declares, by signal.
    pub bounds: BTreeMap<String, Vec<String>>,
}

/// Every signal that is known, by name.
pub(super) fn all(own: &[Own]) -> BTreeMap<String, Expected> {
    // Pages of several services are checked against what any of them declares.
    let joined = own.iter().fold(Own::default(), |mut all, it| {
        for (signal, bounds) in &it.bounds {
            all.bounds.entry(signal.clone()).or_default().extend(bounds.iter().cloned());
        }
        if let Some(contract) = &it.contract {
            let joined = all.contract.get_or_insert_with(|| ServiceContract::of(&contract.service));
            let kinds: BTreeSet<String> = joined.error_kinds.iter().chain(&contract.error_kinds).cloned().collect();
            joined.error_kinds = kinds.into_iter().collect();
            joined.signals.extend(contract.signals.iter().cloned());
        }
        all
    });
    // A service whose own contract is not known may declare any kind.
    let known = joined.contract.is_some() && own.iter().all(|it| it.contract.is_some());
    let shared = if known { joined.clone() } else { Own { contract: None, ..joined.clone() } };
    let signals = CATALOG.iter().flat_map(|it| it.iter()).map(|it| Expected::of(it, Some(&shared)));
    let own = joined.contract.iter().flat_map(|it| &it.signals).filter_map(|it| Expected::declared(it, &joined));
    own.chain(signals).map(|it| (it.name.clone(), it)).collect()
}
