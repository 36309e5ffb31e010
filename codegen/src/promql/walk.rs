//! What an expression reads.

use promql_parser::label::MatchOp;
use promql_parser::parser::{Expr, LabelModifier, VectorSelector};

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

/// As it is written. A clone of a compiled expression is larger than everything else that is known of a selector.
const fn sign(of: &MatchOp) -> &'static str {
    match of {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Re(_) => "=~",
        MatchOp::NotRe(_) => "!~",
    }
}

/// Every selector of an expression.
pub fn selectors(expr: &Expr) -> Vec<Selector> {
    let mut all = Vec::new();
    walk(expr, None, &mut all);
    all
}

/// The selector of `sum(rate(x[w]))`, or of `rate(x[w])` alone, when the expression is just that.
pub fn summed_rate(expr: &Expr) -> Option<Selector> {
    match expr {
        Expr::Paren(it) => summed_rate(&it.expr),
        Expr::Aggregate(it)
            if it.op.to_string() == "sum" && !matches!(it.modifier, Some(LabelModifier::Exclude(_))) =>
        {
            let inner = summed_rate(&it.expr).filter(|inner| inner.kept.is_none())?;
            let kept = it.modifier.as_ref().map_or(Vec::new(), |it| it.labels().labels.clone());
            Some(Selector { kept: Some(kept), ..inner })
        }
        Expr::Call(it) if it.func.name == "rate" => match it.args.args.as_slice() {
            [argument] => match argument.as_ref() {
                Expr::MatrixSelector(it) if it.vs.offset.is_none() && it.vs.at.is_none() => {
                    Some(selector(&it.vs, None, true))
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
    matches!(expr, Expr::Binary(it) if it.op.to_string() == "/") || children(expr).into_iter().any(divides)
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
        matchers: matchers
            .map(|it| Matcher { label: it.name.clone(), value: it.value.clone(), sign: sign(&it.op) })
            .collect(),
        kept: kept.map(<[String]>::to_vec),
        ranged,
    }
}
