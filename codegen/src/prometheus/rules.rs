//! Rules and alerts as a server runs them.

use serde::Deserialize;

use super::Labels;

#[derive(Debug, Deserialize)]
pub(super) struct Groups {
    #[serde(default)]
    pub(super) groups: Vec<ServedGroup>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Alerts {
    #[serde(default)]
    pub(super) alerts: Vec<ActiveAlert>,
}

/// A rule group that runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServedGroup {
    /// Its name.
    pub name: String,
    /// The file, or the namespace, that it came from.
    #[serde(default)]
    pub file: String,
    /// Seconds between evaluations.
    #[serde(default)]
    pub interval: f64,
    /// Seconds that the last one took.
    #[serde(default)]
    pub evaluation_time: f64,
    /// When that was, as RFC 3339; year 1 when never.
    #[serde(default)]
    pub last_evaluation: String,
    /// Its rules, in order.
    #[serde(default)]
    pub rules: Vec<ServedRule>,
}

/// A rule that runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServedRule {
    /// Recording or alerting.
    #[serde(rename = "type")]
    pub kind: RuleKind,
    /// Name of the series or of the alert.
    pub name: String,
    /// The expression in the server's own form.
    #[serde(default)]
    pub query: String,
    /// Static labels.
    #[serde(default)]
    pub labels: Labels,
    /// Texts of an alert.
    #[serde(default)]
    pub annotations: Labels,
    /// `for`, in seconds.
    #[serde(default)]
    pub duration: f64,
    /// `keep_firing_for`, in seconds. `None` when this server does not tell it.
    pub keep_firing_for: Option<f64>,
    /// `ok`, `err` or `unknown` (not evaluated yet).
    #[serde(default)]
    pub health: String,
    /// Why it fails.
    #[serde(default)]
    pub last_error: String,
    /// Seconds that its last evaluation took.
    #[serde(default)]
    pub evaluation_time: f64,
}

/// What a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleKind {
    /// A series.
    Recording,
    /// An alert.
    Alerting,
}

/// An alert that is pending or fires.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAlert {
    /// Its labels, `alertname` among them.
    #[serde(default)]
    pub labels: Labels,
    /// Its texts.
    #[serde(default)]
    pub annotations: Labels,
    /// `pending` or `firing`.
    #[serde(default)]
    pub state: String,
    /// Since when its condition holds, as RFC 3339.
    #[serde(default)]
    pub active_at: Option<String>,
}
