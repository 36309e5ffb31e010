//! Spans at a real OTLP receiver; and collectors that refuse, or swallow everything.

use std::time::Duration;

use serde_json::Value;

use crate::receiver::{Receiver, attributes, hex};
use crate::service::{Service, WORKERS};

const DOWN: &str = "the trace collector does not take spans; they are dropped and counted until it does";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// One request with a caller's trace, seen from the receiver.
async fn check(receiver: Receiver, protocol: &str, endpoint: &str, compression: &str) {
    let service = Service::start(&[
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.instance.id=one"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=light%20blue"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
    ]);
    let caller = format!("00-{TRACE}-{PARENT}-01");
    service.get("/orders/7?token=secret", &[("traceparent", &caller)]).await;
    service.get("/broken", &[]).await;

    let request = receiver.span("GET /orders/{id}").await;
    assert_eq!((hex(&request.trace_id), hex(&request.parent_span_id)), (TRACE.to_owned(), PARENT.to_owned()));
    assert_eq!(request.kind, 2, "SERVER");
    assert!(request.end_time_unix_nano > request.start_time_unix_nano);
    assert_eq!(request.status.clone().unwrap_or_default().code, 0, "unset on success");
    let found = attributes(&request.attributes);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/orders/{id}"),
        ("url.path", "/orders/7"),
        ("http.response.status_code", "200"),
    ] {
        assert_eq!(found.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(!found.contains_key("error.type") && !format!("{request:?}").contains("secret"), "{request:?}");

    let inner = receiver.span("load_order").await;
    assert_eq!((hex(&inner.trace_id), &inner.parent_span_id), (TRACE.to_owned(), &request.span_id));
    let found = attributes(&inner.attributes);
    for (key, value) in
        [("db.system", "sqlite"), ("url", "https://[redacted]@shop/x?[redacted]"), ("password", "[redacted]")]
    {
        assert_eq!(found.get(key).map(String::as_str), Some(value), "{key}");
    }
    let spawned = receiver.span("in_background").await;
    assert_eq!((hex(&spawned.trace_id), &spawned.parent_span_id), (TRACE.to_owned(), &request.span_id));

    let broken = receiver.span("GET /broken").await;
    assert!(broken.parent_span_id.is_empty() && broken.trace_id.len() == 16, "its trace begins here");
    assert_eq!(broken.status.clone().unwrap_or_default().code, 2, "ERROR");
    assert_eq!(attributes(&broken.attributes)["error.type"], "500");

    let resource = receiver.resource();
    for (key, value) in [
        ("service.name", "shop"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("service.instance.id", "one"),
        ("deployment.environment.name", "test"),
    ] {
        assert_eq!(resource.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert_eq!(receiver.tenants().first().map(String::as_str), Some("light blue"));
}

#[tokio::test]
async fn spans_arrive_over_grpc() {
    let (receiver, address) = Receiver::grpc().await;
    check(receiver, "grpc", &format!("http://{address}"), "gzip").await;
}

#[tokio::test]
async fn spans_arrive_over_http() {
    let (receiver, address) = Receiver::http().await;
    check(receiver, "http/protobuf", &format!("http://{address}"), "none").await;
    let (receiver, address) = Receiver::http().await;
    check(receiver, "http/protobuf", &format!("http://{address}"), "gzip").await;
}

/// A collector that restarts loses nothing: what it refuses is sent again.
#[tokio::test]
async fn a_collector_that_restarts_gets_every_span() {
    for protocol in ["grpc", "http/protobuf"] {
        let (receiver, address) = if protocol == "grpc" { Receiver::grpc().await } else { Receiver::http().await };
        let service = Service::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ]);
        receiver.refuse(2);
        service.get("/broken", &[]).await;
        receiver.span("GET /broken").await;
        service.logged("the trace collector is back").await;
        assert_eq!(service.value("telemetry_export_failures_total").await, Some(2.0));
        for reason in ["queue_full", "export_failed", "shutdown"] {
            let dropped = format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}");
            assert_eq!(service.value(&dropped).await, Some(0.0), "{reason}");
        }
        assert_eq!(receiver.spans().len(), 1);
    }
}

/// What is queued at the end is flushed.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_spans_are_flushed() {
    let (receiver, address) = Receiver::grpc().await;
    let mut service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))]);
    for _ in 0..20 {
        service.get("/broken", &[]).await;
    }
    service.terminate();
    let (_, report) = service.ended();
    assert!(report.contains("20 queued, 20 sent, 0 lost"), "{report}");
    assert_eq!(receiver.spans().len(), 20);
}

