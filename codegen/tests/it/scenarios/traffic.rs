//! Little traffic, low objectives, restarts: finding 13 and the traps of counters.

use super::{Scenario, by_case, check, counter, page, pieces, steady};
use crate::support::estate;

/// Finding 13: with 30 requests an hour one failure is chance, and five are an outage.
#[test]
fn one_failure_of_a_quiet_service_is_silent_and_an_outage_pages() {
    let mut it = Scenario::new("13", &estate(vec![by_case("avail", "0.999")]), 30);
    let (rate, end) = (30.0 / 3_600.0, 3 * 3_600);
    for (case, outage) in [("one", 120), ("all", 1_800)] {
        it.feed(format!("all_total{{case=\"{case}\"}}"), steady(30, end, rate));
        let bad = counter(30, &[(7_200, Some(0.0)), (outage, Some(rate)), (end - 7_200 - outage, Some(0.0))]);
        it.feed(format!("bad_total{{case=\"{case}\"}}"), bad);
    }
    // A new service, whose first failure is all that it knows: an average would foretell dozens.
    it.feed("all_total{case=\"new\"}", format!("_x240 {}", steady(30, end - 7_200, rate)));
    it.feed(
        "bad_total{case=\"new\"}",
        format!("_x240 {}", counter(30, &[(600, Some(0.0)), (120, Some(rate)), (2_880, Some(0.0))])),
    );
    it.none("count_over_time(ALERTS{case=\"new\"}[3h])", end);
    it.none("count_over_time(ALERTS{case=\"one\"}[3h])", end);
    it.fire(&page("case=\"all\""), 7_200 + 690, 1);
    it.is(&format!("sum({})", pieces(&page("case=\"all\""), end)), end, 1.0);

    // Without the guard the one failure pages.
    let mut unguarded = by_case("avail", "0.999");
    unguarded.min_errors = 0;
    let mut bare = Scenario::new("13, no guard", &estate(vec![unguarded]), 30);
    bare.feed("all_total{case=\"one\"}", steady(30, 9_000, rate));
    bare.feed("bad_total{case=\"one\"}", counter(30, &[(7_200, Some(0.0)), (120, Some(rate)), (1_680, Some(0.0))]));
    bare.is(&format!("sum({})", pieces(&page("case=\"one\""), 9_000)), 9_000, 1.0);
    check(&[it, bare]);
}

/// Finding 13: a total outage pages whatever the objective, within half an hour and an evaluation.
#[test]
fn a_total_outage_pages_at_low_objectives() {
    let slos = vec![by_case("five", "0.95"), by_case("ten", "0.9"), by_case("twenty", "0.8"), by_case("half", "0.5")];
    let mut it = Scenario::new("13, low objectives", &estate(slos), 30);
    let onset = 6 * 3_600 + 300;
    let end = onset + 1_900;
    it.feed("all_total{case=\"a\"}", steady(30, end, 100.0));
    it.feed("bad_total{case=\"a\"}", counter(30, &[(onset, Some(0.0)), (end - onset, Some(100.0))]));
    it.fire(&page("case=\"a\""), onset + 1_500, 0);
    it.fire(&page("case=\"a\""), onset + 1_860, 4);
    check(&[it]);
}

/// Deploys reset counters, pods come and go, and a whole service restarts into idleness: all silent.
#[test]
fn restarts_and_rollouts_are_silent() {
    let mut it = Scenario::new("restarts", &estate(vec![by_case("avail", "0.999")]), 15);
    let end = 5_400u64;
    // Every pod starts at zero again, ten minutes after each other.
    for pod in 0..3u64 {
        let restart = 1_800 + 600 * pod;
        let life = |rate: f64| {
            let (before, after) = (steady(15, restart, rate), steady(15, end - restart - 15, rate));
            format!("{before} {after}")
        };
        it.feed(format!("all_total{{case=\"reset\",pod=\"{pod}\"}}"), life(100.0));
        it.feed(format!("bad_total{{case=\"reset\",pod=\"{pod}\"}}"), life(0.05));
    }
    // A rollout: new names, and two minutes without anybody.
    it.feed("all_total{case=\"rolled\",pod=\"old\"}", steady(15, 1_800, 100.0));
    it.feed("bad_total{case=\"rolled\",pod=\"old\"}", steady(15, 1_800, 0.0));
    it.feed("all_total{case=\"rolled\",pod=\"new\"}", format!("_x128 {}", steady(15, end - 1_920, 100.0)));
    it.feed("bad_total{case=\"rolled\",pod=\"new\"}", format!("_x128 {}", steady(15, end - 1_920, 0.0)));
    // Twenty idle minutes after a restart of a service with little traffic.
    it.feed("all_total{case=\"idle\"}", counter(15, &[(1_800, Some(0.05)), (end - 1_800, Some(0.0))]));
    it.feed("bad_total{case=\"idle\"}", steady(15, end, 0.0));
    it.none("count_over_time(ALERTS{alertstate=\"firing\",slo=\"avail\"}[90m])", end);
    check(&[it]);
}
