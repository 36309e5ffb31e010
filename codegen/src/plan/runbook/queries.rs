//! The queries that say whether it is real and who spends the budget: ready to paste, and as links.

use kilter_contract::{http, http_client, identity, job, resilience, slo};
use serde::Serialize;

use super::super::context::Context;
use super::super::dashboard::model::Unit;
use super::super::expr::{equal, select, sum_by};
use super::super::{links, sli};
use crate::model::{Decimal, Duration, Family, Histogram, Red, Sli, Slo};
use crate::promql;

/// A query with what it answers.
#[derive(Serialize)]
pub(super) struct Query {
    what: String,
    promql: String,
    /// Where a click runs it; empty when the estate does not say where its Prometheus is.
    link: String,
}

/// The queries of a runbook.
#[derive(Serialize)]
pub(super) struct Queries {
    /// Whether it is real.
    real: Vec<Query>,
    /// Who spends the budget.
    spenders: Vec<Query>,
}

/// Queries on this SLO's own series.
pub(super) fn queries(context: &Context<'_>, slo: &Slo) -> Queries {
    let name = [slo.name.as_str()];
    let query = |what: &str, promql: String| {
        let link = links::query(context.estate, &promql, "2h").unwrap_or_default();
        Query { what: what.to_owned(), promql, link }
    };
    let burn = ("How fast it burns", context.recorded(&slo::burn_rate("1h"), &name));
    let seen = if slo.sli.is_time_weighted() {
        ("What share of the last minutes was bad", context.recorded(slo::ERROR_RATE, &name))
    } else {
        ("Whether there is traffic", context.recorded(slo::TOTAL_RATE, &name))
    };
    Queries {
        real: [burn, seen].map(|(what, promql)| query(what, promql)).into(),
        spenders: spenders(context, slo).into_iter().map(|it| query(it.what, it.promql)).collect(),
    }
}

/// A query that says who spends the budget: the runbook has it to paste, the dashboard as a panel.
pub(in super::super) struct Spender {
    /// The question.
    pub(in super::super) what: &'static str,
    /// PromQL.
    pub(in super::super) promql: String,
    /// What tells its series apart, as a legend; all labels when empty.
    pub(in super::super) legend: String,
    /// Unit of its values.
    pub(in super::super) unit: Unit,
}

impl Spender {
    const fn plain(what: &'static str, promql: String, unit: Unit) -> Self {
        Self { what, promql, legend: String::new(), unit }
    }

    /// Events per second, by a label.
    fn by(what: &'static str, label: &str, of: &str) -> Self {
        let promql = sum_by(&[label.to_owned()], of);
        Self { what, promql, legend: legend(label), unit: Unit::PerSecond }
    }
}

/// The queries of an SLO, those on its own events first.
pub(in super::super) fn spenders(context: &Context<'_>, slo: &Slo) -> Vec<Spender> {
    let mut all = of_sli(context, slo);
    all.extend(dependencies(context, slo));
    all
}

fn of_sli(context: &Context<'_>, slo: &Slo) -> Vec<Spender> {
    let rate = context.timing.rate.to_string();
    match &slo.sli {
        Sli::Red(red) => of_red(context, slo, red),
        Sli::Freshness { job, .. } => {
            let matchers = || [context.raw_matchers(), vec![equal(job::NAME.key, job)]].concat();
            let runs = select(&format!("{}_count", job::RUN_DURATION.name), &matchers());
            let runs = format!("increase({runs}[{}])", Duration::from_mins(24 * 60));
            let age = format!("time() - {}", context.recorded(slo::LAST_SUCCESS, &[slo.name.as_str()]));
            vec![
                Spender::plain("How long ago it succeeded", age, Unit::Seconds),
                Spender::plain("Whether it runs now", select(job::ACTIVE_RUNS.name, &matchers()), Unit::Plain),
                Spender {
                    unit: Unit::Count,
                    ..Spender::by("How its runs of a day ended", http::ERROR_TYPE.key, &runs)
                },
            ]
        }
        Sli::Events { side, .. } => {
            let events = promql::with_window(side.text(), &rate);
            vec![Spender::plain("Which events are named", events, Unit::PerSecond)]
        }
        Sli::Ratio(side) => {
            vec![Spender::plain("The ratio itself", promql::with_window(side.text(), &rate), Unit::Share)]
        }
        Sli::Latency(histogram) => {
            vec![Spender::plain("The slowest percent", quantile(histogram, &slo.by, &rate), Unit::Plain)]
        }
        Sli::Uptime { up } => {
            vec![Spender::plain("What is down", format!("({}) < 1", promql::with_window(up, "")), Unit::Plain)]
        }
        Sli::Slices { good } => {
            vec![Spender::plain("Whether this minute is good", promql::with_window(good, "1m"), Unit::Plain)]
        }
    }
}

