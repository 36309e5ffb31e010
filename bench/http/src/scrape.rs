//! The metrics page of many series, beside metrics-exporter-prometheus.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::future::poll_fn;
use std::time::Instant;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use crate::child;
use crate::tables::{Failures, thousands};

/// Statuses of each route: the series of a route.
const STATUSES: usize = 20;
/// Scrapes of which the best counts.
const ROUNDS: usize = 15;
const MARK: &str = "RESULT ";

/// The table: a child for each page.
pub(crate) fn table(failures: &mut Failures) {
    println!("\n## What a scrape costs\n");
    println!("Histogram series with 14 bounds, {STATUSES} for each route; the best of {ROUNDS} readings:\n");
    println!("| | series | page, kB | ms | with gzip, kB | ms |\n|---|---:|---:|---:|---:|---:|");
    for series in [100, 1_000, 10_000] {
        for (name, renderer) in [("Kilter", "kilter"), ("metrics-exporter-prometheus", "metrics")] {
            eprintln!("{name}: {series} series");
            let measured = || {
                let mut command = child::command()?;
                command.args(["render", renderer, &series.to_string()]);
                let printed = child::output(command)?;
                let line = printed.lines().find_map(|it| it.strip_prefix(MARK));
                Ok(line.context("the child gave no result")?.to_owned())
            };
            if let Some(line) = failures.keep(name, measured()) {
                println!("| {name} | {} | {line} |", thousands(f64::from(series)));
            }
        }
    }
}

/// The child: makes the series and reads the page.
pub(crate) fn run(renderer: &str, series: usize) -> anyhow::Result<()> {
    match renderer {
        "kilter" => kilter_page(series),
        "metrics" => metrics_page(series),
        other => bail!("no renderer {other}"),
    }
}

/// Requests through the layer make the series; the admin page is read as a scraper reads it.
fn kilter_page(series: usize) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let routes = series.div_ceil(STATUSES);
    let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    let router =
        (0..routes).fold(Router::new(), |router, n| router.route(&format!("/orders{n}/{{status}}"), get(status)));
    let mut app = router.layer(telemetry.http_server()).with_state(());
    let mut admin = telemetry.admin().with_state(());
    runtime.block_on(async {
        for n in 0..series {
            read(&mut app, &format!("/orders{}/{}", n % routes, 200 + n / routes), "identity").await?;
        }
        let (plain, plain_time) = best(&mut admin, "identity").await?;
        let (gzip, gzip_time) = best(&mut admin, "gzip").await?;
        println!("{MARK}{} | {plain_time:.1} | {} | {gzip_time:.1}", kilobytes(plain), kilobytes(gzip));
        Ok(())
    })
}

async fn status(Path(status): Path<u16>) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT)
}

/// Size of the page, and the milliseconds of the fastest reading.
async fn best(admin: &mut Router, encoding: &str) -> anyhow::Result<(usize, f64)> {
    let mut best = (0, f64::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let size = read(admin, "/metrics", encoding).await?;
        best = (size, best.1.min(started.elapsed().as_secs_f64() * 1e3));
    }
    Ok(best)
}

async fn read(app: &mut Router, path: &str, encoding: &str) -> anyhow::Result<usize> {
    let request = Request::builder().method(Method::GET).uri(path).header("accept-encoding", encoding);
    poll_fn(|context| <Router as tower_service::Service<axum::extract::Request>>::poll_ready(app, context)).await?;
    let response = app.call(request.body(Body::empty())?).await?;
    Ok(response.into_body().collect().await?.to_bytes().len())
}

/// The same series by its macro, rendered by its handle. It does not compress.
fn metrics_page(series: usize) -> anyhow::Result<()> {
    let bounds = kilter::contract::http::DURATION_BUCKETS;
    let seconds: Vec<f64> = bounds.nanos().iter().map(|it| *it as f64 / 1e9).collect();
    let handle = metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&seconds)?.install_recorder()?;
    let routes = series.div_ceil(STATUSES);
    for n in 0..series {
        metrics::histogram!(
            "http_server_request_duration_seconds",
            "http_request_method" => "GET",
            "http_route" => format!("/orders{}/{{status}}", n % routes),
            "http_response_status_code" => (200 + n / routes).to_string()
        )
        .record(0.000_1);
    }
    let mut best = (0, f64::MAX);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let size = handle.render().len();
        best = (size, best.1.min(started.elapsed().as_secs_f64() * 1e3));
    }
    println!("{MARK}{} | {:.1} | — | —", kilobytes(best.0), best.1);
    Ok(())
}

fn kilobytes(bytes: usize) -> String {
    thousands(bytes as f64 / 1e3)
}
