//! A signal: one metric family of the contract, checked when it is declared.

use crate::{Buckets, Label, Unit};

/// What kind of series a signal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Instrument {
    /// Rises only; the name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A classic histogram with these bounds.
    Histogram(Buckets),
    /// Constant 1; the facts are in its labels; the name ends in `_info`.
    Info,
}

/// One metric family: everything that anybody may know about it. Made by [`signals!`](crate::signals) only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Signal {
    /// Name as Prometheus exposes the family.
    pub name: &'static str,
    /// Name in OpenTelemetry's semantic conventions, or in their style where they have none.
    pub otel: &'static str,
    /// The family of signals that it belongs to, such as `http_server`.
    pub family: &'static str,
    /// Its kind, with buckets.
    pub instrument: Instrument,
    /// The unit of its value.
    pub unit: Unit,
    /// The HELP text.
    pub help: &'static str,
    /// Its own labels, in the order of the page.
    pub labels: &'static [Label],
}

impl Signal {
    /// For [`signals!`](crate::signals), which calls it in a `const`, so that each assertion fails the build.
    #[doc(hidden)]
    pub const fn declared(
        family: &'static str,
        name: &'static str,
        otel: &'static str,
        instrument: Instrument,
        unit: Unit,
        help: &'static str,
        labels: &'static [Label],
    ) -> Self {
        assert_name(name);
        assert!(ends_with(help, "."), "help is a sentence and ends in a full stop");
        let stem = match instrument {
            Instrument::Counter => {
                assert!(ends_with(name, "_total"), "a counter's name ends in _total");
                strip(name, "_total")
            }
            Instrument::Info => {
                assert!(ends_with(name, "_info"), "an info signal's name ends in _info");
                name.len()
            }
            Instrument::Gauge | Instrument::Histogram(_) => {
                assert!(!ends_with(name, "_total"), "only a counter's name ends in _total");
                name.len()
            }
        };
        assert!(has_suffix_before(name, stem, unit.suffix()), "the name does not end in its unit");
        if let Instrument::Histogram(buckets) = instrument {
            let seconds = matches!(unit, Unit::Seconds);
            assert!(seconds != buckets.is_whole(), "seconds have bounds in nanoseconds, all other units whole bounds");
        }
        let mut i = 0;
        while i < labels.len() {
            assert!(
                !same(labels[i].key, "le") && !same(labels[i].key, "quantile"),
                "le and quantile are Prometheus' own"
            );
            let mut j = i + 1;
            while j < labels.len() {
                assert!(!same(labels[i].key, labels[j].key), "a label key is declared twice");
                j += 1;
            }
            i += 1;
        }
        Self { name, otel, family, instrument, unit, help, labels }
    }

    /// The label with this key.
    pub fn label(&self, key: &str) -> Option<&'static Label> {
        self.labels.iter().find(|label| label.key == key)
    }

    /// The names of the series that a scrape of this family holds: itself, or a histogram's `_bucket`, `_sum` and `_count`.
    pub fn series(&self) -> Vec<String> {
        match self.instrument {
            Instrument::Histogram(_) => {
                ["_bucket", "_sum", "_count"].map(|form| format!("{}{form}", self.name)).to_vec()
            }
            _ => vec![self.name.to_owned()],
        }
    }

    /// Its name without what the kind adds: OpenMetrics' name of a counter or an info.
    pub fn stem(&self) -> &'static str {
        match self.instrument {
            Instrument::Counter => self.name.trim_end_matches("_total"),
            Instrument::Info => self.name.trim_end_matches("_info"),
            _ => self.name,
        }
    }

    /// Whether a metric of this name would collide with the signal, in whatever form either of them is exposed.
    pub fn claims(&self, name: &str) -> bool {
        const FORMS: &[&str] = &["", "_bucket", "_sum", "_count", "_total", "_created", "_info"];
        name.strip_prefix(self.stem()).is_some_and(|form| FORMS.contains(&form))
    }

    /// The TYPE of the text format 0.0.4.
    pub const fn prometheus_type(&self) -> &'static str {
        match self.instrument {
            Instrument::Counter => "counter",
            Instrument::Gauge | Instrument::Info => "gauge",
            Instrument::Histogram(_) => "histogram",
        }
    }
}

/// Declares signals as constants, and the family's list of them.
///
/// Illegal names, units that do not match the name, duplicate labels and falling buckets fail to compile. A service
/// declares its own signals in the same way.
///
/// ```
/// kilter_contract::signals! {
///     family "orders";
///     /// Orders that customers placed.
///     PLACED = counter "orders_placed_total", otel "orders.placed", unit Count, help "Orders placed.", labels [];
/// }
/// assert_eq!(SIGNALS, &[PLACED]);
/// ```
#[macro_export]
macro_rules! signals {
    (family $family:literal; $(
        $(#[doc = $doc:literal])+
        $id:ident = $kind:ident $(($buckets:expr))? $name:literal, otel $otel:literal, unit $unit:ident, help $help:literal, labels [$($label:expr),* $(,)?];
    )+) => {
        $(
            $(#[doc = $doc])+
            pub const $id: $crate::Signal = $crate::Signal::declared(
                $family, $name, $otel, $crate::signals!(@instrument $kind $(($buckets))?), $crate::Unit::$unit, $help, &[$($label),*],
            );
        )+
        /// Every signal of this family, in the order of declaration.
        pub const SIGNALS: &[$crate::Signal] = &[$($id),+];
    };
    (@instrument counter) => { $crate::Instrument::Counter };
    (@instrument gauge) => { $crate::Instrument::Gauge };
    (@instrument info) => { $crate::Instrument::Info };
    (@instrument histogram ($buckets:expr)) => { $crate::Instrument::Histogram($buckets) };
}

const fn assert_name(name: &str) {
    let bytes = name.as_bytes();
    assert!(!bytes.is_empty() && bytes[0].is_ascii_lowercase(), "a metric name starts with a lower-case letter");
    let mut i = 0;
    while i < bytes.len() {
        assert!(
            bytes[i].is_ascii_lowercase() || bytes[i].is_ascii_digit() || bytes[i] == b'_',
            "a metric name has a character outside [a-z0-9_]"
        );
        i += 1;
    }
}

const fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && ends_with(a, b)
}

const fn ends_with(text: &str, suffix: &str) -> bool {
    has_suffix_before(text, text.len(), suffix)
}

const fn strip(text: &str, suffix: &str) -> usize {
    text.len() - suffix.len()
}

/// Whether `text[..end]` ends in `suffix`.
const fn has_suffix_before(text: &str, end: usize, suffix: &str) -> bool {
    let (text, suffix) = (text.as_bytes(), suffix.as_bytes());
    if suffix.len() > end {
        return false;
    }
    let mut i = 0;
    while i < suffix.len() {
        if text[end - suffix.len() + i] != suffix[i] {
            return false;
        }
        i += 1;
    }
    true
}
