//! Reads from replicas: which are fit, where each read went, and why.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use kilter_contract::db::{PRIMARY, REPLICA};
use kilter_contract::error_type::CLIENT_DISCONNECT;
use kilter_contract::resilience::{CONSISTENCY, LAG, PREFERRED, REPLICA_LAG, REPLICA_READS, UNAVAILABLE};
use tokio::sync::Notify;

use super::{Database, DbRole, fault};
use crate::signal::level::Level;

/// How far a PostgreSQL replica is behind, in seconds, as a query of one `double precision`: null when it cannot know.
///
/// A replica that has replayed all that it was sent is not behind, however long the primary has been idle; that is only
/// true while it is connected. One that lost its primary is as old as its last transaction. What it was not sent yet, no
/// replica can see.
pub const POSTGRES_LAG: &str = "select case \
    when not pg_is_in_recovery() then null \
    when exists (select 1 from pg_stat_wal_receiver where pid is not null) \
        and pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 \
    else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) \
    end::double precision";

/// How far a PostgreSQL replica is behind, as [`POSTGRES_LAG`], and which position of the primary's log it has replayed,
/// as a query of a `double precision` and a `bigint`: null when it cannot know.
pub const POSTGRES_STANDING: &str = "select case \
    when not pg_is_in_recovery() then null \
    when exists (select 1 from pg_stat_wal_receiver where pid is not null) \
        and pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0 \
    else extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()) \
    end::double precision, \
    case when pg_is_in_recovery() then pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') end::bigint";

/// The position that the log of a PostgreSQL primary has come to, as a query of one `bigint`. Asked after a commit, it is
/// that of [`Replicas::read_after`] for whoever must see what was committed.
pub const POSTGRES_POSITION: &str = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint";

/// What is known of a replica: seconds behind, and a position of the primary's log, 0 when it is not known.
type Standing = (f64, u64);

/// What asks a replica for it.
type Probe = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Option<Standing>> + Send>> + Send + Sync>;

/// A database with replicas, before it is used. [`Database::replicas`] makes one.
#[must_use]
pub struct ReplicasBuilder<P> {
    database: Database,
    primary: P,
    replicas: Vec<Replica<P>>,
    max_lag: Duration,
    every: Duration,
}

/// A database with replicas: gives each read the pool that it should use. Clones share everything; when the last one is
/// dropped, nobody asks the replicas any more.
pub struct Replicas<P> {
    inner: Arc<Inner<P>>,
}

/// A read, and where it goes.
pub struct RoutedRead<P> {
    inner: Arc<Inner<P>>,
    replica: Option<usize>,
}

struct Inner<P> {
    database: Database,
    primary: P,
    replicas: Vec<Replica<P>>,
    max_lag: f64,
    every: Duration,
    next: AtomicUsize,
    watched: AtomicBool,
}

struct Replica<P> {
    name: &'static str,
    pool: P,
    probe: Probe,
    /// Seconds, as the page shows them; absent while they are not known, and then nobody reads from it.
    lag: &'static Level,
    /// The position that it is known to have replayed; 0 while none is.
    position: AtomicU64,
    /// A read failed: look now, not at the next turn.
    look: Arc<Notify>,
}

impl Database {
    /// This database with replicas, whose pools are of the same type as that of the primary.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlx-0-9")]
    /// # async fn read(telemetry: kilter::Telemetry, primary: sqlx::PgPool) -> Result<(), sqlx::Error> {
    /// # let replica = primary.clone();
    /// let reads = telemetry.db("main").replicas(primary)
    ///     .replica("eu-1", replica, |pool| async move {
    ///         sqlx::query_scalar(kilter::POSTGRES_LAG).fetch_one(&pool).await
    ///     })
    ///     .build();
    /// let at = reads.read();
    /// let rows = at.run("list_orders", sqlx::query("select id from orders").fetch_all(at.pool())).await?;
    /// # let _ = rows; Ok(()) }
    /// ```
    pub fn replicas<P>(self, primary: P) -> ReplicasBuilder<P> {
        let seconds = Duration::from_secs;
        ReplicasBuilder { database: self, primary, replicas: Vec::new(), max_lag: seconds(10), every: seconds(5) }
    }
}

