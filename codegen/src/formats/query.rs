//! PromQL of foreign files becomes ours: a template of the range becomes `$window`, one ratio becomes two counters.

use super::draft::Text;
use super::report::Report;
use crate::diagnostic::Code;
use crate::promql::lexer::{Kind, Token, WINDOW, lex};
use crate::promql::{self, place_in_source, with_window};
use crate::yaml::Range;

/// What a format says about ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ranges {
    /// `[{{.window}}]` in every query, as Sloth asks.
    Template,
    /// Nothing: a template, a range of the author's choice, or none because a counter is meant.
    Any {
        /// Whether a bare selector is a counter.
        counter: bool,
    },
    /// None: plain selectors of counters.
    Selector,
}

/// The query with `$window`, checked; `None` after a finding.
pub(super) fn read(query: &Text, ranges: Ranges, report: &mut Report<'_, '_>) -> Option<Text> {
    let (text, map) = without_templates(query, report)?;
    let place = |start: usize, end: usize, report: &Report<'_, '_>| {
        let (start, end) = (map.back(start), map.back(end));
        place_in_source(report.source(), query.range, &query.text, start, end)
    };
    let expr = match promql::parse(&text) {
        Ok(expr) => expr,
        Err(error) => {
            let range = place(error.start, error.end, report);
            report.error(Code::PromQl, range, error.message, error.help);
            return None;
        }
    };
    if !promql::is_instant_vector(&expr) {
        let message = "this gives no value per series, so it counts nothing";
        report.error(Code::PromQl, query.range, message, "for example: sum(rate(requests_total[5m]))");
        return None;
    }
    let mut edits: Vec<(Range, String)> = Vec::new();
    let tokens = lex(&text).unwrap_or_default();
    for (index, token) in tokens.iter().enumerate().filter(|(_, it)| it.text(&text) == "[" && it.kind == Kind::Open) {
        let inner = tokens.get(index + 1);
        let closed = tokens.get(index + 2).is_some_and(|it| it.text(&text) == "]");
        let Some(inner) = inner.filter(|it| closed && it.kind == Kind::Duration) else { continue };
        let (range, fixed) = (place(token.start, inner.end + 1, report), inner.text(&text));
        if ranges == Ranges::Template {
            let message = format!("a fixed range [{fixed}] stands where `[{{{{.window}}}}]` belongs");
            report.error(Code::ForeignTemplate, range, message, "write [{{.window}}], as Sloth asks too");
            return None;
        }
        if fixed != "5m" {
            let message = format!("the range [{fixed}] becomes the range that Kilter chooses: 5 minutes");
            report.differs(range, message, "longer windows follow from it; nothing to do unless the range matters");
        }
        edits.push((Range { start: inner.start, end: inner.end }, WINDOW.to_owned()));
    }
    let bare: Vec<Range> = promql::placed_selectors(&text, &expr)
        .into_iter()
        .filter(|(selector, _)| !selector.ranged)
        .map(|(_, at)| Range { start: at.start, end: selector_end(&text, &tokens, at) })
        .collect();
    match ranges {
        Ranges::Selector | Ranges::Any { counter: true } => {
            for at in bare {
                edits.push((Range { start: at.start, end: at.start }, "rate(".to_owned()));
                edits.push((Range { start: at.end, end: at.end }, format!("[{WINDOW}])")));
            }
        }
        Ranges::Any { counter: false } | Ranges::Template => {}
    }
    let text = edited(&text, edits);
    if !lex(&text).unwrap_or_default().iter().any(|it| it.kind == Kind::Window) {
        let help = match ranges {
            Ranges::Template => "write rate(metric_total[{{.window}}])",
            _ => "write rate(metric_total[5m]), or say `counter: true` of a plain counter",
        };
        report.error(Code::ForeignTemplate, query.range, "no range stands in this query, so it is no rate", help);
        return None;
    }
    Some(Text::new(without_blank_lines(text.trim()), query.range))
}

