//! `kilter generate --only backfill`: a Prometheus that has scraped for hours, promtool as the guide says, and then the SLOs'
//! own rules, which find a history that nobody recorded.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilter_harness::{Prometheus, PrometheusConfig, until};

use crate::cli::{kilter, said};
use crate::support::tool;

const HOUR: u64 = 3_600;
const SCRAPE: u64 = 60;
const LENGTH: u64 = 8 * HOUR;
/// One hour in which one of twenty fails; the series of errors is there only then.
const BAD: std::ops::RangeInclusive<u64> = 3 * HOUR..=4 * HOUR;
/// Its first half is maintenance, where that is said.
const MAINTAINED: std::ops::Range<u64> = 3 * HOUR..3 * HOUR + HOUR / 2;

const SLO: &str = r#"apiVersion: kilter/v1
service: shop
team: store
slos:
  - name: served
    description: Pages are served.
    objective: 99%
    window: 7d
    sli: {http_server: {routes: ["/a"]}}
  - name: grouped
    description: Orders are taken.
    objective: 99%
    window: 7d
    by: [region]
    sli: {events: {errors: 'rate(lost_total[$window])', total: 'rate(orders_total[$window])'}}
  - name: maintained
    description: Orders are taken, but for maintenance.
    objective: 99%
    window: 7d
    maintenance: {promql: 'maintenance_mode == 1'}
    sli: {events: {errors: 'sum(rate(lost_total[$window]))', total: 'sum(rate(orders_total[$window]))'}}
"#;

fn history(start: u64) -> String {
    let mut text = String::new();
    let mut series = |name: &str, value: &dyn Fn(u64) -> Option<u64>| {
        for second in (0..=LENGTH).step_by(usize::try_from(SCRAPE).expect("a step")) {
            if let Some(value) = value(second) {
                let _ = writeln!(text, "{name} {value} {}", start + second);
            }
        }
    };
    // Ten events a second.
    let failed = |second: u64| (second.clamp(*BAD.start(), *BAD.end()) - BAD.start()) / 2;
    let http = "http_server_request_duration_seconds_count{job=\"shop\",http_route=\"/a\"";
    let error = |second: u64| BAD.contains(&second).then(|| failed(second));
    series(&format!("{http},http_response_status_code=\"200\"}}"), &|it| Some(it * 10 - failed(it)));
    series(&format!("{http},http_response_status_code=\"500\",error_type=\"500\"}}"), &error);
    for region in ["eu", "us"] {
        series(&format!("orders_total{{region=\"{region}\"}}"), &|it| Some(it * 10));
    }
    series("lost_total{region=\"eu\"}", &error);
    series("maintenance_mode", &|it| Some(u64::from(MAINTAINED.contains(&it))));
    text + "# EOF\n"
}

/// What the guide tells to do with one file; then the server is started again.
fn fill(prometheus: Prometheus, folder: &Path, start: u64, file: &str) {
    let (from, to) = (format!("--start={start}"), format!("--end={}", start + LENGTH));
    let url = format!("--url={}", prometheus.url());
    let args =
        ["tsdb", "create-blocks-from", "rules", &from, &to, &url, "--eval-interval=1m", "--output-dir=made", file];
    let (made, text) = tool("promtool", &args, folder);
    assert!(made, "{text}");
    drop(prometheus);
    for block in fs::read_dir(folder.join("made")).expect("blocks").flatten() {
        fs::rename(block.path(), folder.join("data").join(block.file_name())).expect("a block");
    }
}

