//! Regular expressions where none is needed, and none where one is meant.

use super::Flaw;
use crate::diagnostic::Code;
use crate::promql::{Match, Tree};
use crate::spec::check::printable;

/// What only regular expressions have.
const SIGNS: &[char] = &['.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$', '\\'];

/// What no label value has.
const CERTAIN: &[&str] = &[".*", ".+", "[0-9]", "\\d"];

/// Both kinds.
pub(crate) fn regexes(tree: &Tree) -> Vec<Flaw> {
    let parts = tree.all();
    let matchers = parts.iter().filter_map(|it| it.selects()).flat_map(|(_, matchers)| matchers);
    matchers.filter_map(flaw).collect()
}

fn flaw(it: &Match) -> Option<Flaw> {
    let label = &it.label;
    match it.sign.as_str() {
        "=~" | "!~" if !it.value.contains(SIGNS) => {
            let (plain, value) = (if it.sign == "=~" { "=" } else { "!=" }, printable(&it.value));
            let message = format!("`{value}` is no regular expression, it is just a text");
            let flaw = Flaw::new(Code::NeedlessRegex, it.sign_at, message, format!("write {label}{plain}\"{value}\""));
            Some(flaw.mended(it.sign_at, plain))
        }
        "=" | "!=" if looks_like_one(&it.value) => {
            let value = printable(&it.value);
            let message = format!("`{label}` is compared with `{value}` letter by letter");
            let help = format!("write {label}{}\"{value}\"", if it.sign == "=" { "=~" } else { "!~" });
            Some(Flaw::new(Code::RegexInEquality, it.range, message, help))
        }
        _ => None,
    }
}

/// `5..`, `.+` and the like. Paths can have such signs in their templates.
fn looks_like_one(value: &str) -> bool {
    let class = value.strip_suffix("..").is_some_and(|it| it.len() == 1 && it.bytes().all(|b| b.is_ascii_digit()));
    !value.starts_with('/') && (class || CERTAIN.iter().any(|it| value.contains(it)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    #[test]
    fn every_sign_is_weighed() {
        for (text, code) in [
            ("x{a=~\"b\"}", Some(Code::NeedlessRegex)),
            ("x{a!~\"\"}", Some(Code::NeedlessRegex)),
            ("x{a=~\"b|c\"}", None),
            ("x{le=~\"2\\\\.5\"}", None),
            ("x{a=\"5..\"}", Some(Code::RegexInEquality)),
            ("x{a!=\"b.*\"}", Some(Code::RegexInEquality)),
            ("x{a=\"5xx\",b=\"1.5\",c=\"/api/.*\",d=\"a.b.example\"}", None),
        ] {
            assert_eq!(regexes(&tree(text).unwrap()).first().map(|it| it.code), code, "{text}");
        }
    }
}
