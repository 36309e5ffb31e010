//! What is wrong with rules that Prometheus accepts. One file per check, one line in the list.

mod absent;
mod counters;
mod duplicates;
mod flaws;
mod hold;
mod idle;
mod lost_label;
mod never;
mod ranges;
mod severity;
pub(super) mod target;

use std::collections::BTreeMap;

use super::{Rule, RuleKind, Setting, tell};
use crate::diagnostic::{Diagnostic, Findings, Severity};
use crate::lint::Flaw;
use crate::load::Sources;
use crate::promql::{Part, Tree};

/// Everything that a check may look at.
struct Context<'a> {
    /// Rules by name.
    rules: BTreeMap<&'a str, Vec<&'a Rule<'a>>>,
    setting: Setting,
}

impl<'a> Context<'a> {
    fn new(rules: &'a [Rule<'a>], setting: Setting) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Rule<'_>>> = BTreeMap::new();
        rules.iter().for_each(|it| by_name.entry(it.name).or_default().push(it));
        Self { rules: by_name, setting }
    }

    /// The rules of a name, in order.
    fn named(&self, name: &str) -> impl Iterator<Item = &'a Rule<'a>> {
        self.rules.get(name).into_iter().flatten().copied()
    }

    /// The rules that record a series.
    fn recording(&self, name: &str) -> impl Iterator<Item = &'a Rule<'a>> {
        self.named(name).filter(|it| it.kind == RuleKind::Record)
    }
}

/// A check of the expression of a rule.
type OfExpression = fn(&Rule<'_>, &Context<'_>) -> Vec<Flaw>;

const OF_EXPRESSION: &[OfExpression] =
    &[absent::check, counters::check, flaws::check, hold::check, idle::check, never::check, ranges::check];

/// A check of the rest of a rule.
type OfRule = fn(&Rule<'_>, &Context<'_>, &mut Findings<'_>);

const OF_RULE: &[OfRule] = &[duplicates::check, lost_label::check, severity::check];

/// Runs them all.
pub(super) fn run(rules: &[Rule<'_>], sources: &Sources, setting: Setting, all: &mut Vec<Diagnostic>) {
    let context = Context::new(rules, setting);
    for rule in rules {
        for flaw in OF_EXPRESSION.iter().flat_map(|check| check(rule, &context)) {
            tell(flaw, Severity::Warning, rule, sources, all);
        }
        if let Some(target) = setting.target {
            for (flaw, severity) in target::flaws(rule.expr, &rule.tree, target, setting.scrape_interval) {
                tell(flaw, severity, rule, sources, all);
            }
        }
        OF_RULE.iter().for_each(|check| check(rule, &context, &mut Findings::new(rule.file, sources, all)));
    }
}

/// Every part that selects series: metric, matchers' part, and what stands above it.
fn selectors<'a>(tree: &'a Tree, f: &mut dyn FnMut(&'a Tree, &'a str, &[&'a Tree])) {
    tree.visit(&mut Vec::new(), &mut |it, above| {
        if let Some((metric, _)) = it.selects() {
            f(it, metric, above);
        }
    });
}

/// Whether a part stands in a range or a subquery.
fn is_ranged(above: &[&Tree]) -> bool {
    above.iter().any(|it| matches!(it.part, Part::Ranged { .. }))
}
