//! Each request is counted once, with the right outcome, whatever the handler, the client and the protocol do.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;
use kilter::ErrorType;
use kilter::testing::TestTelemetry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tower::{Layer as _, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::timeout::TimeoutLayer;

use crate::client::{exchange, h2, outcomes, read_until, request, serve, settle};

kilter::routes! {
    OK = GET "/ok";
    STREAM = GET "/stream", stream;
}

fn telemetry() -> TestTelemetry {
    TestTelemetry::new(kilter::service!().routes(ROUTES).error_kinds(&["quota_exceeded"]))
}

/// Frames that never end.
fn endless() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b"frame\n")), ()))
    }))
}

fn frames(frames: Vec<Result<&'static str, std::io::Error>>) -> Body {
    Body::from_stream(stream::iter(frames))
}

async fn hang() {
    std::future::pending::<()>().await;
}

/// Many frames of known length in all.
async fn large() -> Response<Body> {
    const FRAME: &[u8] = &[b'x'; 64 << 10];
    let frames = stream::iter((0..1024).map(|_| Ok::<_, Infallible>(Bytes::from_static(FRAME))));
    Response::builder().header(header::CONTENT_LENGTH, 1024 * FRAME.len()).body(Body::from_stream(frames)).unwrap()
}

/// Two frames, then a panic.
fn half_a_body(mut n: u8) -> impl FnMut(&mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
    move |_| {
        n += 1;
        assert!(n < 3, "a body panics");
        Poll::Ready(Some(Ok(Bytes::from_static(b"frame"))))
    }
}

/// What gRPC sends: data, then trailers, and no announced length.
fn with_trailers() -> Vec<Result<Frame<Bytes>, Infallible>> {
    let trailers = [(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))].into_iter().collect();
    vec![Ok(Frame::data(Bytes::from_static(b"message"))), Ok(Frame::trailers(trailers))]
}

async fn panics() {
    panic!("a handler panics");
}

/// Every handler, without layers.
fn routes() -> Router {
    let quota = || async {
        let mut response = (StatusCode::TOO_MANY_REQUESTS, "quota").into_response();
        response.extensions_mut().insert(ErrorType::declared("quota_exceeded"));
        response
    };
    let undeclared = || async {
        let mut response = "partial".into_response();
        response.extensions_mut().insert(ErrorType::declared("surprise"));
        response
    };
    let announced = || async {
        Response::builder().header(header::CONTENT_LENGTH, 8).body(frames(vec![Ok("four"), Ok("more")])).unwrap()
    };
    let upgrade = || async {
        Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "echo")
            .body(Body::empty())
            .unwrap()
    };
    Router::new()
        .route(OK.path(), get(|| async { "fine" }))
        .route(STREAM.path(), get(|| async { frames(vec![Ok("a"), Ok("b")]) }))
        .route("/empty", get(|| async {}))
        .route("/error", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/bad-gateway", get(|| async { (StatusCode::BAD_GATEWAY, "upstream") }))
        .route("/quota", get(quota))
        .route("/undeclared", get(undeclared))
        .route("/no-content", get(|| async { StatusCode::NO_CONTENT }))
        .route("/not-modified", get(|| async { (StatusCode::NOT_MODIFIED, "ignored") }))
        .route("/announced", get(announced))
        .route("/upgrade", get(upgrade))
        .route("/panic", get(panics))
        .route("/hang", get(hang))
        .route("/endless", get(|| async { endless() }))
        .route("/failed-endless", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, endless()) }))
        .route("/body-error", get(|| async { frames(vec![Ok("a"), Err(std::io::Error::other("torn"))]) }))
        .route(
            "/events",
            get(|| async { ([(header::CONTENT_TYPE, "text/event-stream")], frames(vec![Ok("data: 1\n\n")])) }),
        )
        .route("/slow", get(hang).layer(kilter::timeout(Duration::from_millis(20))))
        .route("/upload", post(|body: Bytes| async move { body.len().to_string() }))
        .route("/body-panic", get(|| async { Body::from_stream(stream::poll_fn(half_a_body(0))) }))
        .route("/trailers", get(|| async { Body::new(StreamBody::new(stream::iter(with_trailers()))) }))
        .route("/any", any(|| async { "any" }))
        .route("/nap", any(|| tokio::time::sleep(Duration::from_millis(200))))
        .route("/large", get(large))
        .route("/whole", get(|| async { "x".repeat(64 << 20) }))
}

