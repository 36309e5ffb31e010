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

/// Templates of the routes.
pub(crate) fn templates(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("/orders{n}/{{id}}")).collect()
}

/// The routes of the cost tables, with a handler that answers at once, or one with two `tracing` spans inside.
pub(crate) fn routes(count: usize, spans: bool) -> Router {
    templates(count).iter().fold(Router::new(), |router, template| {
        router.route(template, if spans { get(order_in_spans) } else { get(order) })
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
pub(crate) fn outcomes() -> Router {
    Router::new()
        .route("/ok", get(order))
        .route("/fail", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/panic", get(panics))
        .route("/slow", get(slow))
        .route("/stream", get(endless))
        .route("/broken", get(broken))
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
