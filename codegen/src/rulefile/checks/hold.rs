//! An alert on a value of this moment that does not wait.

use super::{Context, Rule, RuleKind};
use crate::diagnostic::Code;
use crate::lint::Flaw;
use crate::promql::Part;
use crate::spec::check::printable;

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>) -> Vec<Flaw> {
    let parts = rule.tree.all();
    let metrics: Vec<&str> = parts.iter().filter_map(|it| it.selects()).map(|(metric, _)| metric).collect();
    let ranged = parts.iter().any(|it| matches!(it.part, Part::Ranged { .. }));
    // What is recorded, and alerts themselves, have waited already; so has a timestamp that grows old.
    let waited =
        |it: &&str| it.contains(':') || it.starts_with("ALERTS") || it.contains("timestamp") || it.contains("_time");
    if rule.kind != RuleKind::Alert || rule.holds || ranged || metrics.is_empty() || metrics.iter().any(waited) {
        return Vec::new();
    }
    let message = format!("`{}` fires at the first scrape that says so, and is gone at the next", printable(rule.name));
    let help = "add a time such as `for: 2m`, at least two scrapes";
    vec![Flaw::new(Code::NoHold, rule.tree.range, message, help)]
}
