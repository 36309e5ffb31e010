//! What a text was parsed to. Thousands of expressions differ in values of labels only: they share the parser's tree, in
//! which marks stand for the values. A tree of its own for each would be the largest thing in memory, as every copy of a
//! compiled regular expression comes with room to match in.

use std::ops::Deref;
use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

use super::known::compiled;
use super::walk::children;

/// An accepted expression. It stands for the parser's tree, whose matchers may be marks: [`super::selectors`] gives what
/// they stand for.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    tree: Arc<Expr>,
    /// What the marks in it stand for.
    values: Arc<[String]>,
}

impl From<Expr> for Expression {
    fn from(tree: Expr) -> Self {
        Self { tree: Arc::new(tree), values: Arc::default() }
    }
}

impl Deref for Expression {
    type Target = Expr;

    fn deref(&self) -> &Expr {
        &self.tree
    }
}

impl Expression {
    /// A shape with values; `None` when one of them cannot stand there.
    pub(super) fn of_shape(tree: Arc<Expr>, values: Vec<String>) -> Option<Self> {
        fits(&tree, &values)?;
        Some(Self { tree, values: values.into() })
    }

    /// What the marks stand for.
    pub(super) fn values(&self) -> &[String] {
        &self.values
    }

    /// The parser's tree with every value in its place.
    pub fn whole(&self) -> Expr {
        let mut tree = Expr::clone(&self.tree);
        fill(&mut tree, &self.values);
        tree
    }
}

/// Marks for the four kinds of matchers, characters for private use: each stands before the number of its value.
pub(super) const MARKS: [(char, &str); 4] =
    [('\u{e000}', "="), ('\u{e001}', "!="), ('\u{e002}', "=~"), ('\u{e003}', "!~")];

/// The sign and the value of a matcher.
pub(super) fn meant<'a>(matcher: &'a Matcher, values: &'a [String]) -> (&'static str, &'a str) {
    marked(matcher, values).unwrap_or_else(|| (sign(&matcher.op), &matcher.value))
}

/// The same, when it is a mark. Where there are no values there are no marks.
fn marked<'a>(matcher: &Matcher, values: &'a [String]) -> Option<(&'static str, &'a str)> {
    let mark = matcher.value.chars().next()?;
    let (_, sign) = MARKS.iter().find(|(it, _)| *it == mark)?;
    let value = values.get(matcher.value[mark.len_utf8()..].parse::<usize>().ok()?)?;
    Some((sign, value))
}

/// As it is written.
const fn sign(of: &MatchOp) -> &'static str {
    match of {
        MatchOp::Equal => "=",
        MatchOp::NotEqual => "!=",
        MatchOp::Re(_) => "=~",
        MatchOp::NotRe(_) => "!~",
    }
}

/// Whether every value can stand where its mark does.
fn fits(expr: &Expr, values: &[String]) -> Option<()> {
    match expr {
        Expr::VectorSelector(it) => selector_fits(it, values),
        Expr::MatrixSelector(it) => selector_fits(&it.vs, values),
        Expr::Aggregate(it) => {
            it.param.as_ref().map_or(Some(()), |param| fits(param, values))?;
            fits(&it.expr, values)
        }
        other => children(other).into_iter().try_for_each(|it| fits(it, values)),
    }
}

fn selector_fits(it: &VectorSelector, values: &[String]) -> Option<()> {
    let mut empty = true;
    for matcher in it.matchers.matchers.iter().chain(it.matchers.or_matchers.iter().flatten()) {
        empty &= match meant(matcher, values) {
            ("=", value) => value.is_empty(),
            ("!=", value) => !value.is_empty(),
            (sign, value) => matches!(compiled(value)?, MatchOp::Re(regex) if regex.is_match("") == (sign == "=~")),
        };
    }
    // The parser took the marks for values.
    (it.name.is_some() || !empty).then_some(())
}

/// Puts the values in their places.
fn fill(expr: &mut Expr, values: &[String]) {
    match expr {
        Expr::Aggregate(it) => {
            it.param.iter_mut().for_each(|param| fill(param, values));
            fill(&mut it.expr, values);
        }
        Expr::Unary(it) => fill(&mut it.expr, values),
        Expr::Binary(it) => {
            fill(&mut it.lhs, values);
            fill(&mut it.rhs, values);
        }
        Expr::Paren(it) => fill(&mut it.expr, values),
        Expr::Subquery(it) => fill(&mut it.expr, values),
        Expr::VectorSelector(it) => fill_selector(it, values),
        Expr::MatrixSelector(it) => fill_selector(&mut it.vs, values),
        Expr::Call(it) => it.args.args.iter_mut().for_each(|it| fill(it, values)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn fill_selector(it: &mut VectorSelector, values: &[String]) {
    let groups = std::iter::once(&mut it.matchers.matchers).chain(&mut it.matchers.or_matchers);
    for matcher in groups.flatten() {
        let Some((sign, value)) = marked(matcher, values) else { continue };
        matcher.op = match (sign, compiled(value)) {
            ("!=", _) => MatchOp::NotEqual,
            ("=~", Some(op)) => op,
            ("!~", Some(MatchOp::Re(regex))) => MatchOp::NotRe(regex),
            _ => MatchOp::Equal,
        };
        value.clone_into(&mut matcher.value);
    }
}
