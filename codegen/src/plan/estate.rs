//! Rules of the estate: proof that alerting is alive, that the rules are, and that pages are answered.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;

use super::expr::{equal, select};
use super::links;
use super::windows::{self, Severity, Timing};
use super::words::{Words, annotations};
use super::{Rule, RuleFile, RuleGroup};
use crate::model::{Estate, Name};
use crate::render::engine::{TemplateError, Templates};

/// Groups of ours, as Prometheus labels them: `<file>;<group>`.
const OUR_GROUPS: &str = r#"rule_group=~".*;slo-.*""#;

/// The dead-man's switch, the health of the rules, and escalation.
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
    let mut rules = vec![
        alert(slo::WATCHDOG, "watchdog", None, "vector(1)".to_owned())?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Page), failing)?,
        alert(slo::RULES_FAILING, "rules", Some(Severity::Ticket), late)?,
    ];
    for name in escalating(estate) {
        rules.push(unanswered(estate, name, &timing, templates)?);
    }
    let group = RuleGroup { name: "slo-estate".to_owned(), interval: timing.interval, rules };
    Ok(RuleFile { source: source.to_owned(), groups: vec![group] })
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
        equal(slo::SEVERITY_LABEL, slo::PAGE),
        equal(slo::TEAM_LABEL, team.as_str()),
    ];
    matchers.extend(own.iter().cloned());
    let (page, hold) = (select("ALERTS", &matchers), timing.escalation_hold);
    let burn = select(&slo::burn_rate("5m"), &own);
    let lasting = format!("max by (alertname, {group}) ({page} and {page} offset {hold})");
    let mut labels = estate.identity.clone();
    labels.insert(slo::SEVERITY_LABEL.to_owned(), slo::ESCALATION.to_owned());
    labels.insert(slo::TEAM_LABEL.to_owned(), team.to_string());
    let words = Words {
        service: format!("{{{{ $labels.{} }}}}", slo::SERVICE_LABEL),
        slo: format!("{{{{ with $labels.{} }}}}/{{{{ . }}}}{{{{ end }}}}", slo::SLO_LABEL),
        page: format!("{{{{ $labels.{PAGE_LABEL} }}}}"),
        held: hold.to_string(),
        ..Words::default()
    };
    let links = BTreeMap::from([("runbook_url".to_owned(), links::runbook_of_alert(estate))]);
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
