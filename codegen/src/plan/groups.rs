//! How rules are divided into groups: as few as the target takes, and each rule after those that it reads.

use std::collections::BTreeMap;

use super::class::{Class, classes};
use super::context::{Context, Layout};
use super::{Rule, RuleFile, RuleGroup, alerting, compat, recording, resources};
use crate::model::{Duration, Limits, Target};
use crate::render::engine::{TemplateError, Templates};

/// The rules of a service, in the widest layout that the target takes.
pub fn service_rules(context: &mut Context<'_>, templates: &Templates) -> Result<RuleFile, TemplateError> {
    let limits = context.estate.limits();
    let mut groups = in_layout(context, templates)?;
    let mut most = context.service.slos.len();
    // Half of one is none: an SLO's rules are not divided before all else was tried.
    while most > 0 && !groups.iter().all(|it| fits(it, limits)) {
        context.divide(Layout::Split(most));
        groups = in_layout(context, templates)?;
        most /= 2;
    }
    groups.push(budget(context, templates)?);
    groups.extend(context.estate.compat.iter().map(|it| compat::group(context, *it)));
    let target = context.estate.target;
    let groups = groups.into_iter().map(|it| for_target(it, target)).flat_map(|it| divided(it, limits)).collect();
    Ok(RuleFile { source: context.service.source.clone(), groups })
}

/// Pairs, burn rates and alerts in one group, so that each rule reads what was recorded a moment ago.
fn in_layout(context: &Context<'_>, templates: &Templates) -> Result<Vec<RuleGroup>, TemplateError> {
    let classes = context.classes();
    let (interval, name) = (context.timing.interval, format!("slo-{}", context.service.name));
    let mut of_service = vec![alerting::service_down(context, templates)?];
    of_service.extend(resources::rules(context, templates)?);
    Ok(match context.layout {
        Layout::Whole => {
            let mut rules = of_classes(context, classes, templates)?;
            rules.extend(of_service);
            vec![RuleGroup { name, interval, rules }]
        }
        Layout::Split(_) => {
            let mut groups = Vec::new();
            for (number, class) in (1..).zip(classes) {
                let rules = of_classes(context, std::slice::from_ref(class), templates)?;
                groups.push(RuleGroup { name: format!("{name}-{number}"), interval, rules });
            }
            groups.push(RuleGroup { name, interval, rules: of_service });
            groups
        }
    })
}

/// The budget, which looks back over weeks and needs no hurry.
fn budget(context: &Context<'_>, templates: &Templates) -> Result<RuleGroup, TemplateError> {
    // What a group holds matters to nothing here, so that expressions stay as short as the policies allow.
    let mut rules = recording::budget(context, &classes(context.service, Layout::Whole.most()));
    for class in context.classes() {
        rules.push(alerting::exhausted(context, class, templates)?);
    }
    let name = format!("slo-{}-budget", context.service.name);
    Ok(RuleGroup { name, interval: context.timing.budget_interval, rules })
}

/// Pairs, burn rates and alerts of some classes.
fn of_classes(context: &Context<'_>, classes: &[Class<'_>], templates: &Templates) -> Result<Vec<Rule>, TemplateError> {
    let member = |name: &_| classes.iter().flat_map(|it| &it.slos).any(|it| it.name == *name);
    let slos = context.service.slos.iter().filter(|it| member(&it.name));
    let mut rules: Vec<Rule> = slos.flat_map(|slo| recording::per_slo(context, slo)).collect();
    rules.extend(recording::burn_rates(context, classes));
    for class in classes {
        rules.extend(alerting::per_class(context, class, templates)?);
    }
    Ok(rules)
}

/// Whether the target takes a group.
fn fits(group: &RuleGroup, limits: Limits) -> bool {
    limits.rules_per_group.is_none_or(|most| group.rules.len() <= most)
        && limits.bytes.is_none_or(|most| group.rules.iter().map(size).sum::<usize>() <= most)
}

/// A group that the target does not take, in parts that it takes. What a part reads of those before it may be as old as
/// its interval: the last resort for groups whose rules read one another, and harmless for all others.
pub fn divided(group: RuleGroup, limits: Limits) -> Vec<RuleGroup> {
    if fits(&group, limits) {
        return vec![group];
    }
    let mut parts: Vec<RuleGroup> = Vec::new();
    for rule in group.rules {
        match parts.last_mut() {
            Some(part) => {
                part.rules.push(rule);
                if !fits(part, limits) && part.rules.len() > 1 {
                    let rules = part.rules.split_off(part.rules.len() - 1);
                    let name = format!("{}-part{}", group.name, parts.len() + 1);
                    parts.push(RuleGroup { name, interval: group.interval, rules });
                }
            }
            None => parts.push(RuleGroup { name: group.name.clone(), interval: group.interval, rules: vec![rule] }),
        }
    }
    parts
}

/// About the bytes of a rule as JSON, with what is around it.
fn size(rule: &Rule) -> usize {
    const AROUND: usize = 120;
    let text = |it: &String| it.len() + it.bytes().filter(|it| matches!(it, b'"' | b'\\' | b'\n')).count() + 6;
    let map = |it: &BTreeMap<String, String>| it.iter().map(|(k, v)| text(k) + text(v)).sum::<usize>();
    AROUND
        + match rule {
            Rule::Recording { record, expr, labels } => text(record) + text(expr) + map(labels),
            Rule::Alerting { alert, expr, labels, annotations, .. } => {
                text(alert) + text(expr) + map(labels) + map(annotations)
            }
        }
}

/// The rules in words that the target knows.
pub fn for_target(mut group: RuleGroup, target: Target) -> RuleGroup {
    if !target.keeps_firing() {
        group.rules = group.rules.into_iter().map(|rule| held(rule, group.interval)).collect();
    }
    group
}

/// An alert that keeps firing by its expression: it holds now, or held at an evaluation not longer ago.
fn held(rule: Rule, interval: Duration) -> Rule {
    match rule {
        Rule::Alerting { alert, expr, hold, keep_firing_for: Some(keep), labels, annotations } => Rule::Alerting {
            expr: format!("({expr})\nor\nlast_over_time(({expr})[{keep}:{interval}])"),
            keep_firing_for: None,
            alert,
            hold,
            labels,
            annotations,
        },
        other => other,
    }
}
