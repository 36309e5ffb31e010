//! What was parsed before: expressions, which every stage asks for anew; shapes, which differ in values of labels only; and
//! regular expressions. The SLOs of an estate share most shapes, and nearly all regular expressions.
//!
//! The parser is given a shape: a text in which a mark and a number stand for each value. Whatever goes wrong on this way
//! is asked of the parser again as it is written, so that acceptance and messages are the parser's own.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::T_EQL_REGEX;
use promql_parser::parser::{Expr, parse as parse_expr};

use super::PromqlError;
use super::expression::{Expression, MARKS};
use super::lexer::{Kind, Token};

/// Texts that are remembered; beyond that all are forgotten, so that a process that lives long does not grow.
const MOST: usize = 1 << 16;

type Known<T> = LazyLock<Mutex<HashMap<String, T>>>;

static EXPRESSIONS: Known<Expression> = LazyLock::new(Mutex::default);
static SHAPES: Known<Arc<Expr>> = LazyLock::new(Mutex::default);
static REGEXES: Known<MatchOp> = LazyLock::new(Mutex::default);

fn lock<T>(all: &Known<T>) -> MutexGuard<'_, HashMap<String, T>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was made of a text before, or is made now.
fn known<T: Clone, E>(all: &Known<T>, text: &str, parse: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    if let Some(known) = lock(all).get(text) {
        return Ok(known.clone());
    }
    let made = parse()?;
    let mut all = lock(all);
    if all.len() == MOST {
        all.clear();
    }
    all.insert(text.to_owned(), made.clone());
    Ok(made)
}

/// The expression that a text was found to be, now or before.
pub(super) fn or_parsed(
    text: &str,
    parse: impl Fn(&str) -> Result<Expression, PromqlError>,
) -> Result<Expression, PromqlError> {
    known(&EXPRESSIONS, text, || parse(text))
}

/// The expression of a text that differs from a known one in values of labels; `None` when the parser must decide.
pub(super) fn of_shape(text: &str, tokens: &[Token]) -> Option<Expression> {
    let (shape, values) = shape(text, tokens)?;
    let made = known(&SHAPES, &shape, || parse_expr(&shape).map(Arc::new)).ok()?;
    Expression::of_shape(made, values)
}

/// The shape of an expression and the values in it. Every matcher becomes an `=`, so that none of them looks empty.
fn shape(text: &str, tokens: &[Token]) -> Option<(String, Vec<String>)> {
    if text.contains(MARKS.map(|(mark, _)| mark)) {
        return None;
    }
    let (mut out, mut values, mut end) = (String::with_capacity(text.len()), Vec::new(), 0);
    let mut words = tokens.iter().peekable();
    while let Some(token) = words.next() {
        out.push_str(if end < token.start { " " } else { "" });
        end = token.end;
        let word = token.text(text);
        let mark = MARKS.iter().find(|(_, sign)| *sign == word).filter(|_| token.kind == Kind::Sign);
        let value = words.peek().filter(|it| it.kind == Kind::String).and_then(|it| decoded(it.text(text)));
        match (token.kind, mark, value) {
            (_, Some((mark, _)), Some(value)) => {
                out.push_str("=\"");
                out.push(*mark);
                out.push_str(&values.len().to_string());
                out.push('"');
                values.push(value);
                end = words.next().map_or(end, |it| it.end);
            }
            (Kind::Window, ..) => out.push_str("5m"),
            (Kind::String, ..) if word.starts_with('`') => return None,
            _ => out.push_str(word),
        }
    }
    Some((out, values))
}

/// What a string says, when that is beyond doubt.
fn decoded(raw: &str) -> Option<String> {
    let (quote, inner) = (raw.chars().next()?, raw.get(1..raw.len() - 1)?);
    if quote == '`' || !inner.contains('\\') {
        return (quote == '`' || !inner.contains('\n')).then(|| inner.to_owned());
    }
    let (mut text, mut chars) = (String::with_capacity(inner.len()), inner.chars());
    while let Some(c) = chars.next() {
        let c = if c == '\\' { chars.next().filter(|it| *it == '\\' || *it == quote)? } else { c };
        text.push(c);
    }
    (!text.contains('\n')).then_some(text)
}

/// `=~` with this expression, as the parser compiles it.
pub(super) fn compiled(pattern: &str) -> Option<MatchOp> {
    let compile = || Matcher::new_matcher(T_EQL_REGEX, String::new(), pattern.to_owned()).map(|it| it.op);
    known(&REGEXES, pattern, compile).ok()
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn shaped(text: &str) -> Option<Expr> {
        Some(of_shape(text, &lex(text).ok()?)?.whole())
    }

    #[test]
    fn shapes_give_what_the_parser_gives() {
        for text in [
            "a{b=~\"5..\",c!~'x|y',d=\"5..\",e!=\"\",f=\"\"}",
            "sum by (a) (rate(x{b=~\"\\\\d+\",c!~'\\\\d\\''}[5m])) / {__name__=~\"a.*\",b!~\".*\"}",
            "{a!~\".*\"}",
            "{a!=\"\"}",
            "{a=\"b\"} offset 5m",
            "topk(scalar(x{a=~\"b\"}), avg_over_time(y{c!~\"d\"}[1h:5m])) + -(z{e=~\"a{b}\"})",
            "label_replace(x{a=\"b\"}, \"a\", \"$1\", \"c\", \"(.*)\") == bool 1",
            "x{a=~\"ü\"} or x{a=~\"\"} unless on (a) y{a=\"'\"}",
            "count_values(\"v\", x{a=\"b\"}) > 1",
        ] {
            let parsed = parse_expr(text).unwrap();
            assert_eq!(shaped(text).as_ref(), Some(&parsed), "{text}");
            // Known by now.
            assert_eq!(shaped(text).as_ref(), Some(&parsed), "{text}");
        }
    }

    #[test]
    fn what_the_parser_refuses_has_no_shape() {
        for text in [
            "{a=~\".*\"}",
            "{a=\"\"}",
            "{a=~\".*\",b!~\"c\"}",
            "x{a=~\"(\"}",
            "x{__name__=~\"y\"}",
            "x{=~\"a\"}",
            "x{a=\"b\" c=\"d\"}",
            "rate(x{a=\"b\"})",
        ] {
            assert!(parse_expr(text).is_err(), "{text}");
            assert_eq!(shaped(text), None, "{text}");
        }
        assert_eq!(shaped("x{a=\"\u{e000}1\"}"), None);
    }

    #[test]
    fn what_is_known_is_forgotten_in_time() {
        for number in 0..MOST + 10 {
            let text = format!("what_is_known_{number}");
            known(&EXPRESSIONS, &text, || parse_expr("1").map(Expression::from)).unwrap();
        }
        assert!(lock(&EXPRESSIONS).len() <= MOST);
    }
}
