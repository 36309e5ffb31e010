//! How every SLO is now, from what a Prometheus recorded of it. Pure: [`ask`] says what to ask, [`observed`] holds the
//! answers, [`report`] makes what they mean. The numbers are those of the generated rules, never a second formula.

pub mod ask;
mod judge;
pub mod observed;
mod print;
pub mod rules;

use std::collections::BTreeMap;

use serde::Serialize;

pub use judge::{measured_series, report};
pub use print::{gate, human};
pub(crate) use print::{notes, utc};

/// The estate as a server sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Who was asked, without credentials.
    pub prometheus: String,
    /// When, in milliseconds since 1970, by the server's clock.
    pub at: i64,
    /// A row per SLO and group, the most urgent first.
    pub slos: Vec<Row>,
    /// Alerts about services as a whole, the most urgent first.
    pub services: Vec<ServiceRow>,
    /// What the server warned of.
    pub warnings: Vec<String>,
}

/// An SLO, or one group of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The service.
    pub service: String,
    /// The SLO.
    pub slo: String,
    /// Values of its `by` labels.
    pub group: BTreeMap<String, String>,
    /// Who is told.
    pub team: String,
    /// How urgent it is.
    pub state: State,
    /// What is there of its data.
    pub data: Data,
    /// The promise, such as `99.9%`.
    pub objective: String,
    /// The objective by which the server's rules judge, when it is another; such as `99.9%` too.
    pub served_objective: Option<String>,
    /// The `by` labels of the file.
    #[serde(skip)]
    pub by: Vec<String>,
    /// The labels by which the server's rules divide it, when they are others than the file's `by`; the rows are those of the
    /// server then.
    pub served_by: Option<Vec<String>>,
    /// The compliance window, such as `30d`.
    pub window: String,
    /// Share of good events over the compliance window, of 1.
    pub sli: Option<f64>,
    /// What is left of the budget.
    pub budget: Option<Budget>,
    /// Share of the compliance window for which there are data, of 1.
    pub coverage: Option<f64>,
    /// The burn rate that is nearest to an alert.
    pub burn: Option<Burn>,
    /// Burn rate of every alert window.
    pub burn_rates: BTreeMap<String, f64>,
    /// Seconds until the budget is spent at this burn; 0 when it is, absent when that is beyond the compliance window.
    pub exhausted_in_seconds: Option<f64>,
    /// Its alerts.
    pub alerts: Vec<Alert>,
}

/// How urgent something is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A page fires.
    Page,
    /// Nobody knows how it is.
    Missing,
    /// The budget is spent.
    Exhausted,
    /// A ticket fires.
    Ticket,
    /// An alert waits for its time.
    Pending,
    /// Nothing is measured, on purpose.
    Maintenance,
    /// Nothing to do.
    Fine,
}

impl State {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Page => "page",
            State::Missing => "missing",
            State::Exhausted => "spent",
            State::Ticket => "ticket",
            State::Pending => "pending",
            State::Maintenance => "paused",
            State::Fine => "fine",
        }
    }
}

/// What is there of an SLO's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Data {
    /// They come.
    Recorded,
    /// They come, and no event is among them.
    Idle,
    /// They came, and no longer do.
    Gone {
        /// The last of them, in milliseconds; `None` when that is older than the compliance window.
        since: Option<i64>,
    },
    /// A group that went long ago while others stayed.
    Retired {
        /// The last of them, in milliseconds.
        since: Option<i64>,
    },
    /// None ever came within the compliance window.
    Never,
    /// Nothing is measured, on purpose.
    Maintenance,
    /// The server runs rules of the service, but none of this SLO.
    NoSuchSlo,
    /// The server runs no rule of the service.
    NotDeployed {
        /// Until when it did, in milliseconds; `None` when it did not within a day.
        until: Option<i64>,
    },
    /// The server has neither rules of Kilter nor anything that it scraped.
    EmptyServer,
}

/// What is left of an error budget. Negative when it is overspent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budget {
    /// Of 1.
    pub left: f64,
    /// How long everything may fail until it is spent, in minutes.
    pub outage_minutes: f64,
    /// How many events may fail at the traffic of the compliance window; absent where time is counted and not events.
    pub events: Option<f64>,
}

/// A burn rate and the alert that it may raise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burn {
    /// The alert window.
    pub window: String,
    /// 1 spends the budget in just the compliance window.
    pub rate: f64,
    /// Above this it alerts.
    pub threshold: f64,
    /// Whether both windows burn above it and there is no alert, because fewer than `min_errors` events failed.
    pub held_back: bool,
}

/// An alert of the server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Alert {
    /// Its name.
    pub name: String,
    /// Value of its severity label.
    pub severity: String,
    /// Whether it fires, or waits for its time.
    pub firing: bool,
}

/// Alerts about a service as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceRow {
    /// The service.
    pub service: String,
    /// How urgent it is.
    pub state: State,
    /// Its alerts, each once.
    pub alerts: Vec<Alert>,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum FailOn {
    /// A page fires.
    Page,
    /// A ticket fires.
    Ticket,
    /// A budget is spent.
    Exhausted,
    /// Data or rules are missing, unless the SLO says `no_data: ignore`.
    Missing,
    /// The server runs other rules than the generated ones.
    Rules,
}

impl FailOn {
    /// What closes the gate of a deployment.
    pub const GATE: [Self; 3] = [Self::Page, Self::Exhausted, Self::Missing];
}

impl Row {
    /// `shop/checkout {region="eu"}`.
    pub fn name(&self) -> String {
        let group: Vec<String> = self.group.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        let name = format!("{}/{}", self.service, self.slo);
        if group.is_empty() { name } else { format!("{name} {{{}}}", group.join(",")) }
    }

    /// Whether one of these is the case.
    pub fn fails(&self, on: &[FailOn]) -> bool {
        on.iter().any(|it| match it {
            FailOn::Page => self.state == State::Page,
            FailOn::Ticket => self.alerts.iter().any(|it| it.firing) && self.state <= State::Ticket,
            FailOn::Exhausted => self.budget.is_some_and(|it| it.left < 0.0),
            // A page about missing data is the more urgent of its two states.
            FailOn::Missing => self.state == State::Missing || self.state == State::Page && self.data.is_missing(),
            FailOn::Rules => false,
        })
    }
}

impl ServiceRow {
    /// Whether one of these is the case.
    pub fn fails(&self, on: &[FailOn]) -> bool {
        let any = |state: State| self.state == state;
        any(State::Page) && on.contains(&FailOn::Page)
            || (any(State::Page) || any(State::Ticket)) && on.contains(&FailOn::Ticket)
    }
}

impl Data {
    /// Whether nobody knows how the SLO is.
    pub const fn is_missing(&self) -> bool {
        !matches!(self, Data::Recorded | Data::Idle | Data::Retired { .. } | Data::Maintenance)
    }
}

impl Report {
    /// Whether anything is the case that shall fail.
    pub fn fails(&self, on: &[FailOn]) -> bool {
        self.slos.iter().any(|it| it.fails(on)) || self.services.iter().any(|it| it.fails(on))
    }
}
