//! Every way in which a rule can be wrong by one part.

use std::collections::BTreeSet;

use super::files::{Labels, Rule, Rules};
use super::words::{self, Way, other};

/// One rule, broken in one way.
#[derive(Clone)]
pub(super) struct Mutant {
    /// Where the rule stands: its group, and its place in it.
    pub(super) at: (usize, usize),
    /// `ErrorBudgetBurn page`.
    pub(super) rule: String,
    /// `threshold 6 -> 12 in slo:burn_rate:6h > 6`.
    pub(super) what: String,
    /// What takes the rule's place; nothing when it is gone.
    pub(super) new: Option<Rule>,
}

/// All mutants of the kinds of rules that are not known yet: the first rule of a kind stands for all. Of rules that differ
/// by their numbers only, as those of three windows, the others are broken in these alone.
pub(super) fn all(rules: &Rules, known: &mut BTreeSet<String>) -> Vec<Mutant> {
    let mut all: Vec<Mutant> = Vec::new();
    for (group, it) in rules.groups.iter().enumerate() {
        for (place, rule) in it.rules.iter().enumerate() {
            let (first, new) = (known.insert(rule.shape()), known.insert(rule.kind()));
            let mut ways = BTreeSet::new();
            for (way, what, wrong) in of_rule(rule).into_iter().filter(|_| new) {
                let kept = first || matches!(way, Way::Gone | Way::Window);
                // Thresholds, windows and guards of an alert all decide; a recorded rule says the same in many places.
                if kept && (ways.insert(way) || rule.alert.is_some()) {
                    all.push(Mutant { at: (group, place), rule: rule.title(), what, new: wrong });
                }
            }
        }
    }
    all
}

fn of_rule(rule: &Rule) -> Vec<(Way, String, Option<Rule>)> {
    let mut all = vec![(Way::Gone, "the rule is gone".to_owned(), None)];
    for it in words::changes(&rule.expr) {
        all.push((it.way, it.what, Some(Rule { expr: it.text, ..rule.clone() })));
    }
    if let Some(held) = &rule.held {
        let longer = other(held, true).expect("a duration");
        all.push((Way::For, "for dropped".to_owned(), Some(Rule { held: None, ..rule.clone() })));
        all.push((Way::For, format!("for {held} -> {longer}"), Some(Rule { held: Some(longer), ..rule.clone() })));
    }
    if let Some(kept) = &rule.kept {
        let longer = other(kept, true).expect("a duration");
        let what = format!("keep_firing_for {kept} -> {longer}");
        all.push((Way::Kept, "keep_firing_for dropped".to_owned(), Some(Rule { kept: None, ..rule.clone() })));
        all.push((Way::Kept, what, Some(Rule { kept: Some(longer), ..rule.clone() })));
    }
    for (key, value) in &rule.labels {
        let wrong = match value.as_str() {
            "page" => "ticket",
            "ticket" => "page",
            _ => "another",
        };
        let mut labels: Labels = rule.labels.clone();
        labels.insert(key.clone(), wrong.to_owned());
        let what = format!("label {key}: {value} -> {wrong}");
        all.push((Way::Sets, what, Some(Rule { labels, ..rule.clone() })));
    }
    all
}
