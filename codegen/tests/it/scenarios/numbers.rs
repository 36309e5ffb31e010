//! Numbers that the usual rules get wrong: experiments A, B, C, D and F, findings 1, 4, 6 and 14.

use super::{Scenario, by_case, check, counter, page, steady, ticket};
use crate::support::{availability, estate, events, slo};

const DAY: u64 = 86_400;
const WEEK: u64 = 7 * DAY;
const HOUR: u64 = 3_600;

/// Hours, events per second and share of errors, by the day of the week.
type Shape = fn(u64) -> Vec<(u64, f64, f64)>;

/// Experiments A1, A2, B and D over seven days: what is left of the budget is the share of events, not an average of
/// ratios, not NaN for a month after an idle hour, and not the errors' own days.
#[test]
fn the_budget_left_is_the_share_of_events() {
    let mut weekly = by_case("avail", "0.999");
    weekly.window = "7d".parse().expect("a window");
    let cases: [(&str, Shape); 4] = [
        ("A1", |_| vec![(12, 1.0, 0.0), (1, 1_000.0, 0.01), (11, 1.0, 0.0)]),
        ("A2", |_| vec![(12, 100.0, 0.0), (1, 1.0, 0.5), (11, 100.0, 0.0)]),
        ("B", |day| vec![(12, 100.0, 0.000_1), (1, if day == 1 { 0.0 } else { 100.0 }, 0.000_1), (11, 100.0, 0.000_1)]),
        ("D", |day| vec![(24, 100.0, if day == 6 { 0.002 } else { 0.0 })]),
    ];
    // Two cases at a time: a query may hold 10,000 samples, and each case has 2016 on both sides.
    let scenario = |name, cases: &[(&str, Shape)]| {
        let mut it = Scenario::new(name, &estate(vec![weekly.clone()]), 60).every(300);
        for (case, shape) in cases {
            week(&mut it, case, &(0..7).flat_map(*shape).collect::<Vec<_>>());
        }
        it.is("count(slo:error_budget_remaining:ratio > -Inf)", WEEK, 2.0);
        // A1 broke its promise, the others did not.
        let broken = "ALERTS{alertname=\"ErrorBudgetExhausted\"}";
        it.none("ALERTS{alertname=\"ErrorBudgetExhausted\",case!=\"A1\"}", WEEK);
        it.fire(broken, WEEK, u32::from(cases.iter().any(|(case, _)| *case == "A1")));
        it
    };
    check(&[scenario("A", &cases[..2]), scenario("B, D", &cases[2..])]);
}

/// Feeds a week of (hours, events per second, share of errors), and asks for what is left of the budget.
fn week(it: &mut Scenario, case: &str, parts: &[(u64, f64, f64)]) {
    let flow = |of: fn(f64, f64) -> f64| -> Vec<(u64, Option<f64>)> {
        parts.iter().map(|(hours, rate, share)| (hours * HOUR, Some(of(*rate, *share)))).collect()
    };
    it.feed(format!("all_total{{case=\"{case}\"}}"), counter(60, &flow(|rate, _| rate)));
    let mut bad = counter(60, &flow(|rate, share| rate * share));
    if case == "D" {
        // The series of errors exists only while there are errors, as with labels that the first error makes.
        bad = format!("_x{} {}", (WEEK - DAY) / 60, steady(60, DAY, 0.2));
    }
    it.feed(format!("bad_total{{case=\"{case}\"}}"), bad);
    let sum = |of: fn(f64, f64) -> f64| {
        parts.iter().map(|(hours, rate, share)| *hours as f64 * of(*rate, *share)).sum::<f64>()
    };
    let truth = 1.0 - sum(|rate, share| rate * share) / sum(|rate, _| rate) / 0.001;
    let left = format!("slo:error_budget_remaining:ratio{{case=\"{case}\"}}");
    it.is(&format!("sum(abs({left} - {truth:.6}) < bool {:.6})", 0.01 * (1.0 - truth)), WEEK, 1.0);
}

/// Experiment F: two SLOs on one metric do not see each other's events.
#[test]
fn two_slos_on_one_metric_are_apart() {
    let of = |handler: &str| {
        let matchers = format!("handler=\"{handler}\"");
        events(
            &format!("rate(calls_total{{{matchers},code=~\"5..\"}}[$window])"),
            &format!("rate(calls_total{{{matchers}}}[$window])"),
        )
    };
    let mut it = Scenario::new("F", &estate(vec![slo("one", "0.999", of("one")), slo("two", "0.999", of("two"))]), 15);
    for (handler, rate, bad) in [("one", 99.0, 1.0), ("two", 1_000.0, 0.0)] {
        it.feed(format!("calls_total{{handler=\"{handler}\",code=\"200\"}}"), steady(15, 3_600, rate));
        it.feed(format!("calls_total{{handler=\"{handler}\",code=\"500\"}}"), steady(15, 3_600, bad));
    }
    it.is("round(10000 * sum(slo:error:rate5m{slo=\"one\"} / slo:total:rate5m{slo=\"one\"}))", 3_600, 100.0);
    it.is("sum(slo:error:rate5m{slo=\"two\"})", 3_600, 0.0);
    it.none("ALERTS{slo=\"two\"}", 3_600);
    check(&[it]);
}

