//! Whether two expressions are the same. A server prints its own normal form: other blanks, brackets and quotes, labels
//! in another order.

use promql_parser::parser::{Expr, LabelModifier, VectorMatchCardinality, VectorSelector};

use crate::promql::parse_of_others;

/// Whether two texts are one expression.
pub(super) fn same(a: &str, b: &str) -> bool {
    match (parse_of_others(a), parse_of_others(b)) {
        (Ok(a), Ok(b)) => normal(a.whole()) == normal(b.whole()),
        // What we cannot read is compared as it is written.
        _ => blanks(a) == blanks(b),
    }
}

fn blanks(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without brackets, which the tree stands for; labels in order.
fn normal(expr: Expr) -> Expr {
    let boxed = |it: Box<Expr>| Box::new(normal(*it));
    match expr {
        Expr::Paren(it) => normal(*it.expr),
        Expr::Aggregate(mut it) => {
            it.expr = boxed(it.expr);
            it.param = it.param.map(boxed);
            match &mut it.modifier {
                Some(LabelModifier::Include(labels)) if labels.labels.is_empty() => it.modifier = None,
                Some(modifier) => sort(modifier),
                None => {}
            }
            Expr::Aggregate(it)
        }
        Expr::Unary(mut it) => match normal(*it.expr) {
            Expr::NumberLiteral(mut number) => {
                number.val = -number.val;
                Expr::NumberLiteral(number)
            }
            other => {
                it.expr = Box::new(other);
                Expr::Unary(it)
            }
        },
        Expr::Binary(mut it) => {
            (it.lhs, it.rhs) = (boxed(it.lhs), boxed(it.rhs));
            if let Some(modifier) = &mut it.modifier {
                modifier.matching.iter_mut().for_each(sort);
                if let VectorMatchCardinality::ManyToOne(labels) | VectorMatchCardinality::OneToMany(labels) =
                    &mut modifier.card
                {
                    labels.labels.sort();
                }
            }
            Expr::Binary(it)
        }
        Expr::Subquery(mut it) => {
            it.expr = boxed(it.expr);
            Expr::Subquery(it)
        }
        Expr::Call(mut it) => {
            it.args.args = it.args.args.into_iter().map(boxed).collect();
            Expr::Call(it)
        }
        Expr::VectorSelector(it) => Expr::VectorSelector(selector(it)),
        Expr::MatrixSelector(mut it) => {
            it.vs = selector(it.vs);
            Expr::MatrixSelector(it)
        }
        other => other,
    }
}

fn sort(modifier: &mut LabelModifier) {
    let (LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = modifier;
    labels.labels.sort();
}

/// `{__name__="x"}` is `x`.
fn selector(mut it: VectorSelector) -> VectorSelector {
    let named = it.matchers.matchers.iter().position(|it| it.name == "__name__" && it.op.to_string() == "=");
    if it.name.is_none()
        && let Some(at) = named
    {
        it.name = Some(it.matchers.matchers.remove(at).value);
    }
    let key = |it: &promql_parser::label::Matcher| (it.name.clone(), it.op.to_string(), it.value.clone());
    it.matchers.matchers.sort_by_key(key);
    it
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normal_form_is_the_same_and_a_change_is_not() {
        for (ours, served) in [
            ("sum(rate(a{b=\"c\",d!=\"\"}[5m])) >= 0", "sum(rate(a{d!=\"\",b=\"c\"}[5m])) >= 0"),
            ("(a + b) / c", "(a + b) / (c)"),
            ("a / on (x, y) group_left () b", "a / on(y, x) group_left() b"),
            ("sum by (a, b) (x)", "sum by(b, a) (x)"),
            ("a{le=~\"2\\\\.5\"}", "{__name__=\"a\",le=~\"2\\\\.5\"}"),
            ("x > -1", "x > (-1)"),
            ("vector(0.9990)", "vector(0.999)"),
            ("avg_over_time(x[355m:5m])", "avg_over_time(x[5h55m:5m])"),
            ("a offset 1h", "a offset 60m"),
        ] {
            assert!(same(ours, served), "{ours} is {served}");
        }
        for (ours, other) in [
            ("a + b * c", "(a + b) * c"),
            ("x > 1", "x > 2"),
            ("x > 1", "x >= 1"),
            ("x{a=\"b\"}", "x{a=\"c\"}"),
            ("x{a=\"b\"}", "x{a=~\"b\"}"),
            ("rate(x[5m])", "rate(x[6m])"),
            ("sum by (a) (x)", "sum without (a) (x)"),
            ("x offset 5m", "x"),
            ("x > bool 1", "x > 1"),
            ("not PromQL at all", "x"),
        ] {
            assert!(!same(ours, other), "{ours} is not {other}");
        }
        assert!(same("what ( nobody reads", "what  (\n nobody reads"));
    }
}
