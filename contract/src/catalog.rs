//! The whole catalogue, and lookups by name.

use crate::{
    Instrument, Signal, cache, db, http, http_client, identity, job, messaging, process, resilience, resource, rpc,
    telemetry,
};

/// Every family of signals, in the order of the reference page.
pub const CATALOG: &[&[Signal]] = &[
    http::SIGNALS,
    http_client::SIGNALS,
    rpc::SIGNALS,
    db::SIGNALS,
    messaging::SIGNALS,
    job::SIGNALS,
    cache::SIGNALS,
    resilience::SIGNALS,
    resource::SIGNALS,
    process::SIGNALS,
    identity::SIGNALS,
    telemetry::SIGNALS,
];

/// Series that Prometheus itself makes and rules may query.
pub const PROMETHEUS_SERIES: &[&str] = &["up", "ALERTS", "ALERTS_FOR_STATE"];

/// The signal with this family name.
pub fn find(name: &str) -> Option<&'static Signal> {
    CATALOG.iter().flat_map(|family| family.iter()).find(|signal| signal.name == name)
}

/// The signal that exposes this series: a family name, or a histogram's `_bucket`, `_sum` or `_count`.
pub fn find_series(series: &str) -> Option<&'static Signal> {
    CATALOG.iter().flat_map(|family| family.iter()).find(|signal| match signal.instrument {
        Instrument::Histogram(_) => ["_bucket", "_sum", "_count"]
            .iter()
            .any(|form| series.strip_suffix(form).is_some_and(|stem| stem == signal.name)),
        _ => series == signal.name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn all() -> impl Iterator<Item = &'static Signal> {
        CATALOG.iter().flat_map(|family| family.iter())
    }

    #[test]
    fn no_two_signals_expose_one_series() {
        let mut seen = BTreeSet::new();
        for series in all().flat_map(Signal::series) {
            assert!(seen.insert(series.clone()), "{series} is exposed by two signals");
        }
    }

    /// OpenTelemetry's `UnderscoreEscapingWithSuffixes`: dots become underscores, then unit, then `_total`.
    #[test]
    fn names_follow_from_opentelemetry_names() {
        for signal in all() {
            let mut name = signal.otel.replace('.', "_");
            let unit = signal.unit.suffix();
            if !unit.is_empty() && !name.ends_with(unit) {
                name = format!("{name}_{unit}");
            }
            if matches!(signal.instrument, Instrument::Counter) {
                name.push_str("_total");
            }
            assert_eq!(name, signal.name, "otel name {}", signal.otel);
            for label in signal.labels {
                let own = label.attribute.starts_with("kilter.");
                assert!(own || label.attribute.replace('.', "_") == label.key, "{} of {}", label.key, signal.name);
            }
        }
    }

    #[test]
    fn series_are_found_by_every_form() {
        assert_eq!(find_series("http_server_request_duration_seconds_bucket"), Some(&http::SERVER_REQUEST_DURATION));
        assert_eq!(find_series("http_server_active_requests"), Some(&http::SERVER_ACTIVE_REQUESTS));
        assert_eq!(find_series("http_server_request_duration_seconds"), None, "a bare histogram name is no series");
    }
}
