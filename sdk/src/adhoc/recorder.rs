//! The checking recorder. What the contract or the service declares is written through handles, never from here.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use kilter_contract::{CATALOG, Signal};
use metrics::{Counter, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::core::Core;

/// Most ad-hoc series of a service. Beyond it new ones are refused, known ones stay.
const BUDGET: usize = 2_000;

/// What kind of metric a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The ad-hoc part of an instance.
pub(crate) struct AdHoc {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    /// Every key that was asked for, and whether it is served.
    keys: HashMap<(Key, Kind), bool>,
    kinds: HashMap<String, Kind>,
    served: usize,
}

impl std::fmt::Debug for AdHoc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdHoc").finish_non_exhaustive()
    }
}

impl AdHoc {
    pub(crate) fn new() -> Self {
        // Histograms with the contract's bounds: summaries cannot be added up over instances.
        let bounds: Vec<f64> =
            kilter_contract::http::DURATION_BUCKETS.nanos().iter().map(|it| *it as f64 / 1e9).collect();
        let builder = PrometheusBuilder::new();
        let recorder = builder.set_buckets(&bounds).unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        Self { recorder, handle, known: RwLock::default() }
    }

    /// The page of ad-hoc metrics in the text format.
    pub(crate) fn text(&self) -> String {
        self.handle.render()
    }

    /// Drains what the recorder keeps between renderings; without it memory grows while nobody scrapes.
    pub(crate) fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// A `metrics` recorder that refuses what would break the contract or the page. [`init`](crate::init) installs it;
/// a service that has a recorder of its own can fan out to this one.
#[derive(Debug, Clone, Copy)]
pub struct AdHocRecorder {
    core: &'static Core,
}

impl AdHocRecorder {
    pub(crate) const fn new(core: &'static Core) -> Self {
        Self { core }
    }

    /// Whether the series may be served. Decided once per key; a refusal is counted once.
    fn admit(self, key: &Key, kind: Kind) -> bool {
        let adhoc = &self.core.adhoc;
        let id = (key.clone(), kind);
        if let Some(verdict) = adhoc.known.read().unwrap_or_else(PoisonError::into_inner).keys.get(&id) {
            return *verdict;
        }
        let mut known = adhoc.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = known.keys.get(&id) {
            return *verdict;
        }
        let name = sanitised(key.name());
        let refusal = refuse(key, &name, self.core.config.signals).or_else(|| {
            let other = *known.kinds.entry(name).or_insert(kind);
            if other != kind {
                Some("type_conflict")
            } else if known.served >= BUDGET {
                Some("series_budget")
            } else {
                None
            }
        });
        if let Some(kind) = refusal {
            self.core.health.violation(kind);
            tracing::warn!(metric = key.name(), kind, "an ad-hoc metric is refused");
            // Refusals are remembered up to a limit of their own, so that a flood of names costs no memory.
            if known.keys.len() >= 2 * BUDGET {
                return false;
            }
        } else {
            known.served += 1;
        }
        known.keys.insert(id, refusal.is_none());
        refusal.is_none()
    }
}

impl Recorder for AdHocRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        if self.admit(key, Kind::Counter) {
            self.core.adhoc.recorder.register_counter(key, metadata)
        } else {
            Counter::noop()
        }
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        if !self.admit(key, Kind::Gauge) {
            return Gauge::noop();
        }
        Gauge::from_arc(Arc::new(Finite {
            core: self.core,
            inner: self.core.adhoc.recorder.register_gauge(key, metadata),
        }))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        if !self.admit(key, Kind::Histogram) {
            return Histogram::noop();
        }
        Histogram::from_arc(Arc::new(Finite {
            core: self.core,
            inner: self.core.adhoc.recorder.register_histogram(key, metadata),
        }))
    }
}

/// Lets finite values through; one NaN would poison every average for as long as it is remembered.
struct Finite<T> {
    core: &'static Core,
    inner: T,
}

impl<T> Finite<T> {
    fn pass(&self, value: f64, then: impl Fn(&T)) {
        if value.is_finite() { then(&self.inner) } else { self.core.health.violation("non_finite") }
    }
}

impl GaugeFn for Finite<Gauge> {
    fn increment(&self, value: f64) {
        self.pass(value, |it| it.increment(value));
    }
    fn decrement(&self, value: f64) {
        self.pass(value, |it| it.decrement(value));
    }
    fn set(&self, value: f64) {
        self.pass(value, |it| it.set(value));
    }
}

impl HistogramFn for Finite<Histogram> {
    fn record(&self, value: f64) {
        self.pass(value, |it| it.record(value));
    }
}

/// The rule that a key breaks.
fn refuse(key: &Key, name: &str, own: &[Signal]) -> Option<&'static str> {
    if key.name().is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Some("illegal_name");
    }
    if CATALOG.iter().copied().chain([own]).flatten().any(|it| it.claims(name)) {
        return Some("contract_name");
    }
    let labels: Vec<String> = key.labels().map(|it| sanitised(it.key())).collect();
    if labels.iter().any(|it| it.starts_with("__") || matches!(it.as_str(), "le" | "quantile" | "")) {
        return Some("reserved_label");
    }
    let duplicate = labels.iter().enumerate().any(|(index, it)| labels[..index].contains(it));
    duplicate.then_some("duplicate_label")
}

/// A name as the page shows it.
fn sanitised(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' };
    name.chars().map(legal).collect()
}
