//! What an SLO counts as bad, in words, and the queries that say who spends its budget.

use kilter_contract::{http, job, slo};
use serde::Serialize;

use super::super::context::Context;
use super::super::expr::{equal, one_of, select, sum_by};
use super::super::sli;
use crate::model::{Decimal, Duration, Family, Histogram, Red, Sli, Slo};
use crate::promql;

/// A query with what it answers.
#[derive(Serialize)]
pub(super) struct Query {
    what: String,
    promql: String,
}

/// What is bad: the end of the sentence "Bad are ...".
pub(super) fn words(sli: &Sli) -> String {
    match sli {
        Sli::Red(red) => red_words(red),
        Sli::Freshness { job, within } => {
            format!("moments at which the last success of the job `{job}` is more than {within} ago")
        }
        Sli::Events { .. } => "the events that the SLO file names".to_owned(),
        Sli::Ratio(_) => "moments, by the share that the SLO file's ratio gives them".to_owned(),
        Sli::Latency(it) => format!("values of `{}` above {}", it.metric, it.threshold),
        Sli::Uptime { up } => format!("moments at which `{}` is not 1", promql::with_window(up, "")),
        Sli::Slices { good } => format!("minutes in which `{}` is not 1", promql::with_window(good, "1m")),
    }
}

fn red_words(red: &Red) -> String {
    let named = |label: &str| {
        let values = red.values(label);
        (!values.is_empty()).then(|| format!("`{}`", values.join("`, `")))
    };
    let (things, of) = match red.family {
        Family::HttpServer => {
            ("requests", format!("to {}", named("http_route").unwrap_or("every matched route".into())))
        }
        Family::HttpClient | Family::RpcClient => {
            ("calls", format!("to the dependency {}", named("dependency").unwrap_or_default()))
        }
        Family::RpcServer => ("calls", format!("of {}", named("rpc_method").unwrap_or("every known method".into()))),
        Family::Db => ("operations", database(named("db_namespace"), named("db_role"), named("db_operation_name"))),
        Family::Messaging => {
            ("messages", format!("of {}", named("messaging_destination_name").unwrap_or("every destination".into())))
        }
        Family::Job => ("runs", format!("of the job {}", named("job_name").unwrap_or_default())),
        Family::Cache => ("operations", format!("of the cache {}", named("cache_name").unwrap_or_default())),
    };
    match (red.slower_than_nanos, red.bad.as_slice(), red.family) {
        (Some(nanos), ..) => format!("{things} {of} slower than {}", Duration::from_millis(nanos / 1_000_000)),
        (None, [], Family::Cache) => format!("{things} {of} that miss or fail"),
        (None, [], family) if family.calls_a_dependency() => {
            format!("failed {things} {of}, and those that an open breaker rejected")
        }
        (None, [], _) => format!("failed {things} {of}"),
        (None, bad, _) => {
            let lists: Vec<String> = bad.iter().map(|(key, all)| format!("{key} `{}`", all.join("`, `"))).collect();
            format!("{things} {of} with {}", lists.join(" or "))
        }
    }
}

fn database(namespace: Option<String>, role: Option<String>, operations: Option<String>) -> String {
    let role = role.map(|it| format!(" on its {}", it.trim_matches('`'))).unwrap_or_default();
    let operations = operations.map(|it| format!(" ({it})")).unwrap_or_default();
    format!("of {}{role}{operations}", namespace.map_or("every database".to_owned(), |it| format!("the database {it}")))
}

/// Queries to copy, by dimension, on this SLO's own series.
pub(super) fn queries(context: &Context<'_>, slo: &Slo) -> Vec<Query> {
    let name = [slo.name.as_str()];
    let burn = context.recorded(&slo::burn_rate("1h"), &name);
    let traffic = context.recorded(slo::TOTAL_RATE, &name);
    let query = |what: &str, promql: String| Query { what: what.to_owned(), promql };
    let mut all = vec![query("How fast it burns", burn)];
    if slo.sli.is_time_weighted() {
        all.push(query("What share of the last minutes was bad", context.recorded(slo::ERROR_RATE, &name)));
    } else {
        all.push(query("Whether there is traffic", traffic));
    }
    all.extend(spenders(context, slo).into_iter().map(|(what, promql)| query(what, promql)));
    all
}

