//! The generated promtool tests, run by the real promtool: they pass on our rules, and fail on rules that are broken.

use std::path::Path;

use kilter_codegen::model::{Duration, Estate, EventSide, NoData, Sli, Team, TimeScale};

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
