//! Born at zero: what a scraper sees of a series that is new, and of one that was declared.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use kilter::testing::TestTelemetry;
use tower::ServiceExt as _;

use crate::service::Service;

kilter::routes! {
    DECLARED = GET "/declared";
}

const NEW: &str = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/new\",http_response_status_code=\"200\"}";
const FAILED: &str = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/declared\",http_response_status_code=\"500\",error_type=\"500\"}";

async fn drive(telemetry: TestTelemetry, path: &str) {
    let app = Router::new()
        .route(DECLARED.path(), get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route("/new", get(|| async { "new" }))
        .layer(telemetry.http_server());
    let response = app.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
}

fn value(page: &str, series: &str) -> Option<f64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn a_series_that_is_new_with_a_value_shows_zero_first_to_scrapers_only() {
    let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
    drive(telemetry, "/new").await;
    assert_eq!(value(&telemetry.page(), NEW), Some(1.0), "a person sees the truth");
    for openmetrics in [true, false] {
        let page = telemetry.scrape(openmetrics).await;
        assert_eq!(value(&page, NEW), Some(0.0));
        let sum = NEW.replace("_count{", "_sum{");
        assert_eq!(value(&page, &sum), Some(0.0), "count, sum and buckets are held together");
        let bucket = NEW.replace("_count{", "_bucket{").replace('}', ",le=\"+Inf\"}");
        assert_eq!(value(&page, &bucket), Some(0.0));
    }
    assert_eq!(value(&telemetry.page(), NEW), Some(1.0));
}

#[tokio::test]
async fn a_declared_route_is_there_at_zero_and_its_first_failure_is_not_held() {
    let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
    assert_eq!(value(&telemetry.scrape(false).await, FAILED), Some(0.0), "idle is not missing");
    drive(telemetry, "/declared").await;
    assert_eq!(value(&telemetry.scrape(false).await, FAILED), Some(1.0));
}

/// With `KILTER_SCRAPERS=all` every reader is a scraper; counters are born at zero like histograms, and the hold ends.
#[tokio::test]
async fn what_was_counted_before_the_first_scrape_rises_after_the_hold() {
    let service = Service::start(&[("KILTER_SCRAPERS", "all"), ("KILTER_SCRAPE_INTERVAL", "2s")]);
    reqwest::Client::new().post(service.url("/broken")).send().await.expect("an answer");
    let mut nonsense = std::net::TcpStream::connect(service.address).expect("a connection");
    nonsense.write_all(b"nonsense\r\n\r\n").expect("sent");
    let mut gone = Vec::new();
    nonsense.read_to_end(&mut gone).expect("the service closes");
    // The connection's task counts when it has ended.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let refused = "http_server_request_duration_seconds_count{http_request_method=\"POST\",http_route=\"/broken\",http_response_status_code=\"405\"}";
    let torn = "http_server_connection_errors_total{error_type=\"bad_request\"}";
    let start = Instant::now();
    loop {
        let (_, page) = service.admin("/metrics").await;
        match (value(&page, refused), value(&page, torn)) {
            (Some(1.0), Some(1.0)) => break,
            seen => assert_eq!(seen, (Some(0.0), Some(0.0))),
        }
        assert!(start.elapsed() < Duration::from_secs(20), "the hold never ends");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(2_500), "1.25 intervals, not {:?}", start.elapsed());
}
