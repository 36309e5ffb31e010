//! Each call to an HTTP dependency is counted once, with the right outcome, by the real clients against a live server.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use axum::response::Redirect;
use axum::routing::{any, get, post};
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use kilter::testing::TestTelemetry;
use kilter::{HttpClient, http_client::MeasuredClient};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::{Service, ServiceBuilder, ServiceExt as _};
use tower_http::timeout::TimeoutLayer;

use crate::client::{exchange, request, serve, settle_family};

/// The labels that tell how calls ended.
const KEYS: &[&str] = &["http_request_method", "dependency", "http_response_status_code", "error_type"];

/// Waits until exactly these calls are on the page and none is in flight.
async fn settled(telemetry: TestTelemetry, expected: &[(&str, u64)]) {
    settle_family(telemetry, "http_client_request_duration_seconds_count", KEYS, expected).await;
    let page = telemetry.page();
    let mut active = page.lines().filter(|it| it.starts_with("http_client_active_requests{"));
    assert!(active.all(|it| it.ends_with(" 0")), "{page}");
}

fn telemetry() -> TestTelemetry {
    TestTelemetry::new(kilter::service!())
}

/// A frame now, and then nothing for as long as anybody waits.
fn stuck(content_type: &'static str) -> Response<Body> {
    let first = stream::once(async { Ok::<_, Infallible>(Bytes::from_static(b"first\n")) });
    let body = Body::from_stream(first.chain(stream::pending()));
    Response::builder().header(header::CONTENT_TYPE, content_type).body(body).unwrap()
}

fn dependency() -> Router {
    Router::new()
        .route("/ok", get(|| async { "fine" }))
        .route("/error", get(|| async { (StatusCode::INTERNAL_SERVER_ERROR, "broken") }))
        .route("/redirect", get(|| async { Redirect::temporary("/ok") }))
        .route("/hang", get(std::future::pending::<()>))
        .route("/stuck", get(|| async { stuck("text/plain") }))
        .route("/broken-stuck", get(|| async { (StatusCode::BAD_GATEWAY, stuck("text/plain")) }))
        .route("/events", get(|| async { stuck("text/event-stream") }))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/any", any(|headers: HeaderMap| async move { format!("{:?}", headers.get("traceparent")) }))
}

/// A server that reads a request, says this, and closes the connection.
async fn says(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    address
}

/// An address where nothing listens.
async fn refused() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// A client whose connection is gone for good.
#[derive(Clone)]
struct NeverReady;

impl Service<Request<Body>> for NeverReady {
    type Response = Response<Body>;
    type Error = std::io::Error;
    type Future = std::future::Pending<Result<Response<Body>, std::io::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), std::io::Error>> {
        Poll::Ready(Err(std::io::ErrorKind::NotConnected.into()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        std::future::pending()
    }
}

fn reqwest(telemetry: TestTelemetry) -> MeasuredClient {
    telemetry.http_client("identity").reqwest(kilter::reqwest::Client::new())
}

#[tokio::test]
async fn answers_through_reqwest_are_what_they_are_without_us() {
    let telemetry = telemetry();
    let identity = reqwest(telemetry);
    let address = serve(dependency()).await;
    let url = |path: &str| format!("http://{address}{path}");

    let response = identity.get(url("/redirect")).query(&[("token", "secret")]).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.url().path()), (200, "/ok"), "one call, with its final URL");
    assert_eq!((response.content_length(), response.remote_addr()), (Some(4), Some(address)));
    assert_eq!(response.text().await.unwrap(), "fine");
    assert_eq!(identity.get(url("/missing")).send().await.unwrap().status(), 404, "the body stays unread");
    let error = identity.get(url("/error")).send().await.unwrap().error_for_status().unwrap_err();
    assert_eq!(
        (error.status().map(|it| it.as_u16()), error.url().map(reqwest::Url::path)),
        (Some(500), Some("/error"))
    );
    let sent = serde_json::json!({"name": "ada"});
    let echo = identity.post(url("/echo")).header("x-tenant", "one").bearer_auth("secret").json(&sent).send();
    assert_eq!(echo.await.unwrap().text().await.unwrap(), sent.to_string());
    assert_eq!(identity.head(url("/ok")).send().await.unwrap().content_length(), Some(0));
    let strange = kilter::http_types::Method::from_bytes(b"FROBNICATE").unwrap();
    let built = identity.request(strange, url("/any")).build().unwrap();
    assert_eq!(identity.execute(built).await.unwrap().text().await.unwrap(), "None", "there is no request to pass on");
    identity.get("no url").send().await.unwrap_err();
    drop(identity.execute(identity.get(url("/ok")).build().unwrap()));
    settled(
        telemetry,
        &[
            ("GET identity 200 -", 1),
            ("GET identity 404 -", 1),
            ("GET identity 500 500", 1),
            ("POST identity 200 -", 1),
            ("HEAD identity 200 -", 1),
            ("_OTHER identity 200 -", 1),
        ],
    )
    .await;
    assert!(!telemetry.page().contains("secret"));
}

