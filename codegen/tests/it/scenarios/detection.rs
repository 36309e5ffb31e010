//! When a page comes, and that it is one page: findings 2 and 8, and the comparison with raw windows.

use super::{Scenario, by_case, check, counter, first, page, pieces, steady, ticket};
use crate::support::{availability, estate, slo};

/// The workbook's page on raw windows, for `bad_total` and `all_total` by `case`.
fn raw(objectives: &[(&str, &str)]) -> String {
    let mut rules = String::from("groups:\n- name: raw\n  rules:\n");
    for (slo, budget) in objectives {
        let above = |window: &str, factor: &str| {
            let bad = format!("sum by (case) (rate(bad_total[{window}]))");
            format!("{bad} / (sum by (case) (rate(all_total[{window}])) > 0) > {factor} * {budget}")
        };
        rules += &format!(
            "  - alert: Raw\n    labels: {{slo: {slo}}}\n    expr: ({} and {}) or ({} and {})\n",
            above("1h", "14.4"),
            above("5m", "14.4"),
            above("6h", "6"),
            above("30m", "6")
        );
    }
    rules
}

/// Finding 2b: as early as raw windows, to an evaluation, while the hour decides. Below 2% the six hours do, from one
/// sample in five minutes: to one such step.
#[test]
fn pages_come_as_early_as_with_raw_windows() {
    const ONSET: u64 = 6 * 3_600 + 300;
    let table: [(f64, u64); 8] =
        [(1.0, 60), (0.5, 120), (0.15, 360), (0.1, 540), (0.05, 1_050), (0.03, 1_740), (0.02, 2_640), (0.01, 12_960)];
    let end = ONSET + 13_500;
    let slos = vec![by_case("three-nines", "0.999")];
    let mut scenario = Scenario::new("2b", &estate(slos), 30).beside(&raw(&[("three-nines", "0.001")]));
    for (ratio, seconds) in table {
        let case = format!("case=\"{seconds}\"");
        scenario.feed(format!("all_total{{{case}}}"), steady(30, end, 100.0));
        let bad = counter(30, &[(ONSET, Some(0.0)), (end - ONSET, Some(100.0 * ratio))]);
        scenario.feed(format!("bad_total{{{case}}}"), bad);
        let (ours, raw) = (page(&case), format!("ALERTS{{alertname=\"Raw\",{case}}}"));
        let (ours, raw) = (first(&ours, end), first(&raw, end));
        let tolerance = if ratio > 0.01 { 30 } else { 300 };
        scenario.none(&format!("abs(sum({ours}) - sum({raw})) > {tolerance}"), end);
        scenario.none(&format!("abs(sum({ours}) - {}) > {tolerance}", ONSET + seconds), end);
        scenario.is(&format!("count({ours})"), end, 1.0);
    }
    check(&[scenario]);
}

/// Finding 2b, lower objectives: 99% and 98% page a full outage after 540 and 1050 s.
#[test]
fn lower_objectives_page_as_early_as_with_raw_windows() {
    const ONSET: u64 = 6 * 3_600 + 300;
    let end = ONSET + 1_500;
    let slos = vec![by_case("two-nines", "0.99"), by_case("fifty", "0.98")];
    let objectives = raw(&[("two-nines", "0.01"), ("fifty", "0.02")]);
    let mut scenario = Scenario::new("2b, lower objectives", &estate(slos), 30).beside(&objectives);
    scenario.feed("all_total{case=\"a\"}", steady(30, end, 100.0));
    scenario.feed("bad_total{case=\"a\"}", counter(30, &[(ONSET, Some(0.0)), (end - ONSET, Some(100.0))]));
    for (slo, seconds) in [("two-nines", 540), ("fifty", 1_050)] {
        let ours = first(&page(&format!("slo=\"{slo}\"")), end);
        let raw = first(&format!("ALERTS{{alertname=\"Raw\",slo=\"{slo}\"}}"), end);
        scenario.none(&format!("abs(sum({ours}) - sum({raw})) > 30"), end);
        scenario.none(&format!("abs(sum({ours}) - {}) > 30", ONSET + seconds), end);
        scenario.is(&format!("count({ours})"), end, 1.0);
    }
    check(&[scenario]);
}

