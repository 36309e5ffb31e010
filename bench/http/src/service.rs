//! The measured service: the same router and the same requests for every stack.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use futures_util::StreamExt as _;
use futures_util::stream;
use tower_http::timeout::TimeoutLayer;

/// Templates of the routes.
pub(crate) fn templates(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("/orders{n}/{{id}}")).collect()
}

/// What the handlers do beside their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handlers {
    /// Nothing.
    Plain,
    /// Two nested `tracing` spans.
    Spans,
    /// They carry the attribute of autometrics.
    Autometrics,
}

/// The routes of the cost tables, with a handler that answers at once.
pub(crate) fn routes(count: usize, handlers: Handlers) -> Router {
    templates(count).iter().fold(Router::new(), |router, template| {
        let handler = match handlers {
            Handlers::Plain => get(order),
            Handlers::Spans => get(order_in_spans),
            Handlers::Autometrics => get(with_autometrics::order),
        };
        router.route(template, handler)
    })
}

async fn order() -> &'static str {
    "an order"
}

async fn order_in_spans() -> &'static str {
    find_order(7).await
}

#[tracing::instrument]
async fn find_order(id: u64) -> &'static str {
    query_order(id).await
}

#[tracing::instrument]
async fn query_order(id: u64) -> &'static str {
    std::hint::black_box(id);
    "an order"
}

/// One of the requests, with the headers that every client sends.
pub(crate) fn request(path: &str, traceparent: bool) -> Request<Body> {
    let request =
        Request::get(path).header("host", "orders.example").header("user-agent", "bench/1.0").header("accept", "*/*");
    // Not sampled by the caller.
    let request = if traceparent {
        request.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
    } else {
        request
    };
    request.body(Body::empty()).unwrap_or_default()
}

/// The routes of the correctness table.
pub(crate) fn outcomes(handlers: Handlers) -> Router {
    use with_autometrics as auto;
    let limit = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_millis(50));
    if handlers == Handlers::Autometrics {
        return Router::new()
            .route("/ok", get(auto::order))
            .route("/fail", get(auto::fails))
            .route("/panic", get(auto::panics))
            .route("/slow", get(auto::slow))
            .route("/late", get(auto::slow).layer(limit))
            .route("/stream", get(auto::endless))
            .route("/broken", get(auto::broken));
    }
    Router::new()
        .route("/ok", get(order))
        .route("/fail", get(fails))
        .route("/panic", get(panics))
        .route("/slow", get(slow))
        .route("/late", get(slow).layer(limit))
        .route("/stream", get(endless))
        .route("/broken", get(broken))
}

/// The same handlers under the attribute of autometrics, with its gauge of calls in flight.
mod with_autometrics {
    use autometrics::autometrics;
    use axum::http::StatusCode;
    use axum::response::Response;

    #[autometrics(track_concurrency)]
    pub(super) async fn order() -> &'static str {
        super::order().await
    }

    #[autometrics(track_concurrency)]
    pub(super) async fn fails() -> StatusCode {
        super::fails().await
    }

    #[autometrics(track_concurrency)]
    pub(super) async fn panics() -> &'static str {
        super::panics().await
    }

    #[autometrics(track_concurrency)]
    pub(super) async fn slow() -> &'static str {
        super::slow().await
    }

    #[autometrics(track_concurrency)]
    pub(super) async fn endless() -> Response {
        super::endless().await
    }

    #[autometrics(track_concurrency)]
    pub(super) async fn broken() -> Response {
        super::broken().await
    }
}

async fn fails() -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

async fn panics() -> &'static str {
    panic!("as asked")
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_mins(1)).await;
    "too late"
}

async fn endless() -> Response {
    let chunks = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Ok::<_, Infallible>(Bytes::from_static(b"a chunk"))
    });
    Response::new(Body::from_stream(chunks))
}

async fn broken() -> Response {
    let chunks = [Ok(Bytes::from_static(b"a chunk")), Err(std::io::Error::other("the disk is gone"))];
    let late = stream::iter(chunks).then(|chunk| async {
        // So that the first chunk is on its way before the error.
        tokio::time::sleep(Duration::from_millis(10)).await;
        chunk
    });
    Response::new(Body::from_stream(late))
}