async fn start() -> (TestTelemetry, SocketAddr) {
    let telemetry = telemetry();
    (telemetry, serve(routes().layer(telemetry.http_server())).await)
}

/// Responses that a client reads to their end: method, path, status line, outcome.
const COMPLETE: &[(&str, &str, &str, &str)] = &[
    ("GET", "/ok", "200", "GET /ok 200 -"),
    ("GET", "/ok?token=secret", "200", "GET /ok 200 -"),
    ("HEAD", "/ok", "200", "HEAD /ok 200 -"),
    ("GET", "/stream", "200", "GET /stream 200 -"),
    ("HEAD", "/stream", "200", "HEAD /stream 200 -"),
    ("GET", "/empty", "200", "GET /empty 200 -"),
    ("GET", "/error", "500", "GET /error 500 500"),
    ("GET", "/bad-gateway", "502", "GET /bad-gateway 502 502"),
    ("GET", "/quota", "429", "GET /quota 429 quota_exceeded"),
    ("GET", "/undeclared", "200", "GET /undeclared 200 _OTHER"),
    ("GET", "/no-content", "204", "GET /no-content 204 -"),
    ("GET", "/not-modified", "304", "GET /not-modified 304 -"),
    ("GET", "/announced", "200", "GET /announced 200 -"),
    ("GET", "/events", "200", "GET /events 200 -"),
    ("GET", "/slow", "503", "GET /slow 503 timeout"),
    ("GET", "/trailers", "200", "GET /trailers 200 -"),
    ("POST", "/ok", "405", "POST /ok 405 -"),
    ("FROBNICATE", "/any", "200", "_OTHER /any 200 -"),
    ("GET", "/nowhere", "404", "GET - 404 -"),
];

#[tokio::test]
async fn complete_responses_over_http1() {
    let (telemetry, address) = start().await;
    let mut expected: Vec<(&str, u64)> = Vec::new();
    for &(method, path, status, outcome) in COMPLETE {
        let response = exchange(address, method, path).await;
        assert_eq!(response.split(' ').nth(1), Some(status), "{method} {path}: {response}");
        match expected.iter_mut().find(|(seen, _)| *seen == outcome) {
            Some((_, count)) => *count += 1,
            None => expected.push((outcome, 1)),
        }
        settle(telemetry, &expected).await;
    }
}

#[tokio::test]
async fn complete_responses_over_http2() {
    let (telemetry, address) = start().await;
    let client = h2();
    let mut expected: Vec<(&str, u64)> = Vec::new();
    for &(method, path, status, outcome) in COMPLETE {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let response = client.request(method, format!("http://{address}{path}")).send().await.unwrap();
        assert_eq!(response.status().as_str(), status, "{path}");
        response.bytes().await.unwrap();
        match expected.iter_mut().find(|(seen, _)| *seen == outcome) {
            Some((_, count)) => *count += 1,
            None => expected.push((outcome, 1)),
        }
        settle(telemetry, &expected).await;
    }
}

/// A deadline inside counts as `timeout` when the service says by which status it is told.
#[tokio::test]
async fn a_timeout_layer_inside_and_outside() {
    let deadline = || TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(20));
    for (service, outcome) in [
        (kilter::service!().timeout_status(408), "GET /hang 408 timeout"),
        // Without a word from the service a 4xx is the client's.
        (kilter::service!(), "GET /hang 408 -"),
    ] {
        let telemetry = TestTelemetry::new(service);
        let address = serve(routes().layer(deadline()).layer(telemetry.http_server())).await;
        assert!(exchange(address, "GET", "/hang").await.starts_with("HTTP/1.1 408"));
        settle(telemetry, &[(outcome, 1)]).await;
    }
    // From inside, a deadline further out looks like a client that leaves: the documentation says so.
    let telemetry = telemetry();
    let address = serve(routes().layer(telemetry.http_server()).layer(deadline())).await;
    assert!(exchange(address, "GET", "/hang").await.starts_with("HTTP/1.1 408"));
    settle(telemetry, &[("GET /hang - client_disconnect", 1)]).await;
}

