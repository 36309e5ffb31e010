//! Work that waits in the queue of a thread pool, whichever it is.

use super::Resource;
use crate::signal::clock;

impl Resource {
    /// Work for a thread pool: pending until a thread begins it, in use while it runs; the wait between the two is
    /// measured. Work that is thrown away before it began counts as an error.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let hashing = telemetry.resource("thread_pool", "hashing");
    /// let hash = tokio::task::spawn_blocking(hashing.task(|| "of a password")).await?;
    /// # assert_eq!(hash, "of a password"); Ok(()) }
    /// ```
    pub fn task<R, W: FnOnce() -> R>(self, work: W) -> impl FnOnce() -> R + use<R, W> {
        let queued = Queued::new(self);
        move || {
            let resource = queued.begin();
            let _running = resource.hold(1);
            work()
        }
    }
}

/// Work that no thread has begun.
struct Queued {
    resource: Resource,
    since: u64,
    begun: bool,
}

impl Queued {
    fn new(resource: Resource) -> Self {
        resource.pending.level().shift(1.0);
        Self { resource, since: clock::now(), begun: false }
    }

    fn begin(mut self) -> Resource {
        self.begun = true;
        self.resource
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.resource.pending.level().shift(-1.0);
        if self.begun {
            self.resource.wait.record(clock::now().saturating_sub(self.since));
        } else {
            self.resource.errors.add(1);
        }
    }
}
