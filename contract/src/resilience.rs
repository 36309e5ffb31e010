//! What keeps a service up while its dependencies are not: breakers, rejections, reads from replicas.

use crate::db::{NAMESPACE, ROLE};
use crate::http_client::DEPENDENCY;
use crate::{Label, Values, signals};

/// States of a breaker.
pub const STATES: &[&str] = &["closed", "half_open", OPEN];
/// The state in which a breaker rejects every call.
pub const OPEN: &str = "open";
/// Why a call is rejected.
pub const REJECT_REASONS: &[&str] = &["circuit_open", "limit", "deadline"];
/// The read went to a replica, as it should.
pub const PREFERRED: &str = "preferred";
/// Every replica that answers is too far behind.
pub const LAG: &str = "lag";
/// No replica answers, or none knows how far it is behind.
pub const UNAVAILABLE: &str = "unavailable";
/// The read must see what was just written.
pub const CONSISTENCY: &str = "consistency";

/// State of a breaker.
pub const STATE: Label = Label::new(
    "state",
    "kilter.circuit_breaker.state",
    Values::Closed(STATES),
    false,
    "State of the circuit breaker; of a transition, the new one.",
);
/// Why a call was rejected.
pub const REJECT_REASON: Label =
    Label::new("reason", "kilter.reject.reason", Values::Closed(REJECT_REASONS), false, "Why the call was not made.");
/// A replica.
pub const REPLICA: Label =
    Label::new("replica", "kilter.db.replica", Values::Configured, false, "Configured name of the replica.");
/// Why a read went where it went.
pub const READ_REASON: Label = Label::new(
    "reason",
    "kilter.db.read.reason",
    Values::Closed(&[PREFERRED, LAG, UNAVAILABLE, CONSISTENCY]),
    false,
    "Why the read went there.",
);

signals! {
    family "resilience";
    /// One series per state; the current one is 1, the others 0.
    CIRCUIT_BREAKER_STATE = gauge "circuit_breaker_state", otel "circuit_breaker.state", unit Count,
        help "Whether the circuit breaker is in this state.", labels [DEPENDENCY, STATE];
    /// Changes of state, by the new one.
    CIRCUIT_BREAKER_TRANSITIONS = counter "circuit_breaker_transitions_total", otel "circuit_breaker.transitions",
        unit Count, help "Changes of the circuit breaker into this state.", labels [DEPENDENCY, STATE];
    /// Calls that were never made; they are errors of the dependency.
    DEPENDENCY_REJECTED = counter "dependency_rejected_total", otel "dependency.rejected", unit Count,
        help "Calls to the dependency that were rejected before they were made.", labels [DEPENDENCY, REJECT_REASON];
    /// As the replica itself reports it.
    REPLICA_LAG = gauge "replica_lag_seconds", otel "replica.lag", unit Seconds,
        help "How far the replica is behind its primary.", labels [NAMESPACE, REPLICA];
    /// Reads that may go to a replica, by where they went.
    REPLICA_READS = counter "replica_reads_total", otel "replica.reads", unit Count,
        help "Reads that a replica may answer, by the role that answered.", labels [NAMESPACE, ROLE, READ_REASON];
}
