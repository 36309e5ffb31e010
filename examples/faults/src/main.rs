//! The fault switch as a program: relays, and a small HTTP API on a loopback address that switches them.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use clap::Parser;
use fleet_faults::{Mode, Relay};
use tokio::net::TcpListener;

/// Stands between services and what they depend on, and breaks it on demand.
///
/// `curl 127.0.0.1:9900` lists the relays; `curl -X POST 127.0.0.1:9900/platform/cut` cuts one. There are: pass, cut
/// (connections are reset, new ones refused), hang (nothing comes through), delay=50ms (in each direction), slow=1000
/// (bytes a second).
#[derive(Debug, Parser)]
#[command(name = "fleet-faults", version)]
struct Args {
    /// Where faults are switched; only a loopback address is taken.
    #[arg(long, default_value = "127.0.0.1:9900", value_name = "ADDRESS")]
    control: SocketAddr,
    /// A relay: its name, where it listens (loopback only), and where to. Give one for each dependency.
    #[arg(long = "relay", required = true, value_name = "NAME=LISTEN=TARGET")]
    relays: Vec<Wanted>,
}

/// What `--relay` says.
#[derive(Debug, Clone)]
struct Wanted {
    name: String,
    listen: SocketAddr,
    target: String,
}

impl FromStr for Wanted {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.splitn(3, '=');
        let mut part = |what| parts.next().filter(|it| !it.is_empty()).with_context(|| format!("no {what}"));
        let (name, listen, target) = (part("name")?, part("address to listen on")?, part("target")?);
        let listen = listen.parse().with_context(|| format!("no address to listen on: `{listen}`"))?;
        Ok(Self { name: name.to_owned(), listen, target: target.to_owned() })
    }
}

type Relays = Arc<Vec<(String, Relay)>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    ensure!(args.control.ip().is_loopback(), "--control takes a loopback address only, not {}", args.control);
    let mut relays = Vec::new();
    for Wanted { name, listen, target } in args.relays {
        let relay = Relay::start_on(listen, &*target).with_context(|| format!("relay {name} to {target}"))?;
        relays.push((name, relay));
    }
    let listener = TcpListener::bind(args.control).await;
    let listener = listener.with_context(|| format!("could not listen on {}", args.control))?;
    let end = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, switches(Arc::new(relays))).with_graceful_shutdown(end).await?;
    Ok(())
}

fn switches(relays: Relays) -> Router {
    async fn list(State(relays): State<Relays>) -> String {
        relays.iter().map(|(name, it)| format!("{name}: {} ({})\n", it.mode(), it.address())).collect()
    }
    async fn set(State(relays): State<Relays>, Path((name, mode)): Path<(String, String)>) -> (StatusCode, String) {
        let Some((_, relay)) = relays.iter().find(|(it, _)| *it == name) else {
            let names: Vec<&str> = relays.iter().map(|(it, _)| it.as_str()).collect();
            return (StatusCode::NOT_FOUND, format!("no relay {name}; there are: {}\n", names.join(", ")));
        };
        match mode.parse::<Mode>() {
            Ok(mode) => {
                relay.set(mode);
                (StatusCode::NO_CONTENT, String::new())
            }
            Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
        }
    }
    Router::new().route("/", get(list)).route("/{relay}/{mode}", post(set)).with_state(relays)
}
