//! Signals that a service declares for itself: written through handles that are resolved once.
//!
//! Labels are given by their declaration, so that two values cannot change places unseen. What was not declared is a
//! handle that counts nothing; the page tells of it in `telemetry_violations_total`, the log once per mistake.

use std::time::Duration;

use kilter_contract::{Instrument, Label, Signal};

use crate::Telemetry;
use crate::core::Core;
use crate::signal::family::Series;

/// Most series of a signal that exist at zero from the start.
pub(crate) const FROM_THE_START: usize = 64;

/// A counter of the service's own, with its label values. Copy it to wherever it is raised.
#[derive(Debug, Clone, Copy)]
pub struct Counter(Option<&'static Series>);

/// A gauge of the service's own, with its label values. Copy it to wherever it is set.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    core: &'static Core,
    series: Option<&'static Series>,
}

/// A histogram of the service's own, with its label values. Copy it to wherever values come up.
#[derive(Debug, Clone, Copy)]
pub struct Histogram {
    core: &'static Core,
    series: Option<&'static Series>,
    whole: bool,
}

impl Telemetry {
    /// A counter that the service declared with [`Service::signals`](crate::Service::signals), at these label values.
    ///
    /// The series exists at zero from now on. Make handles at the start, where the values are known: a rate cannot see the
    /// increment that creates a series, and a handle costs one addition.
    ///
    /// ```
    /// use kilter::contract::{Label, Values, signals};
    ///
    /// const CHANNEL: Label =
    ///     Label::new("channel", "order.channel", Values::Closed(&["web", "shop"]), false, "Where it was placed.");
    /// signals! {
    ///     family "orders";
    ///     /// Orders that customers placed.
    ///     PLACED = counter "orders_placed_total", otel "orders.placed", unit Count, help "Orders placed.", labels [CHANNEL];
    /// }
    ///
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!().signals(SIGNALS));
    /// let placed = telemetry.counter(&PLACED, [(CHANNEL, "web")]);
    /// placed.add(2);
    /// telemetry.assert(r#"orders_placed_total{channel="web"}"#, 2);
    /// telemetry.assert(r#"orders_placed_total{channel="shop"}"#, 0);
    /// ```
    ///
    /// A signal that was not declared, a label that is not the signal's, a missing label or another kind of signal gives a
    /// handle that counts nothing, and a `telemetry_violations_total`. A value outside of a closed set is `_OTHER`.
    pub fn counter<const N: usize>(&self, signal: &Signal, labels: [(Label, &str); N]) -> Counter {
        let fits = |it| matches!(it, Instrument::Counter);
        Counter(resolve(self.core(), signal, &labels, fits))
    }

    /// A gauge that the service declared, at these label values; see [`counter`](Telemetry::counter). Its series is shown
    /// from now on, as 0 until it is set.
    pub fn gauge<const N: usize>(&self, signal: &Signal, labels: [(Label, &str); N]) -> Gauge {
        let fits = |it| matches!(it, Instrument::Gauge);
        Gauge { core: self.core(), series: resolve(self.core(), signal, &labels, fits) }
    }

    /// A histogram that the service declared, at these label values; see [`counter`](Telemetry::counter).
    pub fn histogram<const N: usize>(&self, signal: &Signal, labels: [(Label, &str); N]) -> Histogram {
        let fits = |it| matches!(it, Instrument::Histogram(_));
        let whole = matches!(signal.instrument, Instrument::Histogram(it) if it.is_whole());
        Histogram { core: self.core(), series: resolve(self.core(), signal, &labels, fits), whole }
    }

    /// Shows an info that the service declared, with these label values, from now on.
    pub fn info<const N: usize>(&self, signal: &Signal, labels: [(Label, &str); N]) {
        if let Some(series) = resolve(self.core(), signal, &labels, |it| matches!(it, Instrument::Info)) {
            series.level().set(1.0);
        }
    }
}

impl Counter {
    /// Raises it.
    pub fn add(self, n: u64) {
        if let Some(series) = self.0 {
            series.add(n);
        }
    }
}

impl Gauge {
    /// Sets it. A value that is not finite is refused and counted, and the gauge stays as it was.
    pub fn set(self, value: f64) {
        if let Some(series) = finite(self.core, self.series, value) {
            series.level().set(value);
        }
    }

    /// Moves it up, or down by a negative value.
    pub fn add(self, by: f64) {
        if let Some(series) = finite(self.core, self.series, by) {
            series.level().shift(by);
        }
    }

    /// Shows it no longer, until it is set again: for what is not known, which is not the same as 0.
    pub fn clear(self) {
        if let Some(series) = self.series {
            series.level().clear();
        }
    }
}

impl Histogram {
    /// Counts a duration. For a histogram in another unit than seconds it is refused and counted.
    pub fn record(self, duration: Duration) {
        let Some(series) = self.series else { return };
        if self.whole {
            self.core.health.violation("type_conflict");
        } else {
            series.record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
        }
    }

    /// Counts a value in the signal's unit: seconds, bytes, things. Bytes and things are whole. A value that is negative or
    /// not finite is refused and counted.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and `as` saturates")]
    pub fn observe(self, value: f64) {
        let Some(series) = finite(self.core, self.series, if value < 0.0 { f64::NAN } else { value }) else { return };
        if self.whole { series.record_whole(value.round() as u64) } else { series.record((value * 1e9).round() as u64) }
    }
}

fn finite(core: &Core, series: Option<&'static Series>, value: f64) -> Option<&'static Series> {
    if series.is_some() && !value.is_finite() {
        core.health.violation("non_finite");
        return None;
    }
    series
}

/// The series of a declared signal; `None`, and counted, when that is not what was declared.
fn resolve(
    core: &'static Core,
    signal: &Signal,
    labels: &[(Label, &str)],
    fits: impl Fn(Instrument) -> bool,
) -> Option<&'static Series> {
    let found = values(core.config.signals, signal, labels, fits);
    match found {
        Ok(values) => Some(core.families.of(signal).series(&values)),
        Err((kind, what)) => {
            core.health.violation(kind);
            if core.families.first_time(&what) {
                tracing::warn!(kind, "{what}: nothing is counted");
            }
            None
        }
    }
}

/// The values in the order of the signal's labels, or the rule that is broken and how.
fn values<'a>(
    declared: &[Signal],
    signal: &Signal,
    labels: &[(Label, &'a str)],
    fits: impl Fn(Instrument) -> bool,
) -> Result<Vec<Option<&'a str>>, (&'static str, String)> {
    let name = signal.name;
    let Some(signal) = declared.iter().find(|it| it.name == name) else {
        return Err(("undeclared_signal", format!("the signal {name} is not declared with Service::signals")));
    };
    if !fits(signal.instrument) {
        return Err(("type_conflict", format!("the signal {name} is declared as a {}", signal.prometheus_type())));
    }
    let mut values = vec![None; signal.labels.len()];
    for (label, value) in labels {
        let Some(at) = signal.labels.iter().position(|it| it.key == label.key) else {
            return Err(("undeclared_signal", format!("the signal {name} has no label {}", label.key)));
        };
        if values[at].replace(*value).is_some() {
            return Err(("duplicate_label", format!("the label {} of {name} is given twice", label.key)));
        }
    }
    let missing = signal.labels.iter().zip(&values).find(|(label, value)| !label.optional && value.is_none());
    match missing {
        Some((label, _)) => Err(("undeclared_signal", format!("the label {} of {name} is not given", label.key))),
        None => Ok(values),
    }
}
