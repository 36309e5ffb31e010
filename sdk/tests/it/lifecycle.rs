//! Before `init`, and after the end: defined, and harmless. A second `init` is refused in `service.rs`.

use kilter::RequestContext;
use opentelemetry::global::get_text_map_propagator;

use crate::receiver::Receiver;
use crate::service::{BUILD, Service, TWICE};

/// The tests' own process never calls `init`.
#[tokio::test]
async fn before_init_there_is_no_request_and_everything_works() {
    assert_eq!(RequestContext::current(), RequestContext::NONE);
    assert!(!RequestContext::current().is_some());
    assert_eq!(kilter::spawn(async { 7 }).await.expect("it ends"), 7);
    tracing::info!("nobody hears this");
    assert!(get_text_map_propagator(|it| it.fields().next().is_none()), "globals are left alone");
}

/// A service that has ended may serve again, and its page, its layer and its flush go on.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_end_everything_goes_on() {
    let mut service = Service::start(&[(TWICE, "1"), ("KILTER_DRAIN", "200ms")]);
    // Cut by the first end, left by its client in the second round.
    let mut cut = reqwest::get(service.url("/endless")).await.expect("a head");
    cut.chunk().await.expect("a first chunk");
    service.get("/again", &[]).await;
    while let Ok(Some(_)) = cut.chunk().await {}
    service.logged("ended").await;
    assert_eq!(service.admin("/readyz").await.0, 200, "it serves again");
    let mut left = reqwest::get(service.url("/endless")).await.expect("a head");
    left.chunk().await.expect("a first chunk");
    drop(left);
    service.get("/broken", &[]).await;
    for (route, status, error) in
        [("/endless", "200", "server_shutdown"), ("/endless", "200", "client_disconnect"), ("/broken", "500", "500")]
    {
        let series = format!(
            "http_server_request_duration_seconds_count{{http_request_method=\"GET\",http_route=\"{route}\",\
             http_response_status_code=\"{status}\",error_type=\"{error}\"}}"
        );
        let mut seen = None;
        for _ in 0..100 {
            seen = service.value(&series).await;
            if seen == Some(1.0) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(seen, Some(1.0), "{series}");
    }
    service.terminate();
    let (_, report) = service.ended();
    assert!(report.starts_with("0 connections aborted"), "{report}");
    // `init` has told OpenTelemetry how contexts travel, so nothing is missing.
    assert!(service.lines().iter().all(|it| !it.contains("has no propagator")), "{:#?}", service.lines());
}

/// A service that owns its globals has the same logs and spans, and hears what it has not told OpenTelemetry.
#[tokio::test]
async fn the_parts_of_build_work_without_globals_of_ours() {
    let (receiver, address) = Receiver::grpc().await;
    let service = Service::start(&[(BUILD, "1"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{address}"))]);
    let told = service.logged("OpenTelemetry has no propagator: middleware of others passes no trace on");
    assert_eq!(told.await.len(), 1);
    let sent = service.get("/orders/7", &[]).await;
    assert_eq!(service.logged("order loaded").await[0]["trace_id"].as_str(), Some(&sent[3..35]));
    let request = receiver.span("GET /orders/{id}").await;
    assert_eq!(receiver.span("load_order").await.parent_span_id, request.span_id);
}