/// Whoever leaves while the upload is unread, or while a further request waits behind the first, is not noticed: the
/// request runs to its end and is counted once.
#[tokio::test]
async fn an_upload_that_nobody_reads_and_requests_that_wait() {
    let (telemetry, address) = start().await;
    // The handler reads this one, and hears that it is torn: the client's fault, and nobody's error.
    let mut upload = request(address, "POST", "/upload", "Content-Length: 1000000\r\n").await;
    upload.write_all(&[b'x'; 10_000]).await.unwrap();
    drop(upload);
    settle(telemetry, &[("POST /upload 400 -", 1)]).await;

    let (telemetry, address) = start().await;
    let mut upload = request(address, "POST", "/nap", "Content-Length: 1000000\r\n").await;
    upload.write_all(&[b'x'; 10_000]).await.unwrap();
    drop(upload);
    settle(telemetry, &[("POST /nap 200 -", 1)]).await;

    // One after the other on one connection, sent at once.
    let mut pipelined = TcpStream::connect(address).await.unwrap();
    let ask = |path: &str, more: &str| format!("GET {path} HTTP/1.1\r\nHost: it\r\n{more}\r\n");
    let all = [ask("/ok", ""), ask("/error", ""), ask("/nap", ""), ask("/ok", "Connection: close\r\n")].concat();
    pipelined.write_all(all.as_bytes()).await.unwrap();
    let mut answers = String::new();
    pipelined.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 4);
    let before = [("POST /nap 200 -", 1), ("GET /ok 200 -", 2), ("GET /error 500 500", 1), ("GET /nap 200 -", 1)];
    settle(telemetry, &before).await;

    let mut leaving = TcpStream::connect(address).await.unwrap();
    leaving.write_all([ask("/nap", ""), ask("/bad-gateway", "")].concat().as_bytes()).await.unwrap();
    drop(leaving);
    tokio::time::sleep(Duration::from_millis(600)).await;
    let seen = outcomes(&telemetry.page());
    assert_eq!(seen["GET /nap 200 -"], 2, "{seen:?}");
    assert!(seen.get("GET /bad-gateway 502 502").is_none_or(|it| *it == 1), "{seen:?}");
    let active = "http_server_active_requests{http_request_method=\"GET\",http_route=\"/bad-gateway\"}";
    assert!(telemetry.value(active).is_none_or(|it| it == 0.0));
}

/// A body of known size that a client stops reading in the middle.
#[tokio::test]
async fn a_connection_that_closes_early() {
    let (telemetry, address) = start().await;
    let mut reading = request(address, "GET", "/large", "").await;
    read_until(&mut reading, "xxxx").await;
    drop(reading);
    settle(telemetry, &[("GET /large 200 client_disconnect", 1)]).await;
    // A body in one piece is the HTTP library's as soon as it asks for it: the documentation says so.
    let mut reading = request(address, "GET", "/whole", "").await;
    read_until(&mut reading, "xxxx").await;
    drop(reading);
    settle(telemetry, &[("GET /large 200 client_disconnect", 1), ("GET /whole 200 -", 1)]).await;
}

#[tokio::test]
async fn a_client_that_leaves_over_http1() {
    let (telemetry, address) = start().await;
    drop(request(address, "GET", "/hang", "").await);
    settle(telemetry, &[("GET /hang - client_disconnect", 1)]).await;
    let mut reading = request(address, "GET", "/endless", "").await;
    read_until(&mut reading, "frame").await;
    drop(reading);
    settle(telemetry, &[("GET /hang - client_disconnect", 1), ("GET /endless 200 client_disconnect", 1)]).await;
}

