//! Faults that can be switched on and off while the service runs, each at its cause. For demos, tests and game days.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use crate::build::Workspace;

/// What can go wrong: its name, and the file or folder that is in the way while it does.
///
/// - `stale-lock`: a build died and left the lock of the shared cache behind. Every build that starts now waits for it, and
///   with it a worker, until none is left to take builds.
/// - `artifacts-gone`: the folder of artifacts is not there: builds fail by no fault of their own, and so does the job.
const FAULTS: [&str; 2] = ["stale-lock", "artifacts-gone"];

/// Serves the switches on an address of their own: they are in no SLI and no log of requests.
pub(crate) async fn listen(address: SocketAddr, workspace: Arc<Workspace>) -> anyhow::Result<()> {
    ensure!(address.ip().is_loopback(), "--faults takes a loopback address only, not {address}");
    let listener = TcpListener::bind(address).await.with_context(|| format!("could not listen on {address}"))?;
    tokio::spawn(async move { axum::serve(listener, switches(workspace)).await });
    Ok(())
}

/// Whether it is on; `None` when there is no such fault.
fn is_on(workspace: &Workspace, name: &str) -> Option<bool> {
    match name {
        "stale-lock" => Some(workspace.lock().exists()),
        "artifacts-gone" => Some(!workspace.artifacts().exists()),
        _ => None,
    }
}

/// Switches it at its cause; what is so already stays so.
fn set(workspace: &Workspace, name: &str, on: bool) -> std::io::Result<bool> {
    let Some(is_on) = is_on(workspace, name) else { return Ok(false) };
    if is_on != on {
        match (name, on) {
            ("stale-lock", true) => fs::write(workspace.lock(), "")?,
            ("stale-lock", false) => fs::remove_file(workspace.lock())?,
            (_, true) => fs::rename(workspace.artifacts(), aside(workspace))?,
            (_, false) => fs::rename(aside(workspace), workspace.artifacts())?,
        }
        tracing::warn!(fault = name, on, "fault");
    }
    Ok(true)
}

fn aside(workspace: &Workspace) -> PathBuf {
    workspace.artifacts().with_extension("aside")
}

fn switches(workspace: Arc<Workspace>) -> Router {
    type Faults = State<Arc<Workspace>>;
    async fn list(State(workspace): Faults) -> String {
        let on = |name| if is_on(&workspace, name) == Some(true) { "on" } else { "off" };
        FAULTS.map(|name| format!("{name}: {}\n", on(name))).concat()
    }
    async fn on(State(workspace): Faults, Path(name): Path<String>) -> (StatusCode, String) {
        answer(set(&workspace, &name, true))
    }
    async fn off(State(workspace): Faults, Path(name): Path<String>) -> (StatusCode, String) {
        answer(set(&workspace, &name, false))
    }
    fn answer(done: std::io::Result<bool>) -> (StatusCode, String) {
        match done {
            Ok(true) => (StatusCode::NO_CONTENT, String::new()),
            Ok(false) => (StatusCode::NOT_FOUND, format!("no such fault; there are: {}\n", FAULTS.join(", "))),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
        }
    }
    Router::new().route("/_faults", get(list)).route("/_faults/{name}", post(on).delete(off)).with_state(workspace)
}

#[cfg(test)]
mod tests {
    use super::{FAULTS, is_on, set};
    use crate::build::Workspace;

    #[test]
    fn a_fault_is_switched_by_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path()).unwrap();
        for name in FAULTS {
            for on in [true, true, false, false] {
                assert!(set(&workspace, name, on).unwrap(), "{name}");
                assert_eq!(is_on(&workspace, name), Some(on), "{name}");
            }
        }
        assert!(!set(&workspace, "no-such", true).unwrap());
    }
}
