//! A recorded ratio that is NaN while nothing happens, and an average over it.

use super::{Context, Rule};
use crate::diagnostic::Code;
use crate::lint::Flaw;
use crate::promql::{Part, Tree};

/// Functions that one NaN in the range makes NaN.
const SPOILED: &[&str] =
    &["avg_over_time", "sum_over_time", "stddev_over_time", "stdvar_over_time", "quantile_over_time"];

/// One idle moment makes the average NaN for as long as it is in the range.
pub(super) fn check(rule: &Rule<'_>, context: &Context<'_>) -> Vec<Flaw> {
    let mut all = Vec::new();
    for part in rule.tree.all() {
        let Some(args) = part.call(SPOILED) else { continue };
        let Some(Part::Ranged { of, .. }) = args.last().map(|it| &it.part) else { continue };
        let what = match of.selects() {
            Some((metric, _)) if context.recording(metric).any(|it| can_be_nan(&it.tree)) => format!("`{metric}`"),
            None if can_be_nan(of) => "the ratio".to_owned(),
            _ => continue,
        };
        let name = &rule.expr[part.head.start..part.head.end];
        let message = format!("{what} is 0/0 while nothing happens, and one such moment makes this `{name}` NaN");
        let help = "guard it where it is made: errors / (total > 0); or average both sides and then divide";
        all.push(Flaw::new(Code::Division, part.head, message, help));
    }
    all
}

/// A rate divided by a rate that no comparison keeps above zero.
fn can_be_nan(tree: &Tree) -> bool {
    match &tree.part {
        Part::Brackets(of) | Part::Signed(of) => can_be_nan(of),
        Part::Binary { sign, sides, .. } if sign == "/" => sides.iter().all(is_rate),
        Part::Binary { sign, sides, .. } if ["+", "-", "*"].contains(&sign.as_str()) => sides.iter().any(can_be_nan),
        _ => false,
    }
}

fn is_rate(tree: &Tree) -> bool {
    match &tree.bare().part {
        Part::Aggregation { name, args, .. } => name == "sum" && args.last().is_some_and(is_rate),
        Part::Call { name, .. } => ["rate", "increase", "irate"].contains(&name.as_str()),
        _ => false,
    }
}
