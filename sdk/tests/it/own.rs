//! Signals that a service declares for itself, its contract, and the bounds that its SLOs need.

#![expect(clippy::disallowed_macros, reason = "ad-hoc metrics must not take the names of declared ones")]

use std::time::Duration;

use axum::routing::get;
use axum::{Router, body::Body};
use http::Request;
use kilter::contract::{Buckets, Label, Values, signals};
use kilter::testing::{TestSpan, TestTelemetry};
use kilter::{Service, Telemetry};
use tower::ServiceExt as _;

use crate::promtool;

const CHANNEL: Label =
    Label::new("channel", "order.channel", Values::Closed(&["web", "shop", "_OTHER"]), false, "Where it was placed.");
const TENANT: Label = Label::new("tenant", "tenant", Values::Configured, true, "Whose it is.");
const SIZES: Buckets = Buckets::whole(&[1_024, 1_048_576]);

signals! {
    family "orders";
    /// Placed.
    PLACED = counter "orders_placed_total", otel "orders.placed", unit Count, help "Orders placed.", labels [CHANNEL, TENANT];
    /// Shipped.
    SHIPPED = counter "orders_shipped_total", otel "orders.shipped", unit Count, help "Orders shipped.", labels [CHANNEL];
    /// Open.
    OPEN = gauge "orders_open", otel "orders.open", unit Count, help "Orders open.", labels [];
    /// Packing.
    PACKING = histogram(Buckets::from_nanos(&[1_000_000_000, 60_000_000_000])) "orders_packing_seconds",
        otel "orders.packing", unit Seconds, help "Time to pack.", labels [];
    /// Size.
    SIZE = histogram(SIZES) "orders_document_bytes", otel "orders.document", unit Bytes, help "Size.", labels [];
    /// Layout.
    LAYOUT = info "orders_layout_info", otel "orders.layout_info", unit Count, help "Layout of the store.", labels [TENANT];
}

mod undeclared {
    kilter::contract::signals! {
        family "orders";
        /// Nobody declares it.
        LOST = counter "orders_lost_total", otel "orders.lost", unit Count, help "Orders lost.", labels [];
    }
}

kilter::routes! {
    /// Places one.
    PLACE = POST "/orders", success(201);
    /// One order.
    ORDER = GET "/orders/{id}";
}

const SERVICE: Service =
    Service::new("orders", "1.2.3").routes(ROUTES).error_kinds(&["quota_exceeded"]).signals(SIGNALS);

#[tokio::test]
async fn declared_signals_are_on_both_pages_and_mistakes_count_nothing() {
    let telemetry = TestTelemetry::new(SERVICE);
    // Nothing was written yet: what can be known exists at zero, gauges and open labels do not.
    telemetry.assert("orders_shipped_total{channel=\"web\"}", 0);
    telemetry.assert("orders_packing_seconds_count", 0);
    for absent in ["orders_open", "orders_placed_total"] {
        assert!(telemetry.page().lines().all(|it| !it.starts_with(absent)), "{absent}");
    }
    let placed = telemetry.counter(&PLACED, [(TENANT, "acme"), (CHANNEL, "web")]);
    placed.add(2);
    std::thread::spawn(move || placed.add(1)).join().expect("a thread");
    telemetry.counter(&PLACED, [(CHANNEL, "fax")]).add(4);
    let open = telemetry.gauge(&OPEN, []);
    open.set(3.0);
    open.add(-0.5);
    open.set(f64::NAN);
    open.add(f64::INFINITY);
    let packing = telemetry.histogram(&PACKING, []);
    packing.record(Duration::from_millis(1_500));
    packing.observe(0.25);
    packing.observe(-1.0);
    let size = telemetry.histogram(&SIZE, []);
    size.observe(2_000.0);
    size.record(Duration::from_secs(1));
    telemetry.info(&LAYOUT, [(TENANT, "acme")]);
    telemetry.assert("telemetry_violations_total{kind=\"non_finite\"}", 3);
    telemetry.assert("telemetry_violations_total{kind=\"type_conflict\"}", 1);

    for wrong in [
        telemetry.counter(&undeclared::LOST, []),
        telemetry.counter(&kilter::contract::telemetry::EXPORT_FAILURES, []),
        telemetry.counter(&SHIPPED, []),
        telemetry.counter(&SHIPPED, [(CHANNEL, "web"), (TENANT, "acme")]),
        telemetry.counter(&SHIPPED, [(CHANNEL, "web"), (CHANNEL, "shop")]),
        telemetry.counter(&OPEN, []),
    ] {
        wrong.add(1_000);
    }
    telemetry.assert("telemetry_violations_total{kind=\"undeclared_signal\"}", 4);
    telemetry.assert("telemetry_violations_total{kind=\"duplicate_label\"}", 1);
    telemetry.assert("telemetry_violations_total{kind=\"type_conflict\"}", 2);
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::counter!("orders_placed").increment(1);
        metrics::gauge!("orders_packing_seconds_count").set(1.0);
        metrics::gauge!("orders_places").set(1.0);
    });
    telemetry.assert("telemetry_violations_total{kind=\"contract_name\"}", 2);
    telemetry.assert("orders_places", 1);

    for openmetrics in [false, true] {
        let mut page = telemetry.scrape(openmetrics).await;
        assert!(
            page.contains("orders_placed_total{channel=\"web\",tenant=\"acme\"} 0\n"),
            "held at its birth:\n{page}"
        );
        page = if openmetrics { page } else { telemetry.page() };
        let placed =
            format!("orders_placed_total{{channel=\"web\",tenant=\"acme\"}} {}", if openmetrics { 0 } else { 3 });
        for line in [
            placed.as_str(),
            "orders_open 2.5",
            if openmetrics { "# TYPE orders_layout info" } else { "# TYPE orders_layout_info gauge" },
            "orders_layout_info{tenant=\"acme\"} 1",
        ] {
            assert!(page.lines().any(|it| it == line), "no line {line} in:\n{page}");
        }
        assert!(!page.contains("1000\n"), "a mistake was counted");
    }
    let page = telemetry.page();
    for line in [
        "orders_placed_total{channel=\"_OTHER\"} 4",
        "orders_packing_seconds_bucket{le=\"1.0\"} 1",
        "orders_packing_seconds_bucket{le=\"60.0\"} 2",
        "orders_packing_seconds_sum 1.750000",
        "orders_document_bytes_bucket{le=\"1024.0\"} 0",
        "orders_document_bytes_bucket{le=\"1048576.0\"} 1",
        "orders_document_bytes_sum 2000",
    ] {
        assert!(page.lines().any(|it| it == line), "no line {line} in:\n{page}");
    }
    promtool::check_metrics(&telemetry.scrape(false).await);
}

