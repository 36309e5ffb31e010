//! Databases: each operation once, the wait for a connection, the pools, and where reads go.

mod pool;
mod replicas;
#[cfg(feature = "sqlx-0-9")]
pub(crate) mod sqlx_0_9;

use std::future::Future;
use std::sync::OnceLock;

use kilter_contract::db::{self, ACQUIRE, OPERATION_DURATION, OTHER_SQL};
use kilter_contract::error_type::{CLIENT_DISCONNECT, OTHER, TIMEOUT};
use opentelemetry::trace::SpanKind;

use crate::core::Core;
use crate::error_kind::kind_of;
use crate::measured::{End, measure};
use crate::signal::family::{Family, Series};
use crate::trace::{CallSpan, sampled_child};
use crate::{ErrorType, Telemetry};

pub use pool::{Pool, PoolUsage};
pub use replicas::{POSTGRES_LAG, POSTGRES_POSITION, POSTGRES_STANDING, Replicas, ReplicasBuilder, RoutedRead};

/// A database. Copy it to wherever it is used; [`Telemetry::db`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Database {
    core: &'static Core,
    operations: &'static Family,
    known: &'static Known,
    namespace: &'static str,
    pool: &'static str,
    system: Option<&'static str>,
    role: DbRole,
}

/// Role of a database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DbRole {
    /// It takes writes.
    #[default]
    Primary,
    /// It follows the primary.
    Replica,
}

/// What is known of a database by its name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    system: OnceLock<&'static str>,
}

impl Telemetry {
    /// A database of this name, which is also the name of its pool. Its server is the primary, unless a
    /// [`replica`](Database::replica) is meant; its system is that of the pool in [`Telemetry::pool`].
    ///
    /// ```
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let db = telemetry.db("main").system("postgresql");
    /// let rows = db.run("load_repository", async { Ok::<_, std::io::Error>(1) }).await;
    /// # assert!(rows.is_ok());
    /// let labels = "db_system_name=\"postgresql\",db_operation_name=\"load_repository\",\
    ///     db_namespace=\"main\",db_role=\"primary\"";
    /// let series = format!("db_client_operation_duration_seconds_count{{{labels}}}");
    /// assert_eq!(telemetry.value(&series), Some(1.0));
    /// # }
    /// ```
    pub fn db(&self, name: &'static str) -> Database {
        let core = self.core();
        let operations = core.families.of(&OPERATION_DURATION);
        let known = core.databases.of(name);
        Database { core, operations, known, namespace: name, pool: name, system: None, role: DbRole::Primary }
    }
}

impl Database {
    /// The system: `postgresql`, `sqlite`, `mysql` and so on, as the semantic conventions name it. Needed where no pool
    /// tells it; `other_sql` without.
    #[must_use]
    pub const fn system(mut self, system: &'static str) -> Self {
        self.system = Some(system);
        self
    }

    /// The role of the server that operations go to.
    #[must_use]
    pub const fn role(mut self, role: DbRole) -> Self {
        self.role = role;
        self
    }

    /// The same database, on a replica.
    #[must_use]
    pub const fn replica(self) -> Self {
        self.role(DbRole::Replica)
    }

    /// The name of the pool that connections come from, when it is not that of the database.
    #[must_use]
    pub const fn pool(mut self, name: &'static str) -> Self {
        self.pool = name;
        self
    }

    /// An operation: counted once, when its outcome is known, under the name that the code gives it.
    ///
    /// An error counts with what its type says ([`ErrorType`], timeouts, sqlx with the feature `sqlx-0-9`), else as
    /// `_OTHER`. Answers that are not what the caller hoped for are no errors of the database: a row that is not there,
    /// a constraint that would be violated. An operation that is dropped before its end is a `timeout`, with its request
    /// a `client_disconnect`. In a sampled request it is a span, of this name.
    pub fn run<F, T, E>(self, operation: &'static str, future: F) -> impl Future<Output = F::Output> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.measured(operation, future, fault, |_| ())
    }