#[test]
fn filled_history_is_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let start = now - now % SCRAPE - LENGTH;
    fs::write(path.join("history.txt"), history(start)).expect("a file");
    fs::write(path.join("slo.yaml"), SLO).expect("a file");
    for only in ["backfill", "rules"] {
        let out = kilter(&["generate", "slo.yaml", "--only", only], path);
        assert!(out.status.success(), "{}", said(&out));
    }
    let (made, text) = tool("promtool", &["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"], path);
    assert!(made, "{text}");
    let started = |rules: Vec<std::path::PathBuf>| {
        let mut config = PrometheusConfig::new(vec![]);
        config.rule_files = rules;
        Prometheus::start(path, config).expect("Prometheus starts")
    };
    fill(started(vec![]), path, start, "backfill/shop.1.rules.yaml");
    fill(started(vec![]), path, start, "backfill/shop.2.rules.yaml");

    let rules = fs::read_to_string(path.join("rules/shop.rules.yaml")).expect("rules");
    let often = rules.replace("interval: 30s", "interval: 1s").replace("interval: 2m", "interval: 2s");
    fs::write(path.join("often.rules.yaml"), often).expect("a file");
    let prometheus = started(vec![path.join("often.rules.yaml")]);
    let at = |series: &str, labels: &str, second: u64| {
        let query = format!("{series}{{service=\"shop\",{labels}}} @ {}", start + second);
        (query.clone(), prometheus.value(&query).expect("an answer"))
    };
    let (before, mid, late, after) = (2 * HOUR, 3 * HOUR + 900, 3 * HOUR + 3_000, 6 * HOUR);
    // Of a quarter million events 1,800 failed; a seventh of a day and a third are known of a week.
    let spent = 1_800.0 / (LENGTH * 10) as f64 / 0.01;
    let left = 1.0 - spent * LENGTH as f64 / (7.0 * 24.0 * HOUR as f64);
    let pair = ["slo:total:rate5m", "slo:error:rate5m"];
    for (series, labels, second, truth) in [
        (pair[0], "slo=\"served\"", before, Some(10.0)),
        (pair[0], "slo=\"served\"", mid, Some(10.0)),
        // No error yet, and none any more: zero, not nothing.
        (pair[1], "slo=\"served\"", before, Some(0.0)),
        (pair[1], "slo=\"served\"", mid, Some(0.5)),
        (pair[1], "slo=\"served\"", after, Some(0.0)),
        (pair[1], "slo=\"grouped\",region=\"eu\"", mid, Some(0.5)),
        (pair[1], "slo=\"grouped\",region=\"us\"", mid, Some(0.0)),
        (pair[0], "slo=\"maintained\"", mid, None),
        (pair[0], "slo=\"maintained\"", late, Some(20.0)),
        ("slo:maintenance:active", "slo=\"maintained\"", mid, Some(1.0)),
        ("slo:burn_rate:1h", "slo=\"served\"", before, Some(0.0)),
        ("slo:burn_rate:5m", "slo=\"served\"", mid, Some(5.0)),
        ("slo:burn_rate:1h", "slo=\"served\"", 4 * HOUR, Some(5.0)),
        ("slo:burn_rate:6h", "slo=\"served\"", 7 * HOUR, Some(5.0 / 6.0)),
        ("slo:period_coverage:ratio", "slo=\"served\"", LENGTH, Some(8.0 / 168.0)),
        ("slo:error_budget_remaining:ratio", "slo=\"served\"", LENGTH, Some(left)),
    ] {
        let (query, is) = at(series, labels, second);
        let near = |is: f64, truth: f64| (is - truth).abs() <= 0.02 * truth;
        let same = match (is, truth) {
            (Some(is), Some(truth)) => near(is, truth),
            (is, truth) => is == truth,
        };
        assert!(same, "{query}: {is:?}, but the truth is {truth:?}");
    }
    // The rules themselves, with a minute of their own behind them.
    let now = "slo:error_budget_remaining:ratio{slo=\"served\"} and (time() - timestamp(slo:error_budget_remaining:ratio) < 5)";
    let is = until("the budget is recorded", Duration::from_secs(20), || prometheus.value(now)).expect("a budget");
    assert!((is - left).abs() < 0.001, "{is} is left, but the truth is {left}");
    prometheus.no_rule_errs().expect("no rule errs");
}