#[tokio::test]
async fn a_client_that_resets_over_http2() {
    let (telemetry, address) = start().await;
    let client = h2();
    let url = |path: &str| format!("http://{address}{path}");
    let hanging = tokio::time::timeout(Duration::from_millis(200), client.get(url("/hang")).send()).await;
    assert!(hanging.is_err(), "the handler hangs");
    settle(telemetry, &[("GET /hang - client_disconnect", 1)]).await;
    let mut endless = client.get(url("/endless")).send().await.unwrap();
    assert!(endless.chunk().await.unwrap().is_some());
    drop(endless);
    settle(telemetry, &[("GET /hang - client_disconnect", 1), ("GET /endless 200 client_disconnect", 1)]).await;
    assert_eq!(client.get(url("/ok")).send().await.unwrap().text().await.unwrap(), "fine", "the connection lives on");
}

#[tokio::test]
async fn a_failure_stays_one_when_the_client_does_not_wait_for_its_end() {
    let (telemetry, address) = start().await;
    let mut reading = request(address, "GET", "/failed-endless", "").await;
    read_until(&mut reading, "frame").await;
    drop(reading);
    settle(telemetry, &[("GET /failed-endless 500 500", 1)]).await;
}

#[tokio::test]
async fn a_body_that_fails() {
    let (telemetry, address) = start().await;
    exchange(address, "GET", "/body-error").await;
    settle(telemetry, &[("GET /body-error 200 body_error", 1)]).await;
}

#[tokio::test]
async fn an_upgrade_is_complete_with_its_head() {
    let (telemetry, address) = start().await;
    let mut upgraded = request(address, "GET", "/upgrade", "Connection: upgrade\r\nUpgrade: echo\r\n").await;
    read_until(&mut upgraded, "101 Switching Protocols").await;
    settle(telemetry, &[("GET /upgrade 101 -", 1)]).await;
    upgraded.write_all(b"anything").await.unwrap();
    drop(upgraded);
    settle(telemetry, &[("GET /upgrade 101 -", 1)]).await;
}

#[tokio::test]
async fn a_panic_is_a_panic_wherever_it_is_caught() {
    let inside = telemetry();
    let address = serve(routes().layer(CatchPanicLayer::new()).layer(inside.http_server())).await;
    assert!(exchange(address, "GET", "/panic").await.starts_with("HTTP/1.1 500"));
    // What is caught inside is a response like any other.
    settle(inside, &[("GET /panic 500 500", 1)]).await;

    let outside = telemetry();
    let address = serve(routes().layer(outside.http_server()).layer(CatchPanicLayer::new())).await;
    assert!(exchange(address, "GET", "/panic").await.starts_with("HTTP/1.1 500"));
    settle(outside, &[("GET /panic - panic", 1)]).await;

    let (nowhere, address) = start().await;
    assert_eq!(exchange(address, "GET", "/panic").await, "", "hyper drops the connection");
    settle(nowhere, &[("GET /panic - panic", 1)]).await;
    h2().get(format!("http://{address}/panic")).send().await.unwrap_err();
    settle(nowhere, &[("GET /panic - panic", 2)]).await;

    // In the middle of a body, after its head.
    exchange(address, "GET", "/body-panic").await;
    settle(nowhere, &[("GET /panic - panic", 2), ("GET /body-panic 200 panic", 1)]).await;
}

#[tokio::test]
async fn files_of_tower_http() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pack"), vec![b'x'; 300_000]).unwrap();
    let telemetry = telemetry();
    let app = Router::new()
        .route_service("/file", ServeFile::new(folder.path().join("pack")))
        .nest_service("/bare", ServeDir::new(folder.path()))
        .nest_service(
            "/named",
            ServiceBuilder::new().layer(kilter::route("/named/{*rest}")).service(ServeDir::new(folder.path())),
        )
        .layer(telemetry.http_server());
    let address = serve(app).await;
    for (path, outcomes) in [
        ("/file", vec![("GET /file 200 -", 1)]),
        ("/bare/pack", vec![("GET /file 200 -", 1), ("GET - 200 -", 1)]),
        ("/named/pack", vec![("GET /file 200 -", 1), ("GET - 200 -", 1), ("GET /named/{*rest} 200 -", 1)]),
    ] {
        assert!(exchange(address, "GET", path).await.len() > 300_000);
        settle(telemetry, &outcomes).await;
    }
    let first_byte =
        "http_server_time_to_first_byte_seconds_count{http_request_method=\"GET\",http_route=\"/named/{*rest}\"}";
    assert_eq!(telemetry.value(first_byte), Some(1.0), "a name given inside is the request's whole name");
}

