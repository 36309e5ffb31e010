//! Ad-hoc metrics are on the page, in both formats, and nothing that they do can break it or the contract.

#![expect(clippy::disallowed_macros, reason = "these are the ad-hoc metrics")]

use kilter::testing::TestTelemetry;
use metrics::{counter, gauge, histogram};

use crate::promtool;

fn recorded(record: impl FnOnce()) -> TestTelemetry {
    let telemetry = TestTelemetry::new(kilter::service!());
    metrics::with_local_recorder(&telemetry.recorder(), record);
    telemetry
}

fn violations(telemetry: TestTelemetry, kind: &str) -> Option<f64> {
    telemetry.value(&format!("telemetry_violations_total{{kind=\"{kind}\"}}"))
}

#[tokio::test]
async fn accepted_metrics_are_on_both_pages_under_one_name() {
    let telemetry = recorded(|| {
        counter!("hooks_total", "hook" => "pre").increment(2);
        counter!("jobs").increment(3);
        gauge!("queue.depth").set(4.5);
        histogram!("gc_seconds").record(0.2);
    });
    for openmetrics in [false, true] {
        let page = telemetry.scrape(openmetrics).await;
        for line in [
            "hooks_total{hook=\"pre\"} 2",
            "jobs 3",
            "queue_depth 4.5",
            "gc_seconds_bucket{le=\"1.0\"} 1",
            "gc_seconds_count 1",
        ] {
            assert!(page.lines().any(|it| it == line), "no line {line} in:\n{page}");
        }
    }
    promtool::check_metrics(&telemetry.scrape(false).await);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_counted_once() {
    let refused: &[(&str, fn())] = &[
        ("contract_name", || counter!("http_server_request_duration_seconds_count").increment(1)),
        ("contract_name", || histogram!("http.server.request.duration.seconds").record(1.0)),
        ("contract_name", || gauge!("telemetry_violations").set(1.0)),
        ("contract_name", || gauge!("target_info").set(1.0)),
        ("illegal_name", || counter!("").increment(1)),
        ("illegal_name", || counter!("9lives").increment(1)),
        ("duplicate_label", || counter!("a_total", "x.y" => "1", "x_y" => "2").increment(1)),
        ("reserved_label", || gauge!("b", "le" => "1").set(1.0)),
        ("reserved_label", || gauge!("b", "__name__" => "1").set(1.0)),
        ("non_finite", || gauge!("c").set(f64::NAN)),
        ("non_finite", || histogram!("d").record(f64::INFINITY)),
        ("type_conflict", || {
            counter!("e").increment(1);
            gauge!("e").set(1.0);
        }),
    ];
    for (kind, record) in refused {
        let telemetry = recorded(record);
        assert_eq!(violations(telemetry, kind), Some(1.0), "{kind}");
        promtool::check_metrics(&telemetry.scrape(false).await);
        metrics::with_local_recorder(&telemetry.recorder(), || counter!("later_total").increment(1));
        assert_eq!(telemetry.value("later_total"), Some(1.0), "others go on after {kind}");
    }
}

#[test]
fn a_flood_of_label_values_is_bounded() {
    let telemetry = recorded(|| {
        for n in 0..5_000 {
            counter!("flood_total", "n" => n.to_string()).increment(1);
        }
        counter!("flood_total", "n" => "7").increment(1);
    });
    let page = telemetry.page();
    let series = page.lines().filter(|it| it.starts_with("flood_total{")).count();
    assert!((1_000..=2_000).contains(&series), "{series} series");
    assert_eq!(telemetry.value("flood_total{n=\"7\"}"), Some(2.0), "a known series goes on");
    assert!(violations(telemetry, "series_budget") > Some(0.0));
}
