//! What the service does and calls: rate, errors and duration of each family that its SLOs are about.

use kilter_contract::http;

use super::super::context::Context;
use super::super::expr::{select, sum_by};
use super::model::Panel;
use super::panels::series;
use crate::model::Family;

/// The panels of every family, in the order of the contract.
pub(super) fn panels(context: &Context<'_>) -> Vec<Panel> {
    let about =
        |family: &Family| context.service.slos.iter().any(|it| it.sli.red().is_some_and(|red| red.family == *family));
    let families = Family::ALL.iter().filter(|it| about(it));
    families.flat_map(|it| if *it == Family::HttpServer { served(context) } else { others(context, *it) }).collect()
}

/// Three panels of a family: rate and errors by what tells most, and quantiles.
fn others(context: &Context<'_>, family: Family) -> Vec<Panel> {
    let signal = family.signal();
    let main = family.main_label().key;
    let Some(outcome) = family.outcomes().last().map(|it| it.label.key) else { return vec![] };
    let mut all = context.raw_matchers();
    let rate = |form: &str, matchers: &[String]| {
        format!("rate({}[$__rate_interval])", select(&format!("{}{form}", signal.name), matchers))
    };
    let by = |labels: &[&str], of: &str| sum_by(&labels.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), of);
    let rates = by(&[main], &rate("_count", &all));
    let (title, noun) = title(family);
    let quantile = |q: &str| {
        let of = by(&["le"], &rate("_bucket", &all));
        (format!("histogram_quantile({q}, {of})"), format!("p{}", q.trim_start_matches("0.")))
    };
    let quantiles = [quantile("0.5"), quantile("0.9"), quantile("0.99")];
    all.push(format!("{outcome}!=\"\""));
    let failed = by(&[main, outcome], &rate("_count", &all));
    vec![
        series(title, &format!("{noun} per second by {main}."), &[(rates, format!("{{{{{main}}}}}"))], "reqps", 8),
        series(
            &format!("{title}: {}", if family == Family::Cache { "outcomes" } else { "errors" }),
            &format!("{noun} per second by {main} and {outcome}."),
            &[(failed, format!("{{{{{main}}}}} {{{{{outcome}}}}}"))],
            "reqps",
            8,
        ),
        series(
            &format!("{title}: duration"),
            &format!("Quantiles of how long {} take.", noun.to_lowercase()),
            &quantiles,
            "s",
            8,
        ),
    ]
}

const fn title(family: Family) -> (&'static str, &'static str) {
    match family {
        Family::HttpServer => ("Requests", "Requests"),
        Family::HttpClient => ("HTTP dependencies", "Calls"),
        Family::RpcServer => ("RPC", "Calls"),
        Family::RpcClient => ("RPC dependencies", "Calls"),
        Family::Db => ("Database", "Operations"),
        Family::Messaging => ("Messages", "Messages"),
        Family::Job => ("Jobs", "Runs"),
        Family::Cache => ("Caches", "Operations"),
    }
}

/// HTTP requests that the service serves.
fn served(context: &Context<'_>) -> Vec<Panel> {
    let name = http::SERVER_REQUEST_DURATION.name;
    let all = context.raw_matchers();
    let with = |extra: &str| all.iter().cloned().chain([extra.to_owned()]).collect::<Vec<_>>();
    let rate = |form: &str, matchers: &[String]| {
        format!("rate({}[$__rate_interval])", select(&format!("{name}{form}"), matchers))
    };
    let by = |labels: &[&str], of: &str| sum_by(&labels.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>(), of);
    let routed = with(&format!("{}!=\"\"", http::ROUTE.key));
    let failed = with(&format!("{}!=\"\"", http::ERROR_TYPE.key));
    let quantile = |q: &str| {
        (
            format!("histogram_quantile({q}, {})", by(&["le"], &rate("_bucket", &routed))),
            format!("p{}", q.trim_start_matches("0.")),
        )
    };
    vec![
        series(
            "Requests by route",
            "Requests per second that a route matched.",
            &[(by(&[http::ROUTE.key], &rate("_count", &routed)), "{{http_route}}".to_owned())],
            "reqps",
            12,
        ),
        series(
            "Errors by type",
            "Failed requests per second by route and error_type. client_disconnect is no availability error.",
            &[(
                by(&[http::ROUTE.key, http::ERROR_TYPE.key], &rate("_count", &failed)),
                "{{http_route}} {{error_type}}".to_owned(),
            )],
            "reqps",
            12,
        ),
        series(
            "Duration",
            "Quantiles of request durations, all routes.",
            &[quantile("0.5"), quantile("0.9"), quantile("0.99")],
            "s",
            12,
        ),
        series(
            "Status codes",
            "Requests per second by status code.",
            &[(by(&[http::STATUS.key], &rate("_count", &all)), "{{http_response_status_code}}".to_owned())],
            "reqps",
            12,
        ),
        series(
            "In flight",
            "Requests in flight by route.",
            &[(by(&[http::ROUTE.key], &select(http::SERVER_ACTIVE_REQUESTS.name, &all)), "{{http_route}}".to_owned())],
            "none",
            24,
        ),
    ]
}