#[tokio::test]
async fn failures_through_reqwest_say_what_failed() {
    let telemetry = telemetry();
    let identity = reqwest(telemetry);
    let (address, limit) = (serve(dependency()).await, Duration::from_millis(300));
    let url = |path: &str| format!("http://{address}{path}");

    let error = identity.get(format!("http://{}/", refused().await)).send().await.unwrap_err();
    assert!(error.is_connect());
    identity.get(format!("http://{}/", says("").await)).send().await.unwrap_err();
    let half = says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    identity.get(format!("http://{half}/")).send().await.unwrap().bytes().await.unwrap_err();
    settled(telemetry, &[("GET identity - _OTHER", 2), ("GET identity 200 body_error", 1)]).await;

    // Deadlines of the client's own, and around it; before the head, and within the body.
    let error = identity.get(url("/hang")).timeout(limit).send().await.unwrap_err();
    assert!(error.is_timeout());
    let error = identity.get(url("/stuck")).timeout(limit).send().await.unwrap().text().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    tokio::time::timeout(limit, identity.get(url("/hang")).send()).await.unwrap_err();
    let response = identity.get(url("/stuck")).send().await.unwrap();
    tokio::time::timeout(limit, response.text()).await.unwrap_err();
    // Was an error before it was given up.
    let response = identity.get(url("/broken-stuck")).send().await.unwrap();
    tokio::time::timeout(limit, response.text()).await.unwrap_err();
    // Read as far as its reader wanted; and a stream that has no end.
    let mut response = identity.get(url("/stuck")).send().await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    drop(response);
    let response = identity.get(url("/events")).send().await.unwrap();
    tokio::time::timeout(limit, response.text()).await.unwrap_err();
    settled(
        telemetry,
        &[
            ("GET identity - _OTHER", 2),
            ("GET identity 200 body_error", 1),
            ("GET identity - timeout", 2),
            ("GET identity 200 timeout", 2),
            ("GET identity 502 502", 1),
            ("GET identity 200 -", 2),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_call_whose_request_is_cancelled_left_with_its_caller() {
    let telemetry = telemetry();
    let address = serve(dependency()).await;
    let identity = reqwest(telemetry);
    let hangs = move || async move {
        identity.get(format!("http://{address}/hang")).send().await.map(|_| ()).is_ok().to_string()
    };
    let front = serve(Router::new().route("/front", get(hangs)).layer(telemetry.http_server())).await;
    let asked = request(front, "GET", "/front", "").await;
    let active = "http_client_active_requests{http_request_method=\"GET\",dependency=\"identity\"}";
    for _ in 0..250 {
        if telemetry.value(active) == Some(1.0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(telemetry.value(active), Some(1.0));
    drop(asked);
    settled(telemetry, &[("GET identity - client_disconnect", 1)]).await;
}

/// The deadline of a layer is the service's own, so a dependency that hangs does not look like a client that left.
#[tokio::test]
async fn a_call_within_a_deadline_of_the_server_is_given_up() {
    let telemetry = telemetry();
    let (address, limit) = (serve(dependency()).await, Duration::from_millis(40));
    let identity = reqwest(telemetry);
    let app = || {
        let identity = identity.clone();
        let hangs =
            move || async move { identity.get(format!("http://{address}/hang")).send().await.is_ok().to_string() };
        Router::new().route("/front", get(hangs))
    };
    let layers = || ServiceBuilder::new().layer(telemetry.http_server());
    let theirs = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit);
    for app in [app().layer(layers().layer(kilter::timeout(limit))), app().layer(layers().layer(theirs))] {
        assert!(exchange(serve(app).await, "GET", "/front").await.starts_with("HTTP/1.1 50"));
    }
    settled(telemetry, &[("GET identity - timeout", 2)]).await;
}

/// Calls that end in every way, on two threads: each is counted once, and none stays in flight.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_calls_they_add_up() {
    const CALLS: u64 = 4_000;
    static MADE: AtomicU64 = AtomicU64::new(0);
    let telemetry = telemetry();
    let inner = tower::service_fn(|request: Request<Body>| async move {
        let n: u64 = request.uri().path()[1..].parse().unwrap();
        for _ in 0..n % 4 {
            tokio::task::yield_now().await;
        }
        match n % 11 {
            0 => std::future::pending().await,
            1 => panic!("a client panics"),
            2 => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
            3 => Ok(stuck("text/plain")),
            _ => Ok(Response::new(Body::from("fine"))),
        }
    });
    let client = ServiceBuilder::new().layer(telemetry.http_client("identity")).service(inner);
    let calls = (0..CALLS).map(|n| {
        let client = client.clone();
        let call = tokio::spawn(async move {
            MADE.fetch_add(1, Ordering::Relaxed);
            let response = client.oneshot(Request::get(format!("/{n}")).body(Body::empty()).unwrap()).await;
            if let Ok(response) = response {
                let _ = response.into_body().collect().await;
            }
        });
        async move {
            for _ in 0..n % 13 {
                tokio::task::yield_now().await;
            }
            if n % 3 == 0 || n % 11 == 0 || n % 11 == 3 {
                call.abort();
            }
            call.await.is_ok()
        }
    });
    futures_util::future::join_all(calls).await;
    let page = telemetry.page();
    let value = |line: &str| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap();
    let of = |name: &str| page.lines().filter(|it| it.starts_with(name)).map(value).sum::<f64>();
    // A task that is aborted before its first poll makes no call.
    let counted = of("http_client_request_duration_seconds_count{");
    assert!(counted > 0.5 * CALLS as f64 && counted <= CALLS as f64, "{counted}");
    assert_eq!(counted.to_bits(), (MADE.load(Ordering::Relaxed) as f64).to_bits(), "each call once");
    assert!(of("http_client_active_requests{").abs() < f64::EPSILON, "{page}");
}

#[tokio::test]
async fn any_tower_client_is_counted_by_the_layer() {
    let telemetry = telemetry();
    let identity: HttpClient = telemetry.http_client("identity");
    let address = serve(dependency()).await;
    let get =
        |address: SocketAddr, path: &str| Request::get(format!("http://{address}{path}")).body(Body::empty()).unwrap();
    let hyper = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let client = ServiceBuilder::new().layer(identity).service(hyper.clone());
    let whole = client.clone().oneshot(get(address, "/ok")).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(whole.to_bytes(), "fine");
    client.clone().oneshot(get(refused().await, "/ok")).await.unwrap_err();
    let half = says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").await;
    client.clone().oneshot(get(half, "/")).await.unwrap().into_body().collect().await.unwrap_err();
    // tower's deadline within the layer, and a client that is never ready.
    let limited = ServiceBuilder::new().layer(identity).timeout(Duration::from_millis(40)).service(hyper);
    limited.oneshot(get(address, "/hang")).await.unwrap_err();
    ServiceBuilder::new().layer(identity).service(NeverReady).oneshot(get(address, "/")).await.unwrap_err();
    // A panic within the client.
    let panics = tower::service_fn(|_: Request<Body>| async {
        assert_eq!(1, 2, "a client panics");
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let panics = ServiceBuilder::new().layer(identity).service(panics);
    tokio::spawn(panics.oneshot(get(address, "/"))).await.unwrap_err();
    settled(
        telemetry,
        &[
            ("GET identity 200 -", 1),
            ("GET identity - _OTHER", 1),
            ("GET identity 200 body_error", 1),
            ("GET identity - timeout", 1),
            ("_OTHER identity - _OTHER", 1),
            ("GET identity - panic", 1),
        ],
    )
    .await;
}
