//! SLIs that weigh time and not events: a ratio that somebody else computes, a gauge, minutes.

use super::super::known::Known;
use super::events::{Ranges, query};
use super::{Code, Findings, text};
use crate::model::{EventSide, Sli};
use crate::promql::lexer::{Kind, Token, lex};
use crate::promql::{self, edit_in_source, place_in_source};
use crate::yaml::{Node, Range};

/// `ratio`: the share of what is bad, or of what is good.
pub(super) fn ratio(node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let mut read = |key: &str| query(node, key, Ranges::Needed, known, findings);
    let (error, good) = (read("error"), read("good"));
    match (node.get("error"), node.get("good")) {
        (Some(_), Some(good)) => {
            let message = "`error` and `good` are both here";
            findings.error(Code::Conflict, good.range, message, "keep one: the other is what is left of 1");
            None
        }
        (None, None) => {
            let message = "neither `error` nor `good` is here";
            let help = "add `error: 'avg_over_time(probe_loss_ratio[$window])'`";
            findings.error(Code::MissingKey, node.range, message, help);
            None
        }
        (Some(_), None) => Some(Sli::Ratio(EventSide::Errors(error?))),
        (None, Some(_)) => Some(Sli::Ratio(EventSide::Good(good?))),
    }
}

/// `uptime`: a gauge that is read moment by moment.
pub(super) fn uptime(node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let up = query(node, "up", Ranges::None, known, findings)?;
    if promql::parse(&up).is_ok_and(|it| promql::lacks_bool(&it)) {
        needs_bool(node, "up", findings);
        return None;
    }
    Some(Sli::Uptime { up })
}

/// `slices`: yes or no, each minute.
pub(super) fn slices(node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let good = query(node, "good", Ranges::Free, known, findings)?;
    if promql::parse(&good).is_ok_and(|it| promql::lacks_bool(&it)) {
        needs_bool(node, "good", findings);
        return None;
    }
    Some(Sli::Slices { good })
}

/// The comparison that lacks `bool`, with the change that mends it.
fn needs_bool(node: &Node, key: &str, findings: &mut Findings<'_>) {
    let Some((value, place)) = text(node, key) else { return };
    let tokens = lex(value).unwrap_or_default();
    let sign = outermost(value, &tokens);
    let (start, end) = sign.map_or((0, value.len()), |it| (it.start, it.end));
    let range = place_in_source(findings.source(), place.range, value, start, end);
    let message = "a comparison without `bool` gives nothing where it does not hold, so what is bad would be missing";
    findings.error(Code::NoBool, range, message, "write `bool` behind the comparison: it then gives 1 or 0");
    if let Some(sign) = sign {
        let text = format!("{} bool", sign.text(value));
        let source = findings.source();
        findings.fix(edit_in_source(source, place.range, value, Range { start, end }, &text));
    }
}

/// The comparison with the fewest brackets around it that has no `bool`.
fn outermost<'a>(value: &str, tokens: &'a [Token]) -> Option<&'a Token> {
    let (mut depth, mut found) = (0u32, None::<(u32, &Token)>);
    let mut braces = 0u32;
    for (index, token) in tokens.iter().enumerate() {
        let word = token.text(value);
        match (token.kind, word) {
            (Kind::Open, "{") => braces += 1,
            (Kind::Close, "}") => braces = braces.saturating_sub(1),
            (Kind::Open, _) => depth += 1,
            (Kind::Close, _) => depth = depth.saturating_sub(1),
            (Kind::Sign, "<" | ">" | "<=" | ">=" | "==" | "!=") if braces == 0 => {
                let with = tokens.get(index + 1).is_some_and(|it| it.text(value).eq_ignore_ascii_case("bool"));
                if !with && found.is_none_or(|(at, _)| depth < at) {
                    found = Some((depth, token));
                }
            }
            _ => {}
        }
    }
    found.map(|(_, token)| token)
}
