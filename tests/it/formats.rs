//! For each format of another tool a real Prometheus evaluates the generated rules over traffic whose true error ratio
//! is known, and agrees within 1% of it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use kilter_harness::{Prometheus, PrometheusConfig, Target, binary, until};

use super::tidy::root;

/// Every fixture of the generator's own tests.
const FILES: &[&str] = &[
    "sloth_file.yaml",
    "sloth_resource.yaml",
    "sloth_windows/slo.yaml",
    "sloth_windows/windows.yaml",
    "sloth_not_yaml.yaml",
    "openslo_v1/slo.yaml",
    "openslo_v1alpha.yaml",
    "pyrra.yaml",
];

/// Each series with its share of all events.
const TRAFFIC: &[(&str, f64)] = &[
    ("orders_total{outcome=\"failed\"}", 0.03),
    ("orders_total{outcome=\"ok\"}", 0.97),
    (CART_OK, 0.90),
    (
        "http_server_request_duration_seconds_count{http_route=\"/cart/{id}\",http_request_method=\"GET\",error_type=\"500\"}",
        0.08,
    ),
    (
        "http_server_request_duration_seconds_count{http_route=\"/cart/{id}\",http_request_method=\"GET\",error_type=\"client_disconnect\"}",
        0.02,
    ),
    (
        "http_server_request_duration_seconds_bucket{http_route=\"/cart/{id}\",http_request_method=\"GET\",le=\"0.25\"}",
        0.69,
    ),
    (
        "http_server_request_duration_seconds_bucket{http_route=\"/cart/{id}\",http_request_method=\"GET\",error_type=\"client_disconnect\",le=\"0.25\"}",
        0.0,
    ),
    ("refunds_total{outcome=\"paid\"}", 0.94),
    ("refunds_total{outcome=\"failed\"}", 0.06),
    ("parcels_total{carrier=\"fast\"}", 0.5),
    ("parcels_lost_total{carrier=\"fast\"}", 0.05),
    ("parcels_total{carrier=\"slow\"}", 0.5),
    ("parcels_lost_total{carrier=\"slow\"}", 0.1),
    ("mails_total{outcome=\"bounced\"}", 0.04),
    ("mails_total{outcome=\"delivered\"}", 0.96),
    ("digests_total", 1.0),
    ("digests_failed_total", 0.11),
    ("searches_total{outcome=\"failed\"}", 0.05),
    ("searches_total{outcome=\"ok\"}", 0.95),
    ("invoices_total{outcome=\"failed\"}", 0.07),
    ("invoices_total{outcome=\"ok\"}", 0.93),
    ("letters_total{outcome=\"failed\"}", 0.09),
    ("letters_total{outcome=\"ok\"}", 0.91),
    ("uploads_total{outcome=\"failed\"}", 0.12),
    ("uploads_total{outcome=\"ok\"}", 0.88),
    ("previews_total{outcome=\"drawn\"}", 0.87),
    ("previews_total{outcome=\"failed\"}", 0.13),
    ("shares_total{outcome=\"shared\"}", 0.86),
    ("shares_total{outcome=\"failed\"}", 0.14),
    ("messages_total{outcome=\"delivered\"}", 0.85),
    ("messages_total{outcome=\"lost\"}", 0.15),
    ("grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"Get\"}", 0.84),
    ("grpc_server_handled_total{grpc_code=\"Internal\",grpc_method=\"Get\"}", 0.16),
    ("grpc_server_handling_seconds_count", 1.0),
    ("grpc_server_handling_seconds_bucket{le=\"1\"}", 0.83),
];

const CART_OK: &str =
    "http_server_request_duration_seconds_count{http_route=\"/cart/{id}\",http_request_method=\"GET\"}";

