//! Latency SLIs: findings 3a and 7, and the traps of buckets.

use super::{Scenario, alerts, check, counter, page, steady};
use crate::support::{availability, estate, latency, slo};

const ROUTE: &str = "job=\"shop\",http_route=\"/a\"";
const QUARTER: u64 = 250_000_000;

/// Feeds one pod's histogram: all requests and fast ones. `None` is a build without the bound.
fn pod(it: &mut Scenario, labels: &str, all: String, fast: Option<String>) {
    let name = "http_server_request_duration_seconds";
    it.feed(format!("{name}_count{{{ROUTE},{labels}}}"), all.clone());
    it.feed(format!("{name}_bucket{{{ROUTE},{labels},le=\"+Inf\"}}"), all);
    if let Some(fast) = fast {
        it.feed(format!("{name}_bucket{{{ROUTE},{labels},le=\"0.25\"}}"), fast);
    }
}

/// Finding 3a: ten pods roll to a build whose bounds lack this one. Half way nothing fires; at the end the data are missing.
#[test]
fn a_rollout_without_the_bucket_neither_pages_nor_hides() {
    let estate = estate(vec![slo("latency", "0.99", latency("/a", QUARTER))]);
    let mut half = Scenario::new("3a, one old pod", &estate, 15);
    for number in 0..10 {
        let fast = (number > 0).then(|| steady(15, 7_200, 10.0));
        pod(&mut half, &format!("instance=\"{number}\""), steady(15, 7_200, 10.0), fast);
    }
    half.none("count_over_time(ALERTS{alertstate=\"firing\",alertname!=\"Watchdog\"}[2h])", 7_200);

    let mut rolled = Scenario::new("3a, rolled out", &estate, 15);
    let slow_from = 3_900;
    pod(&mut rolled, "instance=\"old\"", steady(15, slow_from, 10.0), Some(steady(15, slow_from, 10.0)));
    pod(&mut rolled, "instance=\"new\"", counter(15, &[(slow_from, None), (1_800, Some(10.0))]), None);
    rolled.fire(&alerts("SLODataMissing", "severity=\"page\""), slow_from + 480 + 60, 1);
    rolled.none("count_over_time(ALERTS{alertname=\"ErrorBudgetBurn\"}[2h])", slow_from + 1_800);

    // With the bucket, slow requests page: 14.4% of an hour at 99%, 518 s, as with raw windows.
    let mut slow = Scenario::new("3a, slow", &estate, 15);
    pod(
        &mut slow,
        "instance=\"new\"",
        steady(15, slow_from + 1_200, 10.0),
        Some(counter(15, &[(slow_from, Some(10.0)), (1_200, Some(0.0))])),
    );
    slow.fire(&page("slo=\"latency\""), slow_from, 0);
    slow.fire(&page("slo=\"latency\""), slow_from + 570, 1);
    check(&[half, rolled, slow]);
}

/// Finding 7: requests that hang until their client gives up are no availability error; the latency SLO sees them. And
/// failures that come at once do not make latency better.
#[test]
fn hung_requests_page_through_latency_and_fast_failures_do_not_hide_them() {
    let slos = vec![slo("avail", "0.999", availability("/a")), slo("latency", "0.99", latency("/a", QUARTER))];
    let mut hung = Scenario::new("7, hung", &estate(slos.clone()), 15);
    let onset = 3_900;
    let both = |before: f64, after: f64| counter(15, &[(onset, Some(before)), (1_200, Some(after))]);
    pod(&mut hung, "http_response_status_code=\"200\"", both(10.0, 0.0), Some(both(10.0, 0.0)));
    pod(&mut hung, "error_type=\"client_disconnect\"", both(0.0, 10.0), Some(both(0.0, 0.0)));
    hung.none("count_over_time(ALERTS{alertstate=\"firing\",slo=\"avail\"}[2h])", onset + 1_200);
    hung.fire(&page("slo=\"latency\""), onset + 570, 1);

    let mut failing = Scenario::new("7, failing", &estate(slos), 15);
    pod(&mut failing, "http_response_status_code=\"200\"", both(10.0, 1.0), Some(both(10.0, 0.5)));
    pod(&mut failing, "error_type=\"500\"", both(0.0, 9.0), Some(both(0.0, 9.0)));
    // Half of what succeeds is slow, whatever fails fast beside it.
    failing.is(
        "round(100 * sum(slo:error:rate5m{slo=\"latency\"} / slo:total:rate5m{slo=\"latency\"}))",
        onset + 600,
        50.0,
    );
    failing.fire(&page("slo=\"avail\""), onset + 90, 1);
    check(&[hung, failing]);
}

/// Prometheus 3 stores a whole bound as `1.0`, earlier versions as it was exposed: both are one bucket. And a bucket that
/// is ahead of its count, as two scrapes of one moment can show it, is no negative error.
#[test]
fn both_spellings_of_a_bound_count_and_errors_are_never_negative() {
    let mut it = Scenario::new("le", &estate(vec![slo("latency", "0.99", latency("/a", 1_000_000_000))]), 15);
    let name = "http_server_request_duration_seconds";
    for le in ["1", "1.0"] {
        it.feed(format!("{name}_count{{{ROUTE},instance=\"{le}\"}}"), steady(15, 3_600, 10.0));
        it.feed(format!("{name}_bucket{{{ROUTE},instance=\"{le}\",le=\"{le}\"}}"), steady(15, 3_600, 10.1));
    }
    it.is("sum(slo:total:rate5m)", 3_600, 20.0);
    it.is("sum(slo:error:rate5m)", 3_600, 0.0);
    it.none("count_over_time(ALERTS{alertstate=\"firing\",alertname!=\"Watchdog\"}[1h])", 3_600);
    check(&[it]);
}
