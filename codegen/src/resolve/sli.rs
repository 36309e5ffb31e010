//! What is measured, checked against the contract.

use kilter_contract::{Instrument, Signal, find_series, http};

use super::{Code, Findings, items, printable, scalar, text, unknown};
use crate::model::{Duration, EventSide, Sli};
use crate::promql::{self, PromqlError, Selector, place_in_source, selectors};
use crate::spec::check::help;
use crate::yaml::{Node, Range};

/// Reads the one kind that is there.
pub(super) fn read(node: Option<&Node>, findings: &mut Findings<'_>) -> Option<Sli> {
    let node = node?;
    if let Some(http) = node.get("http_server") {
        return http_server(http, findings);
    }
    events(node.get("events")?, findings)
}

fn http_server(node: &Node, findings: &mut Findings<'_>) -> Option<Sli> {
    let mut routes = Vec::new();
    for item in items(node.get("routes")) {
        let Some((route, place)) = scalar(item) else { continue };
        if let Some(why) = bad_route(route) {
            let message = format!("`{}` is no route template: {why}", printable(route));
            findings.error(Code::BadValue, place.range, message, "write it as in the code, for example: /users/{id}");
        }
        routes.push(route.to_owned());
    }
    let mut methods = Vec::new();
    for item in items(node.get("methods")) {
        let Some((method, place)) = scalar(item) else { continue };
        if !http::METHODS.contains(&method) {
            unknown(Code::NoSuchLabel, method, http::METHODS, "the contract has no method", place, findings);
        }
        methods.push(method.to_owned());
    }
    let slower_than_nanos = match text(node, "slower_than") {
        Some((text, place)) => Some(bound(text, place, findings)?),
        None => None,
    };
    Some(Sli::HttpServer { routes, methods, slower_than_nanos })
}

fn bad_route(route: &str) -> Option<&'static str> {
    if !route.starts_with('/') {
        Some("it does not begin with /")
    } else if route.contains(char::is_control) || route.contains(char::is_whitespace) {
        Some("it holds a space or a line end")
    } else if route.contains(['"', '\\', '?', '#']) {
        Some("it holds a character that no path template has")
    } else if route.matches('{').count() != route.matches('}').count() {
        Some("a { or } is missing")
    } else {
        None
    }
}

/// A threshold that is a bucket bound, in nanoseconds.
fn bound(text: &str, place: &Node, findings: &mut Findings<'_>) -> Option<u64> {
    let buckets = http::DURATION_BUCKETS;
    let Ok(threshold) = text.parse::<Duration>() else {
        findings.error(
            Code::BadValue,
            place.range,
            format!("`{}` is no duration", printable(text)),
            "for example: slower_than: 250ms",
        );
        return None;
    };
    let nanos = threshold.millis() * 1_000_000;
    if buckets.contains(nanos) {
        return Some(nanos);
    }
    let shown = |nanos: u64| Duration::from_millis(nanos / 1_000_000).to_string();
    let near = match buckets.nearest(nanos) {
        (Some(below), Some(above)) => format!("the nearest bounds are {} and {}", shown(below), shown(above)),
        (Some(only), None) | (None, Some(only)) => format!("the nearest bound is {}", shown(only)),
        (None, None) => String::new(),
    };
    let all: Vec<String> = buckets.nanos().iter().map(|it| shown(*it)).collect();
    let message = format!("{threshold} is no bucket bound of {}: {near}", http::SERVER_REQUEST_DURATION.name);
    findings.error(Code::OffBounds, place.range, message, format!("choose one of: {}", all.join(", ")));
    None
}

fn events(node: &Node, findings: &mut Findings<'_>) -> Option<Sli> {
    let query = |key: &str, findings: &mut Findings<'_>| {
        let (value, place) = text(node, key)?;
        expression(value, place, findings).then(|| value.trim().to_owned())
    };
    let (errors, good, total) = (query("errors", findings), query("good", findings), query("total", findings));
    match (node.get("errors"), node.get("good")) {
        (Some(_), Some(good)) => {
            findings.error(
                Code::BadValue,
                good.range,
                "`errors` and `good` are both here",
                "keep one: the other follows from the total",
            );
            None
        }
        (None, None) => {
            findings.error(
                Code::MissingKey,
                node.range,
                "neither `errors` nor `good` is here",
                "add `errors: 'rate(failed_total[$window])'`",
            );
            None
        }
        (Some(_), None) => Some(Sli::Events { side: EventSide::Errors(errors?), total: total? }),
        (None, Some(_)) => Some(Sli::Events { side: EventSide::Good(good?), total: total? }),
    }
}

