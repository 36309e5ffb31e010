//! `serve`: an accept loop of our own. `axum::serve` has no deadline, no header timeout, and hides connection errors.

mod activity;
mod connection;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::ServeError;
use crate::telemetry::Telemetry;
use crate::trace::Flushed;

/// How a service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShutdownReport {
    /// Connections that were still busy at the drain deadline; their requests count as `server_shutdown`.
    pub aborted: usize,
    /// What became of the spans.
    pub spans: Flushed,
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Flushed { queued, sent, lost } = self.spans;
        write!(
            f,
            "{} connections aborted at the drain deadline; spans: {queued} queued, {sent} sent, {lost} lost",
            self.aborted
        )
    }
}

impl Telemetry {
    /// Serves until SIGTERM or SIGINT: ready, accept, not ready, drain (`KILTER_DRAIN`), abort what remains so that it is
    /// counted, flush (`KILTER_FLUSH`). The admin page stays up until the end.
    ///
    /// The HTTP server layer is added here, outermost, so that nothing is missed.
    pub async fn serve(&self, listener: TcpListener, app: Router) -> Result<ShutdownReport, ServeError> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        self.serve_until(listener, app, asked).await
    }

    /// The same until a future of the caller's ends.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        app: Router,
        asked: impl Future<Output = ()>,
    ) -> Result<ShutdownReport, ServeError> {
        let address = listener.local_addr()?;
        // The state once: otherwise axum makes a layer per request.
        let app: Router = app.layer(self.http_server()).with_state(());
        let beat = tokio::spawn(Arc::clone(&self.admin().state).beat());
        let (drain, draining) = watch::channel(false);
        let mut connections = JoinSet::new();
        self.set_ready(true);
        tracing::info!(%address, admin = %self.admin_addr(), "serving");
        tokio::pin!(asked);
        loop {
            tokio::select! {
                () = &mut asked => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let serve = connection::serve(self.core(), stream, peer, app.clone(), self.header_timeout, draining.clone());
                        connections.spawn(serve);
                    }
                    Err(error) => {
                        // Out of file descriptors, most likely: a pause lets connections end.
                        self.core().health.connection_error("io");
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                },
            }
        }
        self.set_ready(false);
        drop(listener);
        let _ = drain.send(true);
        tracing::info!(connections = connections.len(), "draining");
        let all_ended = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(self.drain, all_ended).await;
        let aborted = connections.len();
        self.core().shutting_down.store(true, Ordering::Relaxed);
        // Their requests are counted before the flush; those of HTTP/2 end in tasks of the HTTP library's.
        connections.shutdown().await;
        for _ in 0..100 {
            if self.core().routes.active() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let spans = self.flush().await;
        beat.abort();
        let report = ShutdownReport { aborted, spans };
        tracing::info!(%report, "ended");
        Ok(report)
    }
}
