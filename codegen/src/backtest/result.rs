//! The outcome of a backtest. Its JSON keys are stable: `docs/backtest.md` lists them, and `kilter report` reads them.
//!
//! Times are milliseconds since 1970 in UTC, lengths are milliseconds, shares are numbers from 0 to 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::questions::Cost;
use super::{Incident, Period};
use crate::model::{Duration, Severity};

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backtest {
    /// Of this form.
    pub version: u32,
    /// Who was asked, without credentials.
    pub server: String,
    /// The judged time begins.
    pub from: i64,
    /// And ends.
    pub to: i64,
    /// When the history begins, where that is later than `from`.
    #[serde(default)]
    pub begins: Option<i64>,
    /// How long the time is that there is history of, without `server_gaps`: what a week is counted by.
    #[serde(default)]
    pub judged: Option<i64>,
    /// Between two evaluations.
    pub step: i64,
    /// Between two evaluations of the rules themselves.
    pub interval: i64,
    /// The offset of nights and of what people read, such as `+01:00`.
    pub utc_offset: String,
    /// The night, such as `22:00-07:00`.
    pub night: String,
    /// What it cost the server.
    pub cost: Cost,
    /// Every SLO that was asked about.
    pub slos: Vec<Slo>,
    /// Incidents in order; `null` without a list.
    pub incidents: Option<Vec<Incident>>,
    /// The SLOs as their files say first, then each what-if.
    pub variants: Vec<Variant>,
    /// What the data say about SLOs.
    pub advice: Vec<Advice>,
    /// Times in which the server itself did not record anything.
    pub server_gaps: Vec<[i64; 2]>,
    /// What could not be judged, and why.
    pub not_judged: Vec<NotJudged>,
    /// What the server said about answers that may be wrong.
    pub warnings: Vec<String>,
}

impl Backtest {
    /// How long the time is that there is history of an SLO.
    pub fn judged_of(&self, slo: &Slo) -> i64 {
        let whole = Period { from: self.from, to: self.to, step: Duration::ZERO };
        let begins = slo.groups.iter().map(|it| it.first).min();
        whole.since(begins.unwrap_or(self.from)).without(&self.server_gaps)
    }
}

/// An SLO over the judged time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slo {
    /// Its service.
    pub service: String,
    /// Its name.
    pub slo: String,
    /// Such as `99.9%`.
    pub objective: String,
    /// Such as `30d`.
    pub window: String,
    /// One for each value of its `by` labels that has data.
    pub groups: Vec<Group>,
}

/// One group of an SLO.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its `by` labels.
    pub labels: BTreeMap<String, String>,
    /// The share of the judged time for which there are data.
    pub coverage: f64,
    /// The first data, which may be from before the judged time.
    pub first: i64,
    /// Times of ten minutes and more without data, after the first.
    pub gaps: Vec<[i64; 2]>,
    /// The share of good events; `null` without events.
    pub sli: Option<f64>,
    /// Events (seconds, where an SLI weighs time).
    pub events: f64,
    /// Events in the median hour; `null` without one whole hour of data.
    pub events_per_hour: Option<f64>,
    /// The share of the budget that is left, over time: at most 500 pairs of a time and a share.
    pub budget: Vec<(i64, f64)>,
}

/// What the alerts of one variant did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// `as it is`, or the argument of `--what-if`.
    pub name: String,
    /// Every alert that fired in the judged time, in order.
    pub fired: Vec<Fired>,
    /// Pages: alerts of one service that overlap are one.
    pub pages: Vec<Notice>,
    /// Tickets: those of one alert and SLO that overlap are one.
    pub tickets: Vec<Notice>,
    /// The numbers of it.
    pub summary: Summary,
    /// One for each incident; empty without a list.
    pub verdicts: Vec<Verdict>,
}

/// A time in which an alert fired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fired {
    /// The service.
    pub service: String,
    /// The SLO; `null` for an alert about the service.
    pub slo: Option<String>,
    /// Labels of its group.
    pub labels: BTreeMap<String, String>,
    /// Name of the alert.
    pub alert: String,
    /// How it is delivered.
    pub severity: Severity,
    /// When it began to fire; before the judged time when it fired already.
    pub from: i64,
    /// Whether it fired from before the first moment that was read: then it began before `from`.
    #[serde(default)]
    pub since_before: bool,
    /// When it no longer did; `null` when it still does at the end.
    pub until: Option<i64>,
    /// Of a burning budget, the long and the short window that began it.
    pub windows: Option<[String; 2]>,
}

/// What somebody hears of: alerts that overlap, of one service for pages, of one SLO for tickets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The service.
    pub service: String,
    /// When it began.
    pub from: i64,
    /// When it ended; `null` when it did not.
    pub until: Option<i64>,
    /// Indices in `fired`, in order of time.
    pub fired: Vec<usize>,
    /// Whether it began in the night.
    pub night: bool,
    /// Indices of the incidents that explain it.
    pub incidents: Vec<usize>,
}

/// Numbers of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Summary {
    /// Pages that began in the judged time.
    pub pages: usize,
    /// The same for a week of the time that there is history of; none of less than a day.
    pub pages_per_week: Option<f64>,
    /// Of them in the night.
    pub night_pages: usize,
    /// Tickets that began in the judged time.
    pub tickets: usize,
    /// The share of pages that an incident explains; `null` without pages or a list.
    pub precision: Option<f64>,
    /// The share of judged incidents that paged; `null` without any.
    pub recall: Option<f64>,
    /// The median time from the beginning of an incident to its page.
    pub median_detection: Option<i64>,
    /// The longest.
    pub worst_detection: Option<i64>,
    /// The largest share of a budget that was spent by an incident when it paged.
    pub worst_spent: Option<f64>,
}

/// What became of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Verdict {
    /// A page told of it.
    Detected {
        /// How long after its beginning; 0 when the page fired already.
        after: i64,
        /// Index of the page.
        page: usize,
        /// The SLO whose alert was first; `null` for an alert about the service.
        slo: Option<String>,
        /// The alert that was first.
        #[serde(default)]
        alert: String,
        /// The share of that SLO's budget that it had spent by then.
        spent: Option<f64>,
    },
    /// Nothing paged.
    Missed {
        /// Whether a ticket told of it.
        ticket: bool,
    },
    /// There is not enough history.
    NotJudged {
        /// Why.
        why: String,
    },
}

/// What the data say about an SLO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// The service.
    pub service: String,
    /// The SLO.
    pub slo: String,
    /// Labels of the group.
    pub labels: BTreeMap<String, String>,
    /// Which kind of advice: `low_traffic`, `cannot_page`, `never_met`, `always_met`, `threshold`, `always_firing`.
    pub kind: String,
    /// In sentences.
    pub text: String,
}

/// What could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// Such as `shop/checkout`.
    pub what: String,
    /// Why.
    pub why: String,
}
