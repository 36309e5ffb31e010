//! Loops that take builds from the queue and run them.

use std::sync::Arc;
use std::time::Duration;

use kilter::{Messages, Telemetry};

use crate::app::Pipelines;
use crate::build::Workspace;
use crate::builds::State;
use crate::queue::{Claims, Queue};

/// Starts this many; they end with the process.
pub(crate) fn start(
    telemetry: &Telemetry,
    number: usize,
    claims: &Claims,
    pipelines: &Arc<Pipelines>,
    workspace: &Arc<Workspace>,
    limit: Duration,
) {
    let messages = Queue::messages(telemetry);
    for _ in 0..number {
        tokio::spawn(work(messages, Arc::clone(claims), Arc::clone(pipelines), Arc::clone(workspace), limit));
    }
}

async fn work(
    messages: Messages,
    claims: Claims,
    pipelines: Arc<Pipelines>,
    workspace: Arc<Workspace>,
    limit: Duration,
) {
    loop {
        // Whoever holds the lock waits for the next build; the others wait for the lock.
        let Some(waiting) = claims.lock().await.recv().await else { return };
        let (job, worker) = waiting.take().await;
        pipelines.builds.set(job.id, State::Running);
        let message = messages.received(|_| job.traceparent.as_deref());
        let ended = message.process(workspace.run(job.id, job.request, limit)).await;
        pipelines.builds.set(job.id, ended.unwrap_or(State::Broken));
        drop(worker);
    }
}