#[tokio::test]
async fn a_named_service_that_panics_keeps_its_name() {
    let telemetry = telemetry();
    let app = Router::new()
        .nest_service("/named", kilter::route("/named/{*rest}").layer(Router::new().fallback(panics)))
        .layer(telemetry.http_server());
    let address = serve(app).await;
    exchange(address, "GET", "/named/x").await;
    settle(telemetry, &[("GET /named/{*rest} - panic", 1)]).await;
}

#[tokio::test]
async fn nested_routers_and_fallbacks() {
    let telemetry = telemetry();
    let inner = Router::new().route("/{id}", get(|| async { "item" }));
    let app = Router::new()
        .nest("/items", inner)
        .fallback(|| async { StatusCode::IM_A_TEAPOT })
        .layer(telemetry.http_server());
    let address = serve(app).await;
    exchange(address, "GET", "/items/7").await;
    exchange(address, "GET", "/elsewhere").await;
    settle(telemetry, &[("GET /items/{id} 200 -", 1), ("GET - 418 -", 1)]).await;
}

#[tokio::test]
async fn a_second_layer_counts_nothing_and_is_reported_once() {
    let telemetry = telemetry();
    let app = routes().layer(telemetry.http_server()).layer(telemetry.http_server());
    let address = serve(app).await;
    for n in 1..=3 {
        exchange(address, "GET", "/ok").await;
        settle(telemetry, &[("GET /ok 200 -", n)]).await;
    }
    assert_eq!(telemetry.value("telemetry_violations_total{kind=\"second_layer\"}"), Some(1.0));
}

#[tokio::test]
async fn a_stream_has_its_first_byte_as_value_and_its_life_beside_it() {
    let telemetry = telemetry();
    let slow = || async {
        Body::from_stream(stream::unfold(0, |n| async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            (n < 4).then(|| (Ok::<_, Infallible>(Bytes::from_static(b"x")), n + 1))
        }))
    };
    let app = Router::new().route(STREAM.path(), get(slow)).layer(telemetry.http_server());
    let address = serve(app).await;
    exchange(address, "GET", "/stream").await;
    settle(telemetry, &[("GET /stream 200 -", 1)]).await;
    let sum = telemetry
        .value("http_server_request_duration_seconds_sum{http_request_method=\"GET\",http_route=\"/stream\",http_response_status_code=\"200\"}")
        .unwrap();
    let life = telemetry
        .value("http_server_stream_duration_seconds_sum{http_request_method=\"GET\",http_route=\"/stream\"}")
        .unwrap();
    assert!(life >= 1.2, "four frames, 300 ms apart: {life}");
    assert!(sum < life / 2.0, "the head came at once: {sum}");
}

/// Connections leave nothing behind: axum makes a layer per connection, and each must be free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_connections_leave_nothing_behind() {
    let (telemetry, address) = start().await;
    let run = |connections: u64| async move {
        for _ in 0..connections / 50 {
            let all = (0..50).map(|_| exchange(address, "GET", "/ok"));
            futures_util::future::join_all(all).await;
        }
    };
    run(1_000).await;
    settle(telemetry, &[("GET /ok 200 -", 1_000)]).await;
    let (before, page) = (resident_bytes(), telemetry.page().len());
    run(10_000).await;
    settle(telemetry, &[("GET /ok 200 -", 11_000)]).await;
    let grown = resident_bytes().saturating_sub(before);
    // One kilobyte for each route of each connection, as a per-endpoint cache in the layer would leak, is 200 MB.
    // The bound leaves room for what other tests of this binary do at the same time.
    assert!(grown < 24 << 20, "{grown} bytes more after 10,000 connections");
    assert!(telemetry.page().len().abs_diff(page) < 1_000, "the page does not grow");
}

/// Resident memory of this process (Linux).
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a proc file system");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}
