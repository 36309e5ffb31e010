//! Every decision: typed rules, their tests, routes, dashboards and runbooks. Pure; cannot fail.

use std::collections::BTreeMap;

use crate::model::{Duration, Name};

/// Everything that will be written, as values.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Per service.
    pub services: Vec<ServicePlan>,
    /// Rules of the whole estate: dead-man's switch and rule health.
    pub estate_rules: RuleFile,
}

/// What one service gets.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePlan {
    /// The service.
    pub service: Name,
    /// Its rules.
    pub rules: RuleFile,
}

/// One Prometheus rule file: always one YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// What the banner names as the source.
    pub source: String,
    /// Groups in evaluation order.
    pub groups: Vec<RuleGroup>,
}

/// Rules that are evaluated in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleGroup {
    /// Unique within the estate: `slo-<service>-...`.
    pub name: String,
    /// Evaluation interval, already scaled.
    pub interval: Duration,
    /// The rules, each after those that it reads.
    pub rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Records a series.
    Recording {
        /// Name of the series.
        record: String,
        /// PromQL.
        expr: String,
        /// Static labels.
        labels: BTreeMap<String, String>,
    },
    /// Raises an alert.
    Alerting {
        /// Name of the alert.
        alert: String,
        /// PromQL.
        expr: String,
        /// How long it must hold.
        hold: Option<Duration>,
        /// How long it stays after it stopped holding.
        keep_firing_for: Option<Duration>,
        /// Static labels, severity and team among them.
        labels: BTreeMap<String, String>,
        /// Go-template texts, already rendered from our Handlebars templates.
        annotations: BTreeMap<String, String>,
    },
}
