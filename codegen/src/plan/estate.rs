//! Rules of the estate: proof that alerting is alive, and that the rules are.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::windows::{self, Severity};
use super::words::{Words, annotations};
use super::{Rule, RuleFile, RuleGroup};
use crate::model::Estate;
use crate::render::engine::{TemplateError, Templates};

/// Groups of ours, as Prometheus labels them: `<file>;<group>`.
const OUR_GROUPS: &str = r#"rule_group=~".*;slo-.*""#;

/// The dead-man's switch and the health of the rules.
pub fn rules(estate: &Estate, source: &str, templates: &Templates) -> Result<RuleFile, TemplateError> {
    let timing = windows::timing().scaled(estate.time_scale);
    let memory = timing.rules_memory;
    let alert = |name: &str, template: &str, severity: Option<Severity>, expr: String| {
        let mut labels = estate.identity.clone();
        labels.extend(severity.map(|it| (slo::SEVERITY_LABEL.to_owned(), it.as_str().to_owned())));
        Ok(Rule::Alerting {
            alert: name.to_owned(),
            expr,
            hold: None,
            keep_firing_for: None,
            labels,
            annotations: annotations(templates, template, &Words::default(), BTreeMap::new())?,
        })
    };
    let failing = format!("increase(prometheus_rule_evaluation_failures_total{{{OUR_GROUPS}}}[{memory}]) > 0");
    let late = format!(
        "increase(prometheus_rule_group_iterations_missed_total{{{OUR_GROUPS}}}[{memory}]) > 0\n\
         or prometheus_rule_group_last_duration_seconds{{{OUR_GROUPS}}} > 0.5 * prometheus_rule_group_interval_seconds{{{OUR_GROUPS}}}"
    );
    let rules = vec![
        alert(slo::WATCHDOG, "watchdog", None, "vector(1)".to_owned())?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Page), failing)?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Ticket), late)?,
    ];
    let group = RuleGroup { name: "slo-estate".to_owned(), interval: timing.interval, rules };
    Ok(RuleFile { source: source.to_owned(), groups: vec![group] })
}
