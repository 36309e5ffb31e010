//! What a service exposes is the contract: names, types, help, label keys, bounds; nothing extra, nothing missing.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use kilter::ErrorType;
use kilter::testing::TestTelemetry;
use kilter::tonic::{Code, Status};
use kilter_contract::{
    Instrument, Signal, Unit, http, http_client, identity, job, messaging, process, resource, rpc, telemetry,
};
use tower::{ServiceBuilder, ServiceExt as _};

/// The families that the driven service exposes: each appears with the part of the SDK that a service uses for it.
const EXPOSED: &[&[Signal]] =
    &[http::SIGNALS, identity::SIGNALS, telemetry::SIGNALS, http_client::SIGNALS, rpc::SIGNALS];

/// Those of what a service holds and does by itself.
const HELD: &[&[Signal]] = &[resource::SIGNALS, process::SIGNALS, job::SIGNALS, messaging::SIGNALS];

kilter::routes! {
    ITEM = GET "/items/{id}";
    FEED = GET "/feed", stream;
    FAIL = POST "/fail";
}

/// One exposed family.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    unit: Option<String>,
    /// Sample name, labels, value.
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Reads a page of either format. Anything that is not HELP, TYPE, UNIT, a sample or the end is a failure.
fn parse(page: &str, openmetrics: bool) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    let lines: Vec<&str> = page.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if *line == "# EOF" {
            assert!(openmetrics && index + 1 == lines.len(), "the end stands at the end");
        } else if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(!families.contains_key(name), "{name} is exposed twice");
            current = name.to_owned();
            families.entry(current.clone()).or_default().help = help.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            current = name.to_owned();
            families.entry(current.clone()).or_default().kind = kind.to_owned();
        } else if let Some(rest) = line.strip_prefix("# UNIT ") {
            families.get_mut(&current).expect("a family").unit =
                Some(rest.split_once(' ').expect("a unit").1.to_owned());
        } else {
            let sample = sample(line).unwrap_or_else(|| panic!("no sample: {line}"));
            assert!(sample.0.starts_with(&current), "{} stands in the family {current}", sample.0);
            families.get_mut(&current).expect("a family").samples.push(sample);
        }
    }
    assert!(!openmetrics || page.ends_with("# EOF\n"), "OpenMetrics ends in EOF");
    families
}

fn sample(line: &str) -> Option<(String, BTreeMap<String, String>, f64)> {
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

fn exposed_name(signal: &Signal, openmetrics: bool) -> &'static str {
    match (openmetrics, signal.instrument) {
        (true, Instrument::Counter) => signal.name.trim_end_matches("_total"),
        (true, Instrument::Info) => signal.name.trim_end_matches("_info"),
        _ => signal.name,
    }
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

/// What it exposes is these families of the contract, in both formats.
async fn conforms(telemetry: TestTelemetry, expected: &[&[Signal]]) {
    for openmetrics in [false, true] {
        let page = telemetry.scrape(openmetrics).await;
        let families = parse(&page, openmetrics);
        let signals: Vec<&Signal> = expected.iter().flat_map(|family| family.iter()).collect();
        let declared: BTreeSet<&str> = signals.iter().map(|it| exposed_name(it, openmetrics)).collect();
        let exposed: BTreeSet<&str> = families.keys().map(String::as_str).collect();
        assert_eq!(exposed, declared);
        for signal in signals {
            check(signal, &families[exposed_name(signal, openmetrics)], openmetrics);
        }
    }
}

fn check(signal: &Signal, family: &Family, openmetrics: bool) {
    let name = signal.name;
    assert_eq!(family.help, signal.help, "{name}");
    let kind = match (openmetrics, signal.instrument) {
        (true, Instrument::Info) => "info",
        _ => signal.prometheus_type(),
    };
    assert_eq!(family.kind, kind, "{name}");
    if openmetrics && signal.unit != Unit::Count {
        assert_eq!(family.unit.as_deref(), Some(signal.unit.suffix()), "{name}");
    }
    assert!(!family.samples.is_empty(), "{name} has no series");
    let mut bounds: BTreeSet<&str> = BTreeSet::new();
    for (sample, labels, value) in &family.samples {
        assert!(signal.series().contains(sample), "{sample} is none of {:?}", signal.series());
        assert!(*value >= 0.0, "{sample} is negative");
        for (key, value) in labels {
            if key == "le" {
                bounds.insert(value);
                continue;
            }
            let label =
                signal.label(key).unwrap_or_else(|| panic!("{sample} has the label {key}, which the contract has not"));
            assert!(label.values.allows(value), "{sample}: {key} is {value}");
        }
        for label in signal.labels.iter().filter(|it| !it.optional) {
            assert!(labels.contains_key(label.key), "{sample} lacks {}", label.key);
        }
    }
    if let Instrument::Histogram(buckets) = signal.instrument {
        let mut declared: BTreeSet<String> = buckets.le().into_iter().collect();
        declared.insert("+Inf".to_owned());
        assert_eq!(bounds, declared.iter().map(String::as_str).collect(), "{name}");
    }
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