/// Blank lines of a query say nothing, but inside a string they could.
fn without_blank_lines(text: &str) -> String {
    if text.contains('`') {
        return text.to_owned();
    }
    text.lines().map(str::trim_end).filter(|it| !it.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The end of a selector that begins at a word: behind its braces when it has some.
fn selector_end(text: &str, tokens: &[Token], at: Range) -> usize {
    let Some(first) = tokens.iter().position(|it| it.start == at.start) else { return at.end };
    let brace = if tokens[first].text(text) == "{" { first } else { first + 1 };
    if tokens.get(brace).is_none_or(|it| it.text(text) != "{") {
        return tokens[first].end;
    }
    tokens[brace..].iter().find(|it| it.text(text) == "}" && it.kind == Kind::Close).map_or(at.end, |it| it.end)
}

fn edited(text: &str, mut edits: Vec<(Range, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for (range, with) in edits {
        out.push_str(&text[at..range.start]);
        out.push_str(&with);
        at = range.end;
    }
    out + &text[at..]
}

/// Where the templates were: every one is replaced by `$window`.
struct Templates {
    /// End in the new text, and how much longer the old text is up to there.
    ends: Vec<(usize, isize)>,
}

impl Templates {
    /// A place of the new text in the old one.
    fn back(&self, at: usize) -> usize {
        let longer = self.ends.iter().take_while(|(end, _)| *end <= at).last().map_or(0, |(_, longer)| *longer);
        at.checked_add_signed(longer).unwrap_or(at)
    }
}

/// `{{ .window }}` with any blanks is the range; no other template can be carried.
fn without_templates(query: &Text, report: &mut Report<'_, '_>) -> Option<(String, Templates)> {
    let (mut text, mut ends, mut rest, mut fine) = (String::new(), Vec::new(), query.text.as_str(), true);
    while let Some(start) = rest.find("{{") {
        let from = query.text.len() - rest.len() + start;
        let (inner, len) = match rest[start..].find("}}") {
            Some(end) => (rest[start + 2..start + end].trim_matches('-').trim(), end + 2),
            None => ("", rest.len() - start),
        };
        text.push_str(&rest[..start]);
        if inner == ".window" {
            text.push_str(WINDOW);
            ends.push((text.len(), (from + len).cast_signed() - text.len().cast_signed()));
        } else {
            let range = place_in_source(report.source(), query.range, &query.text, from, from + len);
            let message = "only the template of the range, {{.window}}, can be carried";
            report.error(Code::ForeignTemplate, range, message, "write out what the template stands for");
            fine = false;
        }
        rest = &rest[start + len..];
    }
    text.push_str(rest);
    fine.then_some((text, Templates { ends }))
}

/// The two sides of a top-level operator, when it is the only one there and has no modifiers.
pub(super) fn split<'a>(text: &'a str, sign: &str) -> Option<(&'a str, &'a str)> {
    let text = unwrapped(text);
    let tokens = lex(text).ok()?;
    let outer = outermost(&tokens);
    let operators: Vec<&Token> = outer.into_iter().filter(|it| is_operator(it, text)).collect();
    let [only] = operators.as_slice() else { return None };
    let modified = tokens.iter().find(|it| it.start >= only.end).is_some_and(|it| {
        ["on", "ignoring", "group_left", "group_right", "bool"]
            .iter()
            .any(|word| it.text(text).eq_ignore_ascii_case(word))
    });
    let (left, right) = (text[..only.start].trim(), text[only.end..].trim());
    (only.text(text).eq_ignore_ascii_case(sign) && !modified && !left.is_empty()).then_some((left, right))
}

/// `1 - x`, or `1 - a / b`: what stands behind the minus.
pub(super) fn complement(text: &str) -> Option<&str> {
    let text = unwrapped(text);
    let tokens = lex(text).ok()?;
    let (first, second) = (tokens.first()?, tokens.get(1)?);
    let one = first.kind == Kind::Number && first.text(text).parse::<f64>().is_ok_and(|it| (it - 1.0).abs() < 1e-12);
    let rest = &text[second.end..];
    let binds_tighter = lex(rest).is_ok_and(|all| {
        outermost(&all).iter().filter(|it| is_operator(it, rest)).all(|it| ["/", "*"].contains(&it.text(rest)))
    });
    (one && second.text(text) == "-" && binds_tighter).then_some(rest.trim())
}

/// Without `or vector(0)` at its end, in the spellings that people use; whether there was one.
pub(super) fn without_zero(text: &str) -> (&str, bool) {
    let text = unwrapped(text);
    let words = |text: &str| -> Vec<String> {
        lex(text).unwrap_or_default().iter().map(|it| it.text(text).to_lowercase()).collect()
    };
    let Ok(tokens) = lex(text) else { return (text, false) };
    let outer = outermost(&tokens);
    let operators: Vec<&Token> = outer.into_iter().filter(|it| is_operator(it, text)).collect();
    let [only] = operators.as_slice() else { return (text, false) };
    let right = words(&text[only.end..]);
    let right: Vec<&str> = right.iter().map(String::as_str).collect();
    let zero = only.text(text).eq_ignore_ascii_case("or")
        && [&["vector", "(", "0", ")"][..], &["on", "(", ")", "vector", "(", "0", ")"][..]].contains(&right.as_slice());
    if zero { (unwrapped(text[..only.start].trim()), true) } else { (text, false) }
}

/// `rate` for `increase` on both sides, when both count only that way: the ratio is the same, and the guard against low
/// traffic reads events per second.
pub(super) fn per_second(part: &str, total: &str) -> Option<(String, String)> {
    let calls = |text: &str| -> Vec<(Range, String)> {
        let tokens = lex(text).unwrap_or_default();
        let call = |pair: &[Token]| pair[0].kind == Kind::Name && pair[1].text(text) == "(";
        let ranged =
            |word: &str| matches!(word, "rate" | "increase" | "irate" | "delta") || word.ends_with("_over_time");
        let all = tokens.windows(2).filter(|it| call(it)).map(|it| it[0]).filter(|it| ranged(it.text(text)));
        all.map(|it| (Range { start: it.start, end: it.end }, it.text(text).to_owned())).collect()
    };
    let (a, b) = (calls(part), calls(total));
    let increases = |all: &[(Range, String)]| !all.is_empty() && all.iter().all(|(_, it)| it == "increase");
    if !increases(&a) || !increases(&b) {
        return None;
    }
    let rated = |text: &str, calls: Vec<(Range, String)>| {
        edited(text, calls.into_iter().map(|(range, _)| (range, "rate".to_owned())).collect())
    };
    Some((rated(part, a), rated(total, b)))
}

/// Whether two expressions are the same but for blanks.
pub(super) fn same(one: &str, other: &str) -> bool {
    plain(unwrapped(one)) == plain(unwrapped(other))
}

/// `sum(a and ignoring (le) b)`, where `b` is what the part sums: `sum(a)`. Kilter writes it so, to count only series
/// that have the bucket, and adds it again.
pub(super) fn without_bucket(total: &str, part: &str) -> Option<String> {
    let (head, bucket) = total.split_once("and ignoring (le)")?;
    plain(part).ends_with(&plain(bucket)).then(|| format!("{})", head.trim_end()))
}

fn plain(text: &str) -> String {
    with_window(text, WINDOW).split_whitespace().collect()
}

/// Without parentheses around the whole.
pub(super) fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let Ok(tokens) = lex(text) else { return text };
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return text };
    let around = first.text(text) == "("
        && last.text(text) == ")"
        && depths(&tokens).iter().take(tokens.len() - 1).all(|it| *it > 0);
    if around { unwrapped(&text[first.end..last.start]) } else { text }
}