/// Checks one expression; everything wrong is told inside the expression.
fn expression(value: &str, place: &Node, findings: &mut Findings<'_>) -> bool {
    let tell = |findings: &mut Findings<'_>, code: Code, error: PromqlError| {
        let range = findings_range(findings, place, value, error.start, error.end);
        findings.error(code, range, error.message, error.help);
    };
    let expr = match promql::parse(value) {
        Ok(expr) => expr,
        Err(error) => {
            tell(findings, Code::PromQl, error);
            return false;
        }
    };
    if expr.value_type() != promql_parser::parser::value::ValueType::Vector {
        let message = format!("this gives a {:?}, not one value per series", expr.value_type()).to_lowercase();
        let help = "for example: rate(hooks_failed_total[$window])".to_owned();
        tell(findings, Code::PromQl, PromqlError { message, help, start: 0, end: value.trim_end().len() });
        return false;
    }
    let mut fine = true;
    for (start, end) in fixed_ranges(value) {
        fine = false;
        let message = format!("a fixed range {} stands where `$window` belongs", &value[start..end]);
        tell(
            findings,
            Code::Window,
            PromqlError { message, help: "write [$window]: Kilter chooses the range".to_owned(), start, end },
        );
    }
    if !value.contains("[$window]") {
        fine = false;
        let help = "write rate(metric_total[$window])".to_owned();
        let message = "`[$window]` stands nowhere, so this is no rate".to_owned();
        tell(findings, Code::Window, PromqlError { message, help, start: 0, end: value.trim_end().len() });
    }
    for selector in selectors(&expr) {
        fine &= selector_exists(&selector, value, place, findings);
    }
    fine
}

/// `[5m]` and the like; `[$window]` is not among them.
fn fixed_ranges(value: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    for (start, _) in value.match_indices('[') {
        let Some(end) = value[start..].find(']').map(|it| start + it + 1) else { continue };
        let inner = value[start + 1..end - 1].split(':').next().unwrap_or_default().trim();
        if inner.parse::<Duration>().is_ok() {
            all.push((start, end));
        }
    }
    all
}

/// A selector on a metric of the contract must be able to match.
fn selector_exists(selector: &Selector, value: &str, place: &Node, findings: &mut Findings<'_>) -> bool {
    let at = |text: &str| value.find(text).map_or((0, value.trim_end().len()), |start| (start, start + text.len()));
    let Some(signal) = find_series(&selector.metric) else {
        let bare = kilter_contract::find(&selector.metric);
        if let Some(Signal { instrument: Instrument::Histogram(_), name, .. }) = bare {
            let (start, end) = at(name);
            let range = findings_range(findings, place, value, start, end);
            let help = format!("use {name}_count, {name}_sum or {name}_bucket");
            findings.error(
                Code::NoSuchLabel,
                range,
                format!("{name} is a histogram: no series has just this name"),
                help,
            );
        }
        return bare.is_none();
    };
    let mut fine = true;
    let labels: Vec<&str> = signal.labels.iter().map(|it| it.key).collect();
    for (key, equal, wanted) in &selector.matchers {
        let (message, help_text) = match signal.label(key) {
            Some(label) if *equal && !wanted.is_empty() && !label.values.allows(wanted) => (
                format!("`{key}` of {} can never be `{}`", selector.metric, printable(wanted)),
                values(label.values, wanted),
            ),
            None if key.starts_with("http_") || key == "error_type" => {
                (format!("{} has no label `{key}`", selector.metric), help(key, &labels))
            }
            _ => continue,
        };
        fine = false;
        let (start, end) = at(key);
        let range = findings_range(findings, place, value, start, end);
        findings.error(Code::NoSuchLabel, range, message, help_text);
    }
    fine
}

fn values(of: kilter_contract::Values, wanted: &str) -> String {
    match of {
        kilter_contract::Values::Closed(set) => help(wanted, set),
        kilter_contract::Values::RouteTemplate => "a route template begins with /".to_owned(),
        kilter_contract::Values::StatusCode => "a status code has three digits".to_owned(),
        _ => "see docs/reference/contract.md".to_owned(),
    }
}

/// Error and total must keep the same labels, the `by` labels among them.
pub(super) fn check_labels(sli: &Sli, by: &[String], node: &Node, findings: &mut Findings<'_>) {
    let Sli::Events { side, total } = sli else { return };
    let (EventSide::Errors(part) | EventSide::Good(part)) = side;
    let key = if matches!(side, EventSide::Errors(_)) { "errors" } else { "good" };
    let kept =
        |text: &str| promql::parse(text).ok().and_then(|it| selectors(&it).first().and_then(|it| it.kept.clone()));
    for (text, key) in [(part, key), (total, "total")] {
        let Some(labels) = kept(text) else { continue };
        let mut sorted = (labels.clone(), by.to_vec());
        sorted.0.sort();
        sorted.1.sort();
        if sorted.0 != sorted.1 {
            let Some(place) = node.get("events").and_then(|it| it.get(key)) else { continue };
            let message =
                format!("this keeps the labels [{}], but the SLO is by [{}]", labels.join(", "), by.join(", "));
            let help = "leave the aggregation out: Kilter sums by the SLO's labels".to_owned();
            findings.error(Code::DifferentBy, place.range, message, help);
        }
    }
}

fn findings_range(findings: &Findings<'_>, place: &Node, value: &str, start: usize, end: usize) -> Range {
    place_in_source(findings.source(), place.range, value, start, end)
}
