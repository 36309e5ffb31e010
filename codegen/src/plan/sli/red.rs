//! Interactions of the contract: requests, calls, operations, messages, runs.

use kilter_contract::{Label, cache, error_type, http, http_client, resilience};

use super::super::context::Context;
use super::super::expr::{equal, one_of, quote, regex_escape, select, sum_by};
use super::histogram::slower_parts;
use super::{Lowering, Pair};
use crate::model::{Decimal, Family, Red, Unfiltered};

/// Matchers of an SLI on its histogram, without outcomes and bounds.
fn matchers(context: &Context<'_>, red: &Red) -> Vec<String> {
    let mut matchers = context.raw_matchers();
    for filter in red.family.filters() {
        let key = filter.label.key;
        let values: Vec<&str> = red.values(key).iter().map(String::as_str).collect();
        match filter.unfiltered {
            _ if !values.is_empty() => matchers.push(one_of(key, &values)),
            Unfiltered::Any => {}
            Unfiltered::Not(value) => matchers.push(format!("{key}!={}", quote(value))),
            Unfiltered::Only(value) => matchers.push(equal(key, value)),
        }
    }
    matchers
}

/// Bad events per second, a series for each that the service exposes: what spends the budget, before it is summed.
pub fn spent(context: &Context<'_>, red: &Red) -> String {
    let rate = context.timing.rate;
    let matchers = matchers(context, red);
    match red.slower_than_nanos {
        None => {
            let rates: Vec<String> =
                bad_selectors(context, red, &matchers).iter().map(|it| format!("rate({it}[{rate}])")).collect();
            rates.join(" or ")
        }
        Some(nanos) => {
            let mut counted = matchers;
            counted.push(not_failed(red.family));
            let (all, fast) = slower_parts(red.family.signal().name, &counted, bound(nanos), rate);
            format!("({all} - ignoring (le) {fast})")
        }
    }
}

impl Lowering<'_> {
    pub(super) fn red(&self, red: &Red) -> Pair {
        let matchers = matchers(self.context, red);
        match red.slower_than_nanos {
            None => self.outcome(red, &matchers),
            Some(nanos) => {
                let mut counted = matchers;
                counted.push(not_failed(red.family));
                self.slower(red.family.signal().name, &counted, bound(nanos))
            }
        }
    }

    /// Bad by how it ended. No error series means no error, so it is zero. Calls that a breaker rejected before they were
    /// made are events and errors of the dependency: else a page would resolve when the breaker opens.
    fn outcome(&self, red: &Red, matchers: &[String]) -> Pair {
        let count = format!("{}_count", red.family.signal().name);
        let all: Vec<String> = std::iter::once(select(&count, matchers)).chain(rejected(self.context, red)).collect();
        let bad = bad_selectors(self.context, red, matchers);
        let error = format!("{}\nor 0 * {}", self.summed(&bad), sum_by(self.by, &self.total_series));
        Pair::of(self.summed(&all), error)
    }

    /// The rates of selectors together. `or` counts a series once, however many of them select it.
    fn summed(&self, selectors: &[String]) -> String {
        let rates: Vec<String> = selectors.iter().map(|it| format!("rate({it}[{}])", self.rate)).collect();
        format!("{} >= 0", sum_by(self.by, &rates.join("\n  or ")))
    }
}

/// Selectors of what is bad by how it ended, with the calls that were rejected before they were made.
fn bad_selectors(context: &Context<'_>, red: &Red, matchers: &[String]) -> Vec<String> {
    let count = format!("{}_count", red.family.signal().name);
    let bad = bad(red).into_iter().map(|bad| select(&count, &[matchers, &bad].concat()));
    bad.chain(rejected(context, red)).collect()
}

/// Calls to the dependency that were rejected before they were made, when they count.
fn rejected(context: &Context<'_>, red: &Red) -> Option<String> {
    let key = http_client::DEPENDENCY.key;
    red.counts_rejected().then(|| {
        let mut matchers = context.raw_matchers();
        matchers.extend(red.values(key).first().map(|it| equal(key, it)));
        select(resilience::DEPENDENCY_REJECTED.name, &matchers)
    })
}

/// A threshold as a bucket bound in seconds.
const fn bound(nanos: u64) -> Decimal {
    Decimal::new(nanos as u128, 9)
}

/// Matchers of what is bad: any of the lists.
fn bad(red: &Red) -> Vec<Vec<String>> {
    if red.bad.is_empty() {
        return vec![if red.family == Family::Cache {
            vec![format!("{}!={}", cache::OUTCOME.key, quote(cache::HIT)), format!("{}!=\"\"", cache::OUTCOME.key)]
        } else {
            let key = http::ERROR_TYPE.key;
            vec![format!("{key}!=\"\""), format!("{key}!={}", quote(error_type::CLIENT_DISCONNECT))]
        }];
    }
    red.bad.iter().map(|(key, values)| vec![any_of(key, values)]).collect()
}

/// `key="a"` or a regex; `5xx` is every code of its class.
fn any_of(key: &str, values: &[String]) -> String {
    let class = |it: &str| it.strip_suffix("xx").filter(|_| key == http::STATUS.key).map(|it| format!("{it}.."));
    if values.iter().all(|it| class(it).is_none()) {
        return one_of(key, &values.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let patterns: Vec<String> = values.iter().map(|it| class(it).unwrap_or_else(|| regex_escape(it))).collect();
    format!("{key}=~{}", quote(&patterns.join("|")))
}

/// What a latency SLI counts: what did not fail, and what a client gave up waiting for.
fn not_failed(family: Family) -> String {
    let outcome: Option<Label> = family.outcomes().last().map(|it| it.label);
    match outcome {
        Some(label) if family == Family::Cache => format!("{}!={}", label.key, quote(cache::ERROR)),
        _ => format!("{}=~{}", http::ERROR_TYPE.key, quote(&format!("|{}", error_type::CLIENT_DISCONNECT))),
    }
}
