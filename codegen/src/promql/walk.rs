//! What an expression reads.

use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, LabelModifier, VectorSelector};

/// A series that an expression selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Its metric; empty when only matchers name it.
    pub metric: String,
    /// Label, whether it must be equal, and value.
    pub matchers: Vec<(String, bool, String)>,
    /// Labels that the aggregations above it keep; `None` without an aggregation.
    pub kept: Option<Vec<String>>,
    /// Whether it stands in a range, as below `rate`.
    pub ranged: bool,
}

/// Every selector of an expression.
pub fn selectors(expr: &Expr) -> Vec<Selector> {
    let mut all = Vec::new();
    walk(expr, None, &mut all);
    all
}

/// Every range in seconds.
pub fn ranges(expr: &Expr) -> Vec<f64> {
    fn below(expr: &Expr, all: &mut Vec<f64>) {
        match expr {
            Expr::MatrixSelector(it) => all.push(it.range.as_secs_f64()),
            Expr::Subquery(it) => {
                all.push(it.range.as_secs_f64());
                below(&it.expr, all);
            }
            other => children(other).into_iter().for_each(|it| below(it, all)),
        }
    }
    let mut all = Vec::new();
    below(expr, &mut all);
    all
}

fn walk(expr: &Expr, kept: Option<&[String]>, all: &mut Vec<Selector>) {
    match expr {
        Expr::VectorSelector(it) => all.push(selector(it, kept, false)),
        Expr::MatrixSelector(it) => all.push(selector(&it.vs, kept, true)),
        Expr::Aggregate(it) => {
            let labels = match &it.modifier {
                Some(LabelModifier::Include(labels)) => labels.labels.clone(),
                _ => Vec::new(),
            };
            walk(&it.expr, Some(&labels), all);
        }
        other => children(other).into_iter().for_each(|it| walk(it, kept, all)),
    }
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Aggregate(it) => vec![&it.expr],
        Expr::Unary(it) => vec![&it.expr],
        Expr::Binary(it) => vec![&it.lhs, &it.rhs],
        Expr::Paren(it) => vec![&it.expr],
        Expr::Subquery(it) => vec![&it.expr],
        Expr::Call(it) => it.args.args.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

fn selector(it: &VectorSelector, kept: Option<&[String]>, ranged: bool) -> Selector {
    let matchers = it.matchers.matchers.iter().filter(|it| it.name != "__name__");
    let named = it.matchers.matchers.iter().find(|it| it.name == "__name__").map(|it| it.value.clone());
    Selector {
        metric: it.name.clone().or(named).unwrap_or_default(),
        matchers: matchers.map(|it| (it.name.clone(), matches!(it.op, MatchOp::Equal), it.value.clone())).collect(),
        kept: kept.map(<[String]>::to_vec),
        ranged,
    }
}
