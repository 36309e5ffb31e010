//! Who a token belongs to, and what it may do: a sidecar before a platform that many companies' services share.
//!
//! The platform has outages of its own, and nobody here can mend them. So an answer is kept and used again while it is
//! fresh; a platform that fails is left alone for a while by a circuit breaker; and meanwhile an answer that is no longer
//! fresh is better than none.
//!
//! What it adds to be watched by Kilter: `routes!`, a signal of its own and the test of its contract (in [`app`]), one
//! line for each of the client, the cache and the breaker (in [`platform`] and [`answers`]), `init` and `serve` (here).

mod answers;
mod app;
mod platform;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use tokio::net::TcpListener;

use crate::answers::{Answers, Keep};
use crate::platform::Platform;

/// Answers who a token belongs to, from a shared platform: GET `/tokens/{fingerprint}`.
///
/// Metrics, health and readiness are served on KILTER_ADMIN_ADDR (127.0.0.1:9464).
#[derive(Debug, Parser)]
#[command(name = "identity", version)]
struct Args {
    /// Where services ask.
    #[arg(long, env = "IDENTITY_LISTEN", default_value = "127.0.0.1:8081", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// The platform.
    #[arg(long, env = "IDENTITY_PLATFORM", default_value = "http://127.0.0.1:8090", value_name = "URL")]
    platform: String,
    /// How long the platform may take.
    #[arg(long, env = "IDENTITY_TIMEOUT", default_value = "250ms", value_name = "DURATION", value_parser = duration)]
    timeout: Duration,
    /// How long an answer is used without asking again.
    #[arg(long, env = "IDENTITY_FRESH", default_value = "10s", value_name = "DURATION", value_parser = duration)]
    fresh: Duration,
    /// How old an answer may be while the platform gives none; `off` for never older than fresh.
    #[arg(long, env = "IDENTITY_STALE", default_value = "1h", value_name = "DURATION|off", value_parser = duration_or_off)]
    stale: Duration,
    /// Whether a platform that fails is left alone for a while.
    #[arg(long, env = "IDENTITY_BREAKER", default_value = "on", value_name = "on|off")]
    breaker: Switch,
    /// How long it is left alone, before a call tries whether it is back.
    #[arg(long, env = "IDENTITY_BREAKER_WAIT", default_value = "5s", value_name = "DURATION", value_parser = duration)]
    breaker_wait: Duration,
    /// The most answers that are kept.
    #[arg(long, env = "IDENTITY_CACHE", default_value_t = 100_000, value_name = "NUMBER")]
    cache: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

/// `250ms`, `10s`, `1h`.
fn duration(text: &str) -> anyhow::Result<Duration> {
    let span: jiff::SignedDuration = text.parse()?;
    Duration::try_from(span).context("not below zero")
}

fn duration_or_off(text: &str) -> anyhow::Result<Duration> {
    if text == "off" { Ok(Duration::ZERO) } else { duration(text) }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let telemetry = kilter::init(app::SERVICE)?;
    let wait = (args.breaker == Switch::On).then_some(args.breaker_wait);
    let platform = Platform::new(&telemetry, &args.platform, args.timeout, wait)?;
    let keep = Keep { fresh: args.fresh, stale: args.stale, entries: args.cache };
    let answers = Answers::new(&telemetry, platform, keep);
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("could not listen on {}", args.listen))?;
    let report = telemetry.serve(listener, app::router(answers)).await?;
    tracing::info!(%report, "ended");
    Ok(())
}
