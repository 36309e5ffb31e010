//! Database signals: operations (RED) and connection pools (USE).
//!
//! Left out on purpose: `db.query.text`, `db.collection.name` and `server.address` (query texts and addresses are not
//! bounded). The role tells a primary from its replicas, which the semantic conventions cannot.

use crate::{Buckets, Label, Values, http, signals};

/// Bounds of operations: the 9 that the semantic conventions advise for `db.client.operation.duration`.
pub const DURATION_BUCKETS: Buckets = Buckets::from_nanos(&[
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
    10_000_000_000,
]);

/// The server that takes writes.
pub const PRIMARY: &str = "primary";
/// A server that follows it.
pub const REPLICA: &str = "replica";
/// Roles of a database server.
pub const ROLES: &[&str] = &[PRIMARY, REPLICA];
/// The system of a database of which nobody said what it is.
pub const OTHER_SQL: &str = "other_sql";
/// The operation that a connection which could not be had was for. It is counted when it fails only.
pub const ACQUIRE: &str = "acquire";
/// Connections that nobody uses.
pub const IDLE: &str = "idle";
/// Connections in use.
pub const USED: &str = "used";

/// Database system.
pub const SYSTEM: Label = Label::new(
    "db_system_name",
    "db.system.name",
    Values::Configured,
    false,
    "The database system, such as postgresql or sqlite.",
);
/// Operation.
pub const OPERATION: Label = Label::new(
    "db_operation_name",
    "db.operation.name",
    Values::Configured,
    false,
    "Name of the operation as the code gives it, such as load_repository.",
);
/// Database.
pub const NAMESPACE: Label =
    Label::new("db_namespace", "db.namespace", Values::Configured, false, "Configured name of the database.");
/// Role of the server.
pub const ROLE: Label =
    Label::new("db_role", "kilter.db.role", Values::Closed(ROLES), false, "Role of the server that answered.");
/// Name of a pool.
pub const POOL: Label = Label::new(
    "db_client_connection_pool_name",
    "db.client.connection.pool.name",
    Values::Configured,
    false,
    "Configured name of the pool.",
);
/// State of a connection.
pub const CONNECTION_STATE: Label = Label::new(
    "db_client_connection_state",
    "db.client.connection.state",
    Values::Closed(&[IDLE, USED]),
    false,
    "Whether the connections are in use.",
);

signals! {
    family "db";
    /// Each operation is counted once, when its outcome is known; waiting for a connection is not part of it. One that
    /// never got a connection is counted as the operation `acquire`, so that an unreachable server spends a budget.
    OPERATION_DURATION = histogram(DURATION_BUCKETS) "db_client_operation_duration_seconds",
        otel "db.client.operation.duration", unit Seconds, help "Duration of database operations.",
        labels [SYSTEM, OPERATION, NAMESPACE, ROLE, http::ERROR_TYPE];
    /// Utilization of a pool.
    CONNECTION_COUNT = gauge "db_client_connection_count", otel "db.client.connection.count", unit Count,
        help "Connections of the pool by state.", labels [POOL, CONNECTION_STATE];
    /// Limit of a pool.
    CONNECTION_MAX = gauge "db_client_connection_max", otel "db.client.connection.max", unit Count,
        help "The most connections that the pool opens.", labels [POOL];
    /// Saturation of a pool.
    CONNECTION_PENDING = gauge "db_client_connection_pending_requests", otel "db.client.connection.pending_requests",
        unit Count, help "Requests that wait for a connection.", labels [POOL];
    /// Errors of a pool.
    CONNECTION_TIMEOUTS = counter "db_client_connection_timeouts_total", otel "db.client.connection.timeouts",
        unit Count, help "Requests that gave up waiting for a connection.", labels [POOL];
    /// How long requests wait.
    CONNECTION_WAIT_TIME = histogram(DURATION_BUCKETS) "db_client_connection_wait_time_seconds",
        otel "db.client.connection.wait_time", unit Seconds, help "Time until a request has its connection.",
        labels [POOL];
}
