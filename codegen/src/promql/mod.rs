//! PromQL that users write: accepted or refused with the place of the mistake inside their YAML.

mod functions;
mod place;
mod walk;

pub use place::place_in_source;
pub use walk::{Selector, ranges, selectors};

use promql_parser::parser::{Expr, parse as parse_expr};

use crate::spec::check::nearest;

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromqlError {
    /// One sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Bytes of the expression.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// Parses an expression in which `$window` stands for a range.
pub fn parse(text: &str) -> Result<Expr, PromqlError> {
    if let Some(error) = place::brackets(text) {
        return Err(error);
    }
    // As long as the placeholder, so that places stay what they are.
    let readable = place::plain_strings(&text.replace("$window", "000005m"));
    parse_expr(&readable).map_err(|said| explain(text, &said))
}

/// The parser gives a sentence without a place: find the place by what the sentence names.
fn explain(text: &str, said: &str) -> PromqlError {
    let whole = || (0, text.trim_end().len());
    for (start, end) in place::calls(text) {
        let name = &text[start..end];
        if !functions::NAMES.contains(&name) {
            let help = match nearest(name, functions::NAMES) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "PromQL's functions are listed at prometheus.io/docs/prometheus/latest/querying/functions"
                    .to_owned(),
            };
            return PromqlError { message: format!("PromQL has no function `{name}`"), help, start, end };
        }
    }
    let said = said.lines().next().unwrap_or_default().trim();
    let named = said
        .split(['\'', '`', '"'])
        .nth(1)
        .and_then(|it| text.find(it).filter(|_| !it.is_empty()).map(|at| (at, at + it.len())));
    let (start, end) = named.unwrap_or_else(whole);
    let message = if said.contains("invalid promql") {
        "this is not valid PromQL".to_owned()
    } else {
        format!("invalid PromQL: {said}")
    };
    PromqlError {
        message,
        help: "try the expression in Prometheus with a range such as [5m] for $window".to_owned(),
        start,
        end,
    }
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
        assert!(parse("sum by job (rate(x[$window]))").is_err());
        assert!(parse("x{code=~`5\\d\\d`}").is_ok(), "backslashes in backticks are PromQL");
        assert!(parse("rate(x{a=\"[(\"}[$window])").is_ok(), "brackets in strings are text");
    }
}
