//! Rules of the estate: proof that alerting is alive, that the rules are, and that pages are answered.

use kilter_contract::slo;

use super::escalation;
use super::expr::{equal, quote, select};
use super::groups::{divided, for_target};
use super::windows::{self, Severity};
use super::words::{Words, annotations};
use super::{Rule, RuleFile, RuleGroup};
use crate::model::{Duration, Estate, Health};
use crate::render::engine::{TemplateError, Templates};

/// The dead-man's switch, the health of the rules, and escalation.
pub fn rules(estate: &Estate, source: &str, templates: &Templates) -> Result<RuleFile, TemplateError> {
    let timing = windows::timing().scaled(estate.time_scale);
    let memory = timing.rules_memory;
    let alert = |name: &str, template: &str, severity: Option<Severity>, expr: String| {
        let policy = &estate.policy;
        let mut labels = estate.identity.clone();
        labels.extend(policy.extra.labels.clone());
        labels.extend(severity.map(|it| (slo::SEVERITY_LABEL.to_owned(), policy.severities.of(it).to_owned())));
        Ok(Rule::Alerting {
            alert: name.to_owned(),
            expr,
            hold: None,
            keep_firing_for: None,
            labels,
            annotations: annotations(templates, template, &Words::default(), policy.extra.annotations.clone())?,
        })
    };
    let (failing, late) = health(estate.target.health(), memory);
    let mut rules = vec![
        alert(slo::WATCHDOG, "watchdog", None, "vector(1)".to_owned())?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Page), failing)?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Ticket), late)?,
    ];
    rules.extend(escalation::rules(estate, &timing, templates)?);
    let group = RuleGroup { name: "slo-estate".to_owned(), interval: timing.interval, rules };
    let groups = divided(for_target(group, estate.target), estate.limits());
    Ok(RuleFile { source: source.to_owned(), groups })
}

/// Rules of ours that fail, and groups that are late or slow, by the metrics of the engine itself.
fn health(of: &Health, memory: Duration) -> (String, String) {
    // The names of our groups, behind what the engine puts before them.
    let ours = format!("{}=~{}", of.label, quote(&format!("{}slo-.*", of.before.0)));
    let own = |metric: &str| select(metric, std::slice::from_ref(&ours));
    let rises = |metric: &str| format!("increase({}[{memory}]) > 0", own(metric));
    let fails = of.failing.iter().map(|it| format!("max_over_time({}[{memory}]) > 0", own(it)));
    let failing: Vec<String> = of.failures.iter().map(|it| rises(it)).chain(fails).collect();
    let duration = match of.quantile {
        Some((label, value)) => {
            format!("max without ({label}) ({})", select(of.duration, &[ours.clone(), equal(label, value)]))
        }
        None => own(of.duration),
    };
    let late = format!("{}\nor {duration} > 0.5 * {}", rises(of.missed), own(of.interval));
    (failing.join("\nor "), late)
}
