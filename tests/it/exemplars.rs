//! Exemplars reach a real Prometheus: from a slow bucket to the trace of a request that was in it.

use std::time::Duration;

use anyhow::ensure;
use kilter_harness::{GitHttps, Prometheus, PrometheusConfig, Target, request, until};

#[test]
fn prometheus_keeps_the_trace_of_a_sampled_request() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    // Nobody listens there: spans wait in the queue, and the page points to them.
    let collector = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("KILTER_CREATED", "true")];
    let service = GitHttps::start_with(&folder.path().join("service"), &collector)?;
    let target = Target { job: "git-https".to_owned(), address: service.admin_address() };
    let mut config = PrometheusConfig::new(vec![target]);
    config.features = vec!["exemplar-storage".to_owned()];
    let prometheus = Prometheus::start(&folder.path().join("prometheus"), config)?;
    let asked = "0af7651916cd43dd8448eb211c80319c";
    let caller = format!("00-{asked}-b7ad6b7169203331-01");
    let refs = format!("{}/info/refs?service=git-upload-pack", service.clone_url());
    let answer = request("GET", &refs, &[("traceparent", &caller)], &[])?;
    ensure!(answer.status == 200, "{}", answer.text());
    let bucket = "http_server_request_duration_seconds_bucket{job=\"git-https\"}";
    let found = until("an exemplar", Duration::from_secs(30), || {
        let all = prometheus.exemplars(bucket, Duration::from_mins(5))?;
        Ok(all.into_iter().find(|it| it.get("trace_id").is_some_and(|it| it == asked)))
    })?;
    ensure!(found["span_id"].len() == 16, "{found:?}");
    // The page with exemplars and created timestamps is one that Prometheus reads whole.
    ensure!(prometheus.value("min_over_time(up{job=\"git-https\"}[1m])")? == Some(1.0));
    let made = "count(http_server_request_duration_seconds_created{job=\"git-https\"})";
    let series = "count(http_server_request_duration_seconds_count{job=\"git-https\"})";
    ensure!(prometheus.value(made)?.is_some() && prometheus.value(made)? == prometheus.value(series)?);
    Ok(())
}
