//! The budget of the compliance window, the rules' own health, and texts without data: findings 9, 15 and 17.

use super::{Scenario, alerts, by_case, check, counter, steady};
use crate::support::{availability, estate, slo};

/// Finding 9: five bad minutes of a young service spend their share of the whole window, no more.
#[test]
fn a_young_budget_is_spent_in_proportion_to_the_window() {
    let mut it = Scenario::new("9", &estate(vec![by_case("avail", "0.999")]), 30);
    let end = 7_200;
    it.feed("all_total{case=\"young\"}", steady(30, end, 100.0));
    let bad = counter(30, &[(3_600, Some(0.02)), (300, Some(20.0)), (end - 3_900, Some(0.02))]);
    it.feed("bad_total{case=\"young\"}", bad);
    // Five minutes of 20% are 2.3% of a month's budget of 43.2 minutes; the rest of two hours at 0.02% is 0.06%.
    let left = "slo:error_budget_remaining:ratio{case=\"young\"}";
    it.none(&format!("abs({left} - 0.976) > 0.001"), end);
    it.none("abs(slo:period_coverage:ratio - 2 / 720) > 0.0002", end);
    it.none("count_over_time(ALERTS{alertname=\"ErrorBudgetExhausted\"}[2h])", end);
    it.is(&format!("count({left})"), end, 1.0);

    // A week's budget of 10.08 minutes is really spent by an outage of 15.
    let mut weekly = by_case("avail", "0.999");
    weekly.window = "7d".parse().expect("a window");
    let mut spent = Scenario::new("9, spent", &estate(vec![weekly]), 30);
    spent.feed("all_total{case=\"a\"}", steady(30, 6_000, 100.0));
    spent.feed("bad_total{case=\"a\"}", counter(30, &[(3_600, Some(0.0)), (900, Some(100.0)), (1_500, Some(0.0))]));
    spent.fire(&alerts("ErrorBudgetExhausted", "severity=\"ticket\""), 3_600, 0);
    spent.fire(&alerts("ErrorBudgetExhausted", "severity=\"ticket\""), 4_600, 1);
    spent.none("abs(slo:error_budget_remaining:ratio - (1 - 15 / 10.08)) > 0.01", 6_000);
    check(&[it, spent]);
}

/// Finding 16, a limit: a burst between two scrapes that lie on both sides of a five-minute step is in neither step. Every
/// evaluation in between sees it, so alerts that look at single evaluations do; the budget does not.
#[test]
fn a_burst_on_the_edge_of_a_step_is_lost_to_the_budget() {
    let mut it = Scenario::new("16, edge", &estate(vec![by_case("avail", "0.999")]), 40);
    // Scrapes at 6280 and 6320 enclose the step at 6300; those at 6440 and 6480 lie within one.
    for (case, before) in [("edge", 6_280), ("inside", 6_440)] {
        it.feed(format!("all_total{{case=\"{case}\"}}"), steady(40, 7_200, 100.0));
        let burst = [(before, Some(0.0)), (40, Some(100.0)), (7_160 - before, Some(0.0))];
        it.feed(format!("bad_total{{case=\"{case}\"}}"), counter(40, &burst));
    }
    let spent = |case: &str| format!("1 - slo:error_budget_remaining:ratio{{case=\"{case}\"}}");
    // 40 s of a full outage are 1.5% of a month's budget of 43.2 minutes; the rate adds what lies before its first sample.
    it.none(&format!("abs({} - 40 / 2592) > 0.0015", spent("inside")), 7_200);
    it.none(&format!("{} > 0.000001", spent("edge")), 7_200);
    it.is(&format!("count({} or {})", spent("edge"), spent("inside")), 7_200, 2.0);
    it.is("max(max_over_time(slo:burn_rate:5m{case=\"edge\"}[15m])) > bool 100", 7_200, 1.0);
    check(&[it]);
}

/// Finding 15: rules that fail page; rules that are late or slow ticket; other people's groups are theirs.
#[test]
fn failing_late_and_slow_rules_are_told() {
    let mut it = Scenario::new("15", &estate(vec![slo("avail", "0.999", availability("/a"))]), 30);
    let group = |name: &str| format!("{{rule_group=\"/etc/prometheus/rules/shop.rules.yaml;{name}\"}}");
    let rises = counter(30, &[(900, Some(0.0)), (900, Some(1.0 / 30.0))]);
    for (name, failures, missed, duration) in [
        ("slo-shop", &*rises, "0+0x60", "0.1+0x60"),
        ("slo-late", "0+0x60", &*rises, "0.1+0x60"),
        ("slo-slow", "0+0x60", "0+0x60", "16+0x60"),
        ("other", &*rises, &*rises, "60+0x60"),
    ] {
        it.feed(format!("prometheus_rule_evaluation_failures_total{}", group(name)), failures);
        it.feed(format!("prometheus_rule_group_iterations_missed_total{}", group(name)), missed);
        it.feed(format!("prometheus_rule_group_last_duration_seconds{}", group(name)), duration);
        it.feed(format!("prometheus_rule_group_interval_seconds{}", group(name)), "30+0x60");
    }
    let failing = |severity: &str, name: &str| {
        alerts("SLORulesFailing", &format!("severity=\"{severity}\",rule_group=~\".*;{name}\""))
    };
    it.fire(&failing("page", "slo-shop"), 1_200, 1);
    it.fire(&failing("page", ".*"), 1_200, 1);
    it.fire(&failing("ticket", "slo-late"), 1_200, 1);
    it.fire(&failing("ticket", "slo-slow"), 1_200, 1);
    it.fire(&failing("ticket", ".*"), 1_200, 2);
    it.fire(&failing("page", ".*"), 870, 0);
    it.fire("ALERTS{alertname=\"Watchdog\",alertstate=\"firing\"}", 0, 1);
    it.fire("ALERTS{alertname=\"Watchdog\",alertstate=\"firing\"}", 1_800, 1);
    check(&[it]);
}

/// Finding 17: the budget's group has not run yet, so a query inside the text finds nothing. The page says so in words.
#[test]
fn a_text_without_data_says_unknown() {
    let estate = estate(vec![slo("avail", "0.999", availability("/a"))]);
    let mut it = Scenario::new("17", &estate, 15).without_budget(&estate);
    let series =
        |labels: &str| format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\"{labels}}}");
    it.feed(series(""), counter(15, &[(3_900, Some(100.0)), (300, Some(0.0))]));
    it.feed(series(",error_type=\"500\""), counter(15, &[(3_900, Some(0.0)), (300, Some(100.0))]));
    it.text(
        "ErrorBudgetBurn",
        4_080,
        &[(
            &[("service", "shop"), ("slo", "avail"), ("severity", "page"), ("team", "store")],
            &[
                ("summary", "shop/avail spends its error budget 50.0 times too fast"),
                (
                    "description",
                    "Users of shop notice: avail promises 99.9% over 30d, and over the last 1h errors burned the budget \
                     50.0 times as fast as it may. Budget left: unknown. At this rate it is gone in unknown.",
                ),
                ("dashboard_url", "https://grafana.example/d/slo-shop?from=now-6h&to=now&var-slo=avail"),
                ("runbook_url", "rules/runbooks/shop/avail.md#errorbudgetburn-page"),
            ],
        )],
    );
    check(&[it]);
}
