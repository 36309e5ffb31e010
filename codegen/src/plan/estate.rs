//! Rules of the estate: proof that alerting is alive, that the rules are, and that pages are answered.

use std::collections::BTreeSet;

use kilter_contract::slo;

use super::expr::{equal, quote, select};
use super::groups::{divided, for_target};
use super::links;
use super::windows::{self, Severity, Timing};
use super::words::{Words, annotations};
use super::{Rule, RuleFile, RuleGroup};
use crate::model::{Duration, Estate, Health, Name};
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
    for name in escalating(estate) {
        rules.push(unanswered(estate, name, &timing, templates)?);
    }
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

/// Teams with an escalation receiver that own a service.
pub fn escalating(estate: &Estate) -> impl Iterator<Item = &Name> {
    let owners: BTreeSet<&Name> = estate.services.iter().map(|it| &it.team).collect();
    let teams = estate.teams.iter().filter(|(_, team)| team.escalation.is_some()).map(|(name, _)| name);
    teams.filter(move |name| owners.contains(name))
}

/// A page of the team that fired half an hour ago and still does, unless its errors have ended: a half-hour window
/// remembers them for as long as that, and nobody needs to hear of what is mended. Who is on call, and in which order, is
/// the paging provider's work.
fn unanswered(estate: &Estate, team: &Name, timing: &Timing, templates: &Templates) -> Result<Rule, TemplateError> {
    let slos = estate.services.iter().flat_map(|it| &it.slos);
    let by: BTreeSet<&str> = slos.flat_map(|it| &it.by).map(String::as_str).collect();
    let identity = estate.identity.keys().map(String::as_str);
    let group: Vec<&str> = [slo::SERVICE_LABEL, slo::SLO_LABEL].into_iter().chain(identity).chain(by).collect();
    let group = group.join(", ");
    let own: Vec<String> = estate.identity.iter().map(|(key, value)| equal(key, value)).collect();
    let mut matchers = vec![
        equal("alertstate", "firing"),
        equal(slo::SEVERITY_LABEL, &estate.policy.severities.page),
        equal(slo::TEAM_LABEL, team.as_str()),
    ];
    matchers.extend(own.iter().cloned());
    let (page, hold) = (select("ALERTS", &matchers), timing.escalation_hold);
    let burn = select(&slo::burn_rate("5m"), &own);
    let lasting = format!("max by (alertname, {group}) ({page} and {page} offset {hold})");
    let mut labels = estate.identity.clone();
    labels.extend(estate.policy.extra.labels.clone());
    labels.insert(slo::SEVERITY_LABEL.to_owned(), slo::ESCALATION.to_owned());
    labels.insert(slo::TEAM_LABEL.to_owned(), team.to_string());
    let words = Words {
        service: format!("{{{{ $labels.{} }}}}", slo::SERVICE_LABEL),
        slo: format!("{{{{ with $labels.{} }}}}/{{{{ . }}}}{{{{ end }}}}", slo::SLO_LABEL),
        page: format!("{{{{ $labels.{PAGE_LABEL} }}}}"),
        held: hold.to_string(),
        ..Words::default()
    };
    let mut links = estate.policy.extra.annotations.clone();
    links.insert("runbook_url".to_owned(), links::runbook_of_alert(estate));
    Ok(Rule::Alerting {
        alert: slo::PAGE_UNANSWERED.to_owned(),
        // The alert's own name becomes a label: the rule's takes its place.
        expr: format!(
            "label_replace(\n  {lasting}\n  unless on ({group}) ({burn} <= 1),\n  \"{PAGE_LABEL}\", \"$1\", \"alertname\", \"(.+)\"\n)"
        ),
        hold: None,
        keep_firing_for: Some(timing.page_keep_firing),
        labels,
        annotations: annotations(templates, "escalation", &words, links)?,
    })
}

/// The label that names the page that escalates.
pub const PAGE_LABEL: &str = "page";
