//! Caches: hits, misses and errors, of caches across the network and in the process.

use std::future::Future;

use kilter_contract::cache::{ERROR, GET, HIT, MISS, OPERATION_DURATION};

use crate::Telemetry;
use crate::measured::{End, measure};
use crate::signal::clock;
use crate::signal::family::Family;

/// A cache. Copy it to wherever it is used; [`Telemetry::cache`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    operations: &'static Family,
    name: &'static str,
}

/// What a read of a cache gives: `Option<T>`, or `Result<Option<T>, E>` when the cache can fail.
pub trait Found {
    /// `Some(true)` is a hit, `Some(false)` a miss; `None` is a cache that failed.
    fn found(&self) -> Option<bool>;
}

impl<T> Found for Option<T> {
    fn found(&self) -> Option<bool> {
        Some(self.is_some())
    }
}

impl<T, E> Found for Result<Option<T>, E> {
    fn found(&self) -> Option<bool> {
        self.as_ref().ok().map(Option::is_some)
    }
}

/// What a change of a cache gives: `()` or the old value as `Option<T>`, or a `Result` when the cache can fail.
pub trait Stored {
    /// Whether the cache did it.
    fn stored(&self) -> bool;
}

impl Stored for () {
    fn stored(&self) -> bool {
        true
    }
}

impl<T> Stored for Option<T> {
    fn stored(&self) -> bool {
        true
    }
}

impl<T, E> Stored for Result<T, E> {
    fn stored(&self) -> bool {
        self.is_ok()
    }
}

impl Telemetry {
    /// A cache of this name. The series of its reads exist from now on, so that the first failure is seen.
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let sessions = telemetry.cache("sessions");
    /// let found = sessions.get(async { Ok::<_, std::io::Error>(Some("ann")) }).await;
    /// let names = std::collections::HashMap::from([(1, "ann")]);
    /// let missed = sessions.get_sync(|| names.get(&2));
    /// # assert!(found.is_ok() && missed.is_none());
    /// let count = |outcome: &str| {
    ///     let labels = format!("cache_name=\"sessions\",operation=\"get\",outcome=\"{outcome}\"");
    ///     telemetry.value(&format!("cache_operation_duration_seconds_count{{{labels}}}"))
    /// };
    /// assert_eq!((count("hit"), count("miss"), count("error")), (Some(1.0), Some(1.0), Some(0.0)));
    /// # }
    /// ```
    pub fn cache(&self, name: &'static str) -> Cache {
        let operations = self.core().families.of(&OPERATION_DURATION);
        for outcome in [HIT, MISS, ERROR] {
            operations.series(&[Some(name), Some(GET), Some(outcome)]);
        }
        Cache { operations, name }
    }
}

impl Cache {
    /// A read: a hit, a miss or an error. One that panics or is given up is an error; one whose client left has no
    /// outcome, because the cache is not to blame.
    pub fn get<F>(self, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future,
        F::Output: Found,
    {
        measure(future, move |end: End<'_, F::Output>, nanos| {
            self.record(GET, outcome(&end, found), nanos);
        })
    }

    /// A write.
    pub fn set<F>(self, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future,
        F::Output: Stored,
    {
        self.change("set", future)
    }

    /// A removal.
    pub fn delete<F>(self, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future,
        F::Output: Stored,
    {
        self.change("delete", future)
    }

    /// A read of a cache that does not wait.
    pub fn get_sync<T: Found>(self, read: impl FnOnce() -> T) -> T {
        self.sync(GET, read, found)
    }

    /// A write to a cache that does not wait.
    pub fn set_sync<T: Stored>(self, write: impl FnOnce() -> T) -> T {
        self.sync("set", write, stored)
    }

    /// A removal from a cache that does not wait.
    pub fn delete_sync<T: Stored>(self, remove: impl FnOnce() -> T) -> T {
        self.sync("delete", remove, stored)
    }

    fn change<F>(self, operation: &'static str, future: F) -> impl Future<Output = F::Output> + use<F>
    where
        F: Future,
        F::Output: Stored,
    {
        self.first_error(operation);
        measure(future, move |end: End<'_, F::Output>, nanos| {
            self.record(operation, outcome(&end, stored), nanos);
        })
    }

    fn sync<T>(
        self,
        operation: &'static str,
        run: impl FnOnce() -> T,
        outcome: impl FnOnce(&T) -> Option<&'static str>,
    ) -> T {
        self.first_error(operation);
        let mut open = Open { cache: self, operation, started: clock::now(), outcome: Some(ERROR) };
        let output = run();
        open.outcome = outcome(&output);
        output
    }

    /// The series of errors exists before the first one.
    fn first_error(self, operation: &'static str) {
        self.operations.born(&[Some(self.name), Some(operation), Some(ERROR)]);
    }

    fn record(self, operation: &'static str, outcome: Option<&'static str>, nanos: u64) {
        self.operations.series(&[Some(self.name), Some(operation), outcome]).record(nanos);
    }
}

/// An operation that does not wait. Dropped before its outcome is known, it panicked.
struct Open {
    cache: Cache,
    operation: &'static str,
    started: u64,
    outcome: Option<&'static str>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.cache.record(self.operation, self.outcome, clock::now().saturating_sub(self.started));
    }
}

fn outcome<T>(end: &End<'_, T>, done: impl FnOnce(&T) -> Option<&'static str>) -> Option<&'static str> {
    match end {
        End::Done(output) => done(output),
        End::Panicked | End::GivenUp => Some(ERROR),
        End::CallerLeft => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an outcome, as the others give it: a change may have none")]
fn found<T: Found>(output: &T) -> Option<&'static str> {
    Some(match output.found() {
        Some(true) => HIT,
        Some(false) => MISS,
        None => ERROR,
    })
}

fn stored<T: Stored>(output: &T) -> Option<&'static str> {
    (!output.stored()).then_some(ERROR)
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::testing::TestTelemetry;

    #[tokio::test]
    async fn every_operation_has_one_outcome() {
        let telemetry = TestTelemetry::new(crate::service!());
        let cache = telemetry.cache("names");
        cache.get(async { Some(1) }).await;
        cache.get(async { None::<u8> }).await;
        let _ = cache.get(async { Err::<Option<u8>, _>("down") }).await;
        drop(cache.get(std::future::pending::<Option<u8>>()));
        cache.set(async {}).await;
        let _ = cache.set(async { Err::<(), _>("full") }).await;
        cache.delete_sync(|| Some("old"));
        assert!(catch_unwind(AssertUnwindSafe(|| cache.set_sync(|| -> () { panic!("as tests do") }))).is_err());
        for (operation, outcome, count) in [
            ("get", ",outcome=\"hit\"", 1.0),
            ("get", ",outcome=\"miss\"", 1.0),
            ("get", ",outcome=\"error\"", 2.0),
            ("set", "", 1.0),
            ("set", ",outcome=\"error\"", 2.0),
            ("delete", "", 1.0),
            ("delete", ",outcome=\"error\"", 0.0),
        ] {
            let series = format!(
                "cache_operation_duration_seconds_count{{cache_name=\"names\",operation=\"{operation}\"{outcome}}}"
            );
            assert_eq!(telemetry.value(&series), Some(count), "{series}");
        }
    }
}
