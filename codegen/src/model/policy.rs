//! How an SLO is watched: alert windows, maintenance, and what its alerts carry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Decimal, Duration, Objective};

/// How an alert is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody is woken.
    Page,
    /// Somebody looks at it in office hours.
    Ticket,
}

impl Severity {
    /// Kilter's own name of it. The value of the `severity` label is [`SeverityNames::of`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Page => kilter_contract::slo::PAGE,
            Severity::Ticket => kilter_contract::slo::TICKET,
        }
    }
}

/// Values of the `severity` label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeverityNames {
    /// Of pages.
    pub page: String,
    /// Of tickets.
    pub ticket: String,
}

impl SeverityNames {
    /// The label's value.
    pub fn of(&self, severity: Severity) -> &str {
        match severity {
            Severity::Page => &self.page,
            Severity::Ticket => &self.ticket,
        }
    }
}

impl Default for SeverityNames {
    fn default() -> Self {
        let name = |severity: Severity| severity.as_str().to_owned();
        Self { page: name(Severity::Page), ticket: name(Severity::Ticket) }
    }
}

/// A long and a short alert window with the share of the budget that is spent when the long one fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// How it is delivered.
    pub severity: Severity,
    /// Share of the error budget.
    pub share: Decimal,
    /// Decides.
    pub long: Duration,
    /// Resets.
    pub short: Duration,
}

impl Pair {
    /// The burn rate above which the pair fires: `share * compliance window / long window` (SRE workbook, chapter 5),
    /// at most `0.5 / (1 - objective)` so that a total outage always pages. Rounded down to three decimals.
    pub fn factor(&self, window: Duration, objective: Objective) -> Decimal {
        let by_outage = Decimal::new(5, 1).over(objective.error_budget());
        self.factor_by_share(window).min(by_outage)
    }

    /// The burn rate that the share alone asks for, whether or not any error rate reaches it.
    pub fn factor_by_share(&self, window: Duration) -> Decimal {
        self.share.times(Decimal::new(u128::from(window.millis()), 0)).divided_by(self.long.millis().into())
    }
}

/// What an SLO's policy adds to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// Name of its tier.
    pub tier: Option<String>,
    /// Alert windows of its own, of its tier or of the estate; the table for its compliance window when there are none.
    pub windows: Option<Vec<Pair>>,
    /// When nothing is measured.
    pub maintenance: Option<Maintenance>,
    /// What its alerts carry, the estate's and the service's included.
    pub extra: Extra,
}

/// Labels and annotations that alerts carry beside Kilter's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Extra {
    /// These, and those of a narrower scope, which win.
    #[must_use]
    pub fn with(&self, narrower: Self) -> Self {
        let mut all = self.clone();
        all.labels.extend(narrower.labels);
        all.annotations.extend(narrower.annotations);
        all
    }
}

/// Times that count neither for the budget nor for alerts: either of the two.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Maintenance {
    /// While this PromQL has a value that is above zero.
    pub promql: Option<String>,
    /// At these times, in UTC.
    pub schedule: Vec<Weekly>,
}

/// A time of the week in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekly {
    /// Days on which it begins; 0 is Sunday, as `day_of_week()` counts.
    pub days: Vec<u16>,
    /// Its first minute, counted from midnight.
    pub from: u16,
    /// The minute after its last, counted from midnight of the day on which it begins: above 1440 when it ends on the
    /// next.
    pub to: u16,
}

impl Weekly {
    /// Names of its days, as `day_of_week()` counts.
    pub const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
}

/// What the whole estate shares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EstatePolicy {
    /// Values of the `severity` label.
    pub severities: SeverityNames,
    /// What every alert carries.
    pub extra: Extra,
}
