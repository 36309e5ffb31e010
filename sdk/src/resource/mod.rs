//! Anything that is limited (USE): how much of it is in use, what waits for it, how long, and who did not get it.

mod held;
mod observed;
mod task;
mod workers;

use std::future::Future;

use kilter_contract::{Signal, resource};

pub use held::Held;
pub(crate) use observed::observe_alone;
pub use observed::{Observed, Usage};
pub use workers::Workers;

use crate::Telemetry;
use crate::core::Core;
use crate::measured::{End, measure};
use crate::signal::family::Series;

/// A limited resource whose use is counted here. Copy it to wherever it is used; [`Telemetry::resource`] makes one.
///
/// For what counts its own use (a semaphore, a channel, a pool), [`Resource::observe`] reads it at each scrape instead.
#[derive(Debug, Clone, Copy)]
pub struct Resource {
    core: &'static Core,
    usage: &'static Series,
    pending: &'static Series,
    wait: &'static Series,
    errors: &'static Series,
}

impl Telemetry {
    /// A limited resource: its kind, one of [`TYPES`](kilter_contract::resource::TYPES) (anything else is `_OTHER`), and
    /// its name. Make it once, where the resource is made; its series exist from then on.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let connections = telemetry.resource("connection_pool", "ldap").limit(10);
    /// let held = connections.acquire(async { Ok::<_, std::io::Error>("a connection") }).await.unwrap();
    /// assert!(telemetry.page().contains("resource_usage{resource_type=\"connection_pool\",resource_name=\"ldap\"} 1"));
    /// drop(held);
    /// # }
    /// ```
    pub fn resource(&self, kind: &str, name: &str) -> Resource {
        let core = self.core();
        let series = |signal: &Signal| core.families.of(signal).series(&[Some(kind), Some(name)]);
        Resource {
            core,
            usage: series(&resource::USAGE),
            pending: series(&resource::PENDING),
            wait: series(&resource::WAIT_TIME),
            errors: series(&resource::ERRORS),
        }
    }
}

impl Resource {
    /// How much of it there is. Without this, and with 0, `resource_limit` is absent: nobody knows.
    #[must_use = "a resource can be copied; this returns the same one"]
    pub fn limit(self, n: usize) -> Self {
        let level = limit_of(self.core, self.usage).level();
        if n == 0 {
            level.clear();
        } else {
            level.set(n as f64);
        }
        self
    }

    /// Awaits one unit of it: the wait is measured, pending meanwhile, in use until what is returned is dropped.
    ///
    /// A failure counts as an error, and so does giving up on the wait, by a deadline around it or a race that it lost.
    /// Only a wait that is dropped with the request that it belonged to does not: its client left.
    pub fn acquire<F, T, E>(self, future: F) -> impl Future<Output = Result<Held<T>, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let waiting = self.wait(future, Result::is_err);
        async move { Ok(Held::new(waiting.await?, self.usage, 1)) }
    }

    /// Takes this many units at once, without a wait: what a `try_acquire` gave, the bytes of a buffer.
    pub fn hold(self, units: usize) -> Held<()> {
        Held::new((), self.usage, units)
    }

    /// Counts a request for it that was refused without a wait: the queue was full, a `try_acquire` said no.
    pub fn refused(self) {
        self.errors.add(1);
    }

    /// Awaits it: pending until it is settled, measured when it was had.
    fn wait<F: Future>(self, future: F, failed: fn(&F::Output) -> bool) -> impl Future<Output = F::Output> + use<F> {
        self.pending.level().shift(1.0);
        measure(future, move |end: End<'_, F::Output>, nanos| {
            self.pending.level().shift(-1.0);
            match end {
                End::Done(output) if !failed(output) => self.wait.record(nanos),
                End::CallerLeft => {}
                End::Done(_) | End::Panicked | End::GivenUp => self.errors.add(1),
            }
        })
    }

    /// The name of what reads it at each rendering: one reader for each resource.
    fn reader(self, what: &str) -> String {
        let values: Vec<&str> = self.usage.values.iter().flatten().map(AsRef::as_ref).collect();
        format!("resource {what} {}", values.join(" "))
    }
}

/// The limit of a resource: made when there is one, so that a resource without one has no such series.
fn limit_of(core: &Core, usage: &Series) -> &'static Series {
    let labels: Vec<Option<&str>> = usage.values.iter().map(Option::as_deref).collect();
    core.families.of(&resource::LIMIT).series(&labels)
}
