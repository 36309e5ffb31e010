//! Born at zero: what a scraper sees of a series that is new, and of one that was declared.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use kilter::testing::TestTelemetry;
use tower::ServiceExt as _;

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