/// Bad events by everything that the SLO does not pin down: that is where it can hurt.
fn of_red(context: &Context<'_>, slo: &Slo, red: &Red) -> Vec<Spender> {
    let spent = sli::spent(context, red);
    let mut labels: Vec<(&str, &str)> = Vec::new();
    for outcome in red.family.outcomes().iter().rev() {
        let what = match outcome.key {
            "status_codes" => "Which status codes",
            "outcomes" => "Misses or errors",
            _ => "Which errors",
        };
        labels.push((what, outcome.label.key));
    }
    let free = red.family.filters().iter().filter(|it| red.values(it.label.key).len() != 1);
    labels.extend(free.map(|it| (of_label(it.key), it.label.key)));
    let known: Vec<&str> = labels.iter().map(|it| it.1).collect();
    labels.extend(slo.by.iter().filter(|it| !known.contains(&it.as_str())).map(|it| ("Which group", it.as_str())));
    labels.push(("Which instances", "instance"));
    let mut all: Vec<_> = labels.into_iter().map(|(what, label)| Spender::by(what, label, &spent)).collect();
    let version = identity::SERVICE_VERSION.key;
    let info = select(identity::TARGET_INFO.name, &context.raw_matchers());
    let target = format!("max by (job, instance, {version}) ({info})");
    let joined = format!("({spent}) * on (job, instance) group_left ({version}) {target}");
    all.push(Spender::by("Which versions", version, &joined));
    if red.family.calls_a_dependency() {
        let key = http_client::DEPENDENCY.key;
        let mut matchers = context.raw_matchers();
        matchers.extend(red.values(key).first().map(|it| equal(key, it)));
        let rejected = select(resilience::DEPENDENCY_REJECTED.name, &matchers);
        let rate = format!("rate({rejected}[{}])", context.timing.rate);
        all.push(Spender::by("Why calls are rejected", resilience::REJECT_REASON.key, &rate));
    }
    all
}

/// What the service needs and does not get, for an SLO of its own work: the cause is often there.
fn dependencies(context: &Context<'_>, slo: &Slo) -> Option<Spender> {
    let own = slo.sli.red().is_none_or(|red| !red.family.calls_a_dependency() && red.family != Family::Db);
    own.then(|| {
        let failed = |family: &Family| {
            let outcome = family.outcomes().last().map_or("error_type", |it| it.label.key);
            let matchers = [context.raw_matchers(), vec![format!("{outcome}!=\"\"")]].concat();
            let count = select(&format!("{}_count", family.signal().name), &matchers);
            format!("rate({count}[{}])", context.timing.rate)
        };
        let by = |families: &[Family]| {
            let rates: Vec<String> = families.iter().map(failed).collect();
            sum_by(&[families[0].main_label().key.to_owned()], &rates.join(" or "))
        };
        let both = format!("{}\nor {}", by(&[Family::HttpClient, Family::RpcClient]), by(&[Family::Db]));
        let what = "Which dependency or database operation fails (none when there is no line)";
        let legend = legend(Family::HttpClient.main_label().key) + &legend(Family::Db.main_label().key);
        Spender { what, promql: both, legend, unit: Unit::PerSecond }
    })
}

/// A label in a legend.
fn legend(label: &str) -> String {
    format!("{{{{{label}}}}}")
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

fn quantile(histogram: &Histogram, by: &[String], rate: &str) -> String {
    let matchers: Vec<String> =
        (!histogram.matchers.is_empty()).then(|| histogram.matchers.clone()).into_iter().collect();
    let percent = Decimal::new(99, 2);
    if histogram.native {
        let values = format!("rate({}[{rate}])", select(&histogram.metric, &matchers));
        return format!("histogram_quantile({percent}, {})", sum_by(by, &values));
    }
    let buckets = select(&format!("{}_bucket", histogram.metric), &matchers);
    let by: Vec<String> = std::iter::once("le".to_owned()).chain(by.iter().cloned()).collect();
    format!("histogram_quantile({percent}, {})", sum_by(&by, &format!("rate({buckets}[{rate}])")))
}
