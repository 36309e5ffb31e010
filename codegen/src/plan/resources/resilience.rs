//! What keeps a service up while others are not: breakers, replicas, processes that stay, telemetry.

use kilter_contract::{db, http_client, process, resilience, telemetry};

use super::super::context::Context;
use super::super::expr::{equal, none_of, quote};
use super::settings::Settings;
use super::{joined, own};
use crate::model::{Check, Resource};

/// A breaker rejects calls for most of the time.
pub(super) fn breaker_open(context: &Context<'_>, settings: &Settings) -> String {
    let open = own(context, resilience::CIRCUIT_BREAKER_STATE.name, &[equal(resilience::STATE.key, resilience::OPEN)]);
    let dependency = http_client::DEPENDENCY.key;
    format!("max by ({dependency}) (avg_over_time({open}[{}])) > {}", settings.breaker_range, settings.breaker_open)
}

/// A replica is behind, by its own word.
pub(super) fn lagging(context: &Context<'_>, settings: &Settings) -> String {
    let key = resilience::REPLICA.key;
    let changes = |it: &&Resource| it.kind == "replica" && (it.lag.is_some() || it.off.contains(&Check::Lagging));
    let apart: Vec<&Resource> = context.service.resources.iter().filter(changes).collect();
    let names: Vec<&str> = apart.iter().map(|it| it.name.as_str()).collect();
    let others: Vec<String> = none_of(key, &names).into_iter().collect();
    let lags = |more: &[String], above: crate::model::Duration| {
        let lag = own(context, resilience::REPLICA_LAG.name, more);
        format!("max by ({}, {key}) ({lag}) > {}", db::NAMESPACE.key, above.secs_text())
    };
    let mut branches = vec![lags(&others, settings.lag)];
    branches.extend(apart.iter().filter_map(|it| Some(lags(&[equal(key, &it.name)], it.lag?))));
    joined(&branches)
}

/// An instance that starts again and again. A deployment makes new instances, which have started once.
pub(super) fn restarting(context: &Context<'_>, settings: &Settings) -> String {
    let started = own(context, process::START_TIME.name, &[]);
    format!("max(changes({started}[{}])) > {}", settings.restarts_range, settings.restarts)
}

/// What the SDK says of itself, by what is wrong.
pub(in super::super) fn telemetry(context: &Context<'_>, settings: &Settings) -> String {
    let lost = |signal: kilter_contract::Signal, problem: &str| {
        let rises = format!("sum(increase({}[{}])) > 0", own(context, signal.name, &[]), settings.telemetry_range);
        format!("label_replace({rises}, \"problem\", {}, \"\", \"\")", quote(problem))
    };
    joined(&[
        lost(telemetry::SPANS_DROPPED, "spans_dropped"),
        lost(telemetry::EXPORT_FAILURES, "exports_failed"),
        lost(telemetry::SERIES_OVERFLOW, "series_overflowed"),
        lost(telemetry::VIOLATIONS, "metrics_refused"),
    ])
}