/// Finding 4: an error query that is 0/0 for a quarter of an hour does not silence what comes after.
#[test]
fn an_idle_quarter_hour_does_not_silence_pages() {
    let idle = events(
        "sum(rate(bad_total[$window])) / sum(rate(all_total[$window])) * sum(rate(all_total[$window]))",
        "sum(rate(all_total[$window]))",
    );
    let mut it = Scenario::new("4", &estate(vec![slo("avail", "0.999", idle)]), 15);
    let onset = 3_600 + 900 + 600;
    let flows = |before: f64, after: f64| {
        counter(15, &[(3_600, Some(before)), (900, Some(0.0)), (600, Some(before)), (600, Some(after))])
    };
    it.feed("all_total", flows(100.0, 100.0));
    it.feed("bad_total", flows(0.0, 50.0));
    it.none("slo:burn_rate:1h != slo:burn_rate:1h or slo:burn_rate:6h != slo:burn_rate:6h", onset);
    it.fire(&page("slo=\"avail\""), onset, 0);
    it.fire(&page("slo=\"avail\""), onset + 150, 1);
    check(&[it]);
}

/// Finding 6: staging beside production in one Prometheus, told apart by the identity.
#[test]
fn staging_and_production_do_not_interleave() {
    let of = |environment: &str| {
        let mut estate = estate(vec![slo("avail", "0.999", availability("/a"))]);
        estate.identity = [("environment".to_owned(), environment.to_owned())].into();
        estate
    };
    let prod = of("prod");
    let plan = crate::support::planned(&prod);
    let rules = kilter_codegen::render::rules::text(&plan.services[0].rules, prod.time_scale).expect("rules are YAML");
    let mut it = Scenario::new("6", &of("staging"), 15).beside(&rules);
    let series = |environment: &str, labels: &str| {
        format!(
            "http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\",environment=\"{environment}\"{labels}}}"
        )
    };
    it.feed(series("prod", ""), steady(15, 5_400, 100.0));
    it.feed(series("staging", ""), counter(15, &[(3_900, Some(1.0)), (1_500, Some(0.0))]));
    it.feed(series("staging", ",error_type=\"500\""), counter(15, &[(3_900, Some(0.0)), (1_500, Some(1.0))]));
    it.none("max_over_time(slo:total:rate5m{environment=\"prod\"}[1h]) - min_over_time(slo:total:rate5m{environment=\"prod\"}[1h]) > 0.001", 5_100);
    it.is("round(sum(slo:total:rate5m{environment=\"prod\"}))", 5_100, 100.0);
    it.is("round(sum(slo:total:rate5m{environment=\"staging\"}))", 5_100, 1.0);
    it.fire(&page("environment=\"staging\""), 5_100, 1);
    it.none("count_over_time(ALERTS{alertstate=\"firing\",environment=\"prod\",alertname!=\"Watchdog\"}[90m])", 5_100);
    check(&[it]);
}

/// Finding 14: a second ruler's copy of the budget. Finding 1 and experiment C: facts with a changed team beside the old
/// ones. Neither fails a rule, and promtool reports every rule that fails.
#[test]
fn copies_and_changed_facts_fail_no_rule() {
    let mut it = Scenario::new("1, C, 14", &estate(vec![slo("avail", "0.999", availability("/a"))]), 15);
    let series =
        |labels: &str| format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\"{labels}}}");
    it.feed(series(""), counter(15, &[(3_900, Some(100.0)), (1_200, Some(0.0))]));
    it.feed(series(",error_type=\"500\""), counter(15, &[(3_900, Some(0.0)), (1_200, Some(100.0))]));
    it.feed("slo:error_budget:ratio{service=\"shop\",slo=\"avail\",rule_replica=\"b\"}", "0.001+0x340");
    it.feed("slo:objective:ratio{service=\"shop\",slo=\"avail\",rule_replica=\"b\"}", "0.999+0x340");
    it.feed("slo:info{service=\"shop\",slo=\"avail\",team=\"former\",objective=\"99.9%\",window=\"30d\"}", "1+0x340");
    it.once(&page("slo=\"avail\",team=\"store\""), 5_000, 1);
    it.fire(&ticket("slo=\"avail\",team=\"store\""), 5_000, 1);
    it.none("ALERTS{team!=\"store\",alertname!=\"Watchdog\"}", 5_000);
    check(&[it]);
}
