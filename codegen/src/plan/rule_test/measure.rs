//! What `kilter test` measures on the tests' timelines, beside what they assert: when an alert fires first and last. The
//! test file carries it in comments, so promtool by itself does not see it.

use serde::{Deserialize, Serialize};

use crate::model::Duration;

/// Comment lines that hold a measure as JSON begin like this.
pub const MEASURE: &str = "# measure: ";

/// One alert of one SLO on the timeline of one test. Times are seconds of the test's clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// `<service>/<slo>`.
    pub slo: String,
    /// `100%` of events fail, or the budget burns `10x`.
    pub burn: String,
    /// `page` or `ticket`.
    pub severity: String,
    /// The name of the test.
    pub test: String,
    /// Selects the firing alert.
    pub alert: String,
    /// When the test ends.
    pub end: String,
    /// Distance of the test's evaluations: how exact the measure is.
    pub step: String,
    /// When the incident begins.
    pub began: f64,
    /// When it ends.
    pub ended: f64,
    /// Promised seconds from its beginning to the alert.
    pub detection: f64,
    /// Promised seconds from its end to the end of the alert; `None` when nobody waits for it.
    pub reset: Option<f64>,
    /// Share of the error budget that a second of it spends.
    pub spends: f64,
}

/// A row of the table, in real time.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: String,
    pub(super) burn: f64,
    pub(super) began: Duration,
    pub(super) ended: Duration,
    pub(super) end: Duration,
    pub(super) detection: Duration,
    pub(super) reset: Option<Duration>,
}
