//! What a service exposes is the contract: names, types, help, label keys, bounds; nothing extra, nothing missing.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kilter::testing::TestTelemetry;
use kilter::tonic::{Code, Status};
use kilter::{BreakerState, ErrorType, PoolUsage, Rejection};
use kilter_codegen::conform::{self, Settings};
use kilter_codegen::diagnostic::report;
use kilter_codegen::load::{self, LoadOptions, Sources};
use kilter_codegen::model::TimeScale;
use kilter_codegen::resolve;
use kilter_contract::{
    Signal, cache, db, http, http_client, identity, job, messaging, process, resilience, resource, rpc, telemetry,
};
use tower::{ServiceBuilder, ServiceExt as _};

use super::tidy::root;

/// The families that the driven service exposes: each appears with the part of the SDK that a service uses for it.
const EXPOSED: &[&[Signal]] = &[
    http::SIGNALS,
    identity::SIGNALS,
    telemetry::SIGNALS,
    http_client::SIGNALS,
    rpc::SIGNALS,
    db::SIGNALS,
    cache::SIGNALS,
    resilience::SIGNALS,
];

/// Those of what a service holds and does by itself.
const HELD: &[&[Signal]] = &[resource::SIGNALS, process::SIGNALS, job::SIGNALS, messaging::SIGNALS];

kilter::routes! {
    ITEM = GET "/items/{id}";
    FEED = GET "/feed", stream;
    FAIL = POST "/fail";
}

pub(crate) fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
    let (series, value) = line.rsplit_once(' ')?;
    let Some((name, labels)) = series.split_once('{') else {
        return Some((series.to_owned(), BTreeMap::new(), value.parse().ok()?));
    };
    let mut found = BTreeMap::new();
    for label in labels.strip_suffix('}')?.split("\",") {
        let (key, value) = label.split_once("=\"")?;
        assert!(
            found.insert(key.to_owned(), value.trim_end_matches('"').to_owned()).is_none(),
            "{key} stands twice: {line}"
        );
    }
    Some((name.to_owned(), found, value.parse().ok()?))
}

fn app(telemetry: TestTelemetry) -> Router {
    Router::new()
        .route(ITEM.path(), get(|| async { "an item" }))
        .route(FEED.path(), get(|| async { Response::new(Body::from("data: 1\n\n")) }))
        .route(FAIL.path(), post(failing))
        .layer(telemetry.http_server())
}

