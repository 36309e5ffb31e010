//! What an expression reads.

use promql_parser::label::MatchOp;
use promql_parser::parser::token::{T_DIV, T_SUM};
use promql_parser::parser::{Expr, LabelModifier, VectorSelector};

use super::expression::{Expression, meant};
use super::known;

/// A series that an expression selects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    /// Its metric; empty when only matchers name it.
    pub metric: String,
    /// What its labels must be, in the order of the text.
    pub matchers: Vec<Matcher>,
    /// Labels that the nearest aggregation above it keeps; `None` without an aggregation.
    pub kept: Option<Vec<String>>,
    /// Whether it stands in a range, as below `rate`.
    pub ranged: bool,
}

/// What one label of a selector must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matcher {
    /// The label.
    pub label: String,
    /// Its value, or a regular expression for it.
    pub value: String,
    sign: &'static str,
}

impl Matcher {
    /// Whether a series whose label has this value matches; a missing label has the empty value.
    pub fn accepts(&self, value: &str) -> bool {
        let matches = || match known::compiled(&self.value) {
            Some(MatchOp::Re(regex)) => regex.is_match(value),
            _ => false,
        };
        match self.sign {
            "=" => value == self.value,
            "!=" => value != self.value,
            "=~" => matches(),
            _ => !matches(),
        }
    }

    /// `=`, `!=`, `=~` or `!~`.
    pub fn sign(&self) -> &'static str {
        self.sign
    }

    /// Whether it asks for one value, `=`.
    pub fn is_equality(&self) -> bool {
        self.sign == "="
    }
}

/// Every selector of an expression.
pub fn selectors(expr: &Expression) -> Vec<Selector> {
    let mut all = Vec::new();
    walk(expr, None, &mut |it, kept, ranged| all.push(selector(it, expr.values(), kept, ranged)));
    all
}

/// The labels that the nearest aggregation above each selector keeps.
pub fn groupings(expr: &Expr) -> Vec<Option<Vec<String>>> {
    let mut all = Vec::new();
    walk(expr, None, &mut |_, kept, _| all.push(kept.map(<[String]>::to_vec)));
    all
}

/// The selector of `sum(rate(x[w]))`, or of `rate(x[w])` alone, when the expression is just that.
pub fn summed_rate(expr: &Expression) -> Option<Selector> {
    rate(expr, expr.values())
}

fn rate(expr: &Expr, values: &[String]) -> Option<Selector> {
    match expr {
        Expr::Paren(it) => rate(&it.expr, values),
        Expr::Aggregate(it) if it.op.id() == T_SUM && !matches!(it.modifier, Some(LabelModifier::Exclude(_))) => {
            let inner = rate(&it.expr, values).filter(|inner| inner.kept.is_none())?;
            let kept = it.modifier.as_ref().map_or(Vec::new(), |it| it.labels().labels.clone());
            Some(Selector { kept: Some(kept), ..inner })
        }
        Expr::Call(it) if it.func.name == "rate" => match it.args.args.as_slice() {
            [argument] => match argument.as_ref() {
                Expr::MatrixSelector(it) if it.vs.offset.is_none() && it.vs.at.is_none() => {
                    Some(selector(&it.vs, values, None, true))
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
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

/// Whether an expression divides anywhere.
pub fn divides(expr: &Expr) -> bool {
    matches!(expr, Expr::Binary(it) if it.op.id() == T_DIV) || children(expr).into_iter().any(divides)
}

/// What is asked of a selector: with the labels that are kept of it, and whether it stands in a range.
type Ask<'a> = dyn FnMut(&VectorSelector, Option<&[String]>, bool) + 'a;

/// Asks of every selector.
fn walk(expr: &Expr, kept: Option<&[String]>, ask: &mut Ask<'_>) {
    match expr {
        Expr::VectorSelector(it) => ask(it, kept, false),
        Expr::MatrixSelector(it) => ask(&it.vs, kept, true),
        Expr::Aggregate(it) => {
            let labels = match &it.modifier {
                Some(LabelModifier::Include(labels)) => labels.labels.as_slice(),
                _ => &[],
            };
            walk(&it.expr, Some(labels), ask);
        }
        other => children(other).into_iter().for_each(|it| walk(it, kept, ask)),
    }
}

pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
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

fn selector(it: &VectorSelector, values: &[String], kept: Option<&[String]>, ranged: bool) -> Selector {
    let (mut named, mut matchers) = (None, Vec::with_capacity(it.matchers.matchers.len()));
    for matcher in &it.matchers.matchers {
        let (sign, value) = meant(matcher, values);
        if matcher.name == "__name__" {
            named.get_or_insert(value);
        } else {
            matchers.push(Matcher { label: matcher.name.clone(), value: value.to_owned(), sign });
        }
    }
    let metric = it.name.clone().or(named.map(str::to_owned)).unwrap_or_default();
    Selector { metric, matchers, kept: kept.map(<[String]>::to_vec), ranged }
}
