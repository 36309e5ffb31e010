//! The rows of the cost tables: what is measured, and what is taken off it.

use crate::calls::Call;
use crate::case::Case;
use crate::stack::Stack;

/// A row: what a case takes beyond another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) case: Case,
    pub(crate) base: Case,
}

impl Row {
    /// Over a no-op layer under the same traffic. autometrics is no layer: over the bare router.
    fn new(name: &'static str, case: Case) -> Self {
        let stack = if case.stack == Stack::Autometrics { Stack::Bare } else { Stack::Noop };
        Self { name, case, base: Case { stack, sampled: false, spans: false, ..case } }
    }
}

/// One route, every stack and every kind of traffic.
pub(crate) fn of_one_route() -> Vec<Row> {
    let plain = |(name, stack)| Row::new(name, Case::plain(stack));
    let traceparent = |(name, stack)| Row::new(name, Case { traceparent: true, ..Case::plain(stack) });
    let sampled = |(name, stack)| Row::new(name, Case { sampled: true, ..Case::plain(stack) });
    let spans = |(name, stack)| {
        let inner = Row::new(name, Case { spans: true, ..Case::plain(stack) });
        [inner, Row { name: "— of that, the two spans", base: Case::plain(stack), ..inner }]
    };
    let mut rows: Vec<Row> = PLAIN.map(plain).into();
    rows.extend(TRACEPARENT.map(traceparent));
    rows.extend(SAMPLED.map(sampled));
    rows.extend(INNER.map(spans).as_flattened());
    rows
}

/// Fifty routes in turn.
pub(crate) fn of_fifty_routes() -> Vec<Row> {
    MANY.map(|(name, stack)| Row::new(name, Case { routes: 50, ..Case::plain(stack) })).into()
}

/// Calls that a handler makes: over the same handler with the bare call, each less the handler without one.
pub(crate) fn of_calls() -> Vec<Row> {
    let called = |(name, stack, call)| {
        let case = Case { call: Some(call), ..Case::plain(stack) };
        Row { name, case, base: Case { stack: Stack::Noop, ..case } }
    };
    CALLS.map(called).into()
}

const PLAIN: [(&str, Stack); 12] = [
    ("Kilter, metrics only", Stack::KilterMetrics),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower, metrics only", Stack::OtelTowerMetrics),
    ("tower-otel, metrics only", Stack::TowerOtelMetrics),
    ("autometrics (counts function calls, knows no requests; over the bare router)", Stack::Autometrics),
    ("Kilter: metrics, unsampled trace, ids in logs", Stack::Kilter),
    ("opentelemetry-instrumentation-tower: metrics, unsampled trace", Stack::OtelTower),
    ("tower-otel: metrics, unsampled trace", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, unsampled (no metrics)", Stack::AxumTracing),
    ("— with its request span in the JSON logs too", Stack::AxumTracingInLogs),
    ("axum-tracing-opentelemetry, unsampled, and axum-prometheus", Stack::AxumTracingAndPrometheus),
];

const TRACEPARENT: [(&str, Stack); 5] = [
    ("Kilter, unsampled, with `traceparent`", Stack::Kilter),
    ("opentelemetry-instrumentation-tower, unsampled, with `traceparent`", Stack::OtelTower),
    ("tower-otel, unsampled, with `traceparent`", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, unsampled, with `traceparent` (no metrics)", Stack::AxumTracing),
    ("axum-tracing-opentelemetry, unsampled, with `traceparent`, and axum-prometheus", Stack::AxumTracingAndPrometheus),
];

const SAMPLED: [(&str, Stack); 5] = [
    ("Kilter, sampled", Stack::Kilter),
    ("opentelemetry-instrumentation-tower, sampled", Stack::OtelTower),
    ("tower-otel, sampled", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, sampled (no metrics)", Stack::AxumTracing),
    ("axum-tracing-opentelemetry, sampled, and axum-prometheus", Stack::AxumTracingAndPrometheus),
];

const INNER: [(&str, Stack); 3] = [
    ("Kilter, unsampled, two inner spans", Stack::Kilter),
    ("tower-otel, unsampled, two inner spans", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, unsampled, two inner spans (no metrics)", Stack::AxumTracing),
];

const MANY: [(&str, Stack); 6] = [
    ("Kilter, metrics only", Stack::KilterMetrics),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower, metrics only", Stack::OtelTowerMetrics),
    ("tower-otel, metrics only", Stack::TowerOtelMetrics),
    ("autometrics", Stack::Autometrics),
];

const CALLS: [(&str, Stack, Call); 10] = [
    ("Kilter: a database operation, `db(…).run(…)`", Stack::Kilter, Call::Database),
    ("Kilter: a read of a cache, `cache(…).get(…)`", Stack::Kilter, Call::Cache),
    ("Kilter: a unit of a resource, `resource(…).acquire(…)`, and its return", Stack::Kilter, Call::Resource),
    ("Kilter: a run of a job, `job(…).run(…)`", Stack::Kilter, Call::Job),
    ("Kilter: an HTTP call of a tower client", Stack::Kilter, Call::Http),
    ("tower-otel: an HTTP call of a tower client", Stack::TowerOtel, Call::Http),
    ("Kilter: an HTTP call of reqwest", Stack::Kilter, Call::Reqwest),
    ("tower-otel: an HTTP call of reqwest", Stack::TowerOtel, Call::Reqwest),
    ("Kilter: a gRPC call", Stack::Kilter, Call::Grpc),
    ("tower-otel: a gRPC call (no metrics)", Stack::TowerOtel, Call::Grpc),
];
