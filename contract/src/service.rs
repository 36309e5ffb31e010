//! What one service says of itself: its routes, error kinds and own signals, and the names that it uses the contract's
//! signals with. A service writes it, the generator checks SLOs against it; as JSON with the feature `serde`.

use std::collections::BTreeMap;

use crate::{Instrument, Label, Signal, Values};

/// One service, as its code has it. Everything is sorted, so that the same service gives the same text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ServiceContract {
    /// [`VERSION`](crate::VERSION) of the contract that the service was built with.
    pub contract_version: String,
    /// Name of the service.
    pub service: String,
    /// Its version; only where a running service is asked, so that a committed file does not change with each release.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub version: Option<String>,
    /// Declared routes, by template.
    #[cfg_attr(feature = "serde", serde(default))]
    pub routes: Vec<ExportedRoute>,
    /// Declared kinds of errors.
    #[cfg_attr(feature = "serde", serde(default))]
    pub error_kinds: Vec<String>,
    /// Signals of its own, by name.
    #[cfg_attr(feature = "serde", serde(default))]
    pub signals: Vec<ExportedSignal>,
    /// Bucket bounds beyond those that a signal declares, as `le` texts, by signal.
    #[cfg_attr(feature = "serde", serde(default))]
    pub bounds: BTreeMap<String, Vec<String>>,
    /// Signals of the contract that are in use, each with its labels of configured names and what stands in them:
    /// dependencies, databases, pools, jobs, caches.
    #[cfg_attr(feature = "serde", serde(default))]
    pub uses: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// A declared route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExportedRoute {
    /// Its template.
    pub route: String,
    /// Its methods.
    pub methods: Vec<String>,
    /// Whether its responses are streams.
    pub stream: bool,
    /// The status of its success.
    pub success_status: u16,
}

/// A signal of the service's own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExportedSignal {
    /// Name of the family on the metrics page.
    pub name: String,
    /// Name in OpenTelemetry's style.
    pub otel: String,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub instrument: String,
    /// UCUM code of its unit.
    pub unit: String,
    /// The HELP text.
    pub help: String,
    /// Its labels, in the order of the page.
    #[cfg_attr(feature = "serde", serde(default))]
    pub labels: Vec<ExportedLabel>,
    /// The bounds that it declares, as `le` texts; empty unless it is a histogram.
    #[cfg_attr(feature = "serde", serde(default))]
    pub bounds: Vec<String>,
}

/// A label of such a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExportedLabel {
    /// The key on the metrics page.
    pub key: String,
    /// The attribute that it stands for.
    pub attribute: String,
    /// Its values when they are a closed set; absent when they come from code or configuration.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub values: Option<Vec<String>>,
    /// Whether it can be absent.
    pub optional: bool,
    /// What it means.
    pub help: String,
}

impl ExportedRoute {
    /// A route; its methods are sorted.
    pub fn new(route: &str, methods: impl IntoIterator<Item = String>, stream: bool, success_status: u16) -> Self {
        let mut methods: Vec<String> = methods.into_iter().collect();
        methods.sort();
        Self { route: route.to_owned(), methods, stream, success_status }
    }
}

impl From<&Signal> for ExportedSignal {
    fn from(signal: &Signal) -> Self {
        let instrument = match signal.instrument {
            Instrument::Info => "info",
            _ => signal.prometheus_type(),
        };
        let bounds = match signal.instrument {
            Instrument::Histogram(buckets) => buckets.le(),
            _ => Vec::new(),
        };
        Self {
            name: signal.name.to_owned(),
            otel: signal.otel.to_owned(),
            instrument: instrument.to_owned(),
            unit: signal.unit.ucum().to_owned(),
            help: signal.help.to_owned(),
            labels: signal.labels.iter().map(ExportedLabel::from).collect(),
            bounds,
        }
    }
}

impl From<&Label> for ExportedLabel {
    fn from(label: &Label) -> Self {
        let values = match label.values {
            Values::Closed(set) => Some(set.iter().map(|it| (*it).to_owned()).collect()),
            _ => None,
        };
        let [key, attribute, help] = [label.key, label.attribute, label.help].map(str::to_owned);
        Self { key, attribute, values, optional: label.optional, help }
    }
}

impl ServiceContract {
    /// An empty one of a service, of this version of the contract.
    pub fn of(service: &str) -> Self {
        Self { contract_version: crate::VERSION.to_owned(), service: service.to_owned(), ..Self::default() }
    }

    /// The signal of its own with this name.
    pub fn signal(&self, name: &str) -> Option<&ExportedSignal> {
        self.signals.iter().find(|it| it.name == name)
    }

    /// The signal of its own that exposes this series.
    pub fn series(&self, series: &str) -> Option<&ExportedSignal> {
        self.signals.iter().find(|it| match it.instrument.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .any(|form| series.strip_suffix(form).is_some_and(|stem| stem == it.name)),
            _ => series == it.name,
        })
    }

    /// The configured names that stand in a label of a signal in use.
    pub fn names(&self, signal: &str, label: &str) -> &[String] {
        self.uses.get(signal).and_then(|it| it.get(label)).map_or(&[], Vec::as_slice)
    }
}
