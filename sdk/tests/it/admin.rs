//! The admin pages as clients see them: methods, paths, formats, encodings; and who counts as a scraper.

use std::io::Read as _;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use kilter::testing::TestTelemetry;
use tower::ServiceExt as _;

kilter::routes! {
    DECLARED = GET "/declared";
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// What Prometheus 2.42 sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

async fn ask(telemetry: TestTelemetry, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let request =
        headers.iter().fold(Request::builder().method(method).uri(path), |it, (key, value)| it.header(*key, *value));
    telemetry.admin().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn bytes(response: Response<Body>) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

#[tokio::test]
async fn format_and_encoding_are_negotiated() {
    let telemetry = TestTelemetry::new(kilter::service!());
    for (accept, encoding, content_type, gzip) in [
        (None, None, TEXT, false),
        (Some("*/*"), Some("identity"), TEXT, false),
        (Some("text/html"), Some("br"), TEXT, false),
        (Some(PROMETHEUS), Some("gzip"), OPENMETRICS, true),
        (Some("application/openmetrics-text;q=0.2, text/plain;q=0.9"), Some("deflate, GZIP;q=0.5"), TEXT, true),
        (Some("application/openmetrics-text;q=0"), Some("gzip;q=0"), TEXT, false),
    ] {
        let pairs = [("accept", accept), ("accept-encoding", encoding)];
        let headers: Vec<(&str, &str)> = pairs.iter().filter_map(|(key, value)| Some((*key, (*value)?))).collect();
        let response = ask(telemetry, "GET", "/metrics", &headers).await;
        assert_eq!(response.headers()["content-type"], content_type, "{headers:?}");
        assert_eq!(response.headers()["vary"], "Accept, Accept-Encoding");
        assert_eq!(response.headers().get("content-encoding").is_some_and(|it| it == "gzip"), gzip, "{headers:?}");
        let body = bytes(response).await;
        let mut page = String::new();
        if gzip {
            flate2::read::GzDecoder::new(&*body).read_to_string(&mut page).unwrap();
        } else {
            page = String::from_utf8(body).unwrap();
        }
        assert!(page.contains("# TYPE http_server_request_duration_seconds histogram\n"), "{page}");
        assert_eq!(page.ends_with("# EOF\n"), content_type == OPENMETRICS);
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let telemetry = TestTelemetry::new(kilter::service!());
    for (method, path, status) in [
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 503),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/metrics/", 404),
        ("GET", "/metric", 404),
        ("GET", "/debug/pprof", 404),
    ] {
        let response = ask(telemetry, method, path, &[]).await;
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{method} {path}");
        assert!(method != "HEAD" || bytes(response).await.is_empty(), "HEAD has no body");
    }
    assert!(!telemetry.page().contains("http_route=\"/metrics\""), "the admin pages are not the service's traffic");
}

/// Only a GET by a scraper exposes a series: one that rises after a HEAD has not been seen at zero.
#[tokio::test]
async fn a_head_is_no_scrape() {
    let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
    let scraper = [("x-prometheus-scrape-timeout-seconds", "10")];
    ask(telemetry, "HEAD", "/metrics", &scraper).await;
    let app = axum::Router::new().route(DECLARED.path(), axum::routing::get(|| async {}));
    let app = app.layer(telemetry.http_server());
    bytes(app.oneshot(Request::get(DECLARED.path()).body(Body::empty()).unwrap()).await.unwrap()).await;
    let page = String::from_utf8(bytes(ask(telemetry, "GET", "/metrics", &scraper).await).await).unwrap();
    let count = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/declared\",http_response_status_code=\"200\"} ";
    assert!(page.contains(&format!("{count}0\n")), "{page}");
    assert!(telemetry.page().contains(&format!("{count}1\n")));
}

/// Whatever came first, the page has one order, in both formats: a page can be compared with the last one.
#[tokio::test]
async fn the_order_of_the_page_is_that_of_its_names() {
    use axum::http::StatusCode;
    let paths = ["/b", "/a/{id}", "/a", "/declared", "/c"];
    let driven = |turn: usize| async move {
        let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
        let mut app = axum::Router::new();
        for path in paths {
            let status =
                move || async move { (StatusCode::from_u16(if path == "/b" { 503 } else { 200 }).unwrap(), "x") };
            app = app.route(path, axum::routing::any(status));
        }
        let app = app.layer(telemetry.http_server());
        for step in 0..paths.len() {
            let path = paths[(step * 2 + turn) % paths.len()];
            for method in if turn == 0 { ["GET", "PUT"] } else { ["PUT", "GET"] } {
                let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
                bytes(app.clone().oneshot(request).await.unwrap()).await;
            }
        }
        telemetry
    };
    let (one, two) = (driven(0).await, driven(3).await);
    for openmetrics in [false, true] {
        let series =
            |page: String| page.lines().map(|it| it.rsplit_once(' ').unwrap_or((it, "")).0.to_owned()).collect();
        let (one, two): (Vec<String>, Vec<String>) =
            (series(one.scrape(openmetrics).await), series(two.scrape(openmetrics).await));
        assert!(one.len() > 300, "{} lines", one.len());
        assert_eq!(one, two);
    }
}
