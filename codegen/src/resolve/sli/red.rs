//! Interactions of the contract: what narrows them, what is bad, and the threshold.

use kilter_contract::{Instrument, Label, Signal, Values};

use super::super::known::{Exposed, Known};
use super::{Code, Findings, duration, exclusive, items, printable, scalar, text, unknown};
use crate::model::{Duration, Family, Red, Sli};
use crate::promql::edit_in_source;
use crate::yaml::{Node, Range, Value};

/// Reads an SLI of a family.
pub(super) fn read(node: &Node, family: Family, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    exclusive(
        node,
        ["bad", "slower_than"],
        "a latency SLI counts what did not fail, and bad is slow",
        "make it two SLOs: one with `bad`, one with `slower_than`",
        findings,
    );
    let mut only = Vec::new();
    for filter in family.filters() {
        let Some(value) = node.get(filter.key) else { continue };
        let nodes = match &value.value {
            Value::List(_) => items(Some(value)),
            _ => std::slice::from_ref(value),
        };
        let mut values = Vec::new();
        for (text, place) in nodes.iter().filter_map(scalar) {
            wrong_value(filter.key, filter.label, text, place, findings);
            values.push(text.to_owned());
        }
        only.extend((!values.is_empty()).then_some((filter.label.key, values)));
    }
    let bad = bad(node.get("bad"), family, findings);
    if family == Family::Job && node.get("succeeded_within").is_some() {
        return freshness(node, findings);
    }
    let slower_than_nanos = match node.get("slower_than") {
        Some(_) => Some(threshold(node, &Bounded::of(&family.signal()), known, findings)?),
        None => None,
    };
    Some(Sli::Red(Red { family, only, bad, slower_than_nanos }))
}

/// A value that the label cannot have.
fn wrong_value(key: &str, label: Label, value: &str, place: &Node, findings: &mut Findings<'_>) {
    let mut wrong = |why: &str, help: &str| {
        let what = match label.values {
            Values::RouteTemplate => "route template",
            _ if label.key == kilter_contract::rpc::METHOD.key => "full name of a method",
            _ => "value",
        };
        let message = if what == "value" {
            format!("`{key}` cannot be `{}`: {why}", printable(value))
        } else {
            format!("`{}` is no {what}: {why}", printable(value))
        };
        findings.error(Code::BadValue, place.range, message, help);
    };
    match label.values {
        Values::RouteTemplate => {
            if let Some(why) = bad_route(value) {
                wrong(why, "write it as in the code, for example: /users/{id}");
            }
        }
        // The structure check knows the words of all other closed sets.
        Values::Closed(known) if label.key == kilter_contract::http::METHOD.key && !known.contains(&value) => {
            unknown(Code::NoSuchLabel, value, known, &format!("the contract has no {}", one(key)), place, findings);
        }
        _ if value.trim().is_empty() || value.contains(char::is_control) => {
            wrong("it is empty, or holds a line end", "write the name as the code gives it");
        }
        _ if label.key == kilter_contract::rpc::METHOD.key && value != kilter_contract::error_type::OTHER => {
            if let Some(bare) = value.strip_prefix('/') {
                wrong("it begins with /, which only the path of the request does", &format!("write {bare}"));
                let (source, whole) = (findings.source(), Range { start: 0, end: value.len() });
                findings.fix(edit_in_source(source, place.range, value, whole, bare));
            } else if value.matches('/').count() != 1 || value.ends_with('/') {
                wrong("it is not package.Service/Method", "for example: users.v1.Users/Get");
            }
        }
        _ => {}
    }
}

/// `method` of `methods`.
fn one(key: &str) -> &str {
    key.strip_suffix('s').unwrap_or(key)
}

/// Whether an SLO can be about this route.
pub(crate) fn is_route(route: &str) -> bool {
    bad_route(route).is_none()
}

