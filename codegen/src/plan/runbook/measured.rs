//! What an SLO counts as bad, in words.

use crate::model::{Duration, Family, Red, Sli};
use crate::promql;

/// What is bad: the end of the sentence "Bad are ...".
pub fn words(sli: &Sli) -> String {
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

/// What is counted, in the plural: requests, calls, moments.
pub const fn things(sli: &Sli) -> &'static str {
    match sli {
        Sli::Red(red) => interactions(red.family),
        Sli::Events { .. } => "events",
        Sli::Latency(_) => "values",
        Sli::Freshness { .. } | Sli::Ratio(_) | Sli::Uptime { .. } => "moments",
        Sli::Slices { .. } => "minutes",
    }
}

const fn interactions(family: Family) -> &'static str {
    match family {
        Family::HttpServer => "requests",
        Family::HttpClient | Family::RpcClient | Family::RpcServer => "calls",
        Family::Db | Family::Cache => "operations",
        Family::Messaging => "messages",
        Family::Job => "runs",
    }
}

fn red_words(red: &Red) -> String {
    let named = |label: &str| {
        let values = red.values(label);
        (!values.is_empty()).then(|| format!("`{}`", values.join("`, `")))
    };
    let things = interactions(red.family);
    let of = match red.family {
        Family::HttpServer => format!("to {}", named("http_route").unwrap_or("every matched route".into())),
        Family::HttpClient | Family::RpcClient => {
            format!("to the dependency {}", named("dependency").unwrap_or_default())
        }
        Family::RpcServer => format!("of {}", named("rpc_method").unwrap_or("every known method".into())),
        Family::Db => database(named("db_namespace"), named("db_role"), named("db_operation_name")),
        Family::Messaging => {
            format!("of {}", named("messaging_destination_name").unwrap_or("every destination".into()))
        }
        Family::Job => format!("of the job {}", named("job_name").unwrap_or_default()),
        Family::Cache => format!("of the cache {}", named("cache_name").unwrap_or_default()),
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
