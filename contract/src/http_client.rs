//! HTTP client signals (RED): calls to dependencies.
//!
//! Left out on purpose: `server.address`, `server.port` and `url.full` (a client that follows addresses from outside
//! would make their values unbounded). The configured name of the dependency says who was called.

use crate::http::{DURATION_BUCKETS, ERROR_TYPE, METHOD, STATUS};
use crate::{Label, Values, signals};

/// The dependency that is called.
pub const DEPENDENCY: Label = Label::new(
    "dependency",
    "kilter.dependency",
    Values::Configured,
    false,
    "Configured name of the dependency, never a host.",
);

signals! {
    family "http_client";
    /// Each call is counted once, when its outcome is known; a retry is a call of its own.
    CLIENT_REQUEST_DURATION = histogram(DURATION_BUCKETS) "http_client_request_duration_seconds",
        otel "http.client.request.duration", unit Seconds, help "Duration of HTTP calls to dependencies.",
        labels [METHOD, DEPENDENCY, STATUS, ERROR_TYPE];
    /// Started minus ended.
    CLIENT_ACTIVE_REQUESTS = gauge "http_client_active_requests",
        otel "http.client.active_requests", unit Count, help "HTTP calls to dependencies in flight.",
        labels [METHOD, DEPENDENCY];
}
