//! Background jobs: duration and outcome of each run, runs in progress, time of the last success.

use std::future::Future;
use std::time::{SystemTime, UNIX_EPOCH};

use kilter_contract::{error_type, job};
use opentelemetry::trace::SpanKind;

use crate::Telemetry;
use crate::core::Core;
use crate::measured::{End, measure};
use crate::signal::family::Series;
use crate::trace::{CallSpan, Work, innermost};

/// A background job. Copy it to wherever it runs; [`Telemetry::job`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    core: &'static Core,
    active: &'static Series,
    name: &'static str,
}

impl Telemetry {
    /// A background job of this name. Its series exist from now on, so that the first failure is seen.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let reindex = telemetry.job("reindex");
    /// reindex.run(async { Ok::<_, std::io::Error>(()) }).await.unwrap();
    /// assert_eq!(telemetry.value("job_run_duration_seconds_count{job_name=\"reindex\"}"), Some(1.0));
    /// # }
    /// ```
    pub fn job(&self, name: &'static str) -> Job {
        let core = self.core();
        let runs = core.families.of(&job::RUN_DURATION);
        for error in [None, Some(error_type::OTHER)] {
            runs.series(&[Some(name), error]);
        }
        let active = core.families.of(&job::ACTIVE_RUNS).series(&[Some(name)]);
        Job { core, active, name }
    }
}

impl Job {
    /// Runs it: counted once, when it ends, also when it panics (`panic`) or is dropped before its end (`timeout`).
    /// More than one run at a time shows as `job_active_runs` above 1.
    ///
    /// A run is a trace of its own, or a part of the request that runs it: logs carry its ids, calls out pass them on. What
    /// it waits for when it is dropped is a `timeout` too.
    pub fn run<F, T, E>(self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.active.level().shift(1.0);
        let around = innermost().map(|it| (it.trace, it.span_id, it.sampled));
        let context = self.core.tracer.get().map(|it| it.continue_or_begin(around));
        measure(Work::new(future, context), move |end: End<'_, Result<T, E>>, nanos| {
            let error = end.error_type();
            let families = &self.core.families;
            families.of(&job::RUN_DURATION).series(&[Some(self.name), error]).record(nanos);
            if error.is_none() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                families.of(&job::LAST_SUCCESS).series(&[Some(self.name)]).level().set(now.as_secs_f64());
            }
            self.active.level().shift(-1.0);
            if let Some(context) = context.filter(|it| it.sampled) {
                CallSpan::job(context, self.name).finish_now(self.core, SpanKind::Internal, nanos, error);
            }
        })
    }
}
