//! Users of the fleet: git clients that clone, API clients that read and write, tokens that are checked, builds that are
//! asked for, and strangers who try what no route has.
//!
//! Each kind comes at a rate of its own, whether or not the one before is answered, as users do. What is not answered does
//! not pile up: above a limit the next one is not sent, and counted as such.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod kind;
mod paced;
mod strange;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::kind::{Kind, Users};
use crate::paced::Paced;

/// Sends load to a fleet until Ctrl-C; rates are per second, and 0 is none.
///
/// `fleet-load --git-https http://127.0.0.1:8080 --clones 2 --for 60`
#[derive(Debug, Parser)]
#[command(name = "fleet-load", version)]
struct Args {
    /// Where git clients clone `acme/site.git`.
    #[arg(long, value_name = "URL")]
    git_https: Option<String>,
    /// Where repositories are read and pushes recorded.
    #[arg(long, value_name = "URL")]
    repositories: Option<String>,
    /// Where tokens are checked.
    #[arg(long, value_name = "URL")]
    identity: Option<String>,
    /// Where builds are asked for.
    #[arg(long, value_name = "URL")]
    pipelines: Option<String>,
    /// Clones with the real git client.
    #[arg(long, default_value_t = 1.0, value_name = "RATE")]
    clones: f64,
    /// Requests for refs, the first of every clone.
    #[arg(long, default_value_t = 2.0, value_name = "RATE")]
    refs: f64,
    /// Reads of a repository.
    #[arg(long, default_value_t = 10.0, value_name = "RATE")]
    reads: f64,
    /// Pushes that are recorded.
    #[arg(long, default_value_t = 2.0, value_name = "RATE")]
    writes: f64,
    /// Checks of a token, of a few.
    #[arg(long, default_value_t = 5.0, value_name = "RATE")]
    tokens: f64,
    /// Builds, and a look at each.
    #[arg(long, default_value_t = 2.0, value_name = "RATE")]
    builds: f64,
    /// How long a build works, in seconds.
    #[arg(long, default_value_t = 0.1, value_name = "SECONDS")]
    build_seconds: f64,
    /// Strangers at git-https, with random paths, methods and hosts.
    #[arg(long, default_value_t = 0.0, value_name = "RATE")]
    strange: f64,
    /// Ends by itself after this many seconds.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Where clones are written, and removed again; a temporary folder without it.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let temporary = tempfile::tempdir()?;
    let users = Arc::new(Users::new(args.folder.unwrap_or_else(|| temporary.path().to_owned()), args.build_seconds)?);
    let wanted = [
        (Kind::Clone, args.clones, &args.git_https),
        (Kind::Refs, args.refs, &args.git_https),
        (Kind::Strange, args.strange, &args.git_https),
        (Kind::Read, args.reads, &args.repositories),
        (Kind::Write, args.writes, &args.repositories),
        (Kind::Token, args.tokens, &args.identity),
        (Kind::Build, args.builds, &args.pipelines),
    ];
    let mut running = Vec::new();
    for (kind, rate, url) in wanted {
        if let Some(url) = url.as_deref().filter(|_| rate > 0.0) {
            running.push(Paced::start(kind, rate, url, &users));
        }
    }
    anyhow::ensure!(!running.is_empty(), "nobody to send anything to: give at least one address, such as --git-https");

    let end = end(args.seconds.map(Duration::from_secs));
    tokio::pin!(end);
    let mut every = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            ended = &mut end => { ended?; break }
            _ = every.tick() => eprint!("\r{}", said(&running)),
        }
    }
    eprintln!();
    println!("{}", said(&running));
    Ok(())
}

/// The counts of each kind, in one line.
fn said(running: &[Paced]) -> String {
    running.iter().map(|it| format!("{it}  ")).collect()
}

/// Ctrl-C, a request to end, or the time is over.
async fn end(time: Option<Duration>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        _ = terminate.recv() => Ok(()),
        () = tokio::time::sleep(time.unwrap_or_default()), if time.is_some() => Ok(()),
    }
}