async fn failing(body: String) -> Response {
    match body.as_str() {
        "quota" => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            response.extensions_mut().insert(ErrorType::declared("quota_exceeded"));
            response
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A service that has seen every kind of request.
async fn driven() -> TestTelemetry {
    let service = kilter::service!().routes(ROUTES).error_kinds(&["quota_exceeded"]);
    let telemetry = TestTelemetry::new(service);
    for (method, path, body) in [
        ("GET", "/items/1", ""),
        ("GET", "/items/2?token=secret", ""),
        ("HEAD", "/items/1", ""),
        ("GET", "/feed", ""),
        ("POST", "/fail", "quota"),
        ("POST", "/fail", "other"),
        ("GET", "/nowhere/secret-path", ""),
        ("FROBNICATE", "/items/1", ""),
        ("DELETE", "/items/1", ""),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "evil.example")
            .body(Body::from(body))
            .expect("a request");
        let response = app(telemetry).oneshot(request).await.expect("a response");
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    }
    calls(telemetry).await;
    data(telemetry).await;
    telemetry
}

/// Calls to dependencies, and calls of gRPC on both sides.
async fn calls(telemetry: TestTelemetry) {
    let dependency = Router::new()
        .route("/ok/{secret}", get(|| async { "fine" }))
        .route("/fail", post(|| async { StatusCode::BAD_GATEWAY }));
    let client = ServiceBuilder::new().layer(telemetry.http_client("identity")).service(dependency);
    for (method, path) in [("GET", "/ok/secret"), ("POST", "/fail"), ("FROBNICATE", "/nowhere")] {
        let request = Request::builder().method(method).uri(format!("http://evil.example{path}?token=secret"));
        let response = client.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
        axum::body::to_bytes(Body::new(response.expect("a response").into_body()), usize::MAX).await.expect("a body");
    }
    let refused = tower::service_fn(|_: Request<Body>| async {
        Err::<Response, _>(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
    });
    let refused = ServiceBuilder::new().layer(telemetry.http_client("identity")).service(refused);
    refused.oneshot(Request::new(Body::empty())).await.expect_err("refused");
    let answers = tower::service_fn(|request: Request<Body>| async move {
        let code = match request.uri().path() {
            "/shop.Orders/Get" => Code::Ok,
            "/shop.Orders/Put" => Code::Internal,
            _ => Code::Unimplemented,
        };
        Ok::<_, Status>(Status::new(code, "secret").into_http::<Body>())
    });
    let (server, client) = (telemetry.grpc_server().methods(&["shop.Orders/List"]), telemetry.grpc_client("orders"));
    let both = ServiceBuilder::new().layer(client).layer(server).service(answers);
    for path in ["/shop.Orders/Get", "/shop.Orders/Put", "/shop.Orders/Unheard", "/secret-path"] {
        let request = Request::post(path).header("content-type", "application/grpc").body(Body::empty());
        both.clone().oneshot(request.expect("a request")).await.expect("a response");
    }
}

/// Databases, caches and breakers, with every outcome that they have; `databases.rs` and its neighbours drive real ones.
async fn data(telemetry: TestTelemetry) {
    let db = telemetry.db("main");
    telemetry.pool_with("main", || PoolUsage { size: 3, idle: 1, max: 5 });
    for error in [None, Some(ErrorType::declared("quota_exceeded")), Some(ErrorType::declared("no such kind"))] {
        let _ = db.run("load", async move { error.map_or(Ok(()), Err) }).await;
        let _ = db.acquire(async move { error.map_or(Ok(()), Err) }).await;
    }
    drop(db.replica().acquire(std::future::pending::<Result<(), ErrorType>>()));
    let reads = db.replicas(()).replica("eu-1", (), |()| async { Ok::<_, std::io::Error>(Some(0.5)) }).build();
    reads.read_latest();
    while reads.read().replica().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    // It is asked no longer, so it must be kept.
    std::mem::forget(reads);
    let sessions = telemetry.cache("sessions");
    sessions.get(async { Some(1) }).await;
    drop(sessions.set(std::future::pending::<()>()));
    sessions.delete_sync(|| {});
    let breaker = telemetry.breaker("identity");
    breaker.state_changed(BreakerState::Open);
    breaker.rejected(Rejection::Deadline);
}

#[tokio::test]
async fn the_page_is_the_contract_in_both_formats() {
    conforms(driven().await, EXPOSED).await;
}

#[tokio::test]
async fn resources_process_jobs_and_messages_are_the_contract_too() {
    let telemetry = driven().await;
    telemetry.watch_process();
    telemetry.watch_runtime();
    for kind in resource::TYPES {
        let it = telemetry.resource(kind, "one").limit(3);
        drop(it.acquire(async { Ok::<_, String>(()) }).await);
        it.refused();
    }
    telemetry.resource("no such kind", "unlimited");
    telemetry.disk("data", "/");
    let job = telemetry.job("reindex");
    let orders = telemetry.messages("kafka", "orders");
    for error in [None, Some(ErrorType::declared("quota_exceeded")), Some(ErrorType::declared("undeclared"))] {
        let end = || async move { error.map_or(Ok(()), Err) };
        let _ = (job.run(end()).await, orders.process(end()).await, orders.group("billing").process(end()).await);
    }
    let all: Vec<&[Signal]> = EXPOSED.iter().chain(HELD).copied().collect();
    conforms(telemetry, &all).await;
    let page = telemetry.page();
    for series in [
        "job_run_duration_seconds_count{job_name=\"reindex\",error_type=\"_OTHER\"} 1",
        "messaging_process_duration_seconds_count{messaging_system=\"kafka\",messaging_destination_name=\"orders\",messaging_consumer_group_name=\"billing\",error_type=\"quota_exceeded\"} 1",
        "resource_errors_total{resource_type=\"cpu\",resource_name=\"one\"} 1",
        "telemetry_series_overflow_total{signal=\"job_run_duration_seconds\"} 1",
    ] {
        assert!(page.lines().any(|it| it == series), "no line `{series}` in:\n{page}");
    }
}

/// What it exposes is these families of the contract, in both formats: `kilter conform` has nothing to say of them.
async fn conforms(telemetry: TestTelemetry, expected: &[&[Signal]]) {
    let declared: BTreeSet<&str> = expected.iter().flat_map(|family| family.iter()).map(|it| it.name).collect();
    for openmetrics in [false, true] {
        let page = telemetry.scrape(openmetrics).await;
        for line in page.lines().filter(|it| !it.starts_with('#')) {
            let (series, _, value) = sample(line.split(" # ").next().unwrap_or(line)).expect("a sample");
            assert!(value >= 0.0, "{series} is negative");
        }
        let pages = vec![("the page".to_owned(), page)];
        let checked = conform::check(pages, Sources::in_folder(root()), None, &Settings::default());
        let said = report::human(&checked.diagnostics, &checked.sources, false);
        assert!(said.is_empty(), "{said}");
        let shown = &checked.pages[0];
        assert_eq!(shown.contract.iter().map(String::as_str).collect::<BTreeSet<_>>(), declared);
        assert_eq!((shown.families, shown.format == "openmetrics"), (declared.len(), openmetrics), "{shown:?}");
    }
}

/// The page of a running service of `examples/` is the contract and its own, and has what its SLOs count on.
pub(crate) fn page_conforms(page: &str, folder: &str) {
    let paths = vec![root().join(folder).join("slo.yaml")];
    let options = LoadOptions { paths, config: None, current: root() };
    let (mut sources, mut found) = load::sources(&options).expect("the SLO file");
    sources.bounds = load::bounds(&sources.root);
    let (estate, more) = resolve::estate(&sources, TimeScale::REAL);
    found.extend(more);
    let estate = estate.expect("an estate");
    let pages = vec![(folder.to_owned(), page.to_owned())];
    let checked = conform::check(pages, sources, Some(&estate), &Settings::default());
    found.extend(checked.diagnostics.iter().cloned());
    let said = report::human(&found, &checked.sources, false);
    assert!(said.is_empty(), "{said}\n{page}");
    assert!(checked.pages[0].contract.len() > 20, "{:?}", checked.pages[0]);
}

#[tokio::test]
async fn nothing_that_a_client_chooses_is_a_label() {
    let page = driven().await.page();
    for secret in ["evil.example", "secret", "FROBNICATE", "/nowhere", "/items/1"] {
        assert!(!page.contains(secret), "{secret} is on the page");
    }
    for (series, count) in [
        ("{http_request_method=\"GET\",http_route=\"/items/{id}\",http_response_status_code=\"200\"}", 2.0),
        ("{http_request_method=\"HEAD\",http_route=\"/items/{id}\",http_response_status_code=\"200\"}", 1.0),
        ("{http_request_method=\"GET\",http_route=\"/feed\",http_response_status_code=\"200\"}", 1.0),
        (
            "{http_request_method=\"POST\",http_route=\"/fail\",http_response_status_code=\"429\",error_type=\"quota_exceeded\"}",
            1.0,
        ),
        (
            "{http_request_method=\"POST\",http_route=\"/fail\",http_response_status_code=\"500\",error_type=\"500\"}",
            1.0,
        ),
        ("{http_request_method=\"GET\",http_response_status_code=\"404\"}", 1.0),
        ("{http_request_method=\"_OTHER\",http_route=\"/items/{id}\",http_response_status_code=\"405\"}", 1.0),
        ("{http_request_method=\"DELETE\",http_route=\"/items/{id}\",http_response_status_code=\"405\"}", 1.0),
        (
            "{http_request_method=\"GET\",http_route=\"/items/{id}\",http_response_status_code=\"500\",error_type=\"500\"}",
            0.0,
        ),
    ] {
        let line = format!("http_server_request_duration_seconds_count{series} {count}");
        assert!(page.lines().any(|it| it == line), "no line `{line}` in:\n{page}");
    }
    let get = "http_request_method=\"GET\",dependency=\"identity\"";
    for line in [
        format!("http_client_request_duration_seconds_count{{{get},http_response_status_code=\"200\"}} 1"),
        format!("http_client_request_duration_seconds_count{{{get},error_type=\"_OTHER\"}} 1"),
        "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"shop.Orders/Get\",rpc_response_status_code=\"OK\"} 1".to_owned(),
        "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"shop.Orders/List\",rpc_response_status_code=\"OK\"} 0".to_owned(),
        "rpc_server_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"_OTHER\",rpc_response_status_code=\"UNIMPLEMENTED\",error_type=\"UNIMPLEMENTED\"} 2".to_owned(),
        "rpc_client_call_duration_seconds_count{rpc_system_name=\"grpc\",rpc_method=\"shop.Orders/Put\",dependency=\"orders\",rpc_response_status_code=\"INTERNAL\",error_type=\"INTERNAL\"} 1".to_owned(),
    ] {
        assert!(page.lines().any(|it| it == line), "no line `{line}` in:\n{page}");
    }
}
