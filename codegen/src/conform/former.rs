//! Names that signals of the contract have elsewhere: earlier ones of OpenTelemetry's conventions, and those of libraries
//! that many services use. Taken from their pages and documentation.

use kilter_contract::{Signal, cache, db, http, http_client, job, messaging, process, resilience, rpc};

/// A family by its name elsewhere, the signal that it would be here, and what else differs.
const NAMES: &[(&str, Signal, &str)] = &[
    // OpenTelemetry before its conventions for HTTP became stable.
    ("http_server_duration_milliseconds", http::SERVER_REQUEST_DURATION, STABLE),
    ("http_server_duration_seconds", http::SERVER_REQUEST_DURATION, STABLE),
    ("http_server_duration", http::SERVER_REQUEST_DURATION, STABLE),
    ("http_server_request_duration_milliseconds", http::SERVER_REQUEST_DURATION, SECONDS),
    ("http_server_request_duration", http::SERVER_REQUEST_DURATION, SECONDS),
    ("http_client_duration_milliseconds", http_client::CLIENT_REQUEST_DURATION, STABLE),
    ("http_client_duration_seconds", http_client::CLIENT_REQUEST_DURATION, STABLE),
    ("http_client_request_duration_milliseconds", http_client::CLIENT_REQUEST_DURATION, SECONDS),
    ("rpc_server_duration_milliseconds", rpc::SERVER_CALL_DURATION, SECONDS),
    ("rpc_server_duration_seconds", rpc::SERVER_CALL_DURATION, RENAME),
    ("rpc_client_duration_milliseconds", rpc::CLIENT_CALL_DURATION, SECONDS),
    ("rpc_client_duration_seconds", rpc::CLIENT_CALL_DURATION, RENAME),
    ("db_client_operation_duration_milliseconds", db::OPERATION_DURATION, SECONDS),
    ("db_client_connections_usage", db::CONNECTION_COUNT, RENAME),
    ("db_client_connections_max", db::CONNECTION_MAX, RENAME),
    ("db_client_connections_pending_requests", db::CONNECTION_PENDING, RENAME),
    ("db_client_connections_timeouts_total", db::CONNECTION_TIMEOUTS, RENAME),
    ("db_client_connections_wait_time_milliseconds", db::CONNECTION_WAIT_TIME, SECONDS),
    ("messaging_process_duration_milliseconds", messaging::PROCESS_DURATION, SECONDS),
    // Names that most client libraries' examples use, and what frameworks made of them.
    ("http_requests_total", http::SERVER_REQUEST_DURATION, COUNTED),
    ("http_requests", http::SERVER_REQUEST_DURATION, COUNTED),
    ("http_request_total", http::SERVER_REQUEST_DURATION, COUNTED),
    ("http_request_duration_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("http_requests_duration_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("http_request_duration_milliseconds", http::SERVER_REQUEST_DURATION, SECONDS),
    ("http_request_duration_ms", http::SERVER_REQUEST_DURATION, SECONDS),
    ("http_requests_in_flight", http::SERVER_ACTIVE_REQUESTS, RENAME),
    ("http_requests_in_progress", http::SERVER_ACTIVE_REQUESTS, RENAME),
    ("axum_http_requests_total", http::SERVER_REQUEST_DURATION, COUNTED),
    ("axum_http_requests_duration_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("axum_http_requests_pending", http::SERVER_ACTIVE_REQUESTS, RENAME),
    ("http_server_requests_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("http_server_requests_active_seconds", http::SERVER_ACTIVE_REQUESTS, RENAME),
    ("http_client_requests_seconds", http_client::CLIENT_REQUEST_DURATION, RENAME),
    ("flask_http_request_duration_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("flask_http_request_total", http::SERVER_REQUEST_DURATION, COUNTED),
    ("django_http_requests_latency_seconds_by_view_method", http::SERVER_REQUEST_DURATION, RENAME),
    ("http_request_duration_highr_seconds", http::SERVER_REQUEST_DURATION, RENAME),
    ("grpc_server_handling_seconds", rpc::SERVER_CALL_DURATION, RENAME),
    ("grpc_server_handled_total", rpc::SERVER_CALL_DURATION, COUNTED),
    ("grpc_client_handling_seconds", rpc::CLIENT_CALL_DURATION, RENAME),
    ("grpc_client_handled_total", rpc::CLIENT_CALL_DURATION, COUNTED),
    ("hikaricp_connections_active", db::CONNECTION_COUNT, RENAME),
    ("hikaricp_connections_max", db::CONNECTION_MAX, RENAME),
    ("hikaricp_connections_pending", db::CONNECTION_PENDING, RENAME),
    ("hikaricp_connections_timeout_total", db::CONNECTION_TIMEOUTS, RENAME),
    ("hikaricp_connections_acquire_seconds", db::CONNECTION_WAIT_TIME, RENAME),
    ("cache_gets_total", cache::OPERATION_DURATION, COUNTED),
    ("resilience4j_circuitbreaker_state", resilience::CIRCUIT_BREAKER_STATE, RENAME),
    ("job_duration_seconds", job::RUN_DURATION, RENAME),
    ("job_last_success_unixtime", job::LAST_SUCCESS, RENAME),
    ("process_cpu_time_seconds_total", process::CPU, RENAME),
    ("process_memory_usage_bytes", process::RESIDENT_MEMORY, RENAME),
];

const RENAME: &str = "";
const STABLE: &str =
    "; OTEL_SEMCONV_STABILITY_OPT_IN=http makes most instrumentations of OpenTelemetry use the new name, in seconds";
const SECONDS: &str = "; the contract measures in seconds";
const COUNTED: &str = "; there its `_count` is this number";

/// What labels of the contract are called elsewhere.
const LABELS: &[(&str, &str)] = &[
    ("method", "http_request_method"),
    ("http_method", "http_request_method"),
    ("status", "http_response_status_code"),
    ("code", "http_response_status_code"),
    ("status_code", "http_response_status_code"),
    ("http_status", "http_response_status_code"),
    ("http_status_code", "http_response_status_code"),
    ("route", "http_route"),
    ("path", "http_route"),
    ("endpoint", "http_route"),
    ("handler", "http_route"),
    ("uri", "http_route"),
    ("http_target", "http_route"),
    ("exception", "error_type"),
    ("exception_type", "error_type"),
    ("error", "error_type"),
    ("server_address", "dependency"),
    ("net_peer_name", "dependency"),
    ("peer_service", "dependency"),
    ("rpc_system", "rpc_system_name"),
    ("grpc_method", "rpc_method"),
    ("rpc_service", "rpc_method"),
    ("grpc_code", "rpc_response_status_code"),
    ("rpc_grpc_status_code", "rpc_response_status_code"),
    ("db_system", "db_system_name"),
    ("db_operation", "db_operation_name"),
    ("db_name", "db_namespace"),
    ("pool_name", "db_client_connection_pool_name"),
    ("pool", "db_client_connection_pool_name"),
    ("cache", "cache_name"),
    ("job", "job_name"),
];

/// The signal that a family of this name would be here, and what else is to be said.
pub(super) fn signal(family: &str) -> Option<(&'static Signal, &'static str)> {
    NAMES.iter().find(|(name, ..)| *name == family).map(|(_, signal, more)| (signal, *more))
}

/// Names under which a signal of the contract is known elsewhere.
pub(super) fn names_of(signal: &str) -> impl Iterator<Item = &'static str> {
    NAMES.iter().filter(move |(_, it, _)| it.name == signal).map(|(name, ..)| *name)
}

/// What the contract calls this label, among those that a signal has.
pub(super) fn label<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let new = LABELS.iter().filter(|(old, _)| *old == key).find_map(|(_, new)| known.iter().find(|it| *it == new));
    new.copied()
        .or_else(|| crate::spec::check::nearest(key, &known).filter(|it| strsim::damerau_levenshtein(key, it) <= 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_former_name_is_one_of_the_contract() {
        for (name, ..) in NAMES {
            assert!(kilter_contract::find(name).is_none(), "{name}");
        }
        let known =
            |key: &str| kilter_contract::CATALOG.iter().flat_map(|it| it.iter()).any(|it| it.label(key).is_some());
        for (_, new) in LABELS {
            assert!(known(new), "{new}");
        }
    }
}
