//! Spans at a real OTLP receiver; and collectors that refuse, or swallow everything.

use std::time::Duration;

use crate::receiver::{Receiver, attributes, hex};
use crate::service::Service;

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
    assert_eq!(attributes(&inner.attributes)["db.system"], "sqlite");
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
    for protocol in ["grpc", "http/protobuf"] {
        let mut service = Service::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{}", free_address().await)),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("KILTER_FLUSH", "20s"),
        ]);
        for _ in 0..10 {
            service.get("/broken", &[]).await;
        }
        let down = "the trace collector does not take spans; they are dropped and counted until it does";
        let told = service.logged(down).await;
        assert!(told[0]["error"].as_str().is_some_and(|it| !it.is_empty()), "{told:?}");
        service.get("/broken", &[]).await;
        service.terminate();
        let (took, report) = service.ended();
        assert_eq!(service.logged(down).await.len(), 1, "a change of state is told once");
        assert!(took < Duration::from_secs(5), "{protocol}: {took:?}");
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
}

/// An address where nothing listens.
async fn free_address() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    listener.local_addr().expect("an address")
}
