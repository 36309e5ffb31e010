//! Places: brackets and strings of an expression, and the way from an expression back to the YAML that holds it.

use super::PromqlError;
use crate::yaml::Range;

/// The first bracket or quote that is never closed, or closes nothing.
pub(super) fn brackets(text: &str) -> Option<PromqlError> {
    let error = |message: String, start: usize| {
        Some(PromqlError {
            message,
            help: "close what is opened, open what is closed".to_owned(),
            start,
            end: start + 1,
        })
    };
    let mut open: Vec<(char, usize)> = Vec::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '(' | '[' | '{' => open.push((c, at)),
            ')' | ']' | '}' => match (open.pop(), c) {
                (Some(('(', _)), ')') | (Some(('[', _)), ']') | (Some(('{', _)), '}') => {}
                (None, _) => return error(format!("this `{c}` closes nothing"), at),
                (Some((other, opened)), _) => {
                    return error(format!("this `{other}` is never closed: a `{c}` comes first"), opened);
                }
            },
            '"' | '\'' | '`' if !skip_string(&mut chars, c) => {
                return error("this string is never closed".to_owned(), at);
            }
            '#' => while chars.next().is_some_and(|(_, c)| c != '\n') {},
            _ => {}
        }
    }
    open.pop().and_then(|(c, at)| error(format!("this `{c}` is never closed"), at))
}

/// Reads to the end of a string; false when there is none.
fn skip_string(chars: &mut std::str::CharIndices<'_>, quote: char) -> bool {
    while let Some((_, c)) = chars.next() {
        if c == quote {
            return true;
        }
        if c == '\\' && quote != '`' {
            chars.next();
        }
    }
    false
}

/// Backtick strings as double-quoted ones: the parser refuses backslashes in the former, Prometheus does not.
pub(super) fn plain_strings(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (n, part) in text.split('`').enumerate() {
        if n % 2 == 1 {
            plain.push('"');
            plain.push_str(&part.replace('\\', "\\\\").replace('"', "\\\""));
            plain.push('"');
        } else {
            plain.push_str(part);
        }
    }
    plain
}

/// Names that stand before an opening parenthesis and are no keyword.
pub(super) fn calls(text: &str) -> Vec<(usize, usize)> {
    const KEYWORDS: &[&str] =
        &["by", "without", "on", "ignoring", "group_left", "group_right", "and", "or", "unless", "bool", "offset"];
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut all = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = text[..at].trim_end();
        let start =
            before.rfind(|c| !word(c)).map_or(0, |it| it + before[it..].chars().next().map_or(1, char::len_utf8));
        let name = &before[start..];
        if name.starts_with(|c: char| c.is_ascii_alphabetic()) && !KEYWORDS.contains(&name) {
            all.push((start, before.len()));
        }
    }
    all
}

/// Bytes of a decoded scalar as bytes of the source: indentation of block scalars, folded line ends, quotes and
/// backslashes stand in the source only.
pub fn place_in_source(source: &str, scalar: Range, value: &str, start: usize, end: usize) -> Range {
    let raw = source.get(scalar.start..).unwrap_or_default();
    let mut at = 0;
    let mut found = Range { start: scalar.start, end: scalar.end };
    let mut raw_chars = raw.char_indices().peekable();
    for (index, c) in value.char_indices() {
        while let Some(&(raw_at, raw_c)) = raw_chars.peek() {
            if raw_c == c || (c == ' ' && raw_c == '\n') {
                at = raw_at;
                raw_chars.next();
                break;
            }
            raw_chars.next();
        }
        if index == start {
            found.start = scalar.start + at;
        }
        if index < end {
            found.end = scalar.start + at + c.len_utf8();
        }
    }
    found
}