/// Service, SLO, group, and the true error ratio.
const TRUTH: &[(&str, &str, &str, f64)] = &[
    ("checkout", "orders-succeed", "", 0.03),
    ("checkout", "cart-availability", "", 0.08),
    ("checkout", "cart-latency", "", 0.25), // of 0.92 that did not fail, 0.69 were fast
    ("checkout", "refunds", "", 0.06),
    ("checkout", "shipping-events", "fast", 0.1),
    ("checkout", "shipping-events", "slow", 0.2),
    ("mail", "delivered", "", 0.04),
    ("lists", "delivered", "", 0.11),
    ("search", "answers", "", 0.05),
    ("billing", "invoices", "", 0.07),
    ("dunning", "letters", "", 0.09),
    ("files", "uploads-0", "", 0.12),
    ("files", "uploads-1", "", 0.12),
    ("files", "previews", "", 0.13),
    ("files", "shares", "", 0.14),
    ("chat", "messages", "", 0.15),
    ("api", "api-errors", "Get", 0.16),
    ("api", "api-latency", "", 0.17),
    ("web", "web", "", 0.08),
];

/// Events a second: one event more or less is far below 1% of the errors of a window.
const EVENTS: f64 = 20_000.0;

/// A metrics page whose counters follow the clock. It ends with the process.
fn serve() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let start = Instant::now();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let events = start.elapsed().as_secs_f64() * EVENTS;
            let page: String =
                TRAFFIC.iter().map(|(series, share)| format!("{series} {}\n", (events * share).floor())).collect();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n";
            let _ = write!(stream, "{head}content-length: {}\r\n\r\n{page}", page.len());
        }
    });
    Ok(address)
}

type Ratios = BTreeMap<(String, String, String), f64>;

fn ratios(prometheus: &Prometheus, expr: &str, service: &str, slo: &str) -> anyhow::Result<Ratios> {
    let samples = prometheus.query(expr)?.into_iter();
    let label = |labels: &BTreeMap<String, String>, key: &str| labels.get(key).cloned().unwrap_or_default();
    let group = |labels: &BTreeMap<String, String>| label(labels, "carrier") + &label(labels, "grpc_method");
    let key = |it: &BTreeMap<String, String>| (label(it, service), label(it, slo), group(it));
    Ok(samples.map(|it| (key(&it.labels), it.value)).collect())
}

#[test]
fn a_real_prometheus_agrees_with_the_truth_for_every_format() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let made = Command::new(binary("kilter")?)
        .arg("generate")
        .args(FILES)
        .args(["--time-scale", "1/20", "--compat", "sloth", "--out"])
        .arg(folder.path())
        .current_dir(root().join("codegen/tests/formats"))
        .output()
        .context("kilter does not start")?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let address = serve()?;
    let target = |job: &&str| Target { job: (*job).to_owned(), address: address.clone() };
    let config = PrometheusConfig {
        rule_files: vec![folder.path().join("rules/*.rules.yaml")],
        time_divisor: 20,
        ..PrometheusConfig::new(["checkout", "mail", "api", "web"].iter().map(target).collect())
    };
    let prometheus = Prometheus::start(&folder.path().join("prometheus"), config)?;
    // The rate window of 5 minutes is 15 s at this scale.
    thread::sleep(Duration::from_secs(20));
    prometheus.no_rule_errs()?;
    let truth: Ratios = TRUTH
        .iter()
        .map(|(service, slo, group, ratio)| (((*service).into(), (*slo).into(), (*group).into()), *ratio))
        .collect();
    for (expr, service, slo) in [
        ("slo:error:rate5m / slo:total:rate5m", "service", "slo"),
        ("slo:sli_error:ratio_rate5m", "sloth_service", "sloth_slo"),
        ("slo:sli_error:ratio_rate1h", "sloth_service", "sloth_slo"),
        (
            "slo:period_burn_rate:ratio{sloth_id!=\"\"} * on (sloth_id) group_left () slo:error_budget:ratio{sloth_id!=\"\"}",
            "sloth_service",
            "sloth_slo",
        ),
    ] {
        // The budget's grid has a point every 15 s, and is read every 6 s.
        let measured = until("every SLO to be recorded", Duration::from_secs(40), || {
            let measured = ratios(&prometheus, expr, service, slo)?;
            ensure!(measured.keys().eq(truth.keys()), "{expr} knows {:?}", measured.keys().collect::<Vec<_>>());
            Ok(Some(measured))
        })?;
        for (key, ratio) in &truth {
            let found = measured[key];
            ensure!((found - ratio).abs() <= 0.01 * ratio, "{expr} of {key:?} is {found}, but the truth is {ratio}");
        }
    }
    Ok(())
}