/// What a service's `main` and its tests share.
fn app(telemetry: &Telemetry) -> Router {
    let reindex = telemetry.job("reindex");
    let run =
        move || async move { reindex.run(async { Ok::<_, std::io::Error>(()) }).await.map_err(|it| it.to_string()) };
    Router::new().route(ORDER.path(), get(run)).layer(telemetry.http_server())
}

#[tokio::test]
async fn the_contract_is_on_its_page_and_in_its_file() {
    let telemetry =
        TestTelemetry::new(SERVICE.bounds("http_server_request_duration_seconds 0.3 2.0\norders_packing_seconds 5"));
    drop(app(&telemetry));
    let request = Request::get("/contract").body(Body::empty()).expect("a request");
    let response = telemetry.admin().oneshot(request).await.expect("an answer");
    assert_eq!(response.headers()["content-type"], "application/json");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    let shown: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(String::from_utf8_lossy(&body), telemetry.contract());
    assert_eq!((&shown["service"], &shown["version"]), (&"orders".into(), &"1.2.3".into()));
    assert_eq!(shown["routes"][0]["methods"], serde_json::json!(["POST"]));
    assert_eq!(shown["routes"][0]["success_status"], 201);
    assert_eq!(shown["uses"]["job_run_duration_seconds"], serde_json::json!({"job_name": ["reindex"]}));
    let bounds =
        serde_json::json!({"http_server_request_duration_seconds": ["0.3", "2.0"], "orders_packing_seconds": ["5.0"]});
    assert_eq!(shown["bounds"], bounds);
    let names: Vec<_> = shown["signals"].as_array().expect("signals").iter().map(|it| &it["name"]).collect();
    assert_eq!(names.len(), SIGNALS.len());
    assert!(names.is_sorted_by_key(|it| it.as_str()));
    telemetry.assert("http_server_request_duration_seconds_bucket{le=\"0.3\",http_route=\"/orders/{id}\"}", 0);
    telemetry.assert("orders_packing_seconds_bucket{le=\"5.0\"}", 0);

    // The file has no version, so that it does not change with each release.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kilter.contract.json");
    let told = std::panic::catch_unwind(|| telemetry.assert_contract(&path)).expect_err("there is no file");
    assert!(told.downcast_ref::<String>().expect("a text").contains("KILTER_CONTRACT=write cargo test"));
    let text: String =
        telemetry.contract().lines().filter(|it| !it.contains("\"version\"")).map(|it| format!("{it}\n")).collect();
    std::fs::write(&path, text).expect("a file");
    telemetry.assert_contract(&path);
    telemetry.job("purge");
    let told = std::panic::catch_unwind(|| telemetry.assert_contract(&path)).expect_err("a job more");
    assert!(told.downcast_ref::<String>().expect("a text").contains("is stale: line"), "{told:?}");
}

#[test]
fn spans_and_series_of_other_threads_are_seen() {
    let telemetry = TestTelemetry::new(SERVICE).record_spans();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let exchange = |app: Router| async move {
            let request = Request::get("/orders/7").body(Body::empty()).expect("a request");
            let response = app.oneshot(request).await.expect("an answer");
            axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        };
        for _ in 0..8 {
            tokio::spawn(exchange(app(&telemetry)));
        }
        let series =
            "http_server_request_duration_seconds_count{http_route=\"/orders/{id}\",http_response_status_code=\"200\"}";
        telemetry.assert_soon(series, 8).await;
    });
    drop(runtime);
    let (requests, jobs): (Vec<_>, Vec<_>) =
        telemetry.spans().into_iter().partition(|it| it.name == "GET /orders/{id}");
    let traces: std::collections::BTreeSet<_> = requests.iter().map(|it| &it.trace_id).collect();
    assert_eq!((requests.len(), traces.len()), (8, 8), "each request has a trace of its own");
    assert!(requests.iter().all(|it| it.parent_id.is_none() && it.error.is_none()));
    let run = |request| move |it: &_| TestSpan::is_child_of(it, request);
    assert!(requests.iter().all(|it| jobs.iter().filter(|job| job.name == "run reindex").any(run(it))), "{jobs:?}");
    assert_eq!(jobs.len(), 8);
    assert_eq!(TestTelemetry::new(SERVICE).record_spans().spans(), []);
}