impl<P: Clone + Send + Sync + 'static> ReplicasBuilder<P> {
    /// A replica, and how its lag in seconds is found out ([`POSTGRES_LAG`] for PostgreSQL). `None` means that it cannot
    /// tell, which is not zero.
    pub fn replica<F, E>(self, name: &'static str, pool: P, lag: impl Fn(P) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<f64>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.asked(name, pool, move |pool| {
            let answer = lag(pool);
            async move { answer.await.map(|lag| (lag, None)) }
        })
    }

    /// A replica that also tells which position of the primary's log it has replayed ([`POSTGRES_STANDING`] for
    /// PostgreSQL), for [`Replicas::read_after`].
    pub fn replica_with_position<F, E>(
        self,
        name: &'static str,
        pool: P,
        standing: impl Fn(P) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(Option<f64>, Option<i64>), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        self.asked(name, pool, standing)
    }

    fn asked<F, E>(mut self, name: &'static str, pool: P, ask: impl Fn(P) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(Option<f64>, Option<i64>), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + 'static,
    {
        let level = self.database.core.families.of(&REPLICA_LAG).series(&[Some(self.database.namespace), Some(name)]);
        let level = level.level();
        level.clear();
        let asked = pool.clone();
        let probe: Probe = Box::new(move || {
            let answer = ask(asked.clone());
            Box::pin(async move {
                match answer.await {
                    Ok((lag, position)) => {
                        let lag = lag.filter(|it| it.is_finite())?.max(0.0);
                        Some((lag, position.and_then(|it| u64::try_from(it).ok()).unwrap_or_default()))
                    }
                    Err(error) => {
                        let error: Box<dyn Error + Send + Sync> = error.into();
                        tracing::debug!(replica = name, error, "the replica did not tell its lag");
                        None
                    }
                }
            })
        });
        let (position, look) = Default::default();
        self.replicas.push(Replica { name, pool, probe, lag: level, position, look });
        self
    }

    /// How far behind a replica may be; 10 seconds unless said otherwise. What was measured is at most
    /// [`every`](Self::every) old.
    pub fn max_lag(mut self, limit: Duration) -> Self {
        self.max_lag = limit;
        self
    }

    /// How often replicas are asked, and how long they may take; every 5 seconds unless said otherwise.
    pub fn every(mut self, interval: Duration) -> Self {
        self.every = interval.max(Duration::from_millis(10));
        self
    }

    /// Starts to ask the replicas: now within a Tokio runtime, else at the first read. Where there are none, every read
    /// goes to the primary; there is nothing to choose, and so nothing to count.
    pub fn build(self) -> Replicas<P> {
        let Self { database, primary, replicas, max_lag, every } = self;
        let routes = [(REPLICA, PREFERRED), (PRIMARY, LAG), (PRIMARY, UNAVAILABLE), (PRIMARY, CONSISTENCY)];
        for (role, reason) in routes.into_iter().filter(|_| !replicas.is_empty()) {
            let reads = database.core.families.of(&REPLICA_READS);
            reads.born(&[Some(database.namespace), Some(role), Some(reason)]);
        }
        let (next, watched) = Default::default();
        let max_lag = max_lag.as_secs_f64();
        let all = Replicas { inner: Arc::new(Inner { database, primary, replicas, max_lag, every, next, watched }) };
        all.watch();
        all
    }
}

impl<P: Clone + Send + Sync + 'static> Replicas<P> {
    /// A read that a replica may answer. It goes to one that is known to be close enough, in turn; else to the primary.
    pub fn read(&self) -> RoutedRead<P> {
        self.watch();
        let (replica, reason) = self.inner.choose(0);
        self.go(replica, reason)
    }

    /// A read that must see what was committed up to this position of the primary's log, such as its reader's own write
    /// ([`POSTGRES_POSITION`]). It goes to a replica that is known to have replayed it, else to the primary. Replicas that
    /// tell no position ([`replica_with_position`](ReplicasBuilder::replica_with_position)) are not read from.
    pub fn read_after(&self, position: u64) -> RoutedRead<P> {
        self.watch();
        let (replica, reason) = self.inner.choose(position);
        self.go(replica, reason)
    }

    /// A read that must see what was just written: to the primary.
    pub fn read_latest(&self) -> RoutedRead<P> {
        self.watch();
        self.go(None, CONSISTENCY)
    }

    fn go(&self, replica: Option<usize>, reason: &str) -> RoutedRead<P> {
        if self.inner.replicas.is_empty() {
            return RoutedRead { inner: Arc::clone(&self.inner), replica };
        }
        let database = &self.inner.database;
        let role = if replica.is_some() { REPLICA } else { PRIMARY };
        let reads = database.core.families.of(&REPLICA_READS);
        reads.series(&[Some(database.namespace), Some(role), Some(reason)]).add(1);
        RoutedRead { inner: Arc::clone(&self.inner), replica }
    }

    fn watch(&self) {
        if self.inner.watched.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.inner.watched.swap(true, Ordering::Relaxed) {
            for at in 0..self.inner.replicas.len() {
                runtime.spawn(watch(Arc::downgrade(&self.inner), at));
            }
        }
    }
}

