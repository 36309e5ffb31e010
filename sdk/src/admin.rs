//! The admin server: `/metrics`, `/healthz`, `/readyz`, `/contract`, on a thread and runtime of its own, so that a busy service still
//! answers scrapes and a deadlocked one still tells that it is unhealthy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, StatusCode};

use crate::core::Core;
use crate::error::InitError;
use crate::published;
use crate::render::respond;
use crate::signal::clock;

/// A heartbeat older than this is a runtime that does not run.
const STALE: Duration = Duration::from_secs(10);
/// How often the ad-hoc recorder is tidied while nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// The running server.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<State>,
}

/// What health checks read.
#[derive(Debug, Default)]
pub(crate) struct State {
    ready: AtomicBool,
    /// When the service's runtime last ran; 0 before it is watched.
    beat: AtomicU64,
}

impl State {
    pub(crate) fn set_ready(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
    }

    fn healthy(&self) -> bool {
        let beat = self.beat.load(Ordering::Relaxed);
        beat == 0 || u128::from(clock::now().saturating_sub(beat)) < STALE.as_nanos()
    }

    /// The service's runtime runs.
    pub(crate) fn beat(&self) {
        self.beat.store(clock::now(), Ordering::Relaxed);
    }

    /// Nobody watches the service's runtime.
    pub(crate) fn unwatched(&self) {
        self.beat.store(0, Ordering::Relaxed);
    }
}

impl Admin {
    /// No server: its state alone.
    pub(crate) fn absent() -> Self {
        Self { address: SocketAddr::from(([127, 0, 0, 1], 0)), state: Arc::default() }
    }

    /// Binds; nothing answers yet.
    pub(crate) fn bind(address: SocketAddr) -> Result<(Self, std::net::TcpListener), InitError> {
        let admin = |source| InitError::Admin { address, source };
        let listener = std::net::TcpListener::bind(address).map_err(admin)?;
        listener.set_nonblocking(true).map_err(admin)?;
        let bound = listener.local_addr().map_err(admin)?;
        Ok((Self { address: bound, state: Arc::new(State::default()) }, listener))
    }

    /// Starts serving on what was bound.
    pub(crate) fn start(&self, core: &'static Core, listener: std::net::TcpListener) -> Result<(), InitError> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        // One thread per format and encoding that scrapers ask for is plenty: whoever waits shares a page.
        let runtime = runtime.enable_all().max_blocking_threads(4).build().map_err(InitError::Thread)?;
        let app = router(core, Arc::clone(&self.state));
        let serve = move || {
            runtime.block_on(async move {
                tokio::spawn(async move {
                    loop {
                        tokio::time::sleep(UPKEEP).await;
                        core.adhoc.upkeep();
                    }
                });
                let served = match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => axum::serve(listener, app).await,
                    Err(error) => Err(error),
                };
                if let Err(error) = served {
                    tracing::error!(%error, "the admin server ended");
                }
            });
        };
        std::thread::Builder::new().name("kilter-admin".to_owned()).spawn(serve).map_err(InitError::Thread)?;
        Ok(())
    }
}

/// The pages.
pub(crate) fn router(core: &'static Core, state: Arc<State>) -> Router {
    let said = |ok: bool, text: &'static str| (if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, text);
    let (health, ready) = (Arc::clone(&state), state);
    let healthz = move || async move {
        let ok = health.healthy();
        said(ok, if ok { "ok\n" } else { "the service's runtime has not run for 10 seconds\n" })
    };
    let readyz = move || async move {
        let ok = ready.ready.load(Ordering::Acquire);
        said(ok, if ok { "ready\n" } else { "not ready: starting, or draining\n" })
    };
    let contract = move || async move { ([(CONTENT_TYPE, "application/json")], published::text(core, true)) };
    Router::new()
        .route("/", get(|| async { "/metrics\n/healthz\n/readyz\n/contract\n" }))
        .route("/metrics", get(move |method: Method, headers: HeaderMap| respond(core, method, headers)))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/contract", get(contract))
}
