//! PromQL that users write: accepted or refused with the place of the mistake inside their YAML.

mod expression;
mod functions;
mod known;
pub mod lexer;
mod place;
mod shape;
mod syntax;
pub mod tree;
mod walk;

pub use expression::Expression;
pub(crate) use functions::is_newer;
pub use place::{edit_in_source, place_in_source};
pub use shape::{is_plain_selector, kept_labels, lacks_bool, may_be_nan, of_two_counters};
pub use tree::{Kept, Match, Part, Tree};
pub use walk::{Matcher, Selector, divides, groupings, ranges, selectors, summed_rate};

use promql_parser::parser::value::ValueType;
use promql_parser::parser::{Expr, parse as parse_expr};

use crate::spec::check::nearest;
use crate::yaml::Range;
use lexer::{Kind, Token, WINDOW, error, lex};

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromqlError {
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// First byte of the expression that is wrong.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Parses an expression in which `$window` stands for a range, as Prometheus 2.42 would. Every stage asks again for the
/// same ones, so what was accepted once is remembered.
pub fn parse(text: &str) -> Result<Expression, PromqlError> {
    known::or_parsed(text, |text| parse_tokens(text, &lex(text)?, &|name| functions::is_known(name)))
}

/// Parses an expression of somebody else's, for any version of Prometheus: it names its ranges itself.
pub fn parse_of_others(text: &str) -> Result<Expression, PromqlError> {
    let tokens = lex(text)?;
    if let Some(it) = tokens.iter().find(|it| it.kind == Kind::Window) {
        let help = "write the range: only Kilter's SLO files have `$window`";
        return Err(error("there is no variable `$window` here", help, it.start, it.end));
    }
    let any = |name: &str| functions::is_known(name) || functions::is_newer(name);
    parse_tokens(text, &tokens, &any).map_err(|error| PromqlError {
        message: error.message.replace("PromQL of Prometheus 2.42", "PromQL"),
        help: error.help.replace(" with a range such as [5m] for $window", ""),
        ..error
    })
}

fn parse_tokens(text: &str, tokens: &[Token], known: &dyn Fn(&str) -> bool) -> Result<Expression, PromqlError> {
    let Some((first, last)) = tokens.first().zip(tokens.last()) else {
        return Err(error(
            "here is no expression",
            "write one, for example: rate(hooks_total[$window])",
            0,
            text.len(),
        ));
    };
    // The parser knows functions that Prometheus 2.42 does not.
    unknown_function(text, tokens, known).map_or(Ok(()), Err)?;
    if let Some(expr) = known::of_shape(text, tokens) {
        return Ok(expr);
    }
    parse_expr(&readable(text, tokens)).map(Expression::from).map_err(|said| {
        let whole = (first.start, last.end);
        syntax::read(text, tokens).err().unwrap_or_else(|| explain(text, tokens, &said, whole))
    })
}

/// The tree of an expression that [`parse`] accepts, with the place of every part.
pub fn tree(text: &str) -> Option<Tree> {
    syntax::read(text, &lex(text).ok()?).ok()
}

/// Whether an expression gives one value per series, as an SLI needs.
pub fn is_instant_vector(expr: &Expr) -> bool {
    expr.value_type() == ValueType::Vector
}

/// Whether an expression is an aggregation such as `sum by (a) (...)`.
pub fn is_aggregation(text: &str) -> bool {
    parse(text).is_ok_and(|it| matches!(&*it, Expr::Aggregate(_)))
}

/// Every selector with the place at which it begins: its metric, or its brace.
///
/// The parser knows no places; selectors of one metric come in the order of the text.
pub fn placed_selectors(text: &str, expr: &Expression) -> Vec<(Selector, Range)> {
    let tokens = lex(text).unwrap_or_default();
    let word = |index: usize| tokens.get(index).map_or("", |it| it.text(text));
    let begins = |index: usize, metric: &str| match tokens[index].kind {
        // The same name can be a label or a function.
        Kind::Name => word(index) == metric && !["=", "=~", "!=", "!~", "("].contains(&word(index + 1)),
        Kind::Open => metric.is_empty() && word(index) == "{",
        _ => false,
    };
    let mut all: Vec<(Selector, Range)> = Vec::new();
    for selector in selectors(expr) {
        let nth = all.iter().filter(|(it, _)| it.metric == selector.metric).count();
        let at = (0..tokens.len()).filter(|index| begins(*index, &selector.metric)).nth(nth);
        let range =
            at.map_or(Range { start: 0, end: text.len() }, |at| Range { start: tokens[at].start, end: tokens[at].end });
        all.push((selector, range));
    }
    all
}

/// The expression with a range for `$window`, in one line and without comments, so that it can stand inside another.
pub fn with_window(text: &str, range: &str) -> String {
    let Ok(tokens) = lex(text) else { return text.trim().replace(WINDOW, range) };
    let mut out = String::with_capacity(text.len());
    let mut end = None;
    for token in &*tokens {
        // Blanks between words become one, line ends and comments too.
        if end.is_some_and(|end| end < token.start) {
            out.push(' ');
        }
        out.push_str(if token.kind == Kind::Window { range } else { token.text(text) });
        end = Some(token.end);
    }
    out
}

/// The expression as the parser takes it. Places change; what it says is placed by the words that it names.
fn readable(text: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for token in tokens {
        out.push_str(if end < token.start { " " } else { "" });
        match (token.kind, token.text(text)) {
            (Kind::Window, _) => out.push_str("5m"),
            // The parser refuses backslashes in backticks, Prometheus does not.
            (Kind::String, raw) if raw.starts_with('`') => {
                let inner = raw.trim_matches('`').replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                out.push_str(&format!("\"{inner}\""));
            }
            // The parser knows this function by the name that Prometheus 3 gave it.
            (Kind::Name, "holt_winters") => out.push_str("double_exponential_smoothing"),
            (_, word) => out.push_str(word),
        }
        end = token.end;
    }
    out
}

fn unknown_function(text: &str, tokens: &[Token], known: &dyn Fn(&str) -> bool) -> Option<PromqlError> {
    const KEYWORDS: &[&str] =
        &["by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "atan2"];
    let calls = tokens.windows(2).filter(|pair| pair[0].kind == Kind::Name && pair[1].text(text) == "(");
    for name in calls.map(|pair| pair[0]) {
        let word = name.text(text);
        let keyword = KEYWORDS.iter().any(|it| it.eq_ignore_ascii_case(word));
        // `@ start()` and `@ end()`.
        if keyword || known(word) || ["start", "end"].contains(&word) {
            continue;
        }
        let near: Vec<&str> = functions::NAMES.iter().chain(KEYWORDS).copied().collect();
        let help = match nearest(word, &near) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "its functions are listed at prometheus.io/docs/prometheus/latest/querying/functions".to_owned(),
        };
        return Some(error(format!("PromQL of Prometheus 2.42 has no function `{word}`"), help, name.start, name.end));
    }
    None
}

/// The parser gives a sentence without a place: it is at the first word that the sentence names.
fn explain(text: &str, tokens: &[Token], said: &str, whole: (usize, usize)) -> PromqlError {
    let said = said.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    let quoted = |word: &str| said.split(['\'', '`', '"']).skip(1).step_by(2).any(|it| it == word);
    let named = tokens.iter().find(|it| match it.kind {
        Kind::Name => quoted(it.text(text)),
        Kind::String => it.end - it.start > 2 && said.contains(&text[it.start + 1..it.end - 1]),
        _ => false,
    });
    let (start, end) = named.map_or(whole, |it| (it.start, it.end));
    let message = if said.contains("invalid promql") {
        "this is not valid PromQL".to_owned()
    } else {
        format!("not valid PromQL: {said}")
    };
    error(message, "try the expression in Prometheus with a range such as [5m] for $window", start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_found_where_they_are() {
        for (text, under, message) in [
            ("sum(rate(x[$window])", "(", "is never closed"),
            ("sum(rate(x[$window])))", ")", "closes nothing"),
            ("sum(rat(x[$window]))", "rat", "no function `rat`"),
            ("rate(x{a=\"b}[$window])", "\"", "never closed"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error:?}");
            assert!(text[error.start..error.end].starts_with(under), "{text}: {error:?}");
        }
        for text in ["", " ", "# nothing", "rate(x[$windows])", "x{a=~\"(\"}"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse("sum by job (rate(x[$window]))").is_err());
        assert!(parse("x{code=~`5\\d\\d\"`,b=\"`\"}").is_ok(), "backslashes in backticks are PromQL");
        assert!(parse("limitk(1, x)").is_err(), "Prometheus 2.42 has no limitk");
        assert!(parse("rate(x{a=\"[(\"}[$window])").is_ok(), "brackets in strings are text");
    }

    #[test]
    fn others_name_their_ranges_and_use_any_version() {
        for text in
            ["rate(x[5m])", "mad_over_time(x[1h])", "holt_winters(x[1h], 0.5, 0.5)", "limitk(1, x)", "up{job=~`a\\.b`}"]
        {
            assert!(parse_of_others(text).is_ok(), "{text}");
        }
        for (text, under, help) in [
            ("rate(x[$window])", "$window", "write the range"),
            ("sum(rat(x[5m]))", "rat", "did you mean `rate`?"),
            ("up adn on () x", "adn", "did you mean `and`?"),
            ("sum byy (job) (up)", "byy", "did you mean `by`?"),
        ] {
            let error = parse_of_others(text).unwrap_err();
            assert_eq!(&text[error.start..error.end], under, "{error:?}");
            assert!(error.help.contains(help), "{error:?}");
        }
    }

    #[test]
    fn a_window_takes_the_place_of_its_name_only() {
        let text = "rate(x{a=\"$window\"}[$window]) # of $window (\n  / 2 # end";
        assert_eq!(with_window(text, "5m"), "rate(x{a=\"$window\"}[5m]) / 2");
    }
}
