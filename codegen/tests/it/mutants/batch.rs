//! The mutants of one rule, side by side in one run of promtool: what comes after the rule is there once for each, under
//! names of its own, and what comes before it only once. The right rule is among them, so that a case that fails for
//! another reason is seen.

use std::collections::{BTreeMap, BTreeSet};

use kilter_codegen::promql::{self, Part};

use super::files::{Alerts, Case, Group, Input, Proof, Query, Rule, Rules, Subject};
use super::mutant::Mutant;
use super::run::{self, Said};
use super::slice::{self, names};

/// What a mutant does to the cases that it was asked.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All hold.
    Holds,
    /// These fail.
    Fails(Vec<Case>),
    /// The rule cannot be evaluated, or one that reads it, so that nothing can be asked.
    Errs,
}

/// Asks the same cases of each mutant; all are of one rule. Second: the cases that the right rule fails like this.
pub(super) fn ask(subject: &Subject, mutants: &[&Mutant], proof: &Proof, cases: &[Case]) -> (Vec<Outcome>, Vec<Case>) {
    let mut outcomes = vec![None; mutants.len()];
    loop {
        let open: Vec<usize> = (0..mutants.len()).filter(|at| outcomes[*at].is_none()).collect();
        let new: Vec<New> = std::iter::once(None).chain(open.iter().map(|at| Some(mutants[*at].new.clone()))).collect();
        let (rules, part, whose) = together(&subject.rules, mutants[0].at, &new, proof, cases);
        match run::promtool(&rules, part) {
            // Whose rules fail is known now; the others are asked again.
            Said::Errs(said) => {
                let failing =
                    open.iter().enumerate().filter(|(number, _)| said.contains(&format!("_m{}, time: ", number + 1)));
                let failing: Vec<usize> = failing.map(|(_, at)| *at).collect();
                assert!(!failing.is_empty(), "{}: the right rules fail:\n{said}", mutants[0].rule);
                failing.into_iter().for_each(|at| outcomes[at] = Some(Outcome::Errs));
            }
            Said::Fails(failed) => {
                let mut by_clone: BTreeMap<usize, Vec<Case>> = BTreeMap::new();
                for (clone, case) in failed.into_iter().map(whose) {
                    by_clone.entry(clone).or_default().push(case);
                }
                let right = by_clone.remove(&0).unwrap_or_default();
                for (number, at) in open.iter().enumerate() {
                    let mut failing = by_clone.remove(&(number + 1)).unwrap_or_default();
                    failing.retain(|it| !right.contains(it));
                    outcomes[*at] = Some(if failing.is_empty() { Outcome::Holds } else { Outcome::Fails(failing) });
                }
                return (outcomes.into_iter().flatten().collect(), right);
            }
        }
        if outcomes.iter().all(Option::is_some) {
            return (outcomes.into_iter().flatten().collect(), Vec::new());
        }
    }
}

/// The right rule, or a mutant's, which may be no rule at all.
type New = Option<Option<Rule>>;

/// The rules with every clone, the proof with every case for each, and which clone and case a case of that proof is.
fn together(
    rules: &Rules,
    at: (usize, usize),
    new: &[New],
    proof: &Proof,
    cases: &[Case],
) -> (Rules, Proof, impl Fn(Case) -> (usize, Case) + use<>) {
    let after = After::of(rules, at);
    // Other SLOs of the service cost as much, and are asked nothing. What they promise stays: joins go wrong beside it.
    let own: BTreeSet<Option<String>> = cases.iter().map(|it| proof.slo(*it)).collect();
    let broken = rules.groups[at.0].rules[at.1].labels.get("slo").cloned();
    let other = |rule: &Rule| {
        let slo = rule.labels.get("slo").filter(|_| !own.contains(&None)).cloned();
        slo.is_some() && !own.contains(&slo) && slo != broken && !rule.expr.starts_with("vector(")
    };
    let group_of = |(number, group): (usize, &Group)| {
        let mut all = Vec::new();
        for (place, rule) in group.rules.iter().enumerate().filter(|(_, it)| !other(it)) {
            if !after.has(rule) {
                all.push(rule.clone());
                continue;
            }
            for (clone, new) in new.iter().enumerate() {
                let rule = match new {
                    Some(new) if (number, place) == at => new.clone(),
                    _ => Some(rule.clone()),
                };
                all.extend(rule.map(|it| after.renamed_rule(it, clone)));
            }
        }
        Group { rules: all, ..group.clone() }
    };
    let rules = Rules { groups: rules.groups.iter().enumerate().map(group_of).collect() };
    let mut part =
        Proof { input_series: Vec::new(), promql_expr_test: Vec::new(), alert_rule_test: Vec::new(), ..proof.clone() };
    for it in &proof.input_series {
        let metric = it.series.split('{').next().unwrap_or_default();
        if after.records.contains(metric) {
            let renamed = |clone| Input { series: after.renamed(&it.series, clone), values: it.values.clone() };
            part.input_series.extend((0..new.len()).map(renamed));
        } else {
            part.input_series.push(it.clone());
        }
    }
    let (mut queries, mut alerts) = (Vec::new(), Vec::new());
    for clone in 0..new.len() {
        for case in cases {
            match case {
                Case::Query(at) => {
                    let it = &proof.promql_expr_test[*at];
                    let samples = after.renamed(&it.exp_samples.to_string(), clone);
                    part.promql_expr_test.push(Query {
                        expr: after.renamed(&of_clone(&it.expr, clone), clone),
                        exp_samples: serde_json::from_str(&samples).expect("JSON"),
                        ..it.clone()
                    });
                    queries.push((clone, *case));
                }
                Case::Alerts(at) => {
                    let it = &proof.alert_rule_test[*at];
                    let alertname = after.renamed(&it.alertname, clone);
                    // What is not after the rule is the same for all.
                    if alertname != it.alertname || clone == 0 {
                        part.alert_rule_test.push(Alerts { alertname, ..it.clone() });
                        alerts.push((clone, *case));
                    }
                }
            }
        }
    }
    let all = part.cases();
    let (rules, part) = slice::cut(&rules, &part, &all);
    (rules, part, move |case| match case {
        Case::Query(at) => queries[at],
        Case::Alerts(at) => alerts[at],
    })
}

