//! Builds that wait in a queue for a worker, and a scheduled job that removes old artifacts.
//!
//! What users notice is how long a build waits, and no HTTP request tells it: a request to build succeeds at once. So the
//! service counts builds that wait too long the moment they do (in [`queue`]), shows its queue and its workers as resources,
//! and its job by when it last succeeded (in [`jobs`]).

mod app;
mod build;
mod builds;
mod faults;
mod jobs;
mod queue;
mod workers;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use crate::app::Pipelines;
use crate::build::Workspace;
use crate::jobs::Cleanup;
use crate::queue::Queue;

/// Runs builds, and removes the artifacts of old ones.
///
/// Metrics, health and readiness are served on KILTER_ADMIN_ADDR (127.0.0.1:9464).
#[derive(Debug, Parser)]
#[command(name = "pipelines", version)]
struct Args {
    /// Where builds are asked for.
    #[arg(long, default_value = "127.0.0.1:8083", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where builds work and leave their artifacts.
    #[arg(long, value_name = "FOLDER")]
    workspace: PathBuf,
    /// How many builds run at the same time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    workers: u16,
    /// How many builds may wait; one more is refused with 503.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..), value_name = "NUMBER")]
    queue: u16,
    /// A build that waits longer for a worker is late, in milliseconds.
    #[arg(long, default_value = "30000", value_parser = milliseconds, value_name = "MILLISECONDS")]
    late_after: Duration,
    /// A build that runs longer is ended, in milliseconds.
    #[arg(long, default_value = "3600000", value_parser = milliseconds, value_name = "MILLISECONDS")]
    build_limit: Duration,
    /// How often artifacts are removed, in milliseconds.
    #[arg(long, default_value = "600000", value_parser = milliseconds, value_name = "MILLISECONDS")]
    cleanup_every: Duration,
    /// What this process does; two processes can share the work.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "builds,maintenance", value_name = "PARTS")]
    parts: Vec<Part>,
    /// Where faults are switched on and off, for demos and tests: POST or DELETE `/_faults/<name>`. Off by default; only
    /// a loopback address is taken.
    #[arg(long, value_name = "ADDRESS")]
    faults: Option<SocketAddr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Takes builds and runs them.
    Builds,
    /// Runs the scheduled jobs.
    Maintenance,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let telemetry = kilter::init(app::SERVICE)?;
    let workspace = Arc::new(Workspace::new(&args.workspace)?);
    if let Some(address) = args.faults {
        faults::listen(address, Arc::clone(&workspace)).await?;
    }
    if args.parts.contains(&Part::Maintenance) {
        let cleanup = Cleanup::new(&telemetry, Arc::clone(&workspace));
        kilter::spawn(cleanup.every(args.cleanup_every));
    }
    let builds = args.parts.contains(&Part::Builds);
    let router = if builds {
        let (queue, claims) =
            Queue::new(&telemetry, usize::from(args.workers), usize::from(args.queue), args.late_after);
        let pipelines = Arc::new(Pipelines::new(queue));
        workers::start(&telemetry, usize::from(args.workers), &claims, &pipelines, &workspace, args.build_limit);
        app::router(pipelines)
    } else {
        axum::Router::new()
    };
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("could not listen on {}", args.listen))?;
    let report = telemetry.serve(listener, router).await?;
    tracing::info!(%report, "ended");
    Ok(())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0) => Err("must be above 0".to_owned()),
        Ok(number) => Ok(Duration::from_millis(number)),
        Err(error) => Err(error.to_string()),
    }
}
