//! As much of the rules and of what is fed as cases can see: a mutant then costs the rules that it can change.

use std::collections::{BTreeMap, BTreeSet};

use kilter_codegen::promql;

use super::files::{Case, Group, Input, Proof, Rule, Rules};

type Places = BTreeSet<(usize, usize)>;

/// The rules and the series that a proof reads. Texts of alerts are left out where no case compares them.
pub(super) fn cut(rules: &Rules, proof: &Proof, cases: &[Case]) -> (Rules, Proof) {
    let places = seen(rules, proof, cases);
    let told: BTreeSet<&str> = proof.alert_rule_test.iter().map(|it| it.alertname.as_str()).collect();
    let of_group = |(number, group): (usize, &Group)| {
        let kept = group.rules.iter().enumerate().filter(|(place, _)| places.contains(&(number, *place)));
        let rules = kept.map(|(_, it)| {
            let told = it.alert.as_deref().is_some_and(|it| told.contains(it));
            Rule { annotations: if told { it.annotations.clone() } else { BTreeMap::default() }, ..it.clone() }
        });
        Group { rules: rules.collect(), ..group.clone() }
    };
    let mut groups: Vec<Group> = rules.groups.iter().enumerate().map(of_group).collect();
    groups.retain(|it| !it.rules.is_empty());
    let mut read: BTreeSet<&str> = proof.promql_expr_test.iter().flat_map(|it| names(&it.expr)).collect();
    for it in groups.iter().flat_map(|it| &it.rules) {
        read.extend(names(&it.expr));
        it.annotations.values().for_each(|it| read.extend(names(it)));
    }
    let fed = |it: &&Input| read.contains(it.series.split('{').next().unwrap_or_default());
    let input_series = proof.input_series.iter().filter(fed).cloned().collect();
    drop(read);
    (Rules { groups }, Proof { input_series, ..proof.clone() })
}

/// The rules that these cases of a proof read, directly or through other rules.
pub(super) fn seen(rules: &Rules, proof: &Proof, cases: &[Case]) -> Places {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for case in cases {
        match case {
            Case::Query(at) => read_by(rules, &proof.promql_expr_test[*at].expr, &mut open),
            Case::Alerts(at) => {
                let name = &proof.alert_rule_test[*at].alertname;
                told.insert(name);
                open.extend(places(rules, |it| it.alert.as_ref() == Some(name)));
            }
        }
    }
    let mut seen = Places::new();
    while let Some(at) = open.pop() {
        if seen.insert(at) {
            let rule = &rules.groups[at.0].rules[at.1];
            read_by(rules, &rule.expr, &mut open);
            if rule.alert.as_deref().is_some_and(|it| told.contains(it)) {
                rule.annotations.values().for_each(|it| read_by(rules, it, &mut open));
            }
        }
    }
    seen
}

/// Adds the rules whose results a text reads.
fn read_by(rules: &Rules, text: &str, all: &mut Vec<(usize, usize)>) {
    let names = names(text);
    all.extend(places(rules, |it| it.record.as_deref().is_some_and(|it| names.contains(it))));
    if names.contains("ALERTS_FOR_STATE") || names.contains("ALERTS") {
        let selectors = promql::parse_of_others(text).map(|it| promql::selectors(&it)).unwrap_or_default();
        let asked: Vec<_> = selectors.iter().filter(|it| it.metric.starts_with("ALERTS")).collect();
        // What the rule does not say of its alerts itself may be anything.
        let fits = |rule: &Rule, it: &promql::Matcher| match it.label.as_str() {
            "alertname" => rule.alert.as_deref().is_some_and(|name| it.accepts(name)),
            label => rule.labels.get(label).is_none_or(|value| value.contains("{{") || it.accepts(value)),
        };
        all.extend(places(rules, |rule| {
            let any = asked.is_empty() || asked.iter().any(|it| it.matchers.iter().all(|it| fits(rule, it)));
            rule.alert.is_some() && any
        }));
    }
}

fn places(rules: &Rules, is: impl Fn(&Rule) -> bool) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (group, it) in rules.groups.iter().enumerate() {
        all.extend(it.rules.iter().enumerate().filter(|(_, it)| is(it)).map(|(place, _)| (group, place)));
    }
    all
}

/// Every word that can name a series.
pub(super) fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').filter(|it| !it.is_empty()).collect()
}