/// Whether it is the full name of an RPC method.
pub(crate) fn is_method(name: &str) -> bool {
    name.matches('/').count() == 1
        && !name.starts_with('/')
        && !name.ends_with('/')
        && !name.contains(char::is_control)
        && name.trim() == name
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

/// The SLO's own definition of bad.
fn bad(node: Option<&Node>, family: Family, findings: &mut Findings<'_>) -> Vec<(&'static str, Vec<String>)> {
    let Some(node) = node else { return Vec::new() };
    let mut bad = Vec::new();
    for outcome in family.outcomes() {
        let mut values = Vec::new();
        for (text, place) in items(node.get(outcome.key)).iter().filter_map(scalar) {
            match outcome.label.values {
                // The structure check knows the outcomes of a cache.
                Values::Closed(_) if outcome.key == "outcomes" => {}
                Values::Closed(known) if !known.contains(&text) => {
                    let what = format!("{} knows no {}", family.key(), one(outcome.key).replace('_', " "));
                    unknown(Code::NoSuchLabel, text, known, &what, place, findings);
                }
                Values::StatusCode if !is_status(text) => {
                    let message = format!("`{}` is no status code", printable(text));
                    let help = "three digits such as 429, or a whole class such as 5xx";
                    findings.error(Code::NoSuchLabel, place.range, message, help);
                }
                values if !text.ends_with("xx") && !values.allows(text) => {
                    let message = format!("`{}` can be no {}", printable(text), outcome.label.key);
                    let help = "a status of a server error such as 503, or a kind such as timeout: lower-case letters, digits and underscores";
                    findings.error(Code::NoSuchLabel, place.range, message, help);
                }
                _ => {}
            }
            values.push(text.to_owned());
        }
        bad.extend((!values.is_empty()).then_some((outcome.label.key, values)));
    }
    if bad.is_empty() && matches!(&node.value, Value::Map(_)) {
        let keys: Vec<&str> = family.outcomes().iter().map(|it| it.key).collect();
        let help = format!("name what is bad below {}, or leave `bad` out", keys.join(" or "));
        findings.error(Code::MissingKey, node.range, "`bad` names nothing, so nothing would ever be bad", help);
    }
    bad
}

/// `429`, or `5xx`.
fn is_status(text: &str) -> bool {
    let class = text.strip_suffix("xx").is_some_and(|it| ["1", "2", "3", "4", "5"].contains(&it));
    class || Values::StatusCode.allows(text)
}

/// `succeeded_within`: no run counts, only the time since the last success.
fn freshness(node: &Node, findings: &mut Findings<'_>) -> Option<Sli> {
    for other in ["slower_than", "bad"] {
        exclusive(
            node,
            ["succeeded_within", other],
            "freshness looks at no single run, only at the time since the last success",
            "make it two SLOs of the same job",
            findings,
        );
    }
    let within = duration(node, "succeeded_within", "26h", findings)?;
    let (job, _) = text(node, "name")?;
    if within < Duration::from_mins(1) {
        let place = node.get("succeeded_within").unwrap_or(node);
        let message = format!("{within} is shorter than a scrape and an evaluation can tell");
        findings.error(Code::BadValue, place.range, message, "at least 1m; for example: succeeded_within: 26h");
        return None;
    }
    Some(Sli::Freshness { job: job.to_owned(), within })
}

/// A histogram of durations, and the bounds that it declares.
pub(super) struct Bounded<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// In nanoseconds, rising.
    pub(super) declared: Vec<u64>,
}

impl Bounded<'_> {
    /// One of the contract.
    pub(super) fn of(signal: &Signal) -> Bounded<'static> {
        let declared = match signal.instrument {
            Instrument::Histogram(buckets) => buckets.nanos().to_vec(),
            _ => Vec::new(),
        };
        Bounded { name: signal.name, declared }
    }
}

/// The longest threshold: nothing that is measured takes longer.
const LONGEST: Duration = Duration::from_mins(30 * 24 * 60);

/// A threshold in nanoseconds. One that is no bucket bound yet is told, and is a threshold nevertheless.
pub(super) fn threshold(node: &Node, of: &Bounded<'_>, known: &Known, findings: &mut Findings<'_>) -> Option<u64> {
    let (text, place) = text(node, "slower_than")?;
    let threshold = text.parse::<Duration>().ok().filter(|it| it.millis() > 0 && *it <= LONGEST);
    let Some(threshold) = threshold else {
        let message = format!("`{}` is no duration up to {LONGEST}", printable(text));
        findings.error(Code::BadValue, place.range, message, "for example: slower_than: 250ms");
        return None;
    };
    let nanos = threshold.millis().saturating_mul(1_000_000);
    if of.declared.contains(&nanos) {
        return Some(nanos);
    }
    let file = &known.bounds_file;
    match known.exposes(of.name, nanos) {
        Exposed::Yes => {}
        Exposed::NotBuilt => {
            let message =
                format!("{file} has the bound {threshold} of {}, but the contract of the service does not", of.name);
            let help = format!(
                "build the service with kilter::service!(bounds: \"path/to/{file}\"), then KILTER_CONTRACT=write cargo test"
            );
            findings.error(Code::NotBuilt, place.range, message, help);
        }
        Exposed::No => {
            let shown = |nanos: u64| Duration::from_millis(nanos / 1_000_000).to_string();
            // A duration of Kilter's has whole milliseconds, so a finer bound cannot be asked for.
            let whole: Vec<u64> = of.declared.iter().copied().filter(|it| it.is_multiple_of(1_000_000)).collect();
            let above = of.declared.partition_point(|it| *it < nanos);
            let near = match (above.checked_sub(1).map(|it| of.declared[it]), of.declared.get(above)) {
                (Some(below), Some(above)) => format!("the nearest bounds are {} and {}", shown(below), shown(*above)),
                (Some(only), None) => format!("the nearest bound is {}", shown(only)),
                (None, Some(only)) => format!("the nearest bound is {}", shown(*only)),
                (None, None) => "it has none".to_owned(),
            };
            let all: Vec<String> = whole.into_iter().map(shown).collect();
            let message = format!("{threshold} is no bucket bound of {}: {near}", of.name);
            let help = format!(
                "choose one of: {}; or build the service with {file}, which kilter generate writes when nothing else is wrong",
                all.join(", ")
            );
            findings.error(Code::OffBounds, place.range, message, help);
        }
    }
    Some(nanos)
}
