//! The generated promtool tests, run by the real promtool: they pass on our rules, and fail on rules that are broken.

use std::path::Path;

use kilter_codegen::model::{
    Check, Duration, Estate, EventSide, Extra, Family, Histogram, Maintenance, NoData, Pair, Red, Resource, Severity,
    SeverityNames, Sli, Slo, Team, TimeScale, Weekly,
};

use crate::support::{artifacts, availability, estate, events, latency, prove, red, served, slo, tool, written};

/// Runs every generated test of an estate of one service.
fn promtool(folder: &Path) -> (bool, String) {
    prove(&folder.join("rules"), "shop")
}

/// Proves it with budgets of a week: those of a month read four times as many points, and differ in nothing else.
#[track_caller]
fn check(estate: &Estate) {
    let mut weekly = estate.clone();
    let month = Duration::from_mins(30 * 24 * 60);
    for slo in weekly.services[0].slos.iter_mut().filter(|it| it.window == month) {
        slo.window = "7d".parse().expect("a window");
    }
    check_as_it_is(&weekly);
}

#[track_caller]
fn check_as_it_is(estate: &Estate) {
    let folder = written(&artifacts(estate));
    let (passed, said) = promtool(folder.path());
    assert!(passed, "{said}");
}

/// Over the window that is used most.
#[test]
fn objectives_from_low_to_extreme_are_proven() {
    check_as_it_is(&estate(vec![
        slo("avail", "0.999", availability("/{workspace}/{repo}/git-upload-pack")),
        slo("latency", "0.99", latency("/x", 1_000_000_000)),
        slo("low", "0.8", availability("/a")),
        slo("lower", "0.45", availability("/b")),
        slo("tight", "0.99999", availability("/c")),
    ]));
}

