//! What other kinds of SLI must not do: count a minute twice, resolve when a breaker opens, take nothing for perfect.
//! Findings 4, 7 and 12.

use kilter_codegen::model::{Duration, EventSide, Family, Sli};

use super::{Scenario, alerts, check, counter, page};
use crate::support::{estate, red, slo};

const HOUR: u64 = 3_600;
/// The steps of an hour, each once: not the one at its very beginning.
const STEPS: &str = "sum_over_time(slo:error:rate5m[3599s:5m]) / 12";

/// A gauge whose n-th sample (from one) is zero where it says so.
fn gauge(samples: u64, down: &[u64]) -> String {
    let value = |n: u64| if n > 0 && down.contains(&n) { "0" } else { "1" };
    (0..=samples).map(value).collect::<Vec<_>>().join(" ")
}

/// Samples and minutes that lie on the edge of two steps are the ones that count twice, or never.
#[test]
fn every_minute_counts_once() {
    let minutes = slo("minutes", "0.9", Sli::Slices { good: "all_is_well".to_owned() });
    let mut sliced = Scenario::new("minutes", &estate(vec![minutes]), 60);
    sliced.feed("all_is_well", gauge(60, &[3, 4, 5, 17, 29, 30, 31, 55, 60]));
    sliced.is(&format!("sum(round({STEPS}, 0.000001))"), HOUR, 0.15);

    let uptime = |name: &'static str, up: &str| {
        let mut it = Scenario::new(name, &estate(vec![slo("up", "0.9", Sli::Uptime { up: up.to_owned() })]), 15);
        it.feed("probe_success", gauge(240, &[20, 40, 41, 100, 119, 120, 121, 160, 161, 200, 239, 240]));
        it
    };
    let mut samples = uptime("samples", "probe_success");
    samples.is(&format!("sum(round({STEPS}, 0.000001))"), HOUR, 0.05);
    // Read twice a minute: the even samples, of which seven are zero.
    let mut read = uptime("an expression", "max(probe_success)");
    read.is(&format!("sum(round({STEPS} * 120, 0.0001))"), HOUR, 7.0);
    check(&[sliced, samples, read]);
}

/// All calls fail, then the breaker opens and none is made any more: one page, until the dependency is back.
#[test]
fn a_page_outlives_the_breaker_that_opens() {
    let client = Sli::Red(red(Family::HttpClient, &[("dependency", &["identity"])]));
    let mut it = Scenario::new("breaker", &estate(vec![slo("identity", "0.999", client)]), 15);
    let own = "job=\"shop\",dependency=\"identity\"";
    let calls = |flows: &[(u64, Option<f64>)]| counter(15, flows);
    let minutes = |n: u64| n * 60;
    let ok = [(HOUR, Some(10.0)), (minutes(20), Some(0.0)), (minutes(20), Some(10.0))];
    let failed = [(HOUR, Some(0.0)), (minutes(3), Some(10.0)), (minutes(37), Some(0.0))];
    let rejected = [(HOUR + minutes(3), Some(0.0)), (minutes(17), Some(10.0)), (minutes(20), Some(0.0))];
    let name = "http_client_request_duration_seconds_count";
    it.feed(format!("{name}{{{own},http_response_status_code=\"200\"}}"), calls(&ok));
    it.feed(format!("{name}{{{own},error_type=\"503\",http_response_status_code=\"503\"}}"), calls(&failed));
    it.feed(format!("dependency_rejected_total{{{own},reason=\"circuit_open\"}}"), calls(&rejected));
    it.fire(&page("slo=\"identity\""), HOUR + minutes(3), 1);
    it.fire(&page("slo=\"identity\""), HOUR + minutes(19), 1);
    it.once(&page("slo=\"identity\""), HOUR + minutes(40), 1);
    it.none(&alerts("SLOTrafficLost", "slo=\"identity\""), HOUR + minutes(19));
    check(&[it]);
}

/// A ratio of nothing is no number: it is missing, and that alerts; it is not perfect.
#[test]
fn a_ratio_of_nothing_goes_missing() {
    let ratio = Sli::Ratio(EventSide::Errors("avg_over_time(loss_ratio[$window])".to_owned()));
    let mut it = Scenario::new("ratio", &estate(vec![slo("loss", "0.9", ratio)]), 15);
    it.feed("loss_ratio", "0.01+0x39 NaN+0x200");
    it.is("sum(slo:total:rate5m)", 570, 1.0);
    it.none("slo:error:rate5m", 1_200);
    it.fire(&alerts("SLODataMissing", "severity=\"page\""), 1_200, 1);
    check(&[it]);
}

/// A process that restarts knows of no success, or says 1970. The rules remember, until the success is too old.
#[test]
fn a_restart_does_not_make_a_job_stale() {
    let fresh = Sli::Freshness { job: "gc".to_owned(), within: Duration::from_mins(60) };
    let mut it = Scenario::new("fresh", &estate(vec![slo("gc", "0.99", fresh)]), 15);
    let own = "job=\"shop\",job_name=\"gc\"";
    // Success at 600 s; another process from 900 s that reports zero, and succeeds at 5,400 s.
    it.feed(format!("job_last_success_timestamp_seconds{{{own},instance=\"a\"}}"), "_x40 600+0x19 stale");
    it.feed(format!("job_last_success_timestamp_seconds{{{own},instance=\"b\"}}"), "_x60 0+0x299 5400+0x300");
    it.is("sum(slo:error:rate5m)", 4_200, 0.0);
    it.none(&page("slo=\"gc\""), 4_200);
    it.is("sum(slo:error:rate5m)", 4_260, 1.0);
    it.is("sum(slo:error:rate5m)", 5_430, 0.0);
    it.fire(&page("slo=\"gc\""), 4_200 + 600, 1);
    check(&[it]);
}
