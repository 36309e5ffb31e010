//! Log lines of a real service: ids of the request, and no secrets.

use crate::service::Service;

#[tokio::test]
async fn lines_carry_the_ids_of_their_request_sampled_or_not() {
    for sampler in ["always_on", "always_off"] {
        let service = Service::start(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"),
            ("OTEL_TRACES_SAMPLER", sampler),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        let sent = service.get("/orders/7", &[]).await;
        let (trace, span) = (&sent[3..35], &sent[36..52]);
        for message in ["order loaded", "in the background"] {
            let line = &service.logged(message).await[0];
            assert_eq!((line["trace_id"].as_str(), line["span_id"].as_str()), (Some(trace), Some(span)), "{line}");
            assert_eq!(line["service"], "shop");
        }
        let line = &service.logged("order loaded").await[0];
        assert_eq!(line["items"], 3);
        assert!(!line.to_string().contains("secret"), "{line}");
        let outside = &service.logged("serving").await[0];
        assert!(outside.get("trace_id").is_none(), "{outside}");
    }
}

/// What is counted does not depend on what is logged.
#[tokio::test]
async fn metrics_and_propagation_work_with_logs_off() {
    let service = Service::start(&[("KILTER_LOG", "off")]);
    let sent =
        service.get("/orders/7", &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]).await;
    assert!(sent.starts_with("00-0af7651916cd43dd8448eb211c80319c-"), "{sent}");
    let series = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/orders/{id}\",http_response_status_code=\"200\"}";
    assert_eq!(service.value(series).await, Some(1.0));
    assert!(service.lines().iter().all(|line| !line.starts_with('{')), "{:#?}", service.lines());
}

/// A directive can name a span, although spans that nobody asks for are never made.
#[tokio::test]
async fn a_filter_can_let_through_what_happens_inside_of_a_span() {
    let service = Service::start(&[("KILTER_LOG", "off,[load_order]=info"), ("OTEL_TRACES_SAMPLER", "always_off")]);
    service.get("/orders/7", &[]).await;
    assert_eq!(service.logged("order loaded").await.len(), 1);
    assert!(!service.lines().iter().any(|line| line.contains("in the background")), "{:#?}", service.lines());
}

#[tokio::test]
async fn pretty_lines_are_for_people() {
    let service = Service::start(&[("KILTER_LOG_FORMAT", "pretty")]);
    let sent = service.get("/orders/7", &[]).await;
    for _ in 0..100 {
        if service.lines().iter().any(|line| line.contains("order loaded") && line.contains(&sent[3..35])) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{:#?}", service.lines());
}
