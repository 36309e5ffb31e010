//! The process and its runtime (USE). `process_*` has the names that every Prometheus client library uses.

use crate::{Buckets, signals};

/// Bounds of scheduling delays, 100 µs to 10 s: below a millisecond a runtime is idle, above a second it is blocked.
pub const DELAY_BUCKETS: Buckets = Buckets::from_nanos(&[
    100_000,
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    10_000_000_000,
]);

signals! {
    family "process";
    /// User and system time.
    CPU = counter "process_cpu_seconds_total", otel "process.cpu", unit Seconds,
        help "CPU time that the process has used.", labels [];
    /// What the kernel holds in memory for the process.
    RESIDENT_MEMORY = gauge "process_resident_memory_bytes", otel "process.resident_memory", unit Bytes,
        help "Resident memory of the process.", labels [];
    /// Address space.
    VIRTUAL_MEMORY = gauge "process_virtual_memory_bytes", otel "process.virtual_memory", unit Bytes,
        help "Virtual memory of the process.", labels [];
    /// Utilization of file descriptors.
    OPEN_FDS = gauge "process_open_fds", otel "process.open_fds", unit Count,
        help "Open file descriptors of the process.", labels [];
    /// Limit of file descriptors.
    MAX_FDS = gauge "process_max_fds", otel "process.max_fds", unit Count,
        help "The most file descriptors that the process may open.", labels [];
    /// Threads.
    THREADS = gauge "process_threads", otel "process.threads", unit Count,
        help "Threads of the process.", labels [];
    /// A restart is a change of it.
    START_TIME = gauge "process_start_time_seconds", otel "process.start_time", unit Seconds,
        help "Unix time at which the process started.", labels [];
    /// Worker threads of the runtime.
    TOKIO_WORKERS = gauge "tokio_workers", otel "tokio.workers", unit Count,
        help "Worker threads of the runtime.", labels [];
    /// Tasks that have not ended.
    TOKIO_ALIVE_TASKS = gauge "tokio_alive_tasks", otel "tokio.alive_tasks", unit Count,
        help "Tasks of the runtime that have not ended.", labels [];
    /// Tasks that wait for any worker.
    TOKIO_GLOBAL_QUEUE = gauge "tokio_global_queue_depth", otel "tokio.global_queue_depth", unit Count,
        help "Tasks that wait in the runtime's global queue.", labels [];
    /// Utilization of the workers.
    TOKIO_BUSY = counter "tokio_worker_busy_seconds_total", otel "tokio.worker.busy", unit Seconds,
        help "Time that the runtime's workers were busy, all workers together.", labels [];
    /// Saturation of the runtime.
    TOKIO_SCHEDULING_DELAY = histogram(DELAY_BUCKETS) "tokio_scheduling_delay_seconds",
        otel "tokio.scheduling_delay", unit Seconds, help "How much later than asked a task ran.", labels [];
}
