//! Resources that count their own use: read at each rendering, unchanged.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use kilter_contract::resource;
use tokio::sync::{Semaphore, mpsc};

use super::{Resource, limit_of};
use crate::Telemetry;
use crate::core::Core;
use crate::signal::family::Series;

/// How much of a resource is in use, by its own word.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    used: f64,
    limit: Option<f64>,
    pending: Option<f64>,
}

impl Usage {
    /// This much is in use.
    pub fn of(used: usize) -> Self {
        Self { used: used as f64, limit: None, pending: None }
    }

    /// Out of this much.
    #[must_use]
    pub fn limit(self, n: usize) -> Self {
        Self { limit: (n > 0).then_some(n as f64), ..self }
    }

    /// While this many wait; for a resource that knows who waits. Waits of [`Observed::acquire`] are then not added.
    #[must_use]
    pub fn pending(self, n: usize) -> Self {
        Self { pending: Some(n as f64), ..self }
    }

    /// The same with fractions: processor time, bytes beyond a machine word.
    pub(crate) fn exact(used: f64, limit: f64) -> Self {
        Self { used, limit: Some(limit), pending: None }
    }
}

/// A resource whose use is read at each scrape. What waits for it is counted by [`Observed::acquire`].
#[derive(Debug, Clone, Copy)]
pub struct Observed(Resource);

impl Resource {
    /// Reads its use at each scrape, in place of counting it: from a pool that knows, for example. `read` must not block;
    /// its series are absent while it says `None`, because what it reads is gone.
    ///
    /// ```
    /// use kilter::Usage;
    ///
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// static PERMITS: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(8);
    /// let permits = telemetry.resource("semaphore", "thumbnails");
    /// let permits = permits.observe(|| Usage::of(8 - PERMITS.available_permits()).limit(8));
    /// # let _ = permits;
    /// ```
    pub fn observe<U: Into<Option<Usage>>>(self, read: impl Fn() -> U + Send + Sync + 'static) -> Observed {
        let reading = Reading::new(self.core, self.usage, Some(self.pending));
        self.core.collectors.set(self.reader("usage"), move || reading.show(read().into()));
        Observed(self)
    }
}

/// Reads at each rendering what nobody waits for: memory, disks. It has usage and limit only.
pub(crate) fn observe_alone(
    core: &'static Core,
    (kind, name): (&str, &str),
    read: impl Fn() -> Option<Usage> + Send + Sync + 'static,
) {
    let usage = core.families.of(&resource::USAGE).series(&[Some(kind), Some(name)]);
    let reading = Reading::new(core, usage, None);
    core.collectors.set(format!("resource usage {kind} {name}"), move || reading.show(read()));
}

/// What a reading shows; it takes back only what it has shown before.
struct Reading {
    core: &'static Core,
    usage: &'static Series,
    pending: Option<&'static Series>,
    gave_limit: AtomicBool,
    gave_pending: AtomicBool,
}

impl Reading {
    fn new(core: &'static Core, usage: &'static Series, pending: Option<&'static Series>) -> Self {
        Self { core, usage, pending, gave_limit: AtomicBool::new(false), gave_pending: AtomicBool::new(false) }
    }

    fn show(&self, it: Option<Usage>) {
        self.usage.level().set(it.map_or(f64::NAN, |it| it.used));
        let limit = it.and_then(|it| it.limit);
        if self.gave_limit.swap(limit.is_some(), Ordering::Relaxed) || limit.is_some() {
            limit_of(self.core, self.usage).level().set(limit.unwrap_or(f64::NAN));
        }
        let pending = it.and_then(|it| it.pending);
        if pending.is_some() || self.gave_pending.load(Ordering::Relaxed) {
            self.gave_pending.store(true, Ordering::Relaxed);
            self.pending.iter().for_each(|it| it.level().set(pending.unwrap_or(0.0)));
        }
    }
}

impl Observed {
    /// Awaits something of it: pending until then, the wait measured, a failure or giving up counted as an error. What is
    /// acquired is returned as it is.
    pub fn acquire<F, T, E>(self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.0.wait(future, Result::is_err)
    }

    /// Counts a request for it that was refused without a wait: the queue was full, a `try_acquire` said no.
    pub fn refused(self) {
        self.0.refused();
    }
}

impl Telemetry {
    /// A semaphore, unchanged: in use are the permits that are not available, out of those that are available now. Make
    /// it where the semaphore is made, before anyone has a permit.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), tokio::sync::AcquireError> {
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let semaphore = std::sync::Arc::new(tokio::sync::Semaphore::new(32));
    /// let checkout = telemetry.semaphore("checkout", &semaphore);
    /// let permit = checkout.acquire(semaphore.acquire()).await?;
    /// # drop(permit); Ok(()) }
    /// ```
    pub fn semaphore(&self, name: &str, semaphore: &Arc<Semaphore>) -> Observed {
        let resource = self.resource("semaphore", name).limit(semaphore.available_permits());
        let (limit, semaphore) = (limit_of(self.core(), resource.usage).level(), Arc::downgrade(semaphore));
        resource.observe(move || {
            let available = Weak::upgrade(&semaphore)?.available_permits() as f64;
            // `add_permits` is seen when they are free.
            let most = limit.get().max(available);
            Some(Usage::exact(most - available, most))
        })
    }

    /// A bounded channel, unchanged: in use are its slots that hold a message or are reserved. `acquire(sender.send(x))`
    /// measures how long senders wait for one.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let (sender, receiver) = tokio::sync::mpsc::channel(1_000);
    /// let outbox = telemetry.channel("outbox", &sender);
    /// outbox.acquire(sender.send("a mail")).await?;
    /// # drop(receiver); Ok(()) }
    /// ```
    pub fn channel<T: Send + 'static>(&self, name: &str, sender: &mpsc::Sender<T>) -> Observed {
        let sender = sender.downgrade();
        self.resource("queue", name).observe(move || {
            let sender = sender.upgrade()?;
            let most = sender.max_capacity();
            Some(Usage::of(most - sender.capacity()).limit(most))
        })
    }
}
