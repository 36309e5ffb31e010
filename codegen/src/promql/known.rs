//! What was parsed before: expressions, which every stage asks for anew, and regular expressions, which most SLOs share.
//!
//! Compiling a regular expression takes a hundred times as long as parsing the selector around it. So the parser is given
//! plain matchers with a mark before their values, and the compiled expressions are put in their places afterwards.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::token::T_EQL_REGEX;
use promql_parser::parser::{Expr, VectorSelector};

use super::PromqlError;

/// Texts that are remembered; beyond that all are forgotten, so that a process that lives long does not grow.
const MOST: usize = 1 << 16;

type Known<T> = LazyLock<Mutex<HashMap<String, T>>>;

static EXPRESSIONS: Known<Arc<Expr>> = LazyLock::new(Mutex::default);
static REGEXES: Known<MatchOp> = LazyLock::new(Mutex::default);

fn lock<T>(all: &Known<T>) -> MutexGuard<'_, HashMap<String, T>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember<T>(all: &Known<T>, text: &str, made: T) {
    let mut all = lock(all);
    if all.len() == MOST {
        all.clear();
    }
    all.insert(text.to_owned(), made);
}

/// The expression that a text was found to be, now or before.
pub(super) fn or_parsed(
    text: &str,
    parse: impl Fn(&str) -> Result<Expr, PromqlError>,
) -> Result<Arc<Expr>, PromqlError> {
    if let Some(known) = lock(&EXPRESSIONS).get(text) {
        return Ok(Arc::clone(known));
    }
    let made = Arc::new(parse(text)?);
    remember(&EXPRESSIONS, text, Arc::clone(&made));
    Ok(made)
}

/// Before the value of a matcher that was `=~`, or `!~`: characters for private use.
const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

/// The regular expressions of one text.
#[derive(Debug)]
pub(super) struct Patterns {
    /// Whether they are kept from the parser.
    kept: bool,
}

impl Patterns {
    /// A text that could spell a mark itself is left to the parser.
    pub(super) fn of(text: &str) -> Self {
        let escapes = text.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && b"xuU01234567".contains(&pair[1]));
        Self { kept: text.contains(['~']) && !escapes && !text.contains(MARKS) }
    }

    /// What the parser reads in the place of `=~` or `!~`, and before the value behind it.
    pub(super) fn marked(&self, sign: &str) -> Option<(&'static str, char)> {
        match sign {
            "=~" if self.kept => Some(("=", MARKS[0])),
            "!~" if self.kept => Some(("=", MARKS[1])),
            _ => None,
        }
    }

    /// The expression with its regular expressions, or the parser's sentence about one that is none.
    pub(super) fn put_back(&self, parsed: Result<Expr, String>) -> Result<Expr, String> {
        if !self.kept {
            return parsed;
        }
        let mut expr = parsed.map_err(|said| said.replace(MARKS, ""))?;
        into_expr(&mut expr)?;
        Ok(expr)
    }
}

fn into_expr(expr: &mut Expr) -> Result<(), String> {
    match expr {
        Expr::Aggregate(it) => {
            it.param.as_mut().map_or(Ok(()), |param| into_expr(param))?;
            into_expr(&mut it.expr)
        }
        Expr::Unary(it) => into_expr(&mut it.expr),
        Expr::Binary(it) => {
            into_expr(&mut it.lhs)?;
            into_expr(&mut it.rhs)
        }
        Expr::Paren(it) => into_expr(&mut it.expr),
        Expr::Subquery(it) => into_expr(&mut it.expr),
        Expr::VectorSelector(it) => into_selector(it),
        Expr::MatrixSelector(it) => into_selector(&mut it.vs),
        Expr::Call(it) => it.args.args.iter_mut().try_for_each(|it| into_expr(it)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => Ok(()),
    }
}

fn into_selector(it: &mut VectorSelector) -> Result<(), String> {
    let groups = std::iter::once(&mut it.matchers.matchers).chain(&mut it.matchers.or_matchers);
    for matcher in groups.flatten() {
        let Some(mark) = matcher.value.chars().next().filter(|it| MARKS.contains(it)) else { continue };
        matcher.value.drain(..mark.len_utf8());
        matcher.op = match compiled(&matcher.value)? {
            MatchOp::Re(regex) if mark == MARKS[1] => MatchOp::NotRe(regex),
            op => op,
        };
    }
    // The parser took the marks for values.
    if it.name.is_none() && it.matchers.is_empty_matchers() {
        return Err("vector selector must contain at least one non-empty matcher".to_owned());
    }
    Ok(())
}

/// `=~` with this expression, as the parser compiles it.
fn compiled(pattern: &str) -> Result<MatchOp, String> {
    if let Some(known) = lock(&REGEXES).get(pattern) {
        return Ok(known.clone());
    }
    let made = Matcher::new_matcher(T_EQL_REGEX, String::new(), pattern.to_owned())?.op;
    remember(&REGEXES, pattern, made.clone());
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use super::*;

    #[test]
    fn regular_expressions_are_as_the_parser_has_them() {
        for text in [
            "a{b=~\"5..\",c!~'x|y',d=\"5..\"}",
            "sum by (a) (rate(x{b=~`\\d+`,c!~\"\\\\d\"}[5m])) / {__name__=~\"a.*\",b!~\".*\"}",
            "{a!~\".*\"}",
            "topk(scalar(x{a=~\"b\"}), avg_over_time(y{c!~\"d\"}[1h:5m])) + -(z{e=~\"a{b}\"})",
            "x{a=~\"\\x41\"}",
            "x{a=~\"\u{e000}\"}",
            "x{a=~\"ü\"} or x{a=~\"\"}",
        ] {
            let plain = text.replace('`', "'").replace("\\d", "\\\\d").replace("\\\\\\d", "\\\\d");
            assert_eq!(parse(text).ok().as_deref(), parse_expr(&plain).ok().as_ref(), "{text}");
        }
    }

    #[test]
    fn what_the_parser_refuses_stays_refused() {
        for text in ["{a=~\".*\"}", "{a=~\"\"}", "{a=~\".*\",b!~\"c\"}", "x{a=~\"(\"}", "x{__name__=~\"y\"}", "x{=~\"a\"}"] {
            assert!(parse_expr(text).is_err(), "{text}");
            let error = parse(text).unwrap_err();
            assert!(!error.message.contains(MARKS), "{error:?}");
        }
    }

    #[test]
    fn what_is_known_is_forgotten_in_time() {
        for number in 0..MOST + 10 {
            remember(&EXPRESSIONS, &format!("what_is_known_{number}"), Arc::new(parse_expr("1").unwrap()));
        }
        assert!(lock(&EXPRESSIONS).len() <= MOST);
    }
}
