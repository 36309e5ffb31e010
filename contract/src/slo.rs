//! Names of everything that is generated: recorded series, their labels, alerts and severities.
//!
//! Names follow `level:metric:operation` as the Prometheus documentation advises for recording rules.

/// Errors per second over 5 minutes. Labels: `service`, `slo`, identity and `by` labels.
pub const ERROR_RATE: &str = "slo:error:rate5m";
/// Events per second over 5 minutes.
pub const TOTAL_RATE: &str = "slo:total:rate5m";
/// Events per second as measured, for SLOs where what counts differs from it: `no_data: bad`, maintenance.
pub const MEASURED_RATE: &str = "slo:measured:rate5m";
/// 1 while an SLO is in maintenance, and for five minutes afterwards.
pub const MAINTENANCE: &str = "slo:maintenance:active";
/// Unix time of the last success that a freshness SLO knows of; it outlives the process that reported it.
pub const LAST_SUCCESS: &str = "slo:last_success:timestamp";
/// The objective as a fraction.
pub const OBJECTIVE: &str = "slo:objective:ratio";
/// One minus the objective.
pub const ERROR_BUDGET: &str = "slo:error_budget:ratio";
/// Constant 1 with team, tier and texts as labels; for dashboards, in no alert.
pub const INFO: &str = "slo:info";
/// Prefix of the burn rate over an alert window: `slo:burn_rate:1h`.
pub const BURN_RATE_PREFIX: &str = "slo:burn_rate:";
/// Share of the budget spent over the compliance window, times its length: 1 spends exactly the budget.
pub const PERIOD_BURN_RATE: &str = "slo:period_burn_rate:ratio";
/// Share of the compliance window for which data exist.
pub const PERIOD_COVERAGE: &str = "slo:period_coverage:ratio";
/// Error budget left; negative when overspent.
pub const BUDGET_REMAINING: &str = "slo:error_budget_remaining:ratio";

/// The service of an SLO.
pub const SERVICE_LABEL: &str = "service";
/// The name of an SLO.
pub const SLO_LABEL: &str = "slo";
/// Severity of an alert: [`PAGE`] or [`TICKET`].
pub const SEVERITY_LABEL: &str = "severity";
/// The team that is told.
pub const TEAM_LABEL: &str = "team";

/// Somebody is woken.
pub const PAGE: &str = "page";
/// Somebody looks at it in office hours.
pub const TICKET: &str = "ticket";
/// A page that nobody has ended goes one level up: to the team's escalation receiver.
pub const ESCALATION: &str = "escalation";
/// What is larger than one team, or lasts for longer than its leads could end it, goes to the top.
pub const LEADERSHIP: &str = "leadership";

/// The error budget burns too fast (page and ticket).
pub const ERROR_BUDGET_BURN: &str = "ErrorBudgetBurn";
/// The budget of the compliance window is spent.
pub const ERROR_BUDGET_EXHAUSTED: &str = "ErrorBudgetExhausted";
/// The data of an SLO vanished or never came.
pub const DATA_MISSING: &str = "SLODataMissing";
/// Traffic fell to nothing.
pub const TRAFFIC_LOST: &str = "SLOTrafficLost";
/// No instance of the service is up.
pub const SERVICE_DOWN: &str = "ServiceDown";
/// Requests wait for a resource, without a pause.
pub const RESOURCE_SATURATED: &str = "ResourceSaturated";
/// A resource is used nearly up to its limit.
pub const RESOURCE_NEAR_LIMIT: &str = "ResourceNearLimit";
/// Requests for a resource fail.
pub const RESOURCE_ERRORS: &str = "ResourceErrors";
/// A resource that fills up will be full soon.
pub const RESOURCE_FILLING: &str = "ResourceFilling";
/// A circuit breaker rejects most calls to a dependency.
pub const CIRCUIT_BREAKER_OPEN: &str = "CircuitBreakerOpen";
/// A replica is far behind its primary.
pub const REPLICA_LAGGING: &str = "ReplicaLagging";
/// A process restarts again and again.
pub const PROCESS_RESTARTING: &str = "ProcessRestarting";
/// Spans are lost, or metrics are refused or folded.
pub const TELEMETRY_DEGRADED: &str = "TelemetryDegraded";
/// The rules themselves fail, are late, or too slow.
pub const RULES_FAILING: &str = "SLORulesFailing";
/// A page has fired for so long that somebody else must hear of it. Its label `page` names the alert.
pub const PAGE_UNANSWERED: &str = "PageUnanswered";
/// Pages of several teams go on at once: one outage, which no team sees whole.
pub const OUTAGE_WIDESPREAD: &str = "OutageWidespread";
/// Always fires; its absence tells that alerting is dead.
pub const WATCHDOG: &str = "Watchdog";

/// Every recorded series of fixed name; burn rates add one per alert window.
pub const RECORDED: &[&str] = &[
    ERROR_RATE,
    TOTAL_RATE,
    MEASURED_RATE,
    MAINTENANCE,
    LAST_SUCCESS,
    OBJECTIVE,
    ERROR_BUDGET,
    INFO,
    PERIOD_BURN_RATE,
    PERIOD_COVERAGE,
    BUDGET_REMAINING,
];

/// Every alert.
pub const ALERTS: &[&str] = &[
    ERROR_BUDGET_BURN,
    ERROR_BUDGET_EXHAUSTED,
    DATA_MISSING,
    TRAFFIC_LOST,
    SERVICE_DOWN,
    RESOURCE_SATURATED,
    RESOURCE_NEAR_LIMIT,
    RESOURCE_ERRORS,
    RESOURCE_FILLING,
    CIRCUIT_BREAKER_OPEN,
    REPLICA_LAGGING,
    PROCESS_RESTARTING,
    TELEMETRY_DEGRADED,
    RULES_FAILING,
    PAGE_UNANSWERED,
    OUTAGE_WIDESPREAD,
    WATCHDOG,
];

/// Alerts about a service as a whole: they carry no [`SLO_LABEL`].
pub const PER_SERVICE: &[&str] = &[
    SERVICE_DOWN,
    RESOURCE_SATURATED,
    RESOURCE_NEAR_LIMIT,
    RESOURCE_ERRORS,
    RESOURCE_FILLING,
    CIRCUIT_BREAKER_OPEN,
    REPLICA_LAGGING,
    PROCESS_RESTARTING,
    TELEMETRY_DEGRADED,
];

/// The recorded burn rate over an alert window such as `1h`.
pub fn burn_rate(window: &str) -> String {
    format!("{BURN_RATE_PREFIX}{window}")
}
