//! Any limited resource (USE): utilization is usage over limit, saturation is what waits, errors are refusals.

use crate::http::DURATION_BUCKETS;
use crate::{Label, Values, signals};

/// Types of resources.
pub const TYPES: &[&str] =
    &["semaphore", "queue", "thread_pool", "connection_pool", "disk", "memory", "cpu", "file_descriptors", "_OTHER"];

/// Type of the resource.
pub const TYPE: Label =
    Label::new("resource_type", "resource.type", Values::Closed(TYPES), false, "What kind of resource it is.");
/// Name of the resource.
pub const NAME: Label =
    Label::new("resource_name", "resource.name", Values::Configured, false, "Configured name of the resource.");

signals! {
    family "resource";
    /// Utilization, with the limit.
    USAGE = gauge "resource_usage", otel "resource.usage", unit Count,
        help "How much of the resource is in use, in its own unit.", labels [TYPE, NAME];
    /// Absent for a resource without a limit.
    LIMIT = gauge "resource_limit", otel "resource.limit", unit Count,
        help "How much of the resource there is, in its own unit.", labels [TYPE, NAME];
    /// Saturation.
    PENDING = gauge "resource_pending", otel "resource.pending", unit Count,
        help "Requests that wait for the resource.", labels [TYPE, NAME];
    /// How long requests wait.
    WAIT_TIME = histogram(DURATION_BUCKETS) "resource_wait_time_seconds", otel "resource.wait_time", unit Seconds,
        help "Time until a request has the resource.", labels [TYPE, NAME];
    /// Requests that were refused or gave up.
    ERRORS = counter "resource_errors_total", otel "resource.errors", unit Count,
        help "Requests for the resource that failed.", labels [TYPE, NAME];
}
