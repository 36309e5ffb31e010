//! `serve`: an accept loop of our own. `axum::serve` has no deadline, no header timeout, and hides connection errors.

mod activity;
mod connection;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::error::ServeError;
use crate::selfcheck;
use crate::telemetry::Telemetry;
use crate::trace::Flushed;

/// How long the ends of aborted connections are awaited.
const ABORT: Duration = Duration::from_secs(1);

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
    /// counted, flush (`KILTER_FLUSH`). The admin page stays up until the end. A second signal ends the drain at once.
    ///
    /// The HTTP server layer is added here, outermost, so that nothing is missed.
    pub async fn serve(&self, listener: TcpListener, app: Router) -> Result<ShutdownReport, ServeError> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (count, signals) = watch::channel(0);
        let counting = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                count.send_modify(|it| *it += 1);
            }
        });
        let report = self.run(listener, app, signalled(signals.clone(), 1), signalled(signals, 2)).await;
        counting.abort();
        report
    }

    /// The same until a future of the caller's ends.
    pub async fn serve_until(
        &self,
        listener: TcpListener,
        app: Router,
        asked: impl Future<Output = ()>,
    ) -> Result<ShutdownReport, ServeError> {
        self.run(listener, app, asked, std::future::pending()).await
    }

    /// Serves until `asked` ends, then drains until the deadline or until `hurried` ends.
    async fn run(
        &self,
        listener: TcpListener,
        app: Router,
        asked: impl Future<Output = ()>,
        hurried: impl Future<Output = ()>,
    ) -> Result<ShutdownReport, ServeError> {
        let address = listener.local_addr()?;
        // The state once: otherwise axum makes a layer per request.
        let app: Router = app.layer(self.http_server()).with_state(());
        self.watch_runtime();
        let (drain, draining) = watch::channel(false);
        let mut connections = JoinSet::new();
        // A service may serve again after it has ended.
        self.core().shutting_down.store(false, Ordering::Relaxed);
        self.set_ready(true);
        if selfcheck::propagator_missing() {
            tracing::warn!(
                next = "set a TraceContextPropagator as the global one, or use kilter::init, which does",
                "OpenTelemetry has no propagator: middleware of others passes no trace on"
            );
        }
        tracing::info!(%address, admin = %self.admin_addr(), "serving");
        tokio::pin!(asked);
        let mut accepting = true;
        loop {
            tokio::select! {
                () = &mut asked => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let serve = connection::serve(self.core(), stream, peer, app.clone(), self.header_timeout, draining.clone());
                        connections.spawn(serve);
                        if !accepting {
                            accepting = true;
                            tracing::info!("connections are accepted again");
                        }
                    }
                    Err(error) if left(&error) => self.core().health.connection_error("client_disconnect"),
                    Err(error) => {
                        // Out of file descriptors, most likely: a pause lets connections end.
                        self.core().health.connection_error("io");
                        if accepting {
                            accepting = false;
                            tracing::error!(%error, "connections cannot be accepted; trying on");
                        }
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
        tokio::select! {
            _ = tokio::time::timeout(self.drain, all_ended) => {}
            () = hurried => tracing::info!("asked again: the drain ends now"),
        }
        let aborted = connections.len();
        self.core().shutting_down.store(true, Ordering::Relaxed);
        // Their requests are counted before the flush; those of HTTP/2 end in tasks of the HTTP library's.
        // A handler that blocks its thread cannot be ended; it must not keep the spans of all others from being sent.
        let _ = tokio::time::timeout(ABORT, connections.shutdown()).await;
        for _ in 0..100 {
            if self.core().routes.active() == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let spans = self.flush().await;
        let report = ShutdownReport { aborted, spans };
        tracing::info!(%report, "ended");
        Ok(report)
    }
}

/// Ends with the `n`-th signal.
async fn signalled(mut signals: watch::Receiver<usize>, n: usize) {
    // An error means that nobody counts any more, which is the end as well.
    let _ = signals.wait_for(|it| *it >= n).await;
}

/// Whether a connection that could not be accepted was given up by its client.
fn left(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}
