//! Loops that take work from a queue: how many of them are busy, and what waits for them.

use std::future::Future;

use tokio::sync::mpsc;

use super::Resource;
use crate::Telemetry;

/// A fixed number of worker loops. Copy it into each; [`Telemetry::workers`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Workers(Resource);

impl Telemetry {
    /// This many worker loops, as a resource of the kind `thread_pool`.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// # let (sender, mut receiver) = tokio::sync::mpsc::channel(100);
    /// # sender.send("a page").await.unwrap(); let queue = sender.clone(); drop(sender);
    /// # async fn index(_: &str) {}
    /// let workers = telemetry.workers("indexing", 4).queue(&queue);
    /// # drop(queue);
    /// while let Some(page) = receiver.recv().await {
    ///     workers.busy(index(page)).await;
    /// }
    /// # }
    /// ```
    pub fn workers(&self, name: &str, n: usize) -> Workers {
        Workers(self.resource("thread_pool", name).limit(n))
    }
}

impl Workers {
    /// The channel that feeds them: what it holds waits for them.
    #[must_use = "workers can be copied; this returns the same ones"]
    pub fn queue<T: Send + 'static>(self, sender: &mpsc::Sender<T>) -> Self {
        let (sender, resource) = (sender.downgrade(), self.0);
        let waiting = move || sender.upgrade().map_or(0, |it| it.max_capacity() - it.capacity());
        resource.core.collectors.set(resource.reader("queue"), move || {
            resource.pending.level().set(waiting() as f64);
        });
        self
    }

    /// Runs one piece of work: a worker is busy until it ends, is dropped, or panics.
    pub async fn busy<F: Future>(self, work: F) -> F::Output {
        let _busy = self.0.hold(1);
        work.await
    }
}
