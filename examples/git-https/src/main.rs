//! A small smart-HTTP Git front: `git clone`, `git fetch` and `git push` work against it.
//!
//! It shows what a service adds to be watched by Kilter: `routes!` and the test of its contract (in [`app`]), `init` and `serve` (here), one
//! line for each service that it calls (in [`access`]), and one module for the metrics of its own (in [`hooks`]). Everything else is what a Git front needs anyway.

mod access;
mod app;
mod faults;
mod hooks;
mod pack;
mod program;
mod refs;
mod repository;
mod rpc;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use tokio::net::TcpListener;

use crate::access::Access;
use crate::app::Front;
use crate::faults::Faults;
use crate::hooks::Hooks;
use crate::repository::Repositories;

/// Serves the repositories below a folder to git clients: clone, fetch and, with --identity, push.
///
/// Metrics, health and readiness are served on KILTER_ADMIN_ADDR (127.0.0.1:9464).
#[derive(Debug, Parser)]
#[command(name = "git-https", version)]
struct Args {
    /// Where git clients connect.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The folder that holds `<workspace>/<repository>`, bare or not.
    #[arg(long, value_name = "FOLDER")]
    repositories: PathBuf,
    /// The git program whose `upload-pack` and `receive-pack` make and take the packs.
    #[arg(long, default_value = "git", value_name = "PROGRAM")]
    git: PathBuf,
    /// The identity service, which knows who may read and write. Without it everybody reads, and nobody pushes.
    #[arg(long, env = "GIT_HTTPS_IDENTITY", value_name = "URL")]
    identity: Option<String>,
    /// The repositories service, which knows what repositories there are, and hears of pushes. Without it those in the
    /// folder.
    #[arg(long, env = "GIT_HTTPS_REPOSITORIES", value_name = "URL")]
    repositories_api: Option<String>,
    /// Where faults are switched on and off, for demos and tests: POST or DELETE `/_faults/<name>`. Off by default; only
    /// a loopback address is taken.
    #[arg(long, value_name = "ADDRESS")]
    faults: Option<SocketAddr>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let telemetry = kilter::init(app::SERVICE)?;
    let faults = Arc::new(Faults::default());
    if let Some(address) = args.faults {
        faults::listen(address, Arc::clone(&faults)).await?;
    }
    let repositories = Repositories::new(&args.repositories)?;
    let access = Access::new(&telemetry, args.identity.as_deref(), args.repositories_api.as_deref())?;
    let front = Front { repositories, access, git: args.git, faults, hooks: Hooks::new() };
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("could not listen on {}", args.listen))?;
    let report = telemetry.serve(listener, app::router(front)).await?;
    tracing::info!(%report, "ended");
    Ok(())
}