/// Who spends the budget.
fn spenders(context: &Context<'_>, slo: &Slo) -> Vec<(&'static str, String)> {
    let rate = context.timing.rate.to_string();
    match &slo.sli {
        Sli::Red(red) => of_red(context, slo, red),
        Sli::Freshness { job, .. } => {
            let matchers = || [context.raw_matchers(), vec![equal(job::NAME.key, job)]].concat();
            let runs = select(&format!("{}_count", job::RUN_DURATION.name), &matchers());
            let runs = format!("increase({runs}[{}])", Duration::from_mins(24 * 60));
            vec![
                (
                    "How long ago it succeeded",
                    format!("time() - {}", context.recorded(slo::LAST_SUCCESS, &[slo.name.as_str()])),
                ),
                ("Whether it runs now", select(job::ACTIVE_RUNS.name, &matchers())),
                ("How its runs of a day ended", sum_by(&[http::ERROR_TYPE.key.to_owned()], &runs)),
            ]
        }
        Sli::Events { side, .. } => vec![("Which events are named", promql::with_window(side.text(), &rate))],
        Sli::Ratio(side) => vec![("The ratio itself", promql::with_window(side.text(), &rate))],
        Sli::Latency(histogram) => vec![("The slowest percent", quantile(histogram, &rate))],
        Sli::Uptime { up } => vec![("What is down", format!("({}) < 1", promql::with_window(up, "")))],
        Sli::Slices { good } => vec![("Whether this minute is good", promql::with_window(good, "1m"))],
    }
}

fn of_red(context: &Context<'_>, slo: &Slo, red: &Red) -> Vec<(&'static str, String)> {
    let signal = red.family.signal();
    let outcomes = red.family.outcomes();
    let Some(outcome) = outcomes.last().map(|it| it.label.key) else { return vec![] };
    let mut failed = sli::own_matchers(context, slo);
    failed.push(if red.family == Family::Cache {
        one_of(outcome, &["miss", "error"])
    } else {
        format!("{outcome}!=\"\"")
    });
    let rate = format!("rate({}[{}])", select(&format!("{}_count", signal.name), &failed), context.timing.rate);
    let mut labels = vec![(if red.family == Family::Cache { "Misses or errors" } else { "Which errors" }, outcome)];
    labels.extend(outcomes.iter().filter(|it| it.key == "status_codes").map(|it| ("Which status codes", it.label.key)));
    // What the SLO does not pin down can be where it hurts.
    let free = red.family.filters().iter().filter(|it| red.values(it.label.key).len() != 1);
    labels.extend(free.map(|it| (of_label(it.key), it.label.key)));
    labels.push(("Which instances", "instance"));
    let mut all: Vec<_> = labels.into_iter().map(|(what, label)| (what, sum_by(&[label.to_owned()], &rate))).collect();
    if red.family.calls_a_dependency() {
        let key = kilter_contract::http_client::DEPENDENCY.key;
        let mut matchers = context.raw_matchers();
        matchers.extend(red.values(key).first().map(|it| equal(key, it)));
        let rejected = select(kilter_contract::resilience::DEPENDENCY_REJECTED.name, &matchers);
        let by = [kilter_contract::resilience::REJECT_REASON.key.to_owned()];
        all.push(("Why calls are rejected", sum_by(&by, &format!("rate({rejected}[{}])", context.timing.rate))));
    }
    all
}

fn of_label(key: &str) -> &'static str {
    match key {
        "routes" => "Which routes",
        "methods" => "Which methods",
        "operations" => "Which operations",
        "namespace" => "Which databases",
        "role" => "Which role",
        "destination" => "Which destinations",
        "consumer_group" => "Which consumer groups",
        _ => "Which of them",
    }
}

fn quantile(histogram: &Histogram, rate: &str) -> String {
    let matchers: Vec<String> =
        (!histogram.matchers.is_empty()).then(|| histogram.matchers.clone()).into_iter().collect();
    let percent = Decimal::new(99, 2);
    if histogram.native {
        return format!("histogram_quantile({percent}, sum(rate({}[{rate}])))", select(&histogram.metric, &matchers));
    }
    let buckets = select(&format!("{}_bucket", histogram.metric), &matchers);
    format!("histogram_quantile({percent}, sum by (le) (rate({buckets}[{rate}])))")
}
