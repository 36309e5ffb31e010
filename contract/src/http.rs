//! HTTP server signals (RED).
//!
//! Names and buckets follow OpenTelemetry's semantic conventions for HTTP metrics. Left out on purpose: `url.scheme`
//! (a proxy in front decides it, and it doubles every series) and `server.address` and `server.port` (they come from the
//! Host header, so an attacker would choose label values).

use crate::{Buckets, Label, Values, signals};

/// The methods that are told apart; every other one is `_OTHER`. Source: RFC 9110 and RFC 5789 (PATCH).
pub const METHODS: &[&str] =
    &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "_OTHER"];

/// Bounds of request durations: the 14 that the semantic conventions advise for `http.server.request.duration`.
pub const DURATION_BUCKETS: Buckets = Buckets::from_nanos(&[
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    75_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    750_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    7_500_000_000,
    10_000_000_000,
]);

/// Bounds of stream lives, 1 s to 24 h.
pub const STREAM_BUCKETS: Buckets = Buckets::from_nanos(&[
    1_000_000_000,
    5_000_000_000,
    15_000_000_000,
    60_000_000_000,
    300_000_000_000,
    900_000_000_000,
    3_600_000_000_000,
    14_400_000_000_000,
    86_400_000_000_000,
]);

/// Request method.
pub const METHOD: Label = Label::new(
    "http_request_method",
    "http.request.method",
    Values::Closed(METHODS),
    false,
    "Request method; unknown ones are _OTHER.",
);
/// Route template.
pub const ROUTE: Label = Label::new(
    "http_route",
    "http.route",
    Values::RouteTemplate,
    true,
    "Route template as written in the code; absent when no route matched.",
);
/// Response status code.
pub const STATUS: Label = Label::new(
    "http_response_status_code",
    "http.response.status_code",
    Values::StatusCode,
    true,
    "Status code; absent when the request ended before a response head.",
);
/// Why the request failed.
pub const ERROR_TYPE: Label =
    Label::new("error_type", "error.type", Values::ErrorType, true, "Why it failed; absent on success.");
/// Why a connection failed.
pub const CONNECTION_ERROR_TYPE: Label = Label::new(
    "error_type",
    "error.type",
    Values::Closed(&["bad_request", "header_timeout", "client_disconnect", "io", "_OTHER"]),
    false,
    "What ended the connection.",
);

signals! {
    family "http_server";
    /// Each request is counted once, when its outcome is known. A stream's value is its time to first byte.
    SERVER_REQUEST_DURATION = histogram(DURATION_BUCKETS) "http_server_request_duration_seconds",
        otel "http.server.request.duration", unit Seconds, help "Duration of HTTP server requests.",
        labels [METHOD, ROUTE, STATUS, ERROR_TYPE];
    /// Started minus ended; never negative, exact at rest.
    SERVER_ACTIVE_REQUESTS = gauge "http_server_active_requests",
        otel "http.server.active_requests", unit Count, help "HTTP server requests in flight.",
        labels [METHOD, ROUTE];
    /// From the request to its response head.
    SERVER_TIME_TO_FIRST_BYTE = histogram(DURATION_BUCKETS) "http_server_time_to_first_byte_seconds",
        otel "http.server.time_to_first_byte", unit Seconds, help "Time from an HTTP request to its response head.",
        labels [METHOD, ROUTE];
    /// The whole life of responses that are streams.
    SERVER_STREAM_DURATION = histogram(STREAM_BUCKETS) "http_server_stream_duration_seconds",
        otel "http.server.stream.duration", unit Seconds, help "Life of HTTP responses that are streams.",
        labels [METHOD, ROUTE, ERROR_TYPE];
    /// What the HTTP library answered or ended by itself, before or beside any request.
    SERVER_CONNECTION_ERRORS = counter "http_server_connection_errors_total",
        otel "http.server.connection.errors", unit Count, help "HTTP server connections that ended in an error.",
        labels [CONNECTION_ERROR_TYPE];
}