#[test]
fn groups_identity_and_overlapping_slos_are_proven() {
    let mut regional = slo("regional", "0.995", availability("/a"));
    regional.by = vec!["region".to_owned()];
    let routes = served(&["/a", "/b"], &["POST", "PUT"], Some(250_000_000));
    let mut by_route = slo("by-route", "0.95", routes);
    by_route.by = vec!["http_route".to_owned()];
    let mut all = slo("all", "0.999", served(&[], &[], None));
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
    let week = slo("week", "0.999", availability("/a"));
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
    // Nothing records the burn over five minutes.
    scaled.services[0].slos[0].policy.windows = Some(vec![pair(Severity::Page, "0.02", "1h", "10m")]);
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

fn text(text: &str) -> String {
    text.to_owned()
}

/// Requests and calls, by their outcome and by an own definition of bad.
#[test]
fn requests_and_calls_are_proven() {
    let status = |values: &[&str]| vec![("http_response_status_code", values.iter().map(|it| text(it)).collect())];
    let mut http_bad = red(Family::HttpServer, &[("http_route", &["/own"])]);
    http_bad.bad = status(&["5xx", "429"]);
    http_bad.bad.push(("error_type", vec![text("timeout")]));
    let mut rpc_bad = red(Family::RpcServer, &[("rpc_method", &["a.A/Get", "a.A/List"])]);
    rpc_bad.bad = vec![("rpc_response_status_code", vec![text("UNAVAILABLE")])];
    let mut by_region = slo("by-region", "0.99", Sli::Red(red(Family::RpcClient, &[("dependency", &["ledger"])])));
    by_region.by = vec![text("region")];
    check(&estate(vec![
        slo("own-bad", "0.999", Sli::Red(http_bad)),
        slo("dependency", "0.995", Sli::Red(red(Family::HttpClient, &[("dependency", &["identity"])]))),
        slo("rpc", "0.999", Sli::Red(red(Family::RpcServer, &[]))),
        slo("rpc-bad", "0.999", Sli::Red(rpc_bad)),
        by_region,
    ]));
}

/// What happens inside and behind a service, by its outcome and by its duration.
#[test]
fn operations_and_jobs_are_proven() {
    let slow = |family, only: &[(&'static str, &[&str])], nanos| {
        Sli::Red(Red { slower_than_nanos: Some(nanos), ..red(family, only) })
    };
    let mut cache_bad = red(Family::Cache, &[("cache_name", &["carts"]), ("operation", &["get", "set"])]);
    cache_bad.bad = vec![("outcome", vec![text("error")])];
    let mut by_namespace = slo("by-namespace", "0.999", Sli::Red(red(Family::Db, &[("db_role", &["replica"])])));
    by_namespace.by = vec![text("db_namespace")];
    check(&estate(vec![
        by_namespace,
        slo("messages", "0.99", Sli::Red(red(Family::Messaging, &[("messaging_destination_name", &["orders"])]))),
        slo("job", "0.99", Sli::Red(red(Family::Job, &[("job_name", &["gc"])]))),
        slo("job-slow", "0.9", slow(Family::Job, &[("job_name", &["gc"])], 3_600_000_000_000)),
        slo("cache", "0.9", Sli::Red(red(Family::Cache, &[("cache_name", &["sessions"])]))),
        slo("cache-bad", "0.999", Sli::Red(cache_bad)),
        slo("cache-slow", "0.99", slow(Family::Cache, &[("cache_name", &["sessions"])], 5_000_000)),
    ]));
}

/// A gauge, a ratio, minutes, a job's last success.
fn time_weighted() -> Vec<Slo> {
    let mut by = slo("by", "0.99", Sli::Uptime { up: text("probe_success{job=\"blackbox\"}") });
    by.by = vec![text("region")];
    let ratio = |side: fn(String) -> EventSide, of: &str| Sli::Ratio(side(text(of)));
    vec![
        by,
        slo("any", "0.999", Sli::Uptime { up: text("max(backend_up{pool=\"a\"})") }),
        slo("both", "0.9999", Sli::Uptime { up: text("a_up * b_up") }),
        slo("tight", "0.99999", Sli::Uptime { up: text("c_up") }),
        slo("loss", "0.99", ratio(EventSide::Errors, "avg_over_time(probe_loss_ratio[$window])")),
        slo("success", "0.99", ratio(EventSide::Good, "avg_over_time(probe_success_ratio[$window])")),
        slo("minutes", "0.99", Sli::Slices { good: text("sum(rate(sold_total[$window])) > bool 1") }),
        slo("fresh", "0.99", Sli::Freshness { job: text("gc"), within: Duration::from_mins(90) }),
    ]
}

#[test]
fn slis_that_weigh_time_are_proven() {
    let mut all = time_weighted();
    // As `resolve` has it: a budget that five seconds exceed needs no guard.
    all[3].min_errors = 0;
    // What the long windows read of these is what they read of the others.
    [1, 4, 5].into_iter().for_each(|at| one_pair(&mut all[at]));
    all.push(slo("weekly", "0.9", Sli::Freshness { job: text("report"), within: Duration::from_mins(8 * 24 * 60) }));
    check(&estate(all));
}

#[test]
fn histograms_of_others_are_proven() {
    let histogram = |metric: &str, matchers: &str, threshold: &str, native| {
        let threshold = threshold.parse().expect("a decimal");
        Sli::Latency(Histogram { metric: text(metric), matchers: text(matchers), threshold, native })
    };
    let mut by = slo("by", "0.99", histogram("hook_duration_seconds", "job=\"hooks\",zone=~\"eu|us\"", "1", false));
    by.by = vec![text("zone")];
    check(&estate(vec![
        by,
        slo("millis", "0.99", histogram("legacy_millis", "", "2500000", false)),
        slo("native", "0.99", histogram("native_seconds", "", "0.25", true)),
    ]));
}

#[test]
fn exceptions_of_resources_are_proven() {
    let resource = |kind: &str, name: &str| Resource {
        kind: text(kind),
        name: text(name),
        saturated_for: None,
        near_limit: None,
        fills_within: None,
        lag: None,
        off: vec![],
    };
    let share = |it: &str| it.parse().ok();
    let mut all = estate(vec![slo("avail", "0.999", availability("/a"))]);
    one_pair(&mut all.services[0].slos[0]);
    all.services[0].resources = vec![
        Resource {
            saturated_for: Some(Duration::from_mins(15)),
            near_limit: share("0.8"),
            ..resource("db_pool", "main")
        },
        Resource { off: vec![Check::NearLimit, Check::Saturated, Check::Erroring], ..resource("db_pool", "batch") },
        Resource {
            near_limit: share("0.99"),
            saturated_for: Some(Duration::from_mins(30)),
            ..resource("semaphore", "checkout")
        },
        Resource { fills_within: Some(Duration::from_mins(24 * 60)), ..resource("disk", "cache") },
        Resource { off: vec![Check::Filling, Check::NearLimit], ..resource("file_descriptors", "process") },
        Resource { near_limit: share("0.5"), ..resource("thread_pool", "tokio") },
        Resource { lag: Some(Duration::from_mins(2)), ..resource("replica", "eu.1") },
        Resource { off: vec![Check::Lagging], ..resource("replica", "cold") },
    ];
    all.identity = [(text("environment"), text("prod"))].into();
    check(&all);
    all.time_scale = TimeScale::one_in(20).expect("a scale");
    check(&all);
}

/// Expected times come from the workbook alone: a wrong number in the plan must not find itself again.
#[test]
fn expected_times_never_look_at_the_plan() {
    let theory = include_str!("../../src/plan/rule_test/theory.rs");
    let (code, _) = theory.split_once("#[cfg(test)]").expect("tests");
    let uses: Vec<&str> = code.lines().filter(|it| it.contains("use ") && it.trim_end().ends_with(';')).collect();
    assert_eq!(uses, ["use crate::model::{Duration, Severity, Slo};"]);
    let code: Vec<&str> = code.lines().filter(|it| !it.trim_start().starts_with("//")).collect();
    assert!(
        !code.iter().any(|it| it.contains("super::super") || it.contains("crate::plan")),
        "theory looks at the plan"
    );
}

/// Proofs that cannot fail would prove nothing: mistakes in the rules fail them, and each is named by the tests that it
/// fails. `mutants` breaks every part of every rule, one by one.
#[test]
fn broken_rules_fail_their_proofs() {
    let folder = written(&artifacts(&estate(vec![slo("avail", "0.999", availability("/a"))])));
    let path = folder.path().join("rules/shop.rules.yaml");
    let mut rules = std::fs::read_to_string(&path).expect("rules");
    let mistakes = [
        ("errors that nothing counts", "error_type!=\"\"", "error_type=\"never\"", "ErrorBudgetBurn"),
        ("a hold too long", "for: 3m", "for: 30m", "SLODataMissing"),
        ("a resource's limit too high", "> 0.9", "> 0.99", "ResourceNearLimit"),
        ("saturation that is a moment", "offset 5m > 0", "> 0", "ResourceSaturated"),
    ];
    for (mistake, right, wrong, _) in mistakes {
        assert!(rules.contains(right), "{mistake}: the rules have no {right:?}");
        rules = rules.replace(right, wrong);
    }
    std::fs::write(&path, rules).expect("a file");
    let (passed, said) = promtool(folder.path());
    assert!(!passed && said.contains("shop/avail: ") && said.contains("shop: "), "{said}");
    for (mistake, .., about) in mistakes {
        assert!(said.contains(about), "{mistake}: {said}");
    }
}

fn pair(severity: Severity, share: &str, long: &str, short: &str) -> Pair {
    let duration = |text: &str| text.parse().expect("a duration");
    Pair { severity, share: share.parse().expect("a share"), long: duration(long), short: duration(short) }
}

/// An SLO that is not about its windows: few are proven faster.
fn one_pair(slo: &mut Slo) {
    slo.policy.windows = Some(vec![pair(Severity::Page, "0.02", "1h", "5m")]);
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
    check_as_it_is(&estate(vec![fast, three]));
    check_as_it_is(&estate(vec![tickets.clone(), pages]));
    // A service that wakes nobody, not even when it is down.
    check_as_it_is(&estate(vec![tickets]));
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
    let mut with_identity = estate(vec![bad, slow, good, fed]);
    with_identity.identity = [("environment".to_owned(), "prod".to_owned())].into();
    check(&with_identity);
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

/// Policies are applied to the pair, so they hold for every kind of SLI, at the first and at the last rule.
#[test]
fn policies_hold_for_every_kind_of_sli() {
    let text = |it: &str| it.to_owned();
    let maintained = || Some(Maintenance { promql: Some(text("maintenance_mode == 1")), schedule: vec![] });
    let mut up = slo("up", "0.99", Sli::Uptime { up: text("backend_up") });
    up.no_data = NoData::Bad;
    let mut ratio = slo("ratio", "0.99", Sli::Ratio(EventSide::Errors(text("error_ratio"))));
    ratio.no_data = NoData::Bad;
    ratio.policy.maintenance = maintained();
    let mut fresh = slo("fresh", "0.99", Sli::Freshness { job: text("gc"), within: Duration::from_mins(90) });
    fresh.policy.maintenance = maintained();
    let mut calls = slo("calls", "0.995", Sli::Red(Red::of(Family::HttpClient)));
    calls.no_data = NoData::Bad;
    check(&estate(vec![up, ratio]));
    let mut paused = slo("paused", "0.999", Sli::Uptime { up: text("frontend_up") });
    paused.policy.maintenance = maintained();
    check(&estate(vec![fresh, calls, paused]));
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
