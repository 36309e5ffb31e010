//! Born at zero, as real Prometheus servers see it: a burst of failures of a kind that was never seen before loses nothing
//! on any server that scrapes within the hold. One that joins later loses it, and the documentation says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::ACCEPT_ENCODING;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Router, serve};
use kilter::testing::TestTelemetry;
use kilter_harness::{Prometheus, PrometheusConfig, Target, free_port, until};
use tokio::sync::Mutex;
use tower::ServiceExt as _;

const BURST: f64 = 1000.0;
const WAIT: Duration = Duration::from_secs(40);
/// The longest interval of any scraper as the service is told; these scrape every second.
const INTERVAL: Duration = Duration::from_secs(4);

/// Every page that a scraper was given, in order.
type Pages = Arc<Mutex<Vec<String>>>;

/// Keeps a page before it is sent. One at a time, so that their order is that of their readings.
async fn kept(State(pages): State<Pages>, mut request: Request, next: Next) -> Response {
    let mut pages = pages.lock().await;
    request.headers_mut().remove(ACCEPT_ENCODING);
    let (head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a page");
    pages.push(String::from_utf8(body.to_vec()).expect("text"));
    Response::from_parts(head, Body::from(body))
}

/// A thousand requests that end in this status.
async fn burst(telemetry: TestTelemetry, status: u16) {
    let fail = move || async move { StatusCode::from_u16(status).expect("a status") };
    let app = Router::new().route("/burst", get(fail)).layer(telemetry.http_server());
    for _ in 0..1000 {
        let response = app.clone().oneshot(Request::get("/burst").body(Body::empty()).expect("a request")).await;
        to_bytes(response.expect("a response").into_body(), usize::MAX).await.expect("a body");
    }
}

fn prometheus(folder: &std::path::Path, port: u16) -> anyhow::Result<Prometheus> {
    let target = Target { job: "shop".to_owned(), address: format!("127.0.0.1:{port}") };
    Prometheus::start(folder, PrometheusConfig::new(vec![target]))
}

/// The series of a burst: how many of them, and all that a rate can ever see of them.
fn series(form: &str, status: u16) -> String {
    format!("http_server_request_duration_seconds_{form}{{job=\"shop\",http_response_status_code=\"{status}\"}}[5m]")
}

/// Waits until the server knows the whole burst, then tells what lies between its first and its last sample.
fn seen(prometheus: &Prometheus, status: u16) -> anyhow::Result<Vec<f64>> {
    until("the whole burst", WAIT, || {
        let most = prometheus.value(&format!("max_over_time({})", series("count", status)))?;
        let samples = prometheus.value(&format!("count_over_time({})", series("count", status)))?;
        Ok((most == Some(BURST) && samples >= Some(3.0)).then_some(()))
    })?;
    let mut between = Vec::new();
    for part in [series("count", status), series("bucket", status).replace("}[", ",le=\"+Inf\"}[")] {
        let expr = format!("max_over_time({part}) - min_over_time({part})");
        between.push(prometheus.value(&expr)?.with_context(|| expr)?);
    }
    Ok(between)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_a_new_kind_loses_nothing_on_any_server_that_scrapes_within_the_hold() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let early = tokio::task::block_in_place(|| {
        let both = [prometheus(&folder.path().join("a"), port)?, prometheus(&folder.path().join("b"), port)?];
        // A server takes some seconds before its first scrape; both try already when the service comes.
        for server in &both {
            until("a first try", WAIT, || Ok(server.value("up{job=\"shop\"}")?.map(drop)))?;
        }
        Ok::<_, anyhow::Error>(both)
    })?;
    let telemetry = TestTelemetry::scraped_every(kilter::service!(), INTERVAL);
    burst(telemetry, 507).await;
    let pages = Pages::default();
    let admin = telemetry.admin().layer(from_fn_with_state(Arc::clone(&pages), kept));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    tokio::spawn(async move { serve(listener, admin).await });
    // A scraper of the other format, and a reader that is no scraper: neither may spoil what the servers see.
    let texts = Pages::default();
    let kept_texts = Arc::clone(&texts);
    let other = tokio::spawn(async move {
        loop {
            kept_texts.lock().await.push(telemetry.scrape(false).await);
            assert!(!telemetry.page().is_empty());
            tokio::time::sleep(Duration::from_millis(70)).await;
        }
    });

    tokio::task::block_in_place(|| {
        for server in &early {
            ensure!(seen(server, 507)? == [BURST, BURST], "right after the start, {:?}", seen(server, 507)?);
        }
        Ok(())
    })?;
    // It begins to scrape some seconds after its start: meanwhile the others see a second burst.
    let late = tokio::task::block_in_place(|| prometheus(&folder.path().join("c"), port))?;
    burst(telemetry, 508).await;
    tokio::task::block_in_place(|| {
        for server in &early {
            ensure!(seen(server, 508)? == [BURST, BURST], "later, {:?}", seen(server, 508)?);
        }
        // Whoever comes after the hold finds a series that has its value already.
        ensure!(seen(&late, 507)? == [0.0, 0.0], "a server that joins late, {:?}", seen(&late, 507)?);
        Ok(())
    })?;
    other.abort();
    never_falls(&texts.lock().await)?;
    never_falls(&pages.lock().await)
}

/// No page shows a smaller value of a counter or histogram than an earlier one.
fn never_falls(pages: &[String]) -> anyhow::Result<()> {
    ensure!(pages.len() > 15, "{} pages", pages.len());
    let mut last: BTreeMap<String, f64> = BTreeMap::new();
    let mut held = 0;
    for page in pages {
        let samples = page.lines().filter(|it| !it.starts_with('#') && !it.starts_with("http_server_active_requests"));
        for line in samples {
            let (series, value) = line.rsplit_once(' ').context(line.to_owned())?;
            let value: f64 = value.parse()?;
            held += usize::from(value == 0.0 && series.contains("/burst"));
            let before = last.insert(series.to_owned(), value).unwrap_or(0.0);
            ensure!(value >= before, "{series} fell from {before} to {value}");
        }
    }
    ensure!(held > 100, "births were held, {held}");
    Ok(())
}
