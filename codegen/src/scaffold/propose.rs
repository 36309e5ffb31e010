//! SLOs for what is known of a service: for each thing that it does, whether it succeeds and how long it takes.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::numbers::{Latency, latency, objective, told};
use super::{Interaction, Names, Proposal, Seen};
use crate::model::{Duration, Family};

/// How an SLO about a family reads.
struct Words {
    /// What is counted, in the plural.
    what: &'static str,
    /// Before the name of what it is about.
    whose: &'static str,
    succeed: &'static str,
    /// Of those that are bad.
    bad: &'static str,
    /// What its name ends in.
    ending: &'static str,
    objective: &'static str,
    /// What is a usual time, where nothing was seen. `None`: nobody can tell.
    usual: Option<Duration>,
    lesson: &'static str,
}

const fn words(family: Family) -> Words {
    let (what, whose, succeed, bad) = match family {
        Family::HttpServer => ("requests", "Requests to", "succeed", "failed"),
        Family::HttpClient | Family::RpcClient => ("calls", "Calls to", "succeed", "failed"),
        Family::RpcServer => ("calls", "Calls of", "succeed", "failed"),
        Family::Db => ("operations", "Operations on the database", "succeed", "failed"),
        Family::Messaging => ("messages", "Messages of", "are processed", "failed"),
        Family::Job => ("runs", "Runs of", "succeed", "failed"),
        Family::Cache => ("reads", "Reads of the cache", "find what they look for", "were misses or errors"),
    };
    let (ending, objective, usual, lesson) = match family {
        Family::HttpServer => (
            "availability",
            "99.9%",
            250,
            "Bad is a request with an error_type: a server error, a panic, a time-out. A client that left is none.",
        ),
        Family::HttpClient => (
            "availability",
            "99.5%",
            500,
            "What this service sees of what it depends on. Calls that an open circuit breaker rejects count as errors.",
        ),
        Family::RpcServer => (
            "availability",
            "99.9%",
            250,
            "Bad is a call that ended in a status of the server's fault, such as UNAVAILABLE or INTERNAL.",
        ),
        Family::RpcClient => (
            "availability",
            "99.5%",
            500,
            "What this service sees of what it depends on. Any status but OK is an error here.",
        ),
        Family::Db => (
            "availability",
            "99.9%",
            100,
            "Operations that failed; waiting for a connection of the pool is watched without a line.",
        ),
        Family::Messaging => (
            "success",
            "99.9%",
            1_000,
            "Each attempt at a message is an event; a message that fails twice spends the budget twice.",
        ),
        Family::Job => (
            "success",
            "99%",
            0,
            "Each run is an event. A job that no longer runs has none: that is what succeeded_within is for.",
        ),
        Family::Cache => (
            "hits",
            "80%",
            0,
            "A hit ratio: misses and errors spend the budget. outcomes: [error] below `bad` counts errors only.",
        ),
    };
    let usual = if usual == 0 { None } else { Some(Duration::from_millis(usual)) };
    Words { what, whose, succeed, bad, ending, objective, usual, lesson }
}

const SLOW: &str =
    "Without it a service that hangs would seem healthy: clients give up, and that is no error of the service.";

/// A day and a little, because most jobs run nightly.
const FRESH: Duration = Duration::from_mins(26 * 60);

const STALE: &str =
    "The one job alert that also sees a job that never starts. Write how often it must succeed, with some room.";

/// The SLOs for what is known of a service.
pub fn proposals(all: &[Interaction], names: &mut Names) -> Vec<Proposal> {
    all.iter().flat_map(|it| of_one(it, &stem(it, all), names)).collect()
}

