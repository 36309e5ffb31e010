//! The primary, its replicas, and where a read goes.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use kilter::{Replicas, Telemetry};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, raw_sql};
use tempfile::TempDir;

/// The name that SLOs, the pool and the operations have in common.
const NAME: &str = "main";

const DAY: Duration = Duration::from_hours(24);

/// Works on PostgreSQL and on SQLite.
const SCHEMA: &str = "
    create table if not exists repositories (
        workspace text not null,
        name text not null,
        pushes bigint not null default 0,
        head text not null default '',
        primary key (workspace, name)
    )";

/// Where the data are.
#[derive(Debug)]
pub(crate) enum Place {
    /// A primary, and replicas that stream from it.
    Postgres { primary: String, replicas: Vec<String> },
    /// A file in this folder.
    Sqlite(PathBuf),
    /// A file that is gone when the service ends.
    Temporary,
}

/// What a database may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) pool: u32,
    pub(crate) replica_pool: u32,
    pub(crate) acquire_timeout: Duration,
    pub(crate) max_lag: Duration,
    pub(crate) lag_every: Duration,
}

/// The database, open.
#[derive(Debug)]
pub(crate) struct Database {
    /// Where reads go.
    pub(crate) reads: Replicas<AnyPool>,
    /// Where writes go.
    pub(crate) primary: AnyPool,
    /// The primary's operations.
    pub(crate) writes: kilter::Database,
    /// What was written longer ago is on every replica that is read from.
    pub(crate) forgotten: Duration,
    /// Whether it can say how far its log has come.
    pub(crate) has_positions: bool,
    _folder: Option<TempDir>,
}

impl Database {
    /// Opens it; connections are made when they are needed.
    pub(crate) fn open(telemetry: &Telemetry, place: Place, limits: Limits) -> anyhow::Result<Self> {
        install_default_drivers();
        let has_positions = matches!(place, Place::Postgres { .. });
        let system = if has_positions { "postgresql" } else { "sqlite" };
        let (primary, replicas, folder) = match place {
            Place::Postgres { primary, replicas } => (primary, replicas, None),
            Place::Sqlite(folder) => (sqlite(&folder)?, Vec::new(), None),
            Place::Temporary => {
                let folder = tempfile::tempdir().context("no temporary folder")?;
                (sqlite(folder.path())?, Vec::new(), Some(folder))
            }
        };
        let pool = |most: u32| AnyPoolOptions::new().max_connections(most).acquire_timeout(limits.acquire_timeout);
        let primary = pool(limits.pool).connect_lazy(&primary).context("the primary's address")?;
        // One line of Kilter for each pool: connections in use, idle, at most.
        telemetry.pool(NAME, &primary);
        // One for the replicas: how far behind each is, where reads go, and why.
        let writes = telemetry.db(NAME).system(system);
        let mut reads = writes.replicas(primary.clone());
        for (url, number) in replicas.iter().zip(1..) {
            // As many as the configuration names, once.
            let name: &'static str = format!("replica-{number}").leak();
            let replica = pool(limits.replica_pool).connect_lazy(url).with_context(|| format!("address of {name}"))?;
            telemetry.pool(name, &replica);
            reads = reads.replica_with_position(name, replica, |pool| async move {
                sqlx::query_as::<_, (Option<f64>, Option<i64>)>(kilter::POSTGRES_STANDING).fetch_one(&pool).await
            });
        }
        if replicas.is_empty() {
            tracing::warn!(system, "without replicas: every read goes to the one database");
        }
        let reads = reads.max_lag(limits.max_lag).every(limits.lag_every).build();
        let forgotten = limits.max_lag.saturating_add(limits.lag_every.saturating_mul(2)).min(DAY);
        Ok(Self { reads, primary, writes, forgotten, has_positions, _folder: folder })
    }

    /// Makes its tables.
    pub(crate) async fn prepare(&self) -> anyhow::Result<()> {
        if !self.has_positions {
            // Readers and a writer do not wait for each other.
            raw_sql("pragma journal_mode = wal").execute(&self.primary).await?;
        }
        // Counted as every operation: what an SLO is about is there before the first request.
        self.writes.run("create_tables", raw_sql(SCHEMA).execute(&self.primary)).await?;
        Ok(())
    }
}

fn sqlite(folder: &std::path::Path) -> anyhow::Result<String> {
    std::fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let file = folder.join("repositories.db");
    tracing::warn!(file = %file.display(), "without DATABASE_URL: SQLite");
    Ok(format!("sqlite://{}?mode=rwc", file.display()))
}
