//! RPC signals (RED), servers and clients: gRPC.
//!
//! `rpc.method` is the full name (`package.Service/Method`), as the semantic conventions have it. A server knows a method
//! when it is declared, or when a call of it first sent a message or ended with a status that only a method gives; until
//! then it is `_OTHER`.

use crate::http::DURATION_BUCKETS;
use crate::http_client::DEPENDENCY;
use crate::{Label, Values, signals};

/// Status codes of gRPC. Source: <https://grpc.io/docs/guides/status-codes>.
pub const STATUS_CODES: &[&str] = &[
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// RPC system.
pub const SYSTEM: Label =
    Label::new("rpc_system_name", "rpc.system.name", Values::Closed(&["grpc"]), false, "The RPC system.");
/// Full method name.
pub const METHOD: Label = Label::new(
    "rpc_method",
    "rpc.method",
    Values::Configured,
    false,
    "Full name, package.Service/Method; unknown ones are _OTHER.",
);
/// Status code.
pub const STATUS: Label = Label::new(
    "rpc_response_status_code",
    "rpc.response.status_code",
    Values::Closed(STATUS_CODES),
    true,
    "Status code; absent when the call ended without one.",
);
/// Why a served call failed: of the status codes, those that the semantic conventions count as errors of a server.
pub const SERVER_ERROR_TYPE: Label = Label::new(
    "error_type",
    "error.type",
    Values::Closed(&[
        "UNKNOWN",
        "DEADLINE_EXCEEDED",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "panic",
        "timeout",
        "client_disconnect",
        "server_shutdown",
        "body_error",
        "_OTHER",
    ]),
    true,
    "Why it failed; absent on success.",
);
/// Why a call to a dependency failed: any status code but OK, or no answer.
pub const CLIENT_ERROR_TYPE: Label = Label::new(
    "error_type",
    "error.type",
    Values::Closed(&[
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
        "panic",
        "timeout",
        "client_disconnect",
        "body_error",
        "_OTHER",
    ]),
    true,
    "Why it failed; absent on success.",
);

signals! {
    family "rpc";
    /// Each call is counted once, when its status is known. A streaming call's value is its time to first message.
    SERVER_CALL_DURATION = histogram(DURATION_BUCKETS) "rpc_server_call_duration_seconds",
        otel "rpc.server.call.duration", unit Seconds, help "Duration of RPC calls that were served.",
        labels [SYSTEM, METHOD, STATUS, SERVER_ERROR_TYPE];
    /// Each call is counted once, when its outcome is known; a retry is a call of its own. A streaming call's value is its
    /// time to first message.
    CLIENT_CALL_DURATION = histogram(DURATION_BUCKETS) "rpc_client_call_duration_seconds",
        otel "rpc.client.call.duration", unit Seconds, help "Duration of RPC calls to dependencies.",
        labels [SYSTEM, METHOD, DEPENDENCY, STATUS, CLIENT_ERROR_TYPE];
}
