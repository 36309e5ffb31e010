//! Faults that can be switched on while the service runs, each at its cause.
//!
//! They are for demos, tests and game days. Nothing else in the service knows of them but the line where each acts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The program that makes packs is not where it should be: clones and fetches fail with 500.
    UploadPackMissing,
    /// The program that makes packs is killed after its first bytes: packs break off.
    UploadPackCrash,
    /// Listing refs takes a second longer.
    SlowRefs,
    /// Listing refs never ends; clients give up.
    Hang,
}

impl Fault {
    const ALL: [(Self, &'static str); 4] = [
        (Self::UploadPackMissing, "upload-pack-missing"),
        (Self::UploadPackCrash, "upload-pack-crash"),
        (Self::SlowRefs, "slow-refs"),
        (Self::Hang, "hang"),
    ];
}

/// Which faults are on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    on: [AtomicBool; Fault::ALL.len()],
}

impl Faults {
    /// Whether this one is on.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        Fault::ALL.iter().zip(&self.on).any(|((it, _), on)| *it == fault && on.load(Ordering::Relaxed))
    }

    /// Where a request for refs waits, when it must.
    pub(crate) async fn delay(&self) {
        if self.has(Fault::SlowRefs) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        if self.has(Fault::Hang) {
            std::future::pending::<()>().await;
        }
    }

    fn set(&self, name: &str, on: bool) -> bool {
        let found = Fault::ALL.iter().position(|(_, it)| *it == name);
        if let Some(index) = found {
            self.on[index].store(on, Ordering::Relaxed);
            tracing::warn!(fault = name, on, "fault");
        }
        found.is_some()
    }
}

/// Serves the switches on an address of their own: they are in no SLI and no log of requests.
pub(crate) async fn listen(address: SocketAddr, faults: Arc<Faults>) -> anyhow::Result<()> {
    ensure!(address.ip().is_loopback(), "--faults takes a loopback address only, not {address}");
    let listener = TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"))?;
    tokio::spawn(async move { axum::serve(listener, switches(faults)).await });
    Ok(())
}

fn switches(faults: Arc<Faults>) -> Router {
    async fn list(State(faults): State<Arc<Faults>>) -> String {
        Fault::ALL.map(|(fault, name)| format!("{name}: {}\n", if faults.has(fault) { "on" } else { "off" })).concat()
    }
    async fn on(State(faults): State<Arc<Faults>>, Path(name): Path<String>) -> (StatusCode, String) {
        answer(faults.set(&name, true))
    }
    async fn off(State(faults): State<Arc<Faults>>, Path(name): Path<String>) -> (StatusCode, String) {
        answer(faults.set(&name, false))
    }
    fn answer(known: bool) -> (StatusCode, String) {
        if known {
            return (StatusCode::NO_CONTENT, String::new());
        }
        let names = Fault::ALL.map(|(_, name)| name).join(", ");
        (StatusCode::NOT_FOUND, format!("no such fault; there are: {names}\n"))
    }
    Router::new().route("/_faults", get(list)).route("/_faults/{name}", post(on).delete(off)).with_state(faults)
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};

    #[test]
    fn a_fault_is_switched_by_its_name_alone() {
        let faults = Faults::default();
        for (fault, name) in Fault::ALL {
            assert!(faults.set(name, true) && faults.has(fault), "{name}");
            assert_eq!(Fault::ALL.iter().filter(|(it, _)| faults.has(*it)).count(), 1, "{name}");
            assert!(faults.set(name, false) && !faults.has(fault), "{name}");
        }
        assert!(!faults.set("no-such", true));
    }
}
