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
        ("type_conflict", || {
            histogram!("f").record(1.0);
            counter!("f_count").increment(1);
        }),
        ("duplicate_label", || counter!("g_total", "1a" => "1", "_a" => "2").increment(1)),
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

/// What the page cannot tell apart is one series: neither value is lost, and no sample stands twice.
#[tokio::test]
async fn names_that_the_page_shows_alike_are_one_series() {
    let telemetry = recorded(|| {
        counter!("a.b", "x.y" => "1", "z" => "2").increment(1);
        counter!("a_b", "z" => "2", "x:y" => "1").increment(2);
        histogram!("d.e").record(0.1);
        histogram!("d_e").record(0.2);
    });
    let page = telemetry.scrape(false).await;
    let samples: Vec<&str> = page.lines().filter(|it| it.starts_with("a_b") || it.starts_with("d_e_count")).collect();
    assert_eq!(samples, ["a_b{x_y=\"1\",z=\"2\"} 3", "d_e_count 2"]);
    promtool::check_metrics(&page);
}

/// A gauge that is added up to an infinity is left out, with nothing else.
#[tokio::test]
async fn a_sum_that_is_no_number_any_more_is_left_out_and_counted() {
    let telemetry = recorded(|| {
        gauge!("far").increment(f64::MAX);
        gauge!("far").increment(f64::MAX);
        gauge!("near").set(1.0);
    });
    let page = telemetry.scrape(true).await;
    assert!(!page.contains("far") && page.contains("\nnear 1\n"), "{page}");
    assert!(violations(telemetry, "untranslatable") >= Some(1.0));
}

/// Names that user code makes up without end: nothing is kept of them, known series go on.
#[test]
fn a_flood_of_names_is_bounded() {
    let telemetry = recorded(|| {
        for n in 0..20_000 {
            gauge!(format!("flood_{n}")).set(1.0);
            counter!("0flood", "n" => n.to_string()).increment(1);
        }
        gauge!("flood_7").set(2.0);
    });
    let page = telemetry.page();
    let series = page.lines().filter(|it| it.starts_with("flood_")).count();
    assert!((1_000..=2_000).contains(&series), "{series} series");
    assert_eq!(telemetry.value("flood_7"), Some(2.0), "a known series goes on");
    assert_eq!(violations(telemetry, "illegal_name"), Some(20_000.0));
    let beyond = violations(telemetry, "series_budget");
    assert!(beyond > Some(10_000.0));
    assert_eq!(telemetry.value("telemetry_series_overflow_total{signal=\"ad_hoc\"}"), beyond);
}
