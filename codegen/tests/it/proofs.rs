//! The generated promtool tests, run by the real promtool: they pass on our rules, and fail on rules that are broken.

use std::path::Path;

use kilter_codegen::model::{
    Duration, Estate, EventSide, Extra, Maintenance, NoData, Pair, Severity, SeverityNames, Sli, Team, TimeScale,
    Weekly,
};

use crate::support::{artifacts, availability, estate, events, latency, slo, tool, written};

/// Runs every generated test of an estate of one service.
fn promtool(folder: &Path) -> (bool, String) {
    tool("promtool", &["test", "rules", "shop.rules.test.yaml"], &folder.join("rules"))
}

#[track_caller]
fn check(estate: &Estate) {
    let folder = written(&artifacts(estate));
    let (passed, said) = promtool(folder.path());
    assert!(passed, "{said}");
}

#[test]
fn http_slos_are_proven() {
    check(&estate(vec![
        slo("avail", "0.999", availability("/{workspace}/{repo}/git-upload-pack")),
        slo("latency", "0.99", latency("/x", 1_000_000_000)),
    ]));
}

#[test]
fn objectives_from_low_to_extreme_are_proven() {
    check(&estate(vec![
        slo("low", "0.8", availability("/a")),
        slo("lower", "0.45", availability("/b")),
        slo("tight", "0.99999", availability("/c")),
    ]));
}

#[test]
fn groups_identity_and_overlapping_slos_are_proven() {
    let mut regional = slo("regional", "0.995", availability("/a"));
    regional.by = vec!["region".to_owned()];
    let routes = Sli::HttpServer {
        routes: vec!["/a".to_owned(), "/b".to_owned()],
        methods: vec!["POST".to_owned(), "PUT".to_owned()],
        slower_than_nanos: Some(250_000_000),
    };
    let mut by_route = slo("by-route", "0.95", routes);
    by_route.by = vec!["http_route".to_owned()];
    let mut all = slo("all", "0.999", Sli::HttpServer { routes: vec![], methods: vec![], slower_than_nanos: None });
    all.no_data = NoData::Ignore;
    let mut estate = estate(vec![regional, by_route, all]);
    estate.identity = [("environment".to_owned(), "prod".to_owned())].into();
    estate.selector = "job=~\"{{service}}|{{service}}-canary\",cluster!=\"\"".to_owned();
    check(&estate);
}

#[test]
fn events_are_proven() {
    let mut by = slo("by", "0.99", events("rate(hooks_failed_total[$window])", "rate(hooks_total[$window])"));
    by.by = vec!["region".to_owned()];
    let codes = r#"sum(rate(calls_total{code=~"5..|429",zone=~"(eu|us)-[0-9]+"}[$window]))"#;
    let all = r#"sum(rate(calls_total{zone=~"(eu|us)-[0-9]+"}[$window]))"#;
    let good = Sli::Events {
        side: EventSide::Good("rate(ok_total[$window])".into()),
        total: "rate(tried_total[$window])".into(),
    };
    let two = events("rate(a_total[$window]) + rate(b_total[$window])", "rate(c_total[$window])");
    let mut two = slo("two", "0.99", two);
    two.no_data = NoData::Ticket;
    check(&estate(vec![by, slo("codes", "0.999", events(codes, all)), slo("good", "0.99", good), two]));
}

#[test]
fn other_windows_guards_and_time_scales_are_proven() {
    let mut week = slo("week", "0.999", availability("/a"));
    week.window = "7d".parse().expect("a window");
    let mut four_weeks = slo("four-weeks", "0.999", latency("/b", 100_000_000));
    four_weeks.window = Duration::from_mins(28 * 24 * 60);
    four_weeks.min_errors = 1_000;
    check(&estate(vec![week, four_weeks]));
    let mut scaled = estate(vec![slo("scaled", "0.999", availability("/a"))]);
    scaled.time_scale = TimeScale::one_in(20).expect("a scale");
    check(&scaled);
}