fn of_one(it: &Interaction, stem: &str, names: &mut Names) -> Vec<Proposal> {
    let words = words(it.family);
    let subject = subject(it);
    let about = subject.as_ref().map_or(capital(words.what), |subject| format!("{} {subject}", words.whose));
    let sli = |more: &[(&str, String)]| {
        let mut keys: Map<String, Value> =
            it.only.iter().map(|(key, values)| ((*key).to_owned(), value(key, values))).collect();
        keys.extend(more.iter().map(|(key, value)| ((*key).to_owned(), json!(value))));
        json!({it.family.key(): keys})
    };
    let seen = it.seen.clone().unwrap_or_default();
    let page = it.seen.is_some();
    let mut all = Vec::new();
    all.extend(names.name(stem, words.ending).map(|name| Proposal {
        name,
        description: format!("{about} {}.", words.succeed),
        objective: objective(words.objective, &seen),
        sli: sli(&[]),
        lesson: words.lesson,
        why: page.then(|| told(&seen, words.what, words.bad)),
    }));
    if it.family == Family::Job {
        all.extend(names.name(stem, "freshness").map(|name| Proposal {
            name,
            description: subject.map_or("The job succeeds within 26 hours.".to_owned(), |it| {
                format!("The job {it} succeeds within 26 hours.")
            }),
            objective: "99%",
            sli: sli(&[("succeeded_within", FRESH.to_string())]),
            lesson: STALE,
            why: None,
        }));
    }
    let timed = words.usual.and_then(|usual| timed(it, &seen, words.what, usual));
    all.extend(timed.and_then(|Latency { threshold, objective, why }| {
        let sli = sli(&[("slower_than", threshold.to_string())]);
        let description = format!("{about} take at most {threshold}.");
        Some(Proposal {
            name: names.name(stem, "latency")?,
            description,
            objective,
            sli,
            lesson: SLOW,
            why: page.then_some(why),
        })
    }));
    all
}

/// The threshold is a bound of the contract; of a page whose bounds are others, only common ones count.
fn timed(it: &Interaction, seen: &Seen, what: &str, usual: Duration) -> Option<Latency> {
    let kilter_contract::Instrument::Histogram(bounds) = it.family.signal().instrument else { return None };
    let mut durations = seen.durations.clone();
    durations.buckets.retain(|(bound, _)| bounds.le().iter().any(|le| le.parse() == Ok(*bound)));
    latency(&durations, what, Some(usual))
}

/// One value, or a list where the key takes a list.
fn value(key: &str, values: &[String]) -> Value {
    match values {
        [one] if !matches!(key, "routes" | "methods") => json!(one),
        many => json!(many),
    }
}

/// What the SLO is about, in words.
fn subject(it: &Interaction) -> Option<String> {
    let values: Vec<&str> = it.only.values().flatten().map(String::as_str).collect();
    match values.as_slice() {
        [] => None,
        [one] => Some((*one).to_owned()),
        // Keys are sorted: the namespace before the role.
        [namespace, role] if it.only.contains_key("role") => Some(format!("{namespace} ({role})")),
        many => Some(format!("the {} others", many.len())),
    }
}

/// The words of its name. A route is named by its fixed segments where these tell it from the others.
fn stem(it: &Interaction, all: &[Interaction]) -> String {
    let of = |it: &Interaction| match it.only.values().flatten().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        [one] if it.family == Family::HttpServer => fixed(one),
        [one] => (*one).clone(),
        [namespace, role] if it.only.contains_key("role") => format!("{namespace} {role}"),
        _ => "other".to_owned(),
    };
    let own = of(it);
    let whole = it.only.values().flatten().next().cloned().unwrap_or_default();
    let twins = all.iter().filter(|other| other.family == it.family && of(other) == own).count();
    match it.family {
        _ if own.is_empty() && whole.is_empty() => default_stem(it.family).to_owned(),
        _ if own.is_empty() || twins > 1 => {
            if whole == "/" {
                "root".to_owned()
            } else {
                whole
            }
        }
        _ => own,
    }
}

const fn default_stem(family: Family) -> &'static str {
    match family {
        Family::HttpServer => "requests",
        Family::HttpClient | Family::RpcClient | Family::RpcServer => "calls",
        Family::Db => "database",
        Family::Messaging => "messages",
        Family::Job => "jobs",
        Family::Cache => "cache",
    }
}

fn fixed(route: &str) -> String {
    let segments: Vec<&str> =
        route.split('/').filter(|it| !it.is_empty() && !it.contains(['{', '}', ':', '*'])).collect();
    segments.join("-")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Lessons that are not yet told.
pub(super) fn untold<'a>(proposal: &Proposal, told: &mut BTreeSet<&'a str>) -> Option<&'static str>
where
    'static: 'a,
{
    told.insert(proposal.lesson).then_some(proposal.lesson)
}