impl<P> Inner<P> {
    fn choose(&self, position: u64) -> (Option<usize>, &'static str) {
        let count = self.replicas.len();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let mut reason = UNAVAILABLE;
        for at in (0..count).map(|step| turn.wrapping_add(step) % count) {
            let replica = &self.replicas[at];
            match replica.lag.get() {
                lag if lag <= self.max_lag && replica.position.load(Ordering::Relaxed) >= position => {
                    return (Some(at), PREFERRED);
                }
                lag if lag <= self.max_lag => reason = CONSISTENCY,
                lag if lag > self.max_lag && reason != CONSISTENCY => reason = LAG,
                _ => {}
            }
        }
        (None, reason)
    }
}

/// Asks one replica again and again, for as long as somebody may read from it.
async fn watch<P: Send + Sync + 'static>(all: Weak<Inner<P>>, at: usize) {
    loop {
        let Some(inner) = all.upgrade() else { return };
        let replica = &inner.replicas[at];
        let (every, look) = (inner.every, Arc::clone(&replica.look));
        // A task of its own: a probe that panics is a replica that does not answer, not the end of the watch.
        let mut asked = tokio::spawn((replica.probe)());
        let answer = tokio::time::timeout(every, &mut asked).await;
        asked.abort();
        match answer {
            Ok(Ok(Some((seconds, position)))) => {
                replica.position.store(position, Ordering::Relaxed);
                replica.lag.set(seconds);
            }
            _ => replica.lag.clear(),
        }
        drop(inner);
        // However many reads fail, the replica is not asked more often than this.
        let rest = every / 10;
        tokio::time::sleep(rest).await;
        let _ = tokio::time::timeout(every.saturating_sub(rest), look.notified()).await;
    }
}

impl<P> RoutedRead<P> {
    /// The pool to read from.
    pub fn pool(&self) -> &P {
        self.replica.map_or(&self.inner.primary, |at| &self.inner.replicas[at].pool)
    }

    /// The name of the replica; `None` is the primary.
    pub fn replica(&self) -> Option<&'static str> {
        self.replica.map(|at| self.inner.replicas[at].name)
    }

    /// The database, in the role of the server that the read goes to; the pool of a replica has the name of the replica.
    pub fn db(&self) -> Database {
        match self.replica() {
            Some(name) => self.inner.database.role(DbRole::Replica).pool(name),
            None => self.inner.database,
        }
    }

    /// The operation, as [`Database::run`]. When it fails, the replica is asked at once whether it is still there.
    pub fn run<F, T, E>(&self, operation: &'static str, future: F) -> impl Future<Output = F::Output> + use<F, T, E, P>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.db().measured(operation, future, fault, self.look())
    }

    /// A connection to it, as [`Database::acquire`]; likewise.
    pub fn acquire<F, T, E>(&self, future: F) -> impl Future<Output = F::Output> + use<F, T, E, P>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        self.db().acquired(future, self.look())
    }

    fn look(&self) -> impl FnOnce(Option<&'static str>) + use<P> {
        let look = self.replica.map(|at| Arc::clone(&self.inner.replicas[at].look));
        move |error| {
            if let (Some(look), true) = (look, error.is_some_and(|it| it != CLIENT_DISCONNECT)) {
                look.notify_one();
            }
        }
    }
}

impl<P> Clone for Replicas<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// What nobody measures any more is not known.
impl<P> Drop for Inner<P> {
    fn drop(&mut self) {
        self.replicas.iter().for_each(|it| it.lag.clear());
    }
}

