//! The core service of a code host: which workspaces and repositories there are, and what was pushed to them.
//!
//! Reads are far more than writes, so they go to read replicas, unless those are too far behind or have not seen what
//! this reader has just written; then to the primary. When replicas go unused, the primary saturates: that is an outage
//! in the making, and all of it is on the metrics page.
//!
//! What it adds to be watched by Kilter: `routes!` and the test of its contract (in [`app`]), a line for each pool, one
//! for the replicas (in [`database`]), one for each operation (in [`store`]), `init` and `serve` (here).

mod app;
mod database;
mod store;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

use crate::database::{Database, Limits, Place};
use crate::store::Store;

/// Serves workspaces and repositories over HTTP, from PostgreSQL with read replicas, or from SQLite.
///
/// Metrics, health and readiness are served on KILTER_ADMIN_ADDR (127.0.0.1:9464).
#[derive(Debug, Parser)]
#[command(name = "repositories", version)]
struct Args {
    /// Where services ask.
    #[arg(long, env = "REPOSITORIES_LISTEN", default_value = "127.0.0.1:8082", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The primary, `postgres://...`. Without it: SQLite, and no replicas.
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Its read replicas, separated by commas. They are called replica-1, replica-2 and so on.
    #[arg(
        long,
        env = "DATABASE_REPLICA_URLS",
        value_name = "URL,...",
        value_delimiter = ',',
        hide_env_values = true,
        requires = "database"
    )]
    replicas: Vec<String>,
    /// Where SQLite keeps its file; a temporary folder without it.
    #[arg(long, env = "REPOSITORIES_DATA", value_name = "FOLDER", conflicts_with = "database")]
    data: Option<PathBuf>,
    /// The most connections to the primary.
    #[arg(long, env = "REPOSITORIES_POOL", default_value_t = 10, value_name = "NUMBER")]
    pool: u32,
    /// The most connections to each replica.
    #[arg(long, env = "REPOSITORIES_REPLICA_POOL", default_value_t = 10, value_name = "NUMBER")]
    replica_pool: u32,
    /// How long a request waits for a connection.
    #[arg(long, env = "REPOSITORIES_ACQUIRE_TIMEOUT", default_value = "1s", value_name = "DURATION", value_parser = duration)]
    acquire_timeout: Duration,
    /// How long a request may take in all.
    #[arg(long, env = "REPOSITORIES_TIMEOUT", default_value = "3s", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,
    /// How far behind a replica may be to be read from.
    #[arg(long, env = "REPOSITORIES_MAX_LAG", default_value = "2s", value_name = "DURATION", value_parser = duration)]
    max_lag: Duration,
    /// How often replicas are asked how far they are.
    #[arg(long, env = "REPOSITORIES_LAG_EVERY", default_value = "1s", value_name = "DURATION", value_parser = duration)]
    lag_every: Duration,
}

/// `250ms`, `10s`, `1h`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let span: jiff::SignedDuration = text.parse()?;
    Duration::try_from(span).context("not below zero")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let telemetry = kilter::init(app::SERVICE)?;
    let place = match (args.database, args.data) {
        (Some(primary), _) => Place::Postgres { primary, replicas: args.replicas },
        (None, Some(folder)) => Place::Sqlite(folder),
        (None, None) => Place::Temporary,
    };
    let limits = Limits {
        pool: args.pool,
        replica_pool: args.replica_pool,
        acquire_timeout: args.acquire_timeout,
        max_lag: args.max_lag,
        lag_every: args.lag_every,
    };
    let database = Database::open(&telemetry, place, limits)?;
    database.prepare().await.context("could not prepare the database")?;
    let app = app::router(Store::new(database), args.timeout);
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("could not listen on {}", args.listen))?;
    let report = telemetry.serve(listener, app).await?;
    tracing::info!(%report, "ended");
    Ok(())
}