    /// The same, where the service says what is an error of the database; `None` is a success. For errors of a type of
    /// its own, which nobody else can read.
    pub fn run_judged<F, T, E>(
        self,
        operation: &'static str,
        future: F,
        judge: impl FnOnce(&E) -> Option<ErrorType>,
    ) -> impl Future<Output = F::Output>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.measured(operation, future, |error| judge(error).map(ErrorType::as_str), |_| ())
    }

    fn measured<F, T, E>(
        self,
        operation: &'static str,
        future: F,
        judge: impl FnOnce(&E) -> Option<&'static str>,
        after: impl FnOnce(Option<&'static str>),
    ) -> impl Future<Output = F::Output>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        // Idle is not missing, and the first failure is seen.
        self.operations.born(&self.values(operation, None));
        self.operations.born(&self.values(operation, Some(OTHER)));
        let mut told = Some((judge, after));
        let context = sampled_child();
        measure(future, move |end: End<'_, Result<T, E>>, nanos| {
            let Some((judge, after)) = told.take() else { return };
            let error = error_of(end, judge);
            self.series(operation, error).record(nanos);
            if let Some(context) = context {
                let span = CallSpan::db(context, self.system_name(), operation, self.namespace, self.role.as_str());
                span.finish_now(self.core, SpanKind::Client, nanos, error);
            }
            after(error);
        })
    }

    /// A connection from the pool: its wait, while it waits, and whether it gave up.
    ///
    /// One that cannot be had counts as a failed operation `acquire` too: what it was for never runs, and an
    /// unreachable server must not look like one that nobody asks.
    pub fn acquire<F, T, E>(self, future: F) -> impl Future<Output = F::Output> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.acquired(future, |_| ())
    }

    fn acquired<F, T, E>(self, future: F, after: impl FnOnce(Option<&'static str>)) -> impl Future<Output = F::Output>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        let of = |signal| self.core.families.of(signal).series(&[Some(self.pool)]);
        let (waits, timeouts) = (of(&db::CONNECTION_WAIT_TIME), of(&db::CONNECTION_TIMEOUTS));
        let pending = of(&db::CONNECTION_PENDING).level();
        self.operations.born(&self.values(ACQUIRE, Some(TIMEOUT)));
        pending.shift(1.0);
        let mut after = Some(after);
        measure(future, move |end: End<'_, Result<T, E>>, nanos| {
            pending.shift(-1.0);
            let error = error_of(end, fault);
            match error {
                None => waits.record(nanos),
                // Nobody waits any more, and nobody knows for how long they would have.
                Some(CLIENT_DISCONNECT) => {}
                Some(error) => {
                    timeouts.add(u64::from(error == TIMEOUT));
                    self.series(ACQUIRE, Some(error)).record(nanos);
                }
            }
            if let Some(after) = after.take() {
                after(error);
            }
        })
    }

    fn system_name(&self) -> &'static str {
        self.system.or_else(|| self.known.system.get().copied()).unwrap_or(OTHER_SQL)
    }

    fn series(&self, operation: &'static str, error: Option<&'static str>) -> &'static Series {
        self.operations.series(&self.values(operation, error))
    }

    fn values(&self, operation: &'static str, error: Option<&'static str>) -> [Option<&'static str>; 5] {
        [Some(self.system_name()), Some(operation), Some(self.namespace), Some(self.role.as_str()), error]
    }
}

impl DbRole {
    /// Its text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => db::PRIMARY,
            Self::Replica => db::REPLICA,
        }
    }
}

/// The `error_type` of an operation that ended so, where `judge` says what an error is.
fn error_of<T, E: 'static>(
    end: End<'_, Result<T, E>>,
    judge: impl FnOnce(&E) -> Option<&'static str>,
) -> Option<&'static str> {
    match end {
        End::Done(Err(error)) => judge(error),
        end => end.error_type(),
    }
}

/// What the type of an error tells; `None` when the database answered, whatever it answered.
#[cfg_attr(not(feature = "sqlx-0-9"), expect(clippy::unnecessary_wraps, reason = "only libraries that we know answer"))]
fn fault<E: 'static>(error: &E) -> Option<&'static str> {
    #[cfg(feature = "sqlx-0-9")]
    if sqlx_0_9::answered(error) {
        return None;
    }
    Some(kind_of(error))
}
