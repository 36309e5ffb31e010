//! Interactions of the contract: requests, calls, operations, messages, runs.

use kilter_contract::{Label, cache, error_type, http, http_client, resilience};

use super::super::context::Context;
use super::super::expr::{equal, one_of, quote, regex_escape, select, sum_by};
use super::{Lowering, Pair};
use crate::model::{Family, Red, Unfiltered};

/// Matchers of an SLI on its histogram, without outcomes and bounds.
pub fn matchers(context: &Context<'_>, red: &Red) -> Vec<String> {
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

impl Lowering<'_> {
    pub(super) fn red(&self, red: &Red) -> Pair {
        let matchers = matchers(self.context, red);
        match red.slower_than_nanos {
            None => self.outcome(red, &matchers),
            Some(nanos) => {
                let mut counted = matchers;
                counted.push(not_failed(red.family));
                let bound = crate::model::Decimal::new(u128::from(nanos), 9);
                self.slower(red.family.signal().name, &counted, bound)
            }
        }
    }

    /// Bad by how it ended. No error series means no error, so it is zero. Calls that a breaker rejected before they were
    /// made are events and errors of the dependency: else a page would resolve when the breaker opens.
    fn outcome(&self, red: &Red, matchers: &[String]) -> Pair {
        let count = format!("{}_count", red.family.signal().name);
        let rejected = red.counts_rejected().then(|| self.rejected(red));
        let all = [vec![select(&count, matchers)], rejected.clone().into_iter().collect()].concat();
        let bad = bad(red).into_iter().map(|bad| select(&count, &[matchers, &bad].concat()));
        let bad: Vec<String> = bad.chain(rejected).collect();
        let error = format!("{}\nor 0 * {}", self.summed(&bad), sum_by(self.by, &self.total_series));
        Pair::of(self.summed(&all), error)
    }

    /// The rates of selectors together. `or` counts a series once, however many of them select it.
    fn summed(&self, selectors: &[String]) -> String {
        let rates: Vec<String> = selectors.iter().map(|it| format!("rate({it}[{}])", self.rate)).collect();
        format!("{} >= 0", sum_by(self.by, &rates.join("\n  or ")))
    }

    fn rejected(&self, red: &Red) -> String {
        let key = http_client::DEPENDENCY.key;
        let mut matchers = self.context.raw_matchers();
        matchers.extend(red.values(key).first().map(|it| equal(key, it)));
        select(resilience::DEPENDENCY_REJECTED.name, &matchers)
    }
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
