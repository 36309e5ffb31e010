//! One connection: HTTP/1.1 or HTTP/2, with a deadline for request heads, its errors counted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower_service::Service as _;

use super::activity::{Activity, Answer, Metered};
use crate::core::Core;

/// The first bytes of an HTTP/2 connection; until they differ or are complete, no deadline of the HTTP library runs.
const PREFACE: u64 = 24;

/// Serves until the client ends it, or gracefully once `draining` turns true.
pub(super) async fn serve(
    core: &'static Core,
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    header_timeout: Duration,
    mut draining: watch::Receiver<bool>,
) {
    // Small responses must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity::default());
    let answered = Arc::clone(&activity);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        answered.asked();
        let (answer, activity) = (app.clone().call(request.map(Body::new)), Arc::clone(&answered));
        async move { answer.await.map(|response| response.map(|body| Answer::new(body, activity))) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout);
    builder.http2().timer(TokioTimer::new()).enable_connect_protocol();
    let stream = Metered::new(stream, Arc::clone(&activity));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = says_nothing(&activity, header_timeout) => {
            if activity.read() > 0 {
                core.health.connection_error("header_timeout");
            }
            return;
        }
        () = asked(&mut draining) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    let kind = ended.err().and_then(|error| classify(error.as_ref()));
    // The HTTP library gives a connection that is kept for later the same deadline; letting it go is no error.
    if let Some(kind) = kind.filter(|kind| *kind != "header_timeout" || activity.unanswered() > 0) {
        core.health.connection_error(kind);
    }
}

/// Ends when the client has not even said which protocol it speaks in time; never for others.
async fn says_nothing(activity: &Activity, header_timeout: Duration) {
    tokio::time::sleep(header_timeout).await;
    if activity.read() >= PREFACE || activity.has_asked() {
        std::future::pending::<()>().await;
    }
}

async fn asked(draining: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the end as well.
    let _ = draining.wait_for(|it| *it).await;
}

/// What the HTTP library answered or ended by itself; `None` for what is already counted as a request.
fn classify(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
        if hyper.is_user() || hyper.is_body_write_aborted() {
            return None;
        }
        if hyper.is_timeout() {
            return Some("header_timeout");
        }
        if hyper.is_parse() {
            return Some("bad_request");
        }
        if hyper.is_incomplete_message() || hyper.is_canceled() || hyper.is_closed() {
            return Some("client_disconnect");
        }
    }
    let io = error.downcast_ref::<io::Error>().or_else(|| error.source()?.downcast_ref::<io::Error>());
    Some(match io.map(io::Error::kind) {
        Some(
            io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected,
        ) => "client_disconnect",
        Some(_) => "io",
        None => "_OTHER",
    })
}