/// What a rule changes: its own name, and those of all that read it.
struct After {
    records: BTreeSet<String>,
    alerts: BTreeSet<String>,
}

impl After {
    fn of(rules: &Rules, at: (usize, usize)) -> Self {
        let first = &rules.groups[at.0].rules[at.1];
        let mut it =
            Self { records: first.record.iter().cloned().collect(), alerts: first.alert.iter().cloned().collect() };
        loop {
            let before = (it.records.len(), it.alerts.len());
            for rule in rules.groups.iter().flat_map(|it| &it.rules) {
                let texts = std::iter::once(&rule.expr).chain(rule.annotations.values());
                if texts.into_iter().any(|text| names(text).into_iter().any(|name| it.records.contains(name))) {
                    it.records.extend(rule.record.clone());
                    it.alerts.extend(rule.alert.clone());
                }
            }
            if before == (it.records.len(), it.alerts.len()) {
                return it;
            }
        }
    }

    fn has(&self, rule: &Rule) -> bool {
        let in_set = |name: &Option<String>, all: &BTreeSet<String>| name.as_ref().is_some_and(|it| all.contains(it));
        in_set(&rule.record, &self.records) || in_set(&rule.alert, &self.alerts)
    }

    fn renamed_rule(&self, rule: Rule, clone: usize) -> Rule {
        let name = |it: Option<String>| it.map(|it| format!("{it}_m{clone}"));
        let annotations = rule.annotations.into_iter().map(|(key, it)| (key, self.only_records(&it, clone)));
        Rule {
            record: name(rule.record),
            alert: name(rule.alert),
            expr: self.renamed(&rule.expr, clone),
            annotations: annotations.collect(),
            ..rule
        }
    }

    fn renamed(&self, text: &str, clone: usize) -> String {
        renamed(text, clone, &|it| self.records.contains(it) || self.alerts.contains(it))
    }

    /// Words of an alert's text stay.
    fn only_records(&self, text: &str, clone: usize) -> String {
        renamed(text, clone, &|it| self.records.contains(it))
    }
}

fn renamed(text: &str, clone: usize, is: &dyn Fn(&str) -> bool) -> String {
    let (mut out, mut word) = (String::with_capacity(text.len()), String::new());
    for c in text.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_alphanumeric() || c == '_' || c == ':' {
            word.push(c);
            continue;
        }
        out.push_str(&word);
        if is(&word) {
            out.push_str(&format!("_m{clone}"));
        }
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

/// A query for alerts of any name asks for those of the clone.
fn of_clone(expr: &str, clone: usize) -> String {
    let Some(tree) = promql::tree(expr) else { panic!("{expr} is no PromQL") };
    let mut out = expr.to_owned();
    let mut places: Vec<usize> = tree
        .all()
        .into_iter()
        .filter_map(|it| match &it.part {
            Part::Selector { metric, matchers, braces: Some(braces) } if metric == "ALERTS" => {
                matchers.iter().all(|it| it.label != "alertname").then_some(braces.start + 1)
            }
            _ => None,
        })
        .collect();
    places.sort_unstable();
    for at in places.into_iter().rev() {
        out.insert_str(at, &format!("alertname=~\".*_m{clone}\","));
    }
    out
}