/// How many brackets are open behind each word.
fn depths(tokens: &[Token]) -> Vec<usize> {
    let mut open = 0usize;
    let depth = |it: &Token| {
        match it.kind {
            Kind::Open => open += 1,
            Kind::Close => open = open.saturating_sub(1),
            _ => {}
        }
        open
    };
    tokens.iter().map(depth).collect()
}

fn outermost(tokens: &[Token]) -> Vec<&Token> {
    let depths = depths(tokens);
    tokens.iter().zip(depths).filter(|(it, depth)| *depth == 0 && it.kind != Kind::Close).map(|(it, _)| it).collect()
}

fn is_operator(token: &Token, text: &str) -> bool {
    const WORDS: &[&str] = &["or", "and", "unless", "atan2"];
    let word = token.text(text);
    match token.kind {
        Kind::Sign => !matches!(word, "," | ":" | "@" | "="),
        Kind::Name => WORDS.iter().any(|it| it.eq_ignore_ascii_case(word)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ratio_becomes_two_counters() {
        for (text, sign, expected) in [
            (
                "sum(rate(a[$window])) / sum(rate(b[$window]))",
                "/",
                Some(("sum(rate(a[$window]))", "sum(rate(b[$window]))")),
            ),
            ("(\n(a)\n/\n(b)\n)", "/", Some(("(a)", "(b)"))),
            ("a / on (x) b", "/", None),
            ("a / b / c", "/", None),
            ("a + b / c", "/", None),
            ("sum by (x) (a{b=\"/\"})", "/", None),
            ("a - b", "-", Some(("a", "b"))),
            ("-a", "-", None),
        ] {
            assert_eq!(split(text, sign), expected, "{text}");
        }
        assert_eq!(complement("1 - (a / b)"), Some("(a / b)"));
        assert_eq!(complement("(1 - a / b)"), Some("a / b"));
        assert_eq!(complement("1 - a - b"), None);
        assert_eq!(complement("2 - a"), None);
    }

    #[test]
    fn zeros_and_increases_are_told_apart() {
        assert_eq!(without_zero("(sum(a) or vector(0))"), ("sum(a)", true));
        assert_eq!(without_zero("(sum(a)) OR on() vector(0)"), ("sum(a)", true));
        assert_eq!(without_zero("sum(a) or sum(b)"), ("sum(a) or sum(b)", false));
        let both = per_second("sum(increase(a[$window]))", "increase(b[$window])");
        assert_eq!(both, Some(("sum(rate(a[$window]))".to_owned(), "rate(b[$window])".to_owned())));
        assert_eq!(per_second("increase(a[$window])", "rate(b[$window])"), None);
        assert!(same("(sum( a ))", "sum(a)") && !same("sum(a)", "sum(b)"));
    }
}
