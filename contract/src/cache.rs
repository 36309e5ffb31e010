//! Caches (RED): hits, misses and errors.

use crate::db::DURATION_BUCKETS;
use crate::{Label, Values, signals};

/// A read found what it looked for.
pub const HIT: &str = "hit";
/// A read did not find it.
pub const MISS: &str = "miss";
/// The cache failed.
pub const ERROR: &str = "error";
/// The operation that a hit ratio is about.
pub const GET: &str = "get";

/// Name of the cache.
pub const NAME: Label =
    Label::new("cache_name", "cache.name", Values::Configured, false, "Configured name of the cache.");
/// Operation.
pub const OPERATION: Label = Label::new(
    "operation",
    "kilter.cache.operation",
    Values::Closed(&[GET, "set", "delete", "_OTHER"]),
    false,
    "What the cache was asked for.",
);
/// Outcome.
pub const OUTCOME: Label = Label::new(
    "outcome",
    "kilter.cache.outcome",
    Values::Closed(&[HIT, MISS, ERROR]),
    true,
    "How it ended; absent when anything but a read succeeded, and when the client left before its end.",
);

signals! {
    family "cache";
    /// Each operation is counted once, with the buckets of databases.
    OPERATION_DURATION = histogram(DURATION_BUCKETS) "cache_operation_duration_seconds",
        otel "cache.operation.duration", unit Seconds, help "Duration of cache operations.",
        labels [NAME, OPERATION, OUTCOME];
}
