//! Background jobs (RED), and when each last succeeded.

use crate::http::{ERROR_TYPE, STREAM_BUCKETS};
use crate::{Buckets, Label, Values, signals};

/// Bounds of runs, 1 s to 24 h: those of streams.
pub const DURATION_BUCKETS: Buckets = STREAM_BUCKETS;

/// Name of the job.
pub const NAME: Label = Label::new("job_name", "job.name", Values::Configured, false, "Name of the job.");

signals! {
    family "job";
    /// Each run is counted once, when it ends.
    RUN_DURATION = histogram(DURATION_BUCKETS) "job_run_duration_seconds",
        otel "job.run.duration", unit Seconds, help "Duration of runs of background jobs.",
        labels [NAME, ERROR_TYPE];
    /// Runs that started and have not ended.
    ACTIVE_RUNS = gauge "job_active_runs", otel "job.active_runs", unit Count,
        help "Runs of background jobs in progress.", labels [NAME];
    /// Absent until the first success of this process: a zero would say 1970.
    LAST_SUCCESS = gauge "job_last_success_timestamp_seconds", otel "job.last_success.timestamp", unit Seconds,
        help "Unix time at which the job last succeeded.", labels [NAME];
}