impl<P> fmt::Debug for ReplicasBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplicasBuilder").field("database", &self.database.namespace).finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for Replicas<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replicas").field("database", &self.inner.database.namespace).finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for RoutedRead<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutedRead").field("replica", &self.replica()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;
    use crate::testing::TestTelemetry;

    type Answer = Result<Option<f64>, &'static str>;

    #[tokio::test]
    async fn only_a_lag_that_is_known_and_small_counts() {
        let telemetry = TestTelemetry::new(crate::service!());
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let reads = telemetry
            .db("main")
            .replicas("primary")
            .replica("unknown", "unknown", |_| async { Answer::Ok(None) })
            .replica("no number", "no number", |_| async { Answer::Ok(Some(f64::NAN)) })
            .replica("failing", "failing", |_| async { Answer::Err("refused") })
            .replica("hanging", "hanging", |_| std::future::pending::<Answer>())
            .replica("panicking", "panicking", |_| async {
                if true { panic!("as tests do") } else { Answer::Ok(None) }
            })
            .every(Duration::from_millis(50))
            .build();
        tokio::time::sleep(Duration::from_millis(80)).await;
        assert_eq!((*reads.read().pool(), reads.inner.choose(0).1), ("primary", UNAVAILABLE));
        assert!(!telemetry.page().contains("replica_lag_seconds{"));

        let near = move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            async { Answer::Ok(Some(-0.1)) }
        };
        let reads = telemetry
            .db("main")
            .replicas("primary")
            .replica("near", "near", near)
            .replica("nearer", "nearer", |_| async { Answer::Ok(Some(2.0)) })
            .replica("far", "far", |_| async { Answer::Ok(Some(20.0)) })
            .every(Duration::from_secs(2))
            .build();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let pools: Vec<&str> = (0..6).map(|_| *reads.read().pool()).collect();
        assert!(pools.contains(&"near") && pools.contains(&"nearer") && !pools.contains(&"far"), "{pools:?}");
        let lag =
            |name: &str| telemetry.value(&format!("replica_lag_seconds{{db_namespace=\"main\",replica=\"{name}\"}}"));
        assert_eq!([lag("near"), lag("far")], [Some(0.0), Some(20.0)], "a clock that is ahead is no negative lag");

        // However many reads fail, it is asked once more, and not at once.
        let asks = || asked.load(Ordering::Relaxed);
        assert_eq!(asks(), 1);
        for _ in 0..20 {
            let at = reads.read();
            let _ = at.run("load", async { Err::<(), _>("refused") }).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(asks(), 1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(asks(), 2);
        // Nobody has told a position, so nobody is known to have come so far.
        let read = reads.read_after(1);
        assert_eq!((*read.pool(), reads.inner.choose(1).1), ("primary", CONSISTENCY));
        drop((reads, read));
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!([lag("near"), lag("far")], [None; 2], "nobody asks any more");
    }

    #[tokio::test]
    async fn a_read_after_a_position_goes_where_it_was_replayed() {
        let telemetry = TestTelemetry::new(crate::service!());
        let answer = |lag, position| move |_| async move { Ok::<_, String>((Some(lag), position)) };
        let reads = telemetry
            .db("main")
            .replicas("primary")
            .replica_with_position("early", "early", answer(0.0, Some(50)))
            .replica_with_position("late", "late", answer(0.0, Some(100)))
            .replica_with_position("silent", "silent", answer(0.0, None))
            .replica_with_position("far", "far", answer(20.0, Some(900)))
            .build();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let pools = |position| {
            let mut all: Vec<&str> = (0..12).map(|_| *reads.read_after(position).pool()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        assert_eq!(pools(50), ["early", "late"]);
        assert_eq!(pools(51), ["late"]);
        assert_eq!(pools(101), ["primary"], "one that is too far behind is not read from, wherever it says it is");
        assert_eq!(reads.inner.choose(101).1, CONSISTENCY);

        let alone = telemetry.db("other").replicas("primary").build();
        assert_eq!([*alone.read().pool(), *alone.read_after(7).pool(), *alone.read_latest().pool()], ["primary"; 3]);
        assert!(!telemetry.page().contains("replica_reads_total{db_namespace=\"other\""), "there was no choice");
    }
}
