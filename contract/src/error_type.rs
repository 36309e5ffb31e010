//! The closed set of `error_type` values. Absent on success.
//!
//! The source of the label is OpenTelemetry's `error.type`: low cardinality, set only when the operation failed.

/// The handler, or the body of its response, panicked.
pub const PANIC: &str = "panic";
/// The service gave up on the request by its own deadline.
pub const TIMEOUT: &str = "timeout";
/// The client left before its response was complete. Not an availability error.
pub const CLIENT_DISCONNECT: &str = "client_disconnect";
/// The service ended the request at its drain deadline.
pub const SERVER_SHUTDOWN: &str = "server_shutdown";
/// The response body failed after its head was sent.
pub const BODY_ERROR: &str = "body_error";
/// Anything beyond the set or the budget.
pub const OTHER: &str = "_OTHER";

/// Every kind of the contract; besides them the status code of a server error (`500` to `599`) and declared kinds.
pub const KINDS: &[&str] = &[PANIC, TIMEOUT, CLIENT_DISCONNECT, SERVER_SHUTDOWN, BODY_ERROR, OTHER];

/// Whether `value` has the form of an `error_type`: a kind, a status of a server error, or a declared kind's name.
pub fn is_well_formed(value: &str) -> bool {
    KINDS.contains(&value)
        || value.parse::<u16>().is_ok_and(|status| (500..600).contains(&status))
        || is_declarable(value)
}

/// Whether a service may declare this kind: `[a-z][a-z0-9_]{0,39}` and not one of [`KINDS`].
pub fn is_declarable(value: &str) -> bool {
    value.len() <= 40
        && value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !KINDS.contains(&value)
}