#[tokio::test]
async fn a_refused_collector_ends_at_once_and_everything_counts_as_lost() {
    for (protocol, workers) in [("grpc", "0"), ("http/protobuf", "1")] {
        let mut service = Service::start(&[
            (WORKERS, workers),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}", free_address().await)),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("KILTER_FLUSH", "20s"),
        ]);
        // At the start, before there is a span.
        let told = service.logged(DOWN).await;
        for _ in 0..10 {
            service.get("/broken", &[]).await;
        }
        tokio::time::sleep(Duration::from_millis(1_700)).await;
        assert!(told[0]["error"].as_str().is_some_and(|it| !it.is_empty()), "{told:?}");
        assert!(told[0]["next"].as_str().is_some_and(|it| it.contains("OTEL_EXPORTER_OTLP_ENDPOINT")), "{told:?}");
        service.get("/broken", &[]).await;
        service.terminate();
        let (_, report) = service.ended();
        assert_eq!(service.logged(DOWN).await.len(), 1, "a change of state is told once");
        let took = between(&service.logged("draining").await[0], &service.logged("ended").await[0]);
        assert!(took < 0.3, "{protocol}: {took} s for nothing");
        assert!(report.contains("11 queued, 0 sent, 11 lost"), "{protocol}: {report}");
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_costs_the_deadline_and_no_more() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    let mut service = Service::start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("KILTER_FLUSH", "1s")]);
    for _ in 0..10 {
        service.get("/broken", &[]).await;
    }
    service.terminate();
    let (took, report) = service.ended();
    assert!(took < Duration::from_secs(6), "{took:?}");
    assert!(report.contains("10 queued, 0 sent, 10 lost"), "{report}");

    // Once it is known to be down, the end is short.
    let mut service = Service::start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "200"),
        ("KILTER_FLUSH", "20s"),
    ]);
    service.get("/broken", &[]).await;
    service.logged(DOWN).await;
    service.get("/broken", &[]).await;
    service.terminate();
    let (_, report) = service.ended();
    let took = between(&service.logged("draining").await[0], &service.logged("ended").await[0]);
    assert!(took < 1.0, "{took} s for a collector that is known to be down");
    assert!(report.contains("2 queued, 0 sent, 2 lost"), "{report}");
}

/// Seconds between two log lines, whichever side of midnight.
fn between(from: &Value, to: &Value) -> f64 {
    let seconds = |line: &Value| {
        let time =
            line["timestamp"].as_str().and_then(|it| it.split_once('T')).expect("a time").1.trim_end_matches('Z');
        time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().expect("a number"))
    };
    (seconds(to) - seconds(from)).rem_euclid(86_400.0)
}

/// The value of a counter on the page.
async fn dropped(service: &Service, reason: &str) -> f64 {
    service.value(&format!("telemetry_spans_dropped_total{{reason=\"{reason}\"}}")).await.expect("a counter")
}

/// With the exporter parked at a collector that never answers, requests go on, memory is bounded, and the flush keeps its
/// deadline, also where one thread does everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_parked_exporter_stops_no_request() {
    for (workers, protocol) in [("0", "grpc"), ("1", "http/protobuf")] {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut service = Service::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}", silent.local_addr().expect("an address"))),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("KILTER_FLUSH", "700ms"),
            (WORKERS, workers),
        ]);
        let memory = service.live_bytes().await;
        service.pipeline((0..10_000).map(|_| "/broken".to_owned()));
        let broken = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/broken\",http_response_status_code=\"500\",error_type=\"500\"}";
        assert_eq!(service.value(broken).await, Some(10_000.0));
        let grown = service.live_bytes().await - memory;
        // 2,048 spans in the queue, 512 twice on their way.
        assert!(grown < 8 << 20, "{grown} bytes more live with {workers} workers");
        let full = dropped(&service, "queue_full").await;
        assert!((7_000.0..8_500.0).contains(&full), "{full} dropped");
        service.terminate();
        let (_, report) = service.ended();
        let took = between(&service.logged("draining").await[0], &service.logged("ended").await[0]);
        assert!((0.5..2.2).contains(&took), "the flush took {took} s with {workers} workers");
        // Two more were asked for their live bytes.
        let queued = 10_002.0 - full;
        assert!(
            report.ends_with(&format!("spans: {queued} queued, 0 sent, {queued} lost")),
            "{report}; {full} dropped"
        );
    }
}

/// Slow, then refusing, then back, then refusing for good: a line per change, every span sent or counted as lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_comes_and_goes() {
    let run = |protocol: &'static str| async move {
        let (receiver, address) = if protocol == "grpc" { Receiver::grpc().await } else { Receiver::http().await };
        let mut service = Service::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}")),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ]);
        receiver.slow(300);
        service.pipeline((0..600).map(|_| "/broken".to_owned()));
        until(|| receiver.spans().len() == 600).await;
        receiver.slow(0);
        receiver.refuse(usize::MAX);
        service.get("/broken", &[]).await;
        until(|| told(&service, DOWN) == 1).await;
        receiver.refuse(0);
        until(|| told(&service, "the trace collector is back") == 1).await;
        assert_eq!(receiver.spans().len(), 601, "{protocol}: what was refused is sent again");
        receiver.refuse(usize::MAX);
        service.get("/broken", &[]).await;
        until(|| told(&service, DOWN) == 2).await;
        service.get("/broken", &[]).await;
        service.terminate();
        let (_, report) = service.ended();
        assert!(report.contains("603 queued, 601 sent, 2 lost"), "{protocol}: {report}");
        assert_eq!((told(&service, DOWN), told(&service, "the trace collector is back")), (2, 1), "{protocol}");
    };
    tokio::join!(run("grpc"), run("http/protobuf"));
}

/// How often the log says this.
fn told(service: &Service, message: &str) -> usize {
    service.lines().iter().filter(|it| it.contains(&format!("\"message\":\"{message}\""))).count()
}

async fn until(done: impl Fn() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came");
}

/// An address where nothing listens.
async fn free_address() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}
