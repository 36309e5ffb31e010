//! Maintenance and missing data that count as errors, where the generated proofs cannot look: at what begins a
//! maintenance, and at a whole day.

use kilter_codegen::model::{Maintenance, NoData, Weekly};

use super::{Scenario, alerts, by_case, check, counter, page, steady};
use crate::support::{availability, estate, slo};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A schedule by days and by the clock, over midnight and over the end of the week. Promtool begins on a Thursday.
#[test]
fn a_schedule_holds_when_it_says_and_five_minutes_longer() {
    let mut buys = slo("buys", "0.999", availability("/a"));
    let schedule = vec![
        Weekly { days: (0..7).collect(), from: 12 * 60, to: 12 * 60 + 30 },
        Weekly { days: vec![4], from: 23 * 60, to: 25 * 60 },
        Weekly { days: vec![6], from: 23 * 60, to: 24 * 60 + 30 },
    ];
    buys.policy.maintenance = Some(Maintenance { promql: None, schedule });
    let mut it = Scenario::new("schedule", &estate(vec![buys]), 300).every(300);
    it.feed("nothing", "1");
    let minute = 60;
    let (thursday, friday, saturday, sunday) = (0, DAY, 2 * DAY, 3 * DAY);
    for (from, to) in [
        (thursday + 12 * HOUR, thursday + 12 * HOUR + 30 * minute),
        (thursday + 23 * HOUR, friday + HOUR),
        (friday + 12 * HOUR, friday + 12 * HOUR + 30 * minute),
        (saturday + 23 * HOUR, sunday + 30 * minute),
    ] {
        it.none("slo:maintenance:active", from - 5 * minute);
        it.is("sum(slo:maintenance:active)", from, 1.0);
        it.is("sum(slo:maintenance:active)", to, 1.0);
        it.none("slo:maintenance:active", to + 5 * minute);
    }
    it.none("slo:maintenance:active", friday + 23 * HOUR);
    it.is("count(count_over_time(slo:maintenance:active{service=\"shop\",slo=\"buys\"}[1d]))", sunday + HOUR, 1.0);
    check(&[it]);
}

/// What begins by a series ends with it. Meanwhile everything fails and every instance is down: nothing alerts, the
/// budget is whole; what is still down afterwards alerts.
#[test]
fn maintenance_by_a_series_silences_the_service_until_it_ends() {
    const BEGIN: u64 = 65 * 60;
    const END: u64 = BEGIN + 40 * 60;
    let mut buys = slo("buys", "0.999", availability("/a"));
    let promql = Some("maintenance_mode{service=\"shop\"}".to_owned());
    buys.policy.maintenance = Some(Maintenance { promql, schedule: vec![] });
    let mut it = Scenario::new("while", &estate(vec![buys]), 15);
    let series =
        |labels: &str| format!("http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/a\"{labels}}}");
    it.feed(series(""), counter(15, &[(BEGIN, Some(100.0)), (END - BEGIN, Some(0.0))]));
    it.feed(series(",error_type=\"500\""), counter(15, &[(BEGIN, Some(0.0)), (1_200, Some(100.0))]));
    let samples = |seconds: u64| seconds / 15 - 1;
    it.feed(
        "maintenance_mode{service=\"shop\"}",
        format!("0+0x{} 1+0x{} 0+0x200", samples(BEGIN), samples(END - BEGIN)),
    );
    it.feed("up{job=\"shop\"}", format!("1+0x{} 0+0x{}", samples(BEGIN + 600), samples(END - BEGIN + 1_800)));
    it.none("count_over_time(ALERTS{alertstate=\"firing\",service=\"shop\"}[2h])", END + 240);
    it.is("sum(slo:error_budget_remaining:ratio)", END + 240, 1.0);
    it.is("sum(slo:maintenance:active)", END + 240, 1.0);
    it.none("slo:maintenance:active", END + 390);
    it.fire(&alerts("ServiceDown", "severity=\"page\""), END + 480, 1);
    it.fire(&alerts("SLODataMissing", "severity=\"page\""), END + 600, 1);
    check(&[it]);
}

/// Missing data count as errors from the moment at which no rate is left, in their group alone; a group that was removed
/// counts for a day. The budget knows.
#[test]
fn missing_data_count_for_a_day() {
    let mut bad = by_case("avail", "0.999");
    bad.no_data = NoData::Bad;
    let end = HOUR + DAY + HOUR;
    let mut it = Scenario::new("bad", &estate(vec![bad]), 300 / 2).every(300 / 2);
    for (case, until) in [("gone", HOUR), ("there", end)] {
        it.feed(format!("all_total{{case=\"{case}\"}}"), steady(150, until, 100.0));
        it.feed(format!("bad_total{{case=\"{case}\"}}"), steady(150, until, 0.0));
    }
    it.fire(&page("case=\"gone\""), HOUR + 900, 1);
    it.is("sum(slo:error:rate5m{case=\"gone\"} / slo:total:rate5m)", HOUR + 12 * HOUR, 1.0);
    // An hour of good events, then twelve of bad ones.
    it.none("1 - slo:error_budget_remaining:ratio{case=\"gone\"} < 16", HOUR + 12 * HOUR);
    it.none("slo:total:rate5m{case=\"gone\"}", end);
    it.none("count_over_time(ALERTS{alertstate=\"firing\",case=\"there\"}[26h])", end);
    check(&[it]);
}
