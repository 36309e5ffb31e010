//! What an expression gives: its labels, and whether it can give nothing or no number.

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{BinaryExpr, Expr, LabelModifier};

/// The labels of what an expression gives; `None` when they are not its own to choose, as those of a selector.
pub fn kept_labels(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Paren(it) => kept_labels(&it.expr),
        Expr::Unary(it) => kept_labels(&it.expr),
        // These pass on the labels of their operand, or make new ones.
        Expr::Aggregate(it) if ["topk", "bottomk", "limitk", "count_values"].contains(&it.op.to_string().as_str()) => {
            None
        }
        Expr::Aggregate(it) => match &it.modifier {
            None => Some(Vec::new()),
            Some(LabelModifier::Include(labels)) => Some(labels.labels.clone()),
            Some(LabelModifier::Exclude(_)) => None,
        },
        Expr::Binary(it) => of_binary(it),
        Expr::Call(call) => match call.func.name {
            "vector" | "absent" | "time" => Some(Vec::new()),
            "label_replace" | "label_join" | "absent_over_time" => None,
            "histogram_quantile" => {
                let mut labels = kept_labels(call.args.args.last()?)?;
                labels.retain(|it| it != "le");
                Some(labels)
            }
            _ => call.args.args.iter().find(|it| it.value_type() == ValueType::Vector).and_then(|it| kept_labels(it)),
        },
        _ => None,
    }
}

fn of_binary(it: &BinaryExpr) -> Option<Vec<String>> {
    let vector = |side: &Expr| side.value_type() == ValueType::Vector;
    match (vector(&it.lhs), vector(&it.rhs)) {
        (true, false) => kept_labels(&it.lhs),
        (false, true) => kept_labels(&it.rhs),
        _ => {
            let plain = it.modifier.as_ref().is_none_or(|it| it.matching.is_none());
            let (left, right) = (kept_labels(&it.lhs)?, kept_labels(&it.rhs)?);
            (plain && left == right).then_some(left)
        }
    }
}

/// Whether an expression is a selector and nothing else, so that its range can be read as it stands.
pub const fn is_plain_selector(expr: &Expr) -> bool {
    matches!(expr, Expr::VectorSelector(_))
}

/// Whether an expression compares without `bool` where it should say yes or no: it then gives nothing instead of 0.
pub fn lacks_bool(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => lacks_bool(&it.expr),
        Expr::Aggregate(it) => lacks_bool(&it.expr),
        Expr::Binary(it) if it.op.is_comparison_operator() => it.modifier.as_ref().is_none_or(|it| !it.return_bool),
        Expr::Binary(it) if it.op.is_set_operator() || it.op.to_string() == "*" => {
            lacks_bool(&it.lhs) || lacks_bool(&it.rhs)
        }
        _ => false,
    }
}

/// Whether an expression can be NaN for want of events: a quantile of nothing, or zero by zero, that no filter drops.
pub fn may_be_nan(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => may_be_nan(&it.expr),
        Expr::Unary(it) => may_be_nan(&it.expr),
        Expr::Aggregate(it) => may_be_nan(&it.expr),
        Expr::Binary(it) => {
            let filters = it.op.is_comparison_operator() && it.modifier.as_ref().is_none_or(|it| !it.return_bool);
            let zero = it.op.to_string() == "/" && it.rhs.value_type() == ValueType::Vector;
            !filters && (zero || may_be_nan(&it.lhs) || may_be_nan(&it.rhs))
        }
        Expr::Call(call) => call.func.name == "histogram_quantile" || call.args.args.iter().any(|it| may_be_nan(it)),
        _ => false,
    }
}

/// Whether an expression divides one sum of rates by another: then the two counters are known, and it need be no ratio.
pub fn of_two_counters(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => of_two_counters(&it.expr),
        Expr::Binary(it) if it.op.to_string() == "/" => is_rate(&it.lhs) && is_rate(&it.rhs),
        Expr::Binary(it) if it.op.to_string() == "-" && matches!(*it.lhs, Expr::NumberLiteral(_)) => {
            of_two_counters(&it.rhs)
        }
        _ => false,
    }
}

fn is_rate(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(it) => is_rate(&it.expr),
        Expr::Aggregate(it) => it.op.to_string() == "sum" && is_rate(&it.expr),
        Expr::Call(call) => ["rate", "increase"].contains(&call.func.name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::parse;

    #[test]
    fn labels_are_those_of_the_result() {
        for (text, labels) in [
            ("up", None),
            ("max(up)", Some(vec![])),
            ("max by (a) (up) > bool 0", Some(vec!["a"])),
            ("histogram_quantile(0.9, sum by (le, a) (rate(x[$window]))) < bool 1", Some(vec!["a"])),
            ("count(sum by (pod) (up) > 0)", Some(vec![])),
            ("sum(x) / sum(y)", Some(vec![])),
            ("sum by (a) (x) / on () group_left sum(y)", None),
            ("topk(1, x)", None),
        ] {
            let labels = labels.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(kept_labels(&parse(text).unwrap()), labels, "{text}");
        }
    }

    #[test]
    fn yes_and_no_need_bool() {
        for (text, lacks) in [
            ("x > 1", true),
            ("x > bool 1", false),
            ("(x >= 0) < bool 1", false),
            ("min by (a) (x < 1)", true),
            ("(x > bool 1) * (y < 2)", true),
            ("probe_success", false),
        ] {
            assert_eq!(lacks_bool(&parse(text).unwrap()), lacks, "{text}");
        }
    }

    #[test]
    fn what_can_be_no_number_is_known() {
        for (text, nan) in [
            ("histogram_quantile(0.9, x) < bool 1", true),
            ("(histogram_quantile(0.9, x) >= 0) < bool 1", false),
            ("x / y > bool 1", true),
            ("x / 2 > bool 1", false),
            ("x > bool 1", false),
        ] {
            assert_eq!(may_be_nan(&parse(text).unwrap()), nan, "{text}");
        }
        assert!(of_two_counters(&parse("1 - sum(rate(x[$window])) / (sum(rate(y[$window])))").unwrap()));
        assert!(!of_two_counters(&parse("1 - x / y").unwrap()));
    }
}
