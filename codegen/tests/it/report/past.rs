//! What a real Prometheus adds: how SLOs are now, and what the past would have paged, before and after a change.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kilter_harness::{Prometheus, PrometheusConfig};
use serde_json::Value;

use crate::cli::{kilter, said};
use crate::support::tool;

const SHOP: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: sales\n    description: Sales succeed.\n    objective: 99.9%\n    sli:\n      events:\n        errors: rate(failed_total{job=\"shop\"}[$window])\n        total: rate(sold_total[$window])\n";

/// Ten sales a second for a day and two hours; of those in one hour, ten hours ago, a tenth failed.
fn history(now: u64) -> String {
    let mut text = String::new();
    for (name, per_minute) in [("failed", 60), ("sold", 600)] {
        writeln!(text, "# TYPE {name} counter").expect("a text");
        let mut total = 0;
        for minute in (0..26 * 60).rev() {
            let failing = (540..600).contains(&minute);
            total += if name == "sold" || failing { per_minute } else { 0 };
            writeln!(text, "{name}_total{{job=\"shop\"}} {total} {}", now - minute * 60).expect("a text");
        }
    }
    text + "# EOF\n"
}

fn report(folder: &Path, args: &[&str]) -> String {
    let out = kilter(&[&["report", "-q"], args].concat(), folder);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn a_prometheus_tells_what_is_and_what_would_have_been() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    fs::write(path.join("history.txt"), history(now)).expect("a file");
    let (made, text) = tool("promtool", &["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"], path);
    assert!(made, "{text}");
    let mut config = PrometheusConfig::new(Vec::new());
    config.scrape_seconds = 15;
    let prometheus = Prometheus::start(path, config).expect("Prometheus starts");
    for (side, text) in [("base", SHOP.to_owned()), ("now", SHOP.replace("99.9%", "95%"))] {
        fs::create_dir(path.join(side)).expect("a folder");
        fs::write(path.join(side).join("slo.yaml"), text).expect("a file");
    }
    let asked = ["--prometheus", &prometheus.url(), "--since", "1d"];

    let page = report(&path.join("base"), &[&["slo.yaml", "--out", "-"], &asked[..]].concat());
    for needed in [
        "What needs somebody",
        "no data",
        "<dt>Note</dt><dd>",
        "1 page (7.0 a week)",
        "99.5",
        "No team of kilter.yaml receives",
        "Error budget left",
    ] {
        assert!(page.contains(needed), "{needed} is not in\n{}", page.split("<h4").take(4).collect::<String>());
    }
    // Nobody knows what is left: an empty meter would say that nothing is.
    assert!(page.contains("<strong>unknown</strong>") && !page.contains("class=\"meter\""), "a meter of the unknown");
    let text = report(&path.join("now"), &[&["slo.yaml", "--markdown", "--base", "../base"], &asked[..]].concat());
    assert!(text.contains("  - over the last 1 d: 1 → 0 pages, "), "{text}");

    // The same from a file.
    let out = kilter(
        &["backtest", "slo.yaml", "--prometheus", &prometheus.url(), "--since", "1d", "--format", "json", "-q"],
        &path.join("base"),
    );
    fs::write(path.join("base/backtest.json"), &out.stdout).expect("a file");
    let json = report(&path.join("base"), &["slo.yaml", "--backtest", "backtest.json", "--format", "json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let past = &json["services"][0]["slos"][0]["history"];
    assert!(past["said"][0].as_str().is_some_and(|it| it.starts_with("1 page")), "{past}");
    // Without an event there is no share of good ones.
    let mut outcome: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let group = &mut outcome["slos"][0]["groups"][0];
    (group["sli"], group["events"], group["coverage"]) = (Value::Null, 0.into(), 0.00826.into());
    group["budget"] = Value::Array(Vec::new());
    fs::write(path.join("base/backtest.json"), outcome.to_string()).expect("a file");
    let json = report(&path.join("base"), &["slo.yaml", "--backtest", "backtest.json", "--format", "json"]);
    let needed = "No events were counted; the server has data for 0.826% of the time only.";
    assert!(json.contains(needed), "{json}");
    let out = kilter(&["report", "slo.yaml", "--backtest", "slo.yaml", "--out", "-"], &path.join("base"));
    assert!(out.status.code() == Some(2) && said(&out).contains("no outcome of kilter backtest"), "{}", said(&out));
}
