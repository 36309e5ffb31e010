//! Invents label values that satisfy matchers.

use promql_parser::label::{MatchOp, Matcher};

/// Values that occur in practice, tried after what the matchers themselves name. The empty one means "no such label".
const COMMON: &[&str] =
    &["", "a", "b", "0", "1", "200", "404", "500", "GET", "POST", "/a", "ok", "error", "true", "false"];

/// A value that every matcher accepts, and that is none of `taken`.
pub(super) fn accepted(matchers: &[&Matcher], taken: &[&str]) -> Option<String> {
    candidates(matchers).into_iter().find(|value| fits(matchers, value) && !taken.contains(&value.as_str()))
}

/// A value that every one of `accept` accepts and at least one of `refuse` does not.
pub(super) fn accepted_but_refused(accept: &[&Matcher], refuse: &[&Matcher]) -> Option<String> {
    let all: Vec<&Matcher> = accept.iter().chain(refuse).copied().collect();
    candidates(&all).into_iter().find(|value| fits(accept, value) && !fits(refuse, value))
}

/// A value that at least one of them refuses.
pub(super) fn refused(matchers: &[&Matcher]) -> Option<String> {
    let all = std::iter::once("another".to_owned()).chain(candidates(matchers));
    all.into_iter().find(|value| !fits(matchers, value))
}

fn fits(matchers: &[&Matcher], value: &str) -> bool {
    matchers.iter().all(|matcher| matcher.is_match(value))
}

fn candidates(matchers: &[&Matcher]) -> Vec<String> {
    let mut values = Vec::new();
    for matcher in matchers {
        match matcher.op {
            MatchOp::Equal => values.push(matcher.value.clone()),
            MatchOp::Re(_) => values.extend(examples(&matcher.value)),
            MatchOp::NotEqual | MatchOp::NotRe(_) => {}
        }
    }
    values.extend(COMMON.iter().map(|value| (*value).to_owned()));
    values
}

/// Guesses at strings that a regular expression matches; each guess is checked against the matchers by the caller, so a
/// wrong one costs nothing but a try.
fn examples(pattern: &str) -> Vec<String> {
    alternatives(pattern)
        .into_iter()
        .flat_map(|part| {
            let inner = part
                .strip_prefix("(?:")
                .or_else(|| part.strip_prefix('('))
                .and_then(|rest| rest.strip_suffix(')'))
                .filter(|inner| balanced(inner));
            inner.map_or_else(|| vec![literal(part)], examples)
        })
        .collect()
}

/// The parts between the `|` that stand outside of all brackets.
fn alternatives(pattern: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start, mut escaped) = (Vec::new(), 0i32, 0, false);
    for (at, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '|' if depth == 0 => {
                parts.push(&pattern[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&pattern[start..]);
    parts
}

fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    text.chars().all(|c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth >= 0
    })
}

/// The simplest string: `.` and `\d` become `0`, classes their first character, quantifiers are dropped.
fn literal(pattern: &str) -> String {
    let (mut out, mut chars) = (String::new(), pattern.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('d' | 'w') => out.push('0'),
                Some('s') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            '.' => out.push('0'),
            '[' => {
                out.extend(chars.peek().copied());
                for inner in chars.by_ref() {
                    if inner == ']' {
                        break;
                    }
                }
            }
            '*' | '+' | '?' | '^' | '$' | '(' | ')' => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(text: &str) -> Vec<Matcher> {
        let promql_parser::parser::Expr::VectorSelector(selector) =
            promql_parser::parser::parse(&format!("m{{{text}}}")).unwrap()
        else {
            panic!("{text}")
        };
        selector.matchers.matchers
    }

    #[test]
    fn values_satisfy_their_matchers() {
        for (text, value) in [
            (r#"a="x""#, Some("x")),
            (r#"a=~"5..""#, Some("500")),
            (r#"a=~"eu|us""#, Some("eu")),
            (r#"a=~"eu|us",a!="eu""#, Some("us")),
            (r#"a=~"(?:GET|POST)""#, Some("GET")),
            (r#"a=~"api-[a-z]+-\\d+""#, Some("api-a-0")),
            (r#"a=~".+",a!~"5..|4..""#, Some("0")),
            (r#"a!="""#, Some("a")),
            (r#"a!~"5..""#, Some("")),
            (r#"a="x",a="y""#, None),
            (r#"a=~"(x{3}y){2}""#, None),
        ] {
            let all = matchers(text);
            assert_eq!(accepted(&all.iter().collect::<Vec<_>>(), &[]).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn values_can_be_refused_on_purpose() {
        let (accept, refuse) = (matchers(r#"code!="""#), matchers(r#"code=~"5..""#));
        let value = accepted_but_refused(&accept.iter().collect::<Vec<_>>(), &refuse.iter().collect::<Vec<_>>());
        assert_eq!(value.as_deref(), Some("a"));
    }
}
