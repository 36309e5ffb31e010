//! What rule files and SLO files have alike.

use super::{Context, Rule};
use crate::lint::{Flaw, in_expression};
use crate::promql::{Part, Tree};

pub(super) fn check(rule: &Rule<'_>, context: &Context<'_>) -> Vec<Flaw> {
    let aggregate = |name: &str| {
        let mut rules = context.recording(name).peekable();
        rules.peek().is_some() && rules.all(|it| is_sum_of_counters(&it.tree))
    };
    in_expression(rule.expr, &rule.tree, false, &aggregate)
}

/// A sum of counters that are not rates yet.
fn is_sum_of_counters(tree: &Tree) -> bool {
    match &tree.bare().part {
        Part::Aggregation { name, args, .. } if name == "sum" => {
            args.last().and_then(|it| it.bare().selects()).is_some_and(|(metric, _)| metric.ends_with("_total"))
        }
        _ => false,
    }
}
