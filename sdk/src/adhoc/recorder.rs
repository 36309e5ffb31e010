//! The checking recorder. What the contract or the service declares is written through handles, never from here.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use kilter_contract::{CATALOG, Signal};
use metrics::{
    Counter, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::core::Core;

/// Most ad-hoc series of a service. Beyond it new ones are refused, known ones stay.
const BUDGET: usize = 2_000;
/// The rule that is broken beyond it.
const BEYOND: &str = "series_budget";

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
    /// Every key that was asked for, and the one under which it is served.
    keys: HashMap<(Key, Kind), Option<Key>>,
    /// Names of series on the page, and whose they are: `x` as a counter and `x_count` of a histogram cannot both be.
    owners: HashMap<String, (String, Kind)>,
    /// Series on the page.
    served: HashSet<(Key, Kind)>,
    /// Whether it was told that refusals are no longer told.
    flooded: bool,
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

    /// The key under which the series is served, as the page shows it: `a.b` and `a_b` are one series, and so are two
    /// orders of the same labels. Decided once per key; a refusal is counted once.
    fn admit(self, key: &Key, kind: Kind) -> Option<Key> {
        let adhoc = &self.core.adhoc;
        let id = (key.clone(), kind);
        if let Some(verdict) = adhoc.known.read().unwrap_or_else(PoisonError::into_inner).keys.get(&id) {
            return verdict.clone();
        }
        let mut known = adhoc.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = known.keys.get(&id) {
            return verdict.clone();
        }
        let verdict = known.judge(key, kind, self.core.config.signals);
        if let Err(rule) = verdict {
            self.core.health.violation(rule);
            if rule == BEYOND {
                self.core.health.overflow("ad_hoc");
            }
            // Refusals are remembered and told up to a limit of their own, so that a flood of names costs neither
            // memory nor a log line each.
            if known.keys.len() >= 2 * BUDGET {
                if !std::mem::replace(&mut known.flooded, true) {
                    tracing::warn!("ad-hoc metrics flood in; further refusals are counted and not told");
                }
                return None;
            }
            tracing::warn!(metric = key.name(), kind = rule, "an ad-hoc metric is refused");
        }
        let served = verdict.ok();
        known.keys.insert(id, served.clone());
        served
    }
}

impl Known {
    /// The key as the page shows it, or the rule that it breaks.
    fn judge(&mut self, key: &Key, kind: Kind, declared: &[Signal]) -> Result<Key, &'static str> {
        let name = sanitised(key.name());
        refuse(key, &name, declared).map_or(Ok(()), Err)?;
        let owner = (name.clone(), kind);
        let series: Vec<String> = kind.forms().iter().map(|form| format!("{name}{form}")).collect();
        // A histogram's own name is no series, but it is a family: another of that name would be the same one.
        let names = || series.iter().chain(std::iter::once(&name));
        if names().any(|it| self.owners.get(it).is_some_and(|of| *of != owner)) {
            return Err("type_conflict");
        }
        let mut labels: Vec<Label> =
            key.labels().map(|it| Label::new(sanitised_label(it.key()), it.value().to_owned())).collect();
        labels.sort();
        let served = (Key::from_parts(name.clone(), labels), kind);
        if !self.served.contains(&served) {
            if self.served.len() >= BUDGET {
                return Err(BEYOND);
            }
            self.owners.extend(names().map(|it| (it.clone(), owner.clone())));
            self.served.insert(served.clone());
        }
        Ok(served.0)
    }
}

impl Kind {
    /// What the names of its series add to its own.
    const fn forms(self) -> &'static [&'static str] {
        match self {
            Kind::Counter | Kind::Gauge => &[""],
            Kind::Histogram => &["_bucket", "_sum", "_count"],
        }
    }
}

impl Recorder for AdHocRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_counter(shown(&key), unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_gauge(shown(&key), unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.core.adhoc.recorder.describe_histogram(shown(&key), unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let served = self.admit(key, Kind::Counter);
        served.map_or_else(Counter::noop, |key| self.core.adhoc.recorder.register_counter(&key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let Some(key) = self.admit(key, Kind::Gauge) else { return Gauge::noop() };
        let inner = self.core.adhoc.recorder.register_gauge(&key, metadata);
        Gauge::from_arc(Arc::new(Finite { core: self.core, inner }))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        let Some(key) = self.admit(key, Kind::Histogram) else { return Histogram::noop() };
        let inner = self.core.adhoc.recorder.register_histogram(&key, metadata);
        Histogram::from_arc(Arc::new(Finite { core: self.core, inner }))
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
    let labels: Vec<String> = key.labels().map(|it| sanitised_label(it.key())).collect();
    if labels.iter().any(|it| it.starts_with("__") || matches!(it.as_str(), "le" | "quantile" | "")) {
        return Some("reserved_label");
    }
    let duplicate = labels.iter().enumerate().any(|(index, it)| labels[..index].contains(it));
    duplicate.then_some("duplicate_label")
}

/// The name under which a metric is served.
fn shown(name: &KeyName) -> KeyName {
    KeyName::from(sanitised(name.as_str()))
}

/// A name as the page shows it.
fn sanitised(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == ':' { c } else { '_' };
    name.chars().map(legal).collect()
}

/// A label's name as the page shows it: without `:`, and not beginning with a digit.
fn sanitised_label(name: &str) -> String {
    let legal = |(at, c): (usize, char)| {
        let first = c.is_ascii_alphabetic() || c == '_';
        if first || (at > 0 && c.is_ascii_digit()) { c } else { '_' }
    };
    name.chars().enumerate().map(legal).collect()
}
