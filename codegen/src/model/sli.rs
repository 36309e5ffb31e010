//! What an SLO measures. Each kind lowers to one pair of an error rate and a total rate; only `plan::sli` knows the kinds.

use super::{Duration, Family};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sli {
    /// Interactions that a histogram of the contract counts: requests, calls, operations, messages, runs.
    Red(Red),
    /// A job must have succeeded within this time.
    Freshness {
        /// Name of the job.
        job: String,
        /// The longest time since its last success.
        within: Duration,
    },
    /// Any counters, by PromQL with the placeholder `$window`.
    Events {
        /// Bad or good events.
        side: EventSide,
        /// All events.
        total: String,
    },
    /// A ratio that somebody else computes, by PromQL with the placeholder `$window`; weighted by time.
    Ratio(EventSide),
    /// Values of any histogram against a threshold.
    Latency(Histogram),
    /// A gauge that is 1 while something works and 0 while it does not; weighted by time.
    Uptime {
        /// PromQL of the gauge.
        up: String,
    },
    /// Good minutes among all minutes; weighted by time.
    Slices {
        /// PromQL that is 1 in a good minute and 0 in a bad one; `$window` is the minute.
        good: String,
    },
}

/// Which interactions of a family count, and which of them are bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Red {
    /// The family.
    pub family: Family,
    /// Label keys with the values that count, in the order of the family's filters; a label that is not here is free.
    pub only: Vec<(&'static str, Vec<String>)>,
    /// Label keys with the values that are bad, any of them; empty for the family's own definition.
    pub bad: Vec<(&'static str, Vec<String>)>,
    /// A latency SLI: slower than this bound (in nanoseconds; a bucket bound of the contract) is bad.
    pub slower_than_nanos: Option<u64>,
}

impl Red {
    /// Everything of a family, with its own definition of bad.
    pub const fn of(family: Family) -> Self {
        Self { family, only: Vec::new(), bad: Vec::new(), slower_than_nanos: None }
    }

    /// The values that a label may have; empty when it is free.
    pub fn values(&self, label: &str) -> &[String] {
        self.only.iter().find(|(key, _)| *key == label).map_or(&[], |(_, values)| values)
    }

    /// Whether calls that were rejected before they were made are events and errors of it.
    pub fn counts_rejected(&self) -> bool {
        self.family.calls_a_dependency() && self.slower_than_nanos.is_none()
    }
}

/// Which side of a total or ratio an SLI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSide {
    /// The query counts bad events.
    Errors(String),
    /// The query counts good events.
    Good(String),
}

/// A histogram of any service, and its threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Name of the family, without `_bucket`.
    pub metric: String,
    /// PromQL matchers; may be empty.
    pub matchers: String,
    /// The threshold in the histogram's own unit, as a decimal text.
    pub threshold: super::Decimal,
    /// A native histogram: one series, any threshold.
    pub native: bool,
}

impl Sli {
    /// The interactions that it is about, when it is about the contract's.
    pub const fn red(&self) -> Option<&Red> {
        match self {
            Self::Red(red) => Some(red),
            _ => None,
        }
    }

    /// What it measures, in one word.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Red(Red { slower_than_nanos: Some(_), .. }) | Self::Latency(_) => "latency",
            Self::Red(Red { family: Family::Cache, .. }) => "hit_ratio",
            Self::Red(_) => "availability",
            Self::Freshness { .. } => "freshness",
            Self::Events { .. } => "events",
            Self::Ratio(_) => "ratio",
            Self::Uptime { .. } => "uptime",
            Self::Slices { .. } => "slices",
        }
    }

    /// Whether interactions that fail are no events of it: then an outage takes all its traffic away.
    pub fn leaves_failures_out(&self) -> bool {
        self.red().is_some_and(|it| it.slower_than_nanos.is_some())
    }

    /// Whether it weighs time and not events: its total is one, whatever the traffic.
    pub const fn is_time_weighted(&self) -> bool {
        matches!(self, Self::Freshness { .. } | Self::Ratio(_) | Self::Uptime { .. } | Self::Slices { .. })
    }

    /// Every PromQL text that the user wrote, with its kind and key in the SLO file; of a histogram its name.
    pub fn texts(&self) -> Vec<(&'static str, &'static str, &str)> {
        let side = |side: &EventSide| if matches!(side, EventSide::Errors(_)) { "errors" } else { "good" };
        match self {
            Self::Events { side: of, total } => vec![("events", side(of), of.text()), ("events", "total", total)],
            Self::Ratio(EventSide::Errors(text)) => vec![("ratio", "error", text)],
            Self::Ratio(EventSide::Good(text)) => vec![("ratio", "good", text)],
            Self::Uptime { up } => vec![("uptime", "up", up)],
            Self::Slices { good } => vec![("slices", "good", good)],
            Self::Latency(histogram) => vec![("latency", "histogram", &histogram.metric)],
            Self::Red(_) | Self::Freshness { .. } => vec![],
        }
    }
}

impl EventSide {
    /// The query.
    pub fn text(&self) -> &str {
        match self {
            Self::Errors(text) | Self::Good(text) => text,
        }
    }
}