/// The estate's own rules, with and without an identity, at both scales.
#[test]
fn the_estates_own_rules_are_proven() {
    let mut it = estate(vec![slo("avail", "0.999", availability("/a"))]);
    let team = Team { page: "p".into(), ticket: "t".into(), escalation: Some("e".into()), office_hours: None };
    it.teams.insert("store".parse().expect("a name"), team);
    let mut scaled = it.clone();
    scaled.identity = [("environment".to_owned(), "prod".to_owned())].into();
    scaled.services[0].slos[0].by = vec!["region".to_owned()];
    scaled.time_scale = TimeScale::one_in(20).expect("a scale");
    for estate in [it, scaled] {
        let folder = written(&artifacts(&estate));
        let (passed, said) =
            tool("promtool", &["test", "rules", "kilter.rules.test.yaml"], &folder.path().join("rules"));
        assert!(passed, "{said}");
        for (right, wrong) in [("offset", "offset -"), ("<= 1", "<= 100"), ("severity=\"page\",team", "team")] {
            let path = folder.path().join("rules/kilter.rules.yaml");
            let rules = std::fs::read_to_string(&path).expect("rules");
            assert!(rules.contains(right), "the rules have no {right:?}");
            std::fs::write(&path, rules.replace(right, wrong)).expect("a file");
            let (passed, _) =
                tool("promtool", &["test", "rules", "kilter.rules.test.yaml"], &folder.path().join("rules"));
            assert!(!passed, "{wrong:?} in the place of {right:?} is not found");
            std::fs::write(&path, rules).expect("a file");
        }
    }
}

/// Proofs that cannot fail would prove nothing: each mistake in the rules fails them, and names its test.
#[test]
fn broken_rules_fail_their_proofs() {
    let artifacts = artifacts(&estate(vec![slo("avail", "0.999", availability("/a"))]));
    for (mistake, right, wrong) in [
        ("a factor too high", "> 14.4", "> 1440"),
        ("a ticket below its threshold", "> 1\n", "> 0.5\n"),
        ("errors that nothing counts", "error_type!=\"\"", "error_type=\"never\""),
        ("a hold too long", "for: 3m", "for: 30m"),
    ] {
        let folder = written(&artifacts);
        let path = folder.path().join("rules/shop.rules.yaml");
        let rules = std::fs::read_to_string(&path).expect("rules");
        assert!(rules.contains(right), "{mistake}: the rules have no {right:?}");
        std::fs::write(&path, rules.replace(right, wrong)).expect("a file");
        let (passed, said) = promtool(folder.path());
        assert!(!passed && said.contains("shop/avail: "), "{mistake}: {said}");
    }
}

fn pair(severity: Severity, share: &str, long: &str, short: &str) -> Pair {
    let duration = |text: &str| text.parse().expect("a duration");
    Pair { severity, share: share.parse().expect("a share"), long: duration(long), short: duration(short) }
}

#[test]
fn windows_of_ones_own_are_proven() {
    use Severity::{Page, Ticket};
    let mut fast = slo("fast", "0.999", availability("/a"));
    fast.window = "90d".parse().expect("a window");
    fast.policy.windows = Some(vec![pair(Page, "0.01", "30m", "5m"), pair(Ticket, "0.05", "12h", "1h")]);
    let mut three = slo("three", "0.99", latency("/b", 250_000_000));
    three.window = "10d".parse().expect("a window");
    three.policy.windows = Some(vec![
        pair(Page, "0.05", "45m", "10m"),
        pair(Page, "0.1", "3h", "15m"),
        pair(Page, "0.15", "12h", "1h"),
        pair(Ticket, "0.3", "2d", "4h"),
    ]);
    // Nothing pages; and nothing tickets.
    let mut tickets = slo("tickets", "0.95", availability("/c"));
    tickets.no_data = NoData::Ticket;
    tickets.policy.windows = Some(vec![pair(Ticket, "0.02", "1h", "5m"), pair(Ticket, "0.1", "7d", "1d")]);
    let mut pages = slo("pages", "0.995", availability("/d"));
    pages.policy.windows = Some(vec![pair(Page, "0.03", "2h", "10m")]);
    check(&estate(vec![fast, three]));
    check(&estate(vec![tickets.clone(), pages]));
    // A service that wakes nobody, not even when it is down.
    check(&estate(vec![tickets]));
}