/// Finding 2a: 36 total outages of 75 to 600 s at 4 phases are 36 pages.
#[test]
fn one_outage_is_one_page_at_every_length_and_phase() {
    const LENGTHS: [u64; 9] = [75, 105, 150, 195, 240, 300, 360, 480, 600];
    const ONSET: u64 = 3_900;
    let end = ONSET + 225 + 600 + 2_700;
    let mut scenario = Scenario::new("2a", &estate(vec![by_case("avail", "0.999")]), 15);
    for phase in [0, 75, 150, 225] {
        for length in LENGTHS {
            let case = format!("case=\"{phase}+{length}\"");
            let outage = [(ONSET + phase, Some(0.0)), (length, Some(100.0)), (end - ONSET - phase - length, Some(0.0))];
            scenario.feed(format!("all_total{{{case}}}"), steady(15, end, 100.0));
            scenario.feed(format!("bad_total{{{case}}}"), counter(15, &outage));
            // Each on its own: a query may hold 10,000 samples.
            scenario.is(&format!("sum({})", pieces(&page(&case), end)), end, 1.0);
        }
        let since = first(&page(&format!("case=~\"{phase}\\\\+.*\"")), end);
        scenario.none(&format!("{since} > {}", ONSET + phase + 90), end);
    }
    check(&[scenario]);
}

/// Finding 2a with fewer samples: 60 s scrapes, and outages of 5, 6 and 8 minutes that are one ticket each.
#[test]
fn one_outage_is_one_page_and_one_ticket_with_minute_scrapes() {
    const ONSET: u64 = 3_900;
    let end = ONSET + 4 * 3_600;
    let mut scenario = Scenario::new("2a, 60 s scrapes", &estate(vec![by_case("avail", "0.999")]), 60);
    for (phase, length) in [(0, 300), (120, 300), (0, 360), (180, 360), (60, 480), (240, 480)] {
        let case = format!("case=\"{phase}+{length}\"");
        let outage = [(ONSET + phase, Some(0.0)), (length, Some(100.0)), (end - ONSET - phase - length, Some(0.0))];
        scenario.feed(format!("all_total{{{case}}}"), steady(60, end, 100.0));
        scenario.feed(format!("bad_total{{{case}}}"), counter(60, &outage));
        for alert in [page(&case), ticket(&case)] {
            scenario.is(&format!("sum({})", pieces(&alert, end)), end, 1.0);
        }
    }
    check(&[scenario]);
}

/// Finding 16: a scrape interval that does not divide five minutes.
#[test]
fn one_outage_is_one_page_with_scrapes_that_do_not_divide_the_grid() {
    const ONSET: u64 = 4_000;
    let end = ONSET + 4_000;
    let mut scenario = Scenario::new("16", &estate(vec![by_case("avail", "0.999")]), 50);
    for (phase, length) in [(0, 100), (50, 150), (100, 250), (150, 300), (200, 450), (250, 600)] {
        let case = format!("case=\"{phase}+{length}\"");
        let outage = [(ONSET + phase, Some(0.0)), (length, Some(100.0)), (end - ONSET - phase - length, Some(0.0))];
        scenario.feed(format!("all_total{{{case}}}"), steady(50, end, 100.0));
        scenario.feed(format!("bad_total{{{case}}}"), counter(50, &outage));
        scenario.is(&format!("sum({})", pieces(&page(&case), end)), end, 1.0);
        scenario.none(&format!("{} > {}", first(&page(&case), end), ONSET + phase + 150), end);
    }
    // A service without errors is silent on such edges, and its hour is whole.
    scenario.feed("all_total{case=\"clean\"}", steady(50, end, 100.0));
    scenario.feed("bad_total{case=\"clean\"}", steady(50, end, 0.0));
    scenario.none("count_over_time(ALERTS{case=\"clean\"}[2h])", end);
    scenario.none("abs(slo:total:rate5m{case=\"clean\"} - 100) > 0.001", end);
    check(&[scenario]);
}

