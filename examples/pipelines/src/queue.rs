//! The queue of builds that wait for a worker.

use std::sync::Arc;
use std::time::Duration;

use kilter::contract::signals;
use kilter::{Counter, Held, Messages, Observed, Resource, Telemetry};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::build::Request;

signals! {
    family "builds";
    /// Every build that was taken into the queue.
    SUBMITTED = counter "builds_submitted_total", otel "builds.submitted", unit Count,
        help "Builds that were taken into the queue.", labels [];
    /// A build is counted the moment that it has waited too long, not when a worker takes it: while no worker takes any,
    /// this is the only sign of it.
    LATE = counter "builds_late_total", otel "builds.late", unit Count,
        help "Builds that waited longer for a worker than they may.", labels [];
}

/// Where builds are put. A full queue refuses.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: mpsc::Sender<Waiting>,
    slots: Observed,
    messages: Messages,
    workers: Resource,
    submitted: Counter,
    late: Counter,
    late_after: Duration,
}

/// What workers take builds from, the one that has waited longest first.
pub(crate) type Claims = Arc<Mutex<mpsc::Receiver<Waiting>>>;

/// A build in the queue.
#[derive(Debug)]
pub(crate) struct Waiting {
    id: u64,
    request: Request,
    traceparent: Option<String>,
    taken: oneshot::Sender<()>,
    wait: JoinHandle<Option<Held<()>>>,
}

impl Queue {
    /// What the queue is called in the signals of messages.
    pub(crate) fn messages(telemetry: &Telemetry) -> Messages {
        telemetry.messages("channel", "builds").group("workers")
    }

    /// A queue for this many builds, from which this many workers take.
    pub(crate) fn new(telemetry: &Telemetry, workers: usize, length: usize, late_after: Duration) -> (Self, Claims) {
        let (sender, receiver) = mpsc::channel(length);
        let queue = Self {
            slots: telemetry.channel("builds", &sender),
            sender,
            messages: Self::messages(telemetry),
            workers: telemetry.resource("thread_pool", "workers").limit(workers),
            submitted: telemetry.counter(&SUBMITTED, []),
            late: telemetry.counter(&LATE, []),
            late_after,
        };
        (queue, Arc::new(Mutex::new(receiver)))
    }

    /// Whether there was room for it.
    pub(crate) fn offer(&self, id: u64, request: Request) -> bool {
        match self.sender.try_reserve() {
            Ok(slot) => {
                self.submitted.add(1);
                let (taken, wait) = self.wait();
                slot.send(Waiting { id, request, traceparent: self.traceparent(), taken, wait });
                true
            }
            Err(TrySendError::Full(()) | TrySendError::Closed(())) => {
                self.slots.refused();
                false
            }
        }
    }

    /// What the request that asks for a build gives on, so that the build belongs to its trace.
    fn traceparent(&self) -> Option<String> {
        let mut header = None;
        self.messages.inject(|_, value| header = Some(value));
        header
    }

    /// Waits for a worker beside the queue, so that it is seen how long while it lasts.
    fn wait(&self) -> (oneshot::Sender<()>, JoinHandle<Option<Held<()>>>) {
        let (taken, taking) = oneshot::channel();
        let (late, late_after) = (self.late, self.late_after);
        let worker = self.workers.acquire(async move {
            tokio::pin!(taking);
            if let Ok(taken) = tokio::time::timeout(late_after, &mut taking).await {
                return taken;
            }
            late.add(1);
            taking.await
        });
        // Not a part of the request, which ends at once.
        (taken, tokio::spawn(async move { worker.await.ok() }))
    }
}

impl Waiting {
    /// A worker has it: what is returned is the worker's time, until it is dropped.
    pub(crate) async fn take(self) -> (Job, Option<Held<()>>) {
        // Nobody listens when the process ends.
        let _ = self.taken.send(());
        let worker = self.wait.await.ok().flatten();
        (Job { id: self.id, request: self.request, traceparent: self.traceparent }, worker)
    }
}

/// A build that a worker has taken.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) request: Request,
    pub(crate) traceparent: Option<String>,
}
