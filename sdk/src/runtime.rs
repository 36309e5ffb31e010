//! The Tokio runtime (USE): workers, how busy they are, tasks and queue; how late a task runs; and the heartbeat of
//! `/healthz`. One task on the service's own runtime gives the last two, without an unstable flag.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kilter_contract::{Signal, process};
use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

use crate::Telemetry;
use crate::admin::State;
use crate::core::Core;
use crate::signal::clock;
use crate::signal::family::Series;
use crate::signal::level::Level;

/// How often the probe asks to run, in nanoseconds.
const PERIOD: u64 = 100_000_000;

/// The runtime that is watched.
#[derive(Debug, Default)]
pub(crate) struct Runtime {
    watched: Mutex<Option<(Id, AbortHandle)>>,
    /// How long workers were busy, of this and of earlier runtimes.
    busy: Level,
}

impl Telemetry {
    /// Watches the runtime that this is called on: `tokio_*`, and the heartbeat of `/healthz`. `serve` does so, and `init`
    /// and `build` do when they are called within a runtime; a service that serves otherwise calls it once there. One
    /// runtime is watched, the last one. It needs Tokio's timer (`enable_time`, which `#[tokio::main]` has).
    pub fn watch_runtime(&self) {
        if let Ok(runtime) = Handle::try_current() {
            self.watch(&runtime);
        } else {
            tracing::warn!("there is no Tokio runtime here to be watched");
        }
    }

    pub(crate) fn watch(&self, runtime: &Handle) {
        let core = self.core();
        let mut watched = core.runtime.watched.lock().unwrap_or_else(PoisonError::into_inner);
        match watched.as_ref() {
            Some((id, probe)) if *id == runtime.id() && !probe.is_finished() => return,
            Some((_, probe)) => probe.abort(),
            None => {}
        }
        let delay = core.families.of(&process::TOKIO_SCHEDULING_DELAY).series(&[]);
        let probe = runtime.spawn(probe(Arc::clone(&self.admin().state), delay)).abort_handle();
        *watched = Some((runtime.id(), probe.clone()));
        read(core, runtime.clone(), probe);
    }
}

/// Reads what the runtime says of itself at each rendering, until it has ended.
fn read(core: &'static Core, runtime: Handle, probe: AbortHandle) {
    // Found when they are read: no page shows one that was never read.
    let series = |signal: &Signal| core.families.of(signal).series(&[]);
    let before = core.runtime.busy.get();
    core.collectors.set("runtime".to_owned(), move || {
        let it = runtime.metrics();
        let alive = !probe.is_finished();
        let show = |signal: &Signal, n: usize| series(signal).level().set(if alive { n as f64 } else { f64::NAN });
        show(&process::TOKIO_WORKERS, it.num_workers());
        show(&process::TOKIO_ALIVE_TASKS, it.num_alive_tasks());
        show(&process::TOKIO_GLOBAL_QUEUE, it.global_queue_depth());
        #[cfg(target_has_atomic = "64")]
        {
            let each = (0..it.num_workers()).map(|worker| it.worker_total_busy_duration(worker).as_secs_f64());
            core.runtime.busy.raise(before + each.sum::<f64>());
            series(&process::TOKIO_BUSY).raise(core.runtime.busy.get());
        }
    });
}

/// Asks to run ten times a second, and counts for each time how late that was. A runtime that was blocked runs late for
/// everything that was asked of it meanwhile, so each time counts, also those that were missed.
///
/// Tokio's timer counts milliseconds and rounds up: an idle runtime is late by one or two.
fn probe(state: Arc<State>, delay: &'static Series) -> impl Future<Output = ()> + Send {
    // Before the first poll, so that a runtime that never runs is noticed too.
    state.beat();
    let watched = Watched(state);
    async move {
        let mut asked = clock::now() + PERIOD;
        loop {
            tokio::time::sleep(Duration::from_nanos(asked.saturating_sub(clock::now()))).await;
            let now = clock::now();
            watched.0.beat();
            while asked <= now {
                delay.record(now - asked);
                asked += PERIOD;
            }
        }
    }
}

/// A runtime that has ended, or that another has taken the place of, is not unhealthy.
struct Watched(Arc<State>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.unwatched();
    }
}
