//! A real Prometheus scrapes the page in its own way, with ad-hoc metrics of every awkward form on it, and stays up.

#![expect(clippy::disallowed_macros, reason = "these are the ad-hoc metrics")]

use std::time::Duration;

use anyhow::{Context as _, ensure};
use kilter::testing::TestTelemetry;
use kilter_harness::{Prometheus, PrometheusConfig, Target, until};
use metrics::{counter, describe_counter, describe_gauge, gauge, histogram};

/// Metrics as third-party crates write them.
fn record() {
    counter!("jobs").increment(3);
    describe_counter!("jobs", "Said \"so\"\nin two lines \\ with a slash");
    counter!("queue.jobs", "queue" => "a \"quoted\" \\ name\nin two lines").increment(4);
    counter!("hooks_total").increment(5);
    // One stem, two families: OpenMetrics would have them collide, so the second loses its type but not its value.
    counter!("pushes").increment(1);
    counter!("pushes_total").increment(2);
    describe_gauge!("depth", "");
    gauge!("depth").set(-1.5e-9);
    gauge!("build_info").set(1.0);
    gauge!("lag", "zone" => "").set(f64::MAX);
    histogram!("gc_seconds").record(0.2);
    // What the page shows alike is one series, not a sample that stands twice.
    counter!("cache.hits", "tier" => "1", "zone" => "a").increment(1);
    counter!("cache_hits", "zone" => "a", "tier" => "1").increment(2);
    counter!("gc_seconds_count").increment(9);
    gauge!("far").increment(f64::MAX);
    gauge!("far").increment(f64::MAX);
    // Names of the contract and broken ones: refused, and no harm.
    counter!("http_server_request_duration_seconds_count").increment(1);
    gauge!("http_server_active_requests").set(7.0);
    counter!("0day").increment(1);
    gauge!("nan").set(f64::NAN);
    histogram!("gc_seconds_bucket", "le" => "1").record(1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_scrapes_ad_hoc_metrics_and_stays_up() -> anyhow::Result<()> {
    // What was refused before the first scrape is a birth: held for a little more than a second here.
    let telemetry = TestTelemetry::scraped_every(kilter::service!(), Duration::from_secs(1));
    metrics::with_local_recorder(&telemetry.recorder(), record);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, telemetry.admin()).await });
    tokio::task::spawn_blocking(move || scraped(&address)).await?
}

fn scraped(address: &str) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let target = Target { job: "shop".to_owned(), address: address.to_owned() };
    let prometheus = Prometheus::start(folder.path(), PrometheusConfig::new(vec![target]))?;
    until("four scrapes", Duration::from_secs(30), || {
        let scrapes = prometheus.value("count_over_time(up{job=\"shop\"}[1m])")?;
        ensure!(scrapes >= Some(4.0), "{scrapes:?} scrapes");
        Ok(Some(()))
    })?;
    for (expr, value) in [
        ("min_over_time(up{job=\"shop\"}[1m])", 1.0),
        ("jobs{job=\"shop\"}", 3.0),
        ("queue_jobs{job=\"shop\"}", 4.0),
        ("hooks_total{job=\"shop\"}", 5.0),
        ("depth{job=\"shop\"}", -1.5e-9),
        ("gc_seconds_bucket{job=\"shop\",le=\"0.25\"}", 1.0),
        ("gc_seconds_count{job=\"shop\"}", 1.0),
        ("pushes{job=\"shop\"}", 1.0),
        ("pushes_total{job=\"shop\"}", 2.0),
        ("cache_hits{job=\"shop\",tier=\"1\",zone=\"a\"}", 3.0),
        // The contract is whole, and its page came as OpenMetrics.
        ("count(target_info{job=\"shop\"})", 1.0),
        ("count(telemetry_scrape_duration_seconds_bucket{job=\"shop\",format=\"openmetrics\",le=\"1.0\"})", 1.0),
        ("telemetry_violations_total{job=\"shop\",kind=\"contract_name\"} >= bool 2", 1.0),
    ] {
        let seen = prometheus.value(expr)?.with_context(|| format!("{expr} is missing"))?;
        ensure!((seen - value).abs() <= value.abs() * 1e-9, "{expr} is {seen}, not {value}");
    }
    let rendered = prometheus.value("telemetry_scrape_duration_seconds_count{job=\"shop\",format=\"openmetrics\"}")?;
    ensure!(rendered >= Some(2.0), "Prometheus asks for OpenMetrics, {rendered:?}");
    Ok(())
}