#[test]
fn missing_data_that_count_as_errors_are_proven() {
    let mut bad = slo("bad", "0.999", availability("/a"));
    bad.no_data = NoData::Bad;
    let mut slow = slo("slow", "0.9", latency("/b", 1_000_000_000));
    slow.no_data = NoData::Bad;
    slow.by = vec!["region".to_owned()];
    let mut good = slo(
        "good",
        "0.99",
        Sli::Events {
            side: EventSide::Good("rate(ok_total[$window])".into()),
            total: "rate(all_total[$window])".into(),
        },
    );
    good.no_data = NoData::Bad;
    let mut fed = slo("fed", "0.99", events("max(rate(bad_total[$window]))", "max(rate(every_total[$window]))"));
    fed.no_data = NoData::Bad;
    let mut with_identity = estate(vec![bad, slow]);
    with_identity.identity = [("environment".to_owned(), "prod".to_owned())].into();
    check(&with_identity);
    check(&estate(vec![good, fed]));
}

#[test]
fn maintenance_is_proven() {
    let told =
        |promql: Option<&str>, schedule: Vec<Weekly>| Some(Maintenance { promql: promql.map(str::to_owned), schedule });
    // Both hold where promtool's clock begins, so these tests begin later.
    let daily = Weekly { days: (0..7).collect(), from: 0, to: 10 };
    let thursday = Weekly { days: vec![4], from: 5, to: 20 };
    let mut avail = slo("avail", "0.999", availability("/a"));
    avail.policy.maintenance = told(Some("max by (x) (maintenance_mode{service=\"shop\"}) == 1"), vec![]);
    let mut latency = slo("latency", "0.99", latency("/b", 250_000_000));
    latency.policy.maintenance = told(None, vec![daily, thursday]);
    latency.by = vec!["region".to_owned()];
    let mut bad = slo("bad", "0.99", events("rate(bad_total[$window])", "rate(all_total[$window])"));
    bad.no_data = NoData::Bad;
    bad.policy.maintenance = told(Some("deploys_frozen"), vec![Weekly { days: vec![0, 6], from: 1_380, to: 1_500 }]);
    let mut every = estate(vec![latency, bad]);
    every.identity = [("environment".to_owned(), "prod".to_owned())].into();
    check(&every);
    let mut scaled = estate(vec![avail]);
    scaled.time_scale = TimeScale::one_in(20).expect("a scale");
    check(&scaled);
}

#[test]
fn names_of_severities_and_what_alerts_carry_are_proven() {
    let mut buys = slo("buys", "0.999", availability("/a"));
    let mut estate = estate(vec![]);
    estate.policy.severities = SeverityNames { page: "critical".into(), ticket: "warning".into() };
    let extra = |labels: &[(&str, &str)], annotations: &[(&str, &str)]| {
        let map = |of: &[(&str, &str)]| of.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Extra { labels: map(labels), annotations: map(annotations) }
    };
    estate.policy.extra = extra(&[("region", "eu west")], &[("chat", "#store \"oncall\"")]);
    estate.services[0].extra = estate.policy.extra.with(extra(&[("tenant", "a")], &[]));
    buys.policy.extra = estate.services[0].extra.with(extra(&[("tenant", "b")], &[("impact", "no orders")]));
    let mut reads = slo("reads", "0.99", availability("/b"));
    reads.policy.extra = estate.services[0].extra.clone();
    estate.services[0].slos = vec![buys, reads];
    check(&estate);
}