/// Finding 2c: a young history is one page and one ticket, and its windows never jump.
#[test]
fn a_young_history_neither_jumps_nor_splits_a_page() {
    let mut scenario = Scenario::new("2c", &estate(vec![by_case("avail", "0.999")]), 15);
    scenario.feed("all_total{case=\"new\"}", steady(15, 3_600, 100.0));
    scenario.feed("bad_total{case=\"new\"}", counter(15, &[(60, Some(5.0)), (3_540, Some(0.0))]));
    let both = [page("case=\"new\""), ticket("case=\"new\"")];
    for alert in &both {
        scenario.none(&format!("{} > 1", pieces(alert, 3_600)), 3_600);
    }
    // The errors are in every window of an hour-old service: none of them may forget them and find them again.
    for window in ["30m", "1h", "6h"] {
        let burn = format!("slo:burn_rate:{window}{{case=\"new\"}}");
        scenario.none(&format!("count_over_time(({burn} == 0)[20m:30s])"), 1_500);
    }
    // A 2% blip of one minute after a gap of 40 minutes: the raw 30-minute window reads 2.6, a leading edge read 9.2.
    let flows = |blip: f64, else_: f64| {
        counter(15, &[(1_800, Some(else_)), (2_400, None), (300, Some(else_)), (60, Some(blip)), (2_040, Some(else_))])
    };
    scenario.feed("all_total{case=\"gap\"}", flows(100.0, 100.0));
    scenario.feed("bad_total{case=\"gap\"}", flows(2.0, 0.0));
    scenario.none("max_over_time(slo:burn_rate:30m{case=\"gap\"}[90m]) > 6", 6_600);
    scenario.none(&format!("count_over_time({}[90m])", page("case=\"gap\"")), 6_600);
    check(&[scenario]);
}

/// Finding 8: near its threshold raw windows page again and again; ours is one page.
#[test]
fn errors_near_the_threshold_are_one_page() {
    let end = 5 * 3_600u64;
    let slos = vec![by_case("avail", "0.999")];
    let mut scenario = Scenario::new("8", &estate(slos), 30).beside(&raw(&[("avail", "0.001")]));
    // 10 events per second, 1.6% of them bad, at random: a linear congruential generator with a fixed seed.
    let (mut seed, mut bad, mut all) = (20_240_601u64, 0u64, 0u64);
    let (mut bads, mut alls) = (String::from("0"), String::from("0"));
    for _ in 0..end / 30 {
        for _ in 0..300 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bad += u64::from((seed >> 33) % 1_000 < 16);
        }
        all += 300;
        bads += &format!(" {bad}");
        alls += &format!(" {all}");
    }
    scenario.feed("all_total{case=\"a\"}", alls);
    scenario.feed("bad_total{case=\"a\"}", bads);
    // The first hour has a young history, in which the six-hour window decides.
    let (ours, raw) = (page("case=\"a\""), "ALERTS{alertname=\"Raw\"}");
    let later = |alert: &str| format!("sum(count_over_time(({alert} unless {alert} offset 30s)[4h:30s]))");
    scenario.none(&format!("{} > 1", later(&ours)), end);
    scenario.none(&format!("{} < 3", later(raw)), end);
    scenario.is(&format!("count({ours})"), end, 1.0);
    check(&[scenario]);
}

/// Experiment G: a rule that never fires passes tests of its text; 50 minutes at 1000 times the budget page.
#[test]
fn a_long_outage_pages_all_the_time() {
    let mut it = Scenario::new("G", &estate(vec![slo("avail", "0.999", availability("/a"))]), 15);
    let series =
        |labels: &str| format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\"{labels}}}");
    it.feed(series(""), counter(15, &[(3_900, Some(100.0)), (3_000, Some(0.0))]));
    it.feed(series(",error_type=\"500\""), counter(15, &[(3_900, Some(0.0)), (3_000, Some(100.0))]));
    it.once(&page("slo=\"avail\""), 6_900, 1);
    it.is(&format!("sum(count_over_time({}[49m:30s]))", page("slo=\"avail\"")), 6_900, 99.0);
    check(&[it]);
}
