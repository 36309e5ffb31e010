//! Comparisons that can never hold.

use super::{Context, Rule};
use crate::diagnostic::Code;
use crate::lint::Flaw;
use crate::promql::{Part, Tree};

/// The values that something can have.
#[derive(Clone, Copy)]
struct Values {
    least: f64,
    most: f64,
    why: &'static str,
}

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>) -> Vec<Flaw> {
    let mut all = Vec::new();
    for part in rule.tree.all() {
        let Part::Binary { sign, bool: false, sides, .. } = &part.part else { continue };
        let [left, right] = &**sides;
        let known = match (values(left), right.number(), left.number(), values(right)) {
            (Some(of), Some(number), _, _) => Some((of, sign.as_str(), number)),
            (_, _, Some(number), Some(of)) => Some((of, turned(sign), number)),
            _ => None,
        };
        let Some((of, sign, number)) = known.filter(|(of, sign, number)| never(*of, sign, *number)) else { continue };
        let message = format!("this is never {sign} {number}: {}", of.why);
        let help = if of.why.contains("nothing") {
            "that nothing is there is said by absent(...)"
        } else {
            "correct the number or the sign"
        };
        all.push(Flaw::new(Code::NeverTrue, part.head, message, help));
    }
    all
}

/// What is known of the value of an expression.
fn values(tree: &Tree) -> Option<Values> {
    let known = |least, most, why| Some(Values { least, most, why });
    match &tree.bare().part {
        Part::Selector { metric, .. } if metric == "up" => known(0.0, 1.0, "`up` is 0 or 1"),
        Part::Selector { metric, .. } if metric == "ALERTS" => known(1.0, 1.0, "`ALERTS` is 1, or nothing is there"),
        Part::Shifted(of) => values(of),
        Part::Aggregation { name, args, .. } => match name.as_str() {
            "count" => known(1.0, f64::INFINITY, "`count` of nothing is nothing"),
            "group" => known(1.0, 1.0, "`group` is 1, or nothing is there"),
            "max" | "min" | "avg" => values(args.last()?),
            _ => None,
        },
        Part::Call { name, .. } => match name.as_str() {
            "absent" | "absent_over_time" => known(1.0, 1.0, "`absent` is 1, or nothing is there"),
            "present_over_time" => known(1.0, 1.0, "it is 1, or nothing is there"),
            "count_over_time" => known(1.0, f64::INFINITY, "a count of nothing is nothing"),
            "rate" | "increase" | "irate" => known(0.0, f64::INFINITY, "a rate is never negative"),
            "changes" | "resets" => known(0.0, f64::INFINITY, "a number of changes is never negative"),
            _ => None,
        },
        _ => None,
    }
}

fn turned(sign: &str) -> &str {
    match sign {
        "<" => ">",
        ">" => "<",
        "<=" => ">=",
        ">=" => "<=",
        other => other,
    }
}

fn never(of: Values, sign: &str, number: f64) -> bool {
    match sign {
        "<" => of.least >= number,
        "<=" => of.least > number,
        ">" => of.most <= number,
        ">=" => of.most < number,
        "==" => number < of.least || number > of.most,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    #[test]
    fn what_never_holds_is_known() {
        for (text, is) in [
            ("count(up == 1) == 0", true),
            ("count(up) < 1", true),
            ("count(up) < 2", false),
            ("0 == count(up)", true),
            ("absent(up) == 0", true),
            ("absent(up) == 1", false),
            ("up > 1", true),
            ("1 < up", true),
            ("up < 1", false),
            ("avg(up) <= 0.5", false),
            ("rate(x[5m]) < 0", true),
            ("rate(x[5m]) < bool 0", false),
            ("sum(x) == 0", false),
            ("count_over_time(x[5m]) == 0", true),
        ] {
            let tree = tree(text).unwrap();
            let Part::Binary { sign, bool, sides, .. } = &tree.part else { panic!("a comparison") };
            let [left, right] = &**sides;
            let found = match (values(left), right.number()) {
                (Some(of), Some(number)) => never(of, sign, number),
                _ => values(right).zip(left.number()).is_some_and(|(of, number)| never(of, turned(sign), number)),
            };
            assert_eq!(found && !bool, is, "{text}");
        }
    }
}
