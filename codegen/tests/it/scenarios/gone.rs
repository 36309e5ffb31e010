//! Data that vanish: findings 2d, 3b, 5 and 11.

use super::{Scenario, alerts, by_case, check, counter, from, page, pieces, steady};
use crate::support::{availability, estate, events, slo};

const MISSING: &str = "SLODataMissing";

/// Finding 2d: a service that fails and then dies does not resolve its own page.
#[test]
fn a_dying_service_keeps_its_page() {
    const ONSET: u64 = 3_900;
    let mut it = Scenario::new("2d", &estate(vec![slo("avail", "0.999", availability("/a"))]), 15);
    let series =
        |labels: &str| format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\"{labels}}}");
    it.feed(series(""), counter(15, &[(ONSET, Some(100.0)), (240, Some(0.0))]));
    it.feed(series(",error_type=\"500\""), counter(15, &[(ONSET, Some(0.0)), (240, Some(100.0))]));
    it.feed("up{job=\"shop\"}", format!("1+0x{} stale", (ONSET + 240) / 15));
    let end = ONSET + 3_600;
    let burn = page("slo=\"avail\"");
    it.once(&burn, end, 1);
    it.fire(&burn, ONSET + 60, 1);
    it.fire(&burn, ONSET + 1_800, 1);
    // Then others have taken over: data missing as a page 8 minutes after the death, service down after one.
    it.fire(&alerts(MISSING, "severity=\"page\""), ONSET + 240 + 480 + 60, 1);
    it.fire(&alerts(MISSING, "severity=\"page\""), end - 60, 1);
    it.fire(&alerts("ServiceDown", "severity=\"page\""), ONSET + 240 + 120, 1);
    check(&[it]);
}

/// Finding 5: one region of two vanishes, and traffic of one falls to nothing while its series stay.
#[test]
fn a_vanished_region_and_lost_traffic_alert() {
    let mut regional = slo("avail", "0.999", availability("/a"));
    regional.by = vec!["region".to_owned()];
    let mut it = Scenario::new("5", &estate(vec![regional]), 15);
    let end = 5_400;
    let series = |region: &str| {
        format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\",region=\"{region}\"}}")
    };
    it.feed(series("eu"), steady(15, end, 10.0));
    it.feed(series("us"), steady(15, 3_600, 10.0));
    it.feed(series("ap"), counter(15, &[(3_600, Some(10.0)), (end - 3_600, Some(0.0))]));
    // Always idle is silent; so are 25 events in five minutes, whose absence may be chance.
    it.feed(series("idle"), steady(15, end, 0.0));
    it.feed(series("rare"), counter(15, &[(3_600, Some(0.08)), (end - 3_600, Some(0.0))]));
    let missing = |severity: &str| alerts(MISSING, &format!("severity=\"{severity}\",region=\"us\""));
    it.fire(&missing("page"), 3_600 + 480 + 60, 1);
    it.fire(&missing("ticket"), 3_600 + 1_200 + 60, 1);
    it.fire(&alerts("SLOTrafficLost", "region=\"ap\""), 3_600 + 600 + 60, 1);
    it.none("count_over_time(ALERTS{alertstate=\"firing\",region=~\"eu|idle|rare\"}[90m])", end);
    it.none("count_over_time(ALERTS{alertstate=\"firing\",region!~\"us|ap\",alertname=\"SLODataMissing\"}[90m])", end);
    check(&[it]);
}

/// A new name for an SLO: the series of the old one end with its rules, and nobody waits for them.
#[test]
fn an_slo_that_was_renamed_is_not_missed() {
    let end = 5_400;
    let mut it = Scenario::new("renamed", &estate(vec![slo("new-name", "0.999", availability("/a"))]), 15);
    let series = "http_server_request_duration_seconds_count{job=\"shop\",http_route=\"/a\"}";
    it.feed(series, counter(15, &[(3_600, Some(10.0)), (end - 3_600, None)]));
    for (name, value) in [("total:rate5m", "10"), ("error:rate5m", "0"), ("error_budget:ratio", "0.001")] {
        let ended = format!("{value}x{} stale", 1_800 / 15);
        it.feed(format!("slo:{name}{{service=\"shop\",slo=\"old-name\"}}"), ended);
    }
    it.none("count_over_time(ALERTS{slo=\"old-name\"}[90m])", end);
    // The same alert sees the new name vanish.
    it.fire(&alerts(MISSING, "severity=\"page\",slo=\"new-name\""), 3_600 + 480 + 60, 1);
    check(&[it]);
}

/// Finding 3b: errors without the `by` label sit in a series of their own, which nothing reads. It is told.
#[test]
fn errors_without_the_by_label_are_told() {
    let mut mismatch = slo("hooks", "0.99", events("sum(rate(bad_total[$window]))", "rate(all_total[$window])"));
    mismatch.by = vec!["region".to_owned()];
    let mut it = Scenario::new("3b", &estate(vec![mismatch]), 15);
    for region in ["eu", "us"] {
        it.feed(format!("all_total{{region=\"{region}\"}}"), steady(15, 1_800, 10.0));
        it.feed(format!("bad_total{{region=\"{region}\"}}"), steady(15, 1_800, 5.0));
    }
    it.fire(&alerts(MISSING, "severity=\"ticket\",slo=\"hooks\""), 1_100, 1);
    check(&[it]);
}

/// Finding 11, a limit: what fails during a scrape gap of five minutes and more is lost. The gap itself pages.
#[test]
fn errors_during_a_scrape_gap_are_lost_but_the_gap_is_told() {
    const GAP: u64 = 6 * 3_600;
    let end = GAP + 3_600;
    let mut it = Scenario::new("11", &estate(vec![by_case("avail", "0.999")]), 30);
    for (case, gap) in [("short", 240), ("long", 600), ("very-long", 1_200)] {
        // Events and errors per second before, during and after the gap: half of what nobody scraped failed.
        let over_gap = |metric: &str, rates: [f64; 3]| {
            let after = rates[0] * GAP as f64 + rates[1] * gap as f64;
            let before = counter(30, &[(GAP, Some(rates[0])), (gap - 30, None)]);
            (
                format!("{metric}{{case=\"{case}\"}}"),
                before + " " + &from(after, 30, &[(end - GAP - gap, Some(rates[2]))]),
            )
        };
        for (series, values) in [over_gap("all_total", [100.0, 100.0, 100.0]), over_gap("bad_total", [0.0, 50.0, 0.0])]
        {
            it.feed(series, values);
        }
    }
    // Counters know: 50% of ten minutes are 14 times the budget of six hours.
    let raw = |case: &str| {
        let over = |metric: &str| format!("rate({metric}{{case=\"{case}\"}}[6h])");
        format!("sum({} / {})", over("bad_total"), over("all_total"))
    };
    it.none(&format!("{} < 0.01", raw("long")), end);
    let ours = "slo:burn_rate:6h{case=\"long\"}";
    it.none(&format!("{ours} > 1"), end);
    let missing = |case: &str| alerts(MISSING, &format!("severity=\"page\",case=\"{case}\""));
    it.is(&format!("sum({})", pieces(&missing("very-long"), end)), end, 1.0);
    it.is(&format!("sum({})", pieces(&missing("long"), end)), end, 1.0);
    it.none(&format!("count_over_time({}[2h])", missing("short")), end);
    check(&[it]);
}
