//! The shared platform, as a foreign program: it has no Kilter in it, and nobody here operates it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use clap::Parser;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

/// Knows whose token is whose: GET `/tokens/{fingerprint}`. Anonymous requests may read.
#[derive(Debug, Parser)]
#[command(name = "platform", version)]
struct Args {
    /// Where identity asks.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// How long an answer takes, in milliseconds.
    #[arg(long, default_value_t = 3, value_name = "MILLISECONDS")]
    latency: u64,
    /// A token: whose it is, its secret, and `read` or `write`. Give one for each.
    #[arg(long = "token", default_value = "ann=ann-token=write", value_name = "SUBJECT=SECRET=RIGHT")]
    tokens: Vec<Token>,
}

#[derive(Debug, Clone)]
struct Token {
    fingerprint: String,
    grant: Grant,
}

#[derive(Debug, Clone, Serialize)]
struct Grant {
    subject: String,
    read: bool,
    write: bool,
}

impl FromStr for Token {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split('=').collect();
        let &[subject, secret, right] = parts.as_slice() else { bail!("not SUBJECT=SECRET=RIGHT") };
        let write = match right {
            "read" => false,
            "write" => true,
            other => bail!("`{other}` is neither read nor write"),
        };
        let fingerprint = Sha256::digest(secret).iter().map(|it| format!("{it:02x}")).collect();
        Ok(Self { fingerprint, grant: Grant { subject: subject.to_owned(), read: true, write } })
    }
}

struct Known {
    grants: BTreeMap<String, Grant>,
    latency: Duration,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut grants: BTreeMap<_, _> = args.tokens.into_iter().map(|it| (it.fingerprint, it.grant)).collect();
    let anonymous = Grant { subject: "anonymous".to_owned(), read: true, write: false };
    grants.insert(anonymous.subject.clone(), anonymous);
    let known = Arc::new(Known { grants, latency: Duration::from_millis(args.latency) });
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.with_context(|| format!("could not listen on {}", args.listen))?;
    axum::serve(listener, Router::new().route("/tokens/{token}", get(token)).with_state(known)).await?;
    Ok(())
}

async fn token(State(known): State<Arc<Known>>, Path(fingerprint): Path<String>) -> Response {
    tokio::time::sleep(known.latency).await;
    match known.grants.get(&fingerprint) {
        Some(grant) => Json(grant.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
