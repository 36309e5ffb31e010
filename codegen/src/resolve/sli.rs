//! What is measured, checked against the contract.

use kilter_contract::http;

use super::{Code, Findings, events, items, printable, scalar, text, unknown};
use crate::model::{Duration, Sli};
use crate::yaml::Node;

/// Reads the one kind that is there.
pub(super) fn read(node: Option<&Node>, findings: &mut Findings<'_>) -> Option<Sli> {
    let node = node?;
    if let Some(http) = node.get("http_server") {
        return http_server(http, findings);
    }
    events::read(node.get("events")?, findings)
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
