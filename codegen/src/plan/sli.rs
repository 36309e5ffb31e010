//! The only place that knows kinds of SLI: each lowers to one pair of an error rate and a total rate.
//!
//! Sources: `docs/adr/0003-burn-rate-rules.md`; the defaults (unmatched routes are out, `client_disconnect` is no
//! availability error, a latency SLI counts what did not fail) are explained in `docs/slo-file.md`.

use kilter_contract::{error_type, http, le_text, slo};

use super::context::Context;
use super::expr::{equal, one_of, quote, regex_escape, select, sum_by};
use crate::model::{Duration, EventSide, Sli, Slo};
use crate::promql;

/// Events per second over the rate window, as PromQL that is recorded under the SLO's labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// All events.
    pub total: String,
    /// Bad events. May read the recorded total.
    pub error: String,
}

/// Lowers an SLO to its pair.
pub fn pair(context: &Context<'_>, slo: &Slo) -> Pair {
    let rate = context.timing.rate;
    let total_series = context.recorded(slo::TOTAL_RATE, &[slo.name.as_str()]);
    match &slo.sli {
        Sli::HttpServer { routes, methods, slower_than_nanos } => {
            let matchers = http_matchers(context, routes, methods);
            match slower_than_nanos {
                None => availability(&matchers, &slo.by, &total_series, rate),
                Some(nanos) => latency(context, &matchers, *nanos, &slo.by, &total_series, rate),
            }
        }
        Sli::Events { side, total } => events(context, side, total, &slo.by, &total_series, rate),
    }
}

/// Matchers of an `http_server` SLI on the request histogram, without error types and bounds.
pub fn http_matchers(context: &Context<'_>, routes: &[String], methods: &[String]) -> Vec<String> {
    let mut matchers = context.raw_matchers();
    let texts = |values: &[String], key: &str| {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        one_of(key, &values)
    };
    // Scanners hit what no route matches; they must neither inflate nor spend the budget.
    matchers.push(if routes.is_empty() {
        format!("{}!=\"\"", http::ROUTE.key)
    } else {
        texts(routes, http::ROUTE.key)
    });
    if !methods.is_empty() {
        matchers.push(texts(methods, http::METHOD.key));
    }
    matchers
}

/// Bad is a request with an `error_type`, except a client that left. No error series means no error, so it is zero.
fn availability(matchers: &[String], by: &[String], total_series: &str, rate: Duration) -> Pair {
    let count = format!("{}_count", http::SERVER_REQUEST_DURATION.name);
    let key = http::ERROR_TYPE.key;
    let mut bad = matchers.to_vec();
    bad.push(format!("{key}!=\"\""));
    bad.push(format!("{key}!={}", quote(error_type::CLIENT_DISCONNECT)));
    let summed =
        |matchers: &[String]| format!("{} >= 0", sum_by(by, &format!("rate({}[{rate}])", select(&count, matchers))));
    Pair { total: summed(matchers), error: format!("{}\nor 0 * {}", summed(&bad), sum_by(by, total_series)) }
}

/// Bad is slower than the bound, among requests that did not fail and those whose client gave up waiting.
///
/// Both sides count only series that expose the bound, so instances of an older build are silent during a rollout.
/// Never filled with zeros: a missing bucket is missing data.
fn latency(
    context: &Context<'_>,
    matchers: &[String],
    nanos: u64,
    by: &[String],
    total_series: &str,
    rate: Duration,
) -> Pair {
    let name = http::SERVER_REQUEST_DURATION.name;
    let mut counted = matchers.to_vec();
    counted.push(format!("{}=~{}", http::ERROR_TYPE.key, quote(&format!("|{}", error_type::CLIENT_DISCONNECT))));
    let mut fast = counted.clone();
    fast.push(format!("le=~{}", quote(&le_regex(nanos))));
    let fast = format!("rate({}[{rate}])", select(&format!("{name}_bucket"), &fast));
    let all = format!("rate({}[{rate}])", select(&format!("{name}_count"), &counted));
    Pair {
        total: sum_by(by, &format!("{all}\n  and ignoring (le) {fast}")),
        error: without(context, total_series, &sum_by(by, &fast)),
    }
}

/// Named counters. `$window` is the rate window; an expression without an outer aggregation is summed.
fn events(
    context: &Context<'_>,
    side: &EventSide,
    total: &str,
    by: &[String],
    total_series: &str,
    rate: Duration,
) -> Pair {
    let query = |text: &str| {
        let text = promql::with_window(text, &rate.to_string());
        if promql::is_aggregation(&text) { format!("({text}) >= 0") } else { format!("{} >= 0", sum_by(by, &text)) }
    };
    let none = format!("0 * {}", sum_by(by, total_series));
    let error = match side {
        EventSide::Errors(errors) => format!("{}\nor {none}", query(errors)),
        EventSide::Good(good) => without(context, total_series, &format!("({}\nor {none})", query(good))),
    };
    Pair { total: query(total), error }
}

/// Total minus good, never below zero: two scrapes of a histogram's parts need not be of one moment.
fn without(context: &Context<'_>, total_series: &str, good: &str) -> String {
    format!("clamp_min({total_series} - ignoring ({}) {good}, 0)", context.join().join(", "))
}

/// A regex for an `le` value. Prometheus 3 stores whole bounds as `1.0`, earlier versions as they are exposed.
fn le_regex(nanos: u64) -> String {
    let text = le_text(nanos);
    match text.strip_suffix(".0") {
        Some(whole) => format!("{whole}(\\.0)?"),
        None => regex_escape(&text),
    }
}

/// Matchers that find one SLO's own series again, for the queries of runbooks and dashboards: empty for `events`.
pub fn own_matchers(context: &Context<'_>, slo: &Slo) -> Vec<String> {
    match &slo.sli {
        Sli::HttpServer { routes, methods, .. } => http_matchers(context, routes, methods),
        Sli::Events { .. } => vec![equal(slo::SLO_LABEL, slo.name.as_str())],
    }
}
