//! `latency`: a histogram of any service, classic or native.

use kilter_contract::{Instrument, find};
use promql_parser::parser::Expr;

use super::super::bounds;
use super::super::known::Known;
use super::{Code, Findings, duration, events, red, text};
use crate::model::{Decimal, Histogram, Sli};
use crate::promql::lexer::{Kind, lex};
use crate::promql::{self, edit_in_source, place_in_source, selectors};
use crate::yaml::{Node, Range};

/// Reads the selector and the threshold.
pub(super) fn read(node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let native = text(node, "type").is_some_and(|(it, _)| it == "native");
    let milliseconds = text(node, "unit").is_some_and(|(it, _)| it == "milliseconds");
    let selector = selector(node, native, known, findings);
    let threshold = duration(node, "slower_than", "250ms", findings)?;
    let (metric, matchers) = selector?;
    // A bound is only asked for where it can be known.
    if let Some(declared) = bounds::declared(&metric, known) {
        red::threshold(node, &red::Bounded { name: &metric, declared }, known, findings)?;
        if native || milliseconds {
            let key = if native { "type" } else { "unit" };
            let place = node.get(key).unwrap_or(node);
            let whose = if find(&metric).is_some() { "of the contract" } else { "of the service" };
            let message = format!("{metric} {whose} is a classic histogram in seconds");
            findings.error(Code::Conflict, place.range, message, format!("leave `{key}` out"));
            return None;
        }
    }
    let millis = u128::from(threshold.millis());
    let threshold = if milliseconds { Decimal::new(millis, 0) } else { Decimal::new(millis, 3) };
    Some(Sli::Latency(Histogram { metric, matchers, threshold, native }))
}

/// The name of the histogram and its matchers as they are written.
fn selector(node: &Node, native: bool, known: &Known, findings: &mut Findings<'_>) -> Option<(String, String)> {
    let written = events::query(node, "histogram", events::Ranges::None, known, findings)?;
    let (value, place) = text(node, "histogram")?;
    let expr = promql::parse(&written).ok()?;
    let refuse = |findings: &mut Findings<'_>, message: String, help: String| {
        findings.error(Code::NotAHistogram, place.range, message, help);
        None
    };
    let named = matches!(&*expr, Expr::VectorSelector(it) if it.name.is_some());
    let Some(metric) = selectors(&expr).into_iter().next().map(|it| it.metric).filter(|_| named) else {
        let message = "`histogram` takes a metric with matchers, not an expression".to_owned();
        return refuse(findings, message, "for example: hook_duration_seconds{job=\"hooks\"}".to_owned());
    };
    if let Some((bare, form)) =
        ["_bucket", "_count", "_sum"].iter().find_map(|form| Some((metric.strip_suffix(form)?, form)))
    {
        let message = format!("`{metric}` is one part of a histogram");
        refuse(findings, message, format!("write {bare}: Kilter adds {form} where it needs it"));
        let at = value.find(&metric).unwrap_or(0);
        let at = Range { start: at, end: at + metric.len() };
        let (source, scalar) = (findings.source(), place.range);
        findings.fix(edit_in_source(source, scalar, value, at, bare));
        return None;
    }
    if selectors(&expr).iter().any(|it| it.matchers.iter().any(|it| it.label == "le")) {
        let message = "`le` is chosen by `slower_than`".to_owned();
        return refuse(findings, message, "leave the matcher on `le` out".to_owned());
    }
    if let Some(signal) = find(&metric).filter(|it| !matches!(it.instrument, Instrument::Histogram(_))) {
        let range = place_in_source(findings.source(), place.range, value, 0, value.trim_end().len());
        let message = format!("{} of the contract is a {}, not a histogram", signal.name, signal.prometheus_type());
        findings.error(Code::NotAHistogram, range, message, "name a histogram: docs/reference/contract.md lists them");
        return None;
    }
    if let Some(own) = known.own(&metric).filter(|it| it.instrument != "histogram" || it.unit != "s") {
        let range = place_in_source(findings.source(), place.range, value, 0, value.trim_end().len());
        let message =
            format!("{metric} of the service is a {} in `{}`, not a histogram of seconds", own.instrument, own.unit);
        findings.error(Code::NotAHistogram, range, message, "name a histogram of durations, or count events");
        return None;
    }
    let matchers = inner(&written);
    // The labels of what is declared are known.
    let declared = (find(&metric).is_some() || known.own(&metric).is_some()) && !native;
    (!declared || events::fits(node, "histogram", &metric, known, findings)).then_some((metric, matchers))
}

/// What stands between the braces, in one line and without comments.
fn inner(selector: &str) -> String {
    let one_line = promql::with_window(selector, "");
    let tokens = lex(&one_line).unwrap_or_default();
    let brace = |kind: Kind, sign: &str| tokens.iter().find(|it| it.kind == kind && it.text(&one_line) == sign);
    match (brace(Kind::Open, "{"), brace(Kind::Close, "}")) {
        (Some(open), Some(close)) => one_line[open.end..close.start].trim().trim_end_matches(',').to_owned(),
        _ => String::new(),
    }
}
