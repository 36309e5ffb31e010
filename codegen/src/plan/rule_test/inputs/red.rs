//! Series of the contract, for an SLI about its interactions.

use kilter_contract::{self as contract, Label, Values, cache, error_type, http, http_client, resilience, rpc};
use promql_parser::label::Matcher;

use super::super::file::Labels;
use super::super::matching;
use super::{ALL, BAD, Fed, GOOD, Inputs, Raw, Refused, Samples, group_value, selection};
use crate::model::{Estate, Family, Red, Service, Slo, Unfiltered};

/// Requests, calls, operations: good ones, bad ones by each definition of bad, and rejected ones.
pub(super) fn red(estate: &Estate, service: &Service, slo: &Slo, red: &Red) -> Option<Inputs> {
    let found = selection(&estate.selector.replace("{{service}}", service.name.as_str()))?;
    let name = red.family.signal().name;
    let outcomes: Vec<&str> = red.family.outcomes().iter().map(|it| it.label.key).collect();
    let signal = red.family.signal();
    let own: Vec<&Label> = signal.labels.iter().filter(|it| !outcomes.contains(&it.key)).collect();
    let grouped = |label: &Label| slo.by.iter().any(|it| it == label.key);
    // Traffic is spread over all values of one label, unless each is a group of its own.
    let spread = own.iter().find(|it| !grouped(it) && values(red, it).len() > 1);

    let refused = refused(estate, red, &found);
    let asked = |labels: &Labels| -> Vec<Refused> {
        refused.iter().filter(|it| labels.contains_key(&it.label)).cloned().collect()
    };
    let (mut groups, mut series): (Vec<Labels>, Vec<Raw>) = (Vec::new(), Vec::new());
    for group in 0..2 {
        let mut by = Labels::new();
        let mut base = Inputs::target(estate, service)?;
        let target: Vec<String> = base.keys().cloned().collect();
        for label in &own {
            let all = values(red, label);
            let at = if grouped(label) { group.min(all.len() - 1) } else { 0 };
            base.insert(label.key.to_owned(), all[at].clone());
        }
        for label in &slo.by {
            let value = if own.iter().any(|it| it.key == label) {
                base[label].clone()
            } else {
                let matchers: Vec<&Matcher> =
                    found.iter().filter(|(key, _)| key == label).flat_map(|(_, m)| m).collect();
                group_value(&matchers, group)?
            };
            by.insert(label.clone(), value);
        }
        if groups.contains(&by) {
            continue;
        }
        base.extend(by.clone());
        groups.push(by.clone());
        let group = groups.len() - 1;
        let over =
            spread.map_or_else(|| vec![None], |it| values(red, it).into_iter().map(|v| Some((it.key, v))).collect());
        let parts = over.len() as u64;
        let bad = bad(red);
        let rejected = red.counts_rejected();
        let bads = (bad.len() + usize::from(rejected)) as u64;
        for value in over {
            let mut push = |suffix: &str, extra: &[(&str, String)], samples, share| {
                let mut labels = base.clone();
                labels.extend(value.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
                labels.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
                let refused = asked(&labels);
                series.push(Raw { metric: format!("{name}_{suffix}"), labels, samples, group, share, refused });
            };
            let good = good(red);
            if let Some(nanos) = red.slower_than_nanos {
                let le = |text: String| [good.as_slice(), &[("le", text)]].concat();
                push("count", &good, Samples::Counter(ALL), parts);
                push("bucket", &le(contract::le_text(nanos)), Samples::Counter(GOOD), parts);
                push("bucket", &le("+Inf".to_owned()), Samples::Counter(ALL), parts);
            } else {
                push("count", &good, Samples::Counter(GOOD), parts);
                for bad in &bad {
                    push("count", bad, Samples::Counter(BAD), parts * bads);
                }
            }
        }
        if rejected {
            let key = http_client::DEPENDENCY.key;
            let mut labels: Labels = base.into_iter().filter(|(it, _)| target.contains(it) || it == key).collect();
            labels.extend(by);
            labels.insert(resilience::REJECT_REASON.key.to_owned(), "circuit_open".to_owned());
            let metric = resilience::DEPENDENCY_REJECTED.name.to_owned();
            let refused = asked(&labels);
            series.push(Raw { metric, labels, samples: Samples::Counter(BAD), group, share: bads, refused });
        }
    }
    Some(Inputs { groups, series, fed: Fed::Series })
}

/// What the rules do not ask for: another service, another environment, another route.
fn refused(estate: &Estate, red: &Red, found: &[(String, Vec<Matcher>)]) -> Vec<Refused> {
    let mut all = Vec::new();
    let mut push = |label: &str, value: &str, elsewhere| {
        all.push(Refused { label: label.to_owned(), value: value.to_owned(), elsewhere });
    };
    estate.identity.keys().for_each(|label| push(label, "another", true));
    for (label, matchers) in found {
        let value = matching::refused(&matchers.iter().collect::<Vec<_>>());
        value.iter().for_each(|value| push(label, value, true));
    }
    for filter in red.family.filters() {
        let value = match filter.unfiltered {
            _ if !red.values(filter.label.key).is_empty() => Some("another"),
            Unfiltered::Not(value) => Some(value),
            Unfiltered::Only(_) => Some("another"),
            Unfiltered::Any => None,
        };
        value.iter().for_each(|value| push(filter.label.key, value, false));
    }
    all
}

/// Values that the SLI accepts for a label.
fn values(red: &Red, label: &Label) -> Vec<String> {
    let named = red.values(label.key);
    if !named.is_empty() {
        return named.to_vec();
    }
    let filter = red.family.filters().iter().find(|it| it.label.key == label.key);
    match (filter.map(|it| it.unfiltered), label.values) {
        (Some(Unfiltered::Only(value)), _) => vec![value.to_owned()],
        (_, Values::RouteTemplate) => vec!["/a".to_owned(), "/b".to_owned()],
        (_, Values::Closed(set)) => vec![set.first().copied().unwrap_or_default().to_owned()],
        _ if label.key == rpc::METHOD.key => vec!["a.A/A".to_owned(), "a.A/B".to_owned()],
        _ => vec!["a".to_owned()],
    }
}

type Pairs = Vec<(&'static str, String)>;

/// Labels of what ended well.
fn good(red: &Red) -> Pairs {
    let is_bad = |key: &str, value: &str| {
        red.bad.iter().any(|(it, all)| {
            *it == key && all.iter().any(|it| it == value || class(it) == class(value) && it.ends_with("xx"))
        })
    };
    let first = |key: &'static str, all: &[&str]| {
        all.iter().find(|it| !is_bad(key, it)).map(|it| (key, (*it).to_owned())).into_iter().collect()
    };
    match red.family {
        Family::HttpServer | Family::HttpClient => first(http::STATUS.key, &["200", "404", "302", "500", "101"]),
        Family::RpcServer | Family::RpcClient => first(rpc::STATUS.key, rpc::STATUS_CODES),
        Family::Cache => first(cache::OUTCOME.key, &[cache::HIT, "miss", cache::ERROR]),
        Family::Db | Family::Messaging | Family::Job => vec![],
    }
}

/// Labels of what ended badly, once for each way.
fn bad(red: &Red) -> Vec<Pairs> {
    if !red.bad.is_empty() {
        let example = |value: &String| {
            class(value).filter(|_| value.ends_with("xx")).map_or(value.clone(), |it| format!("{it}00"))
        };
        return red.bad.iter().filter_map(|(key, all)| Some(vec![(*key, example(all.first()?))])).collect();
    }
    let of = |key: &'static str, value: &str| (key, value.to_owned());
    vec![match red.family {
        Family::HttpServer | Family::HttpClient => vec![of(http::STATUS.key, "500"), of(http::ERROR_TYPE.key, "500")],
        Family::RpcServer | Family::RpcClient => {
            vec![of(rpc::STATUS.key, "INTERNAL"), of(http::ERROR_TYPE.key, "INTERNAL")]
        }
        Family::Cache => vec![of(cache::OUTCOME.key, "miss")],
        Family::Db | Family::Messaging | Family::Job => vec![of(http::ERROR_TYPE.key, error_type::TIMEOUT)],
    }]
}

/// `5` of `503` and of `5xx`.
fn class(status: &str) -> Option<&str> {
    status.get(..1).filter(|_| status.len() == 3)
}
