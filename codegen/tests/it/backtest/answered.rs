//! Backtests of histories that a closure answers, without a Prometheus: what is judged, what is not, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use kilter_codegen::backtest::ask::Asking;
use kilter_codegen::backtest::moment::{Night, Offset};
use kilter_codegen::backtest::questions::Question;
use kilter_codegen::backtest::result::{Backtest, Verdict};
use kilter_codegen::backtest::{self, Incident, Input, Period, history, variant, words};
use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::{Duration, Severity, TimeScale};
use kilter_codegen::pipeline;
use kilter_codegen::prometheus::{Point, Series};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 2026-11-24 00:00 UTC.
const END: i64 = 1_795_478_400_000;

/// What happened. Times are before [`END`].
#[derive(Clone, Copy)]
struct World {
    /// When there are data.
    data: &'static [(i64, i64)],
    /// When everything fails.
    failing: &'static [(i64, i64)],
    /// When the service is down.
    down: &'static [(i64, i64)],
    /// When nothing at all is scraped.
    deaf: &'static [(i64, i64)],
}

const QUIET: World = World { data: &[(30 * DAY, 0)], failing: &[], down: &[], deaf: &[] };

fn within(times: &[(i64, i64)], at: i64) -> bool {
    times.iter().any(|(from, until)| (END - from..=END - until).contains(&at))
}

impl World {
    /// Ten events a second; of a server that is deaf the last scrape is seen for five minutes.
    fn answer(&self, question: &Question) -> Vec<Series> {
        let value = |at: i64| -> Option<f64> {
            let query = question.query.as_str();
            if query == history::ALIVE {
                let deaf = self.deaf.iter().find(|(from, until)| (END - from + 1..END - until).contains(&at));
                let scraped = deaf.map_or(at, |(from, _)| END - from);
                return (at - scraped < 5 * MINUTE).then_some(scraped as f64 / 1_000.0);
            }
            let rate = match query {
                it if it.contains("failed_total") => 10.0 * f64::from(u8::from(within(self.failing, at))),
                it if it.contains("all_total") => 10.0,
                // Each second of its time is an event, and none is bad.
                it if it.contains("probe_success") => f64::from(u8::from(it.contains("+ 1"))),
                it => return (it.contains("max(up{") && within(self.down, at)).then_some(1.0),
            };
            (within(self.data, at) && !within(self.deaf, at)).then_some(rate)
        };
        let step = i64::try_from(question.step.millis()).expect("a step");
        let moments = (question.start..=question.end).step_by(usize::try_from(step).expect("a step"));
        let points: Vec<Point> = moments.filter_map(|at| value(at).map(|value| Point { at, value })).collect();
        if points.is_empty() { Vec::new() } else { vec![Series { labels: BTreeMap::new(), points }] }
    }

    /// The backtest of so long a time, with an SLO of events and one that weighs time.
    fn backtest(&self, length: i64, incidents: &[Incident], what_if: &[&str]) -> Backtest {
        let folder = tempfile::tempdir().expect("a folder");
        let slo = "  - {name: pay, description: It works., objective: 99.9%, sli: {events: {errors: 'rate(failed_total[$window]) + 0 * rate(all_total[$window])', total: 'rate(all_total[$window])'}}}\n  - {name: up, description: It is up., objective: 99%, sli: {uptime: {up: 'probe_success'}}}\n";
        let file = format!("apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n{slo}");
        fs::write(folder.path().join("slo.yaml"), file).expect("a file");
        let options =
            LoadOptions { paths: vec!["slo.yaml".into()], config: None, current: folder.path().to_path_buf() };
        let made = pipeline::run(&options, TimeScale::REAL).expect("the pipeline runs");
        let (mut sources, found) = (made.sources, made.diagnostics);
        let (estate, plan, _) = made.output.unwrap_or_else(|| panic!("refused: {found:#?}"));
        let chosen: BTreeSet<_> = ["pay", "up"].map(|it| ("shop".to_owned(), it.to_owned())).into();
        let variants: Vec<_> = (what_if.iter())
            .map(|it| {
                let (variant, said) = variant::read(it, &mut sources, &estate, &chosen, &found);
                variant.unwrap_or_else(|| panic!("{said:#?}"))
            })
            .collect();
        let input = Input {
            estate: &estate,
            plan: &plan,
            variants: &variants,
            chosen: &chosen,
            incidents: Some(incidents),
            period: Period { from: END - length, to: END, step: Duration::from_secs(60) },
            offset: Offset::default(),
            night: Night::default(),
            grace: Duration::from_mins(15),
            scrape: Duration::from_secs(60),
            left_open: false,
        };
        let range = |it: &Question| Ok(self.answer(it));
        let asking = Asking { range: &range, count: &|_, _| Ok(1), at_once: 1, heard: &|| {} };
        let asked = backtest::cost(&input, asking).expect("an estimate");
        backtest::run(&input, &asked, "here", asking).expect("an outcome")
    }
}

fn incident(from: i64, until: i64) -> Incident {
    Incident { name: "\x1b[31mIt broke.".to_owned(), start: END - from, end: END - until, service: None, slo: None }
}

fn advice<'a>(of: &'a Backtest, slo: &str) -> Vec<&'a str> {
    of.advice.iter().filter(|it| it.slo == slo).map(|it| it.kind.as_str()).collect()
}

/// What is not judged, and why.
fn why(of: &Backtest, what: &str) -> Vec<String> {
    of.not_judged.iter().filter(|it| it.what.contains(what)).map(|it| it.why.clone()).collect()
}

#[test]
fn a_week_is_counted_by_the_history_that_there_is() {
    let world = World { data: &[(7 * DAY, 0)], failing: &[(2 * DAY, 2 * DAY - 10 * MINUTE)], ..QUIET };
    let found = world.backtest(30 * DAY, &[], &[]);
    let summary = &found.variants[0].summary;
    assert!(summary.pages == 1 && summary.pages_per_week == Some(1.0), "{summary:?}");
    assert_eq!((found.begins, found.judged), (Some(END - 7 * DAY), Some(7 * DAY)));
    // Of an hour there is no week.
    let hour = World { failing: &[(HOUR, 30 * MINUTE)], ..QUIET }.backtest(HOUR, &[], &["objective=99%"]);
    assert_eq!((hour.variants[0].summary.pages, hour.variants[0].summary.pages_per_week), (1, None));
    let text = words::human(&hour);
    assert!(text.contains("\n1 page (1 in the night 22:00-07:00 UTC)"), "{text}");
    assert_eq!(found.slos.iter().map(|it| found.judged_of(it)).collect::<Vec<_>>(), [7 * DAY; 2]);
    let text = words::human(&found);
    assert!(text.contains("history begins at 2026-11-17 00:00:00: 23 d of 30 d are not judged"), "{text}");
    assert!(advice(&found, "pay").is_empty(), "a tenth of the budget was spent: {:?}", found.advice);

    let quiet = World { data: &[(7 * DAY, 0)], ..QUIET }.backtest(30 * DAY, &[], &[]);
    assert_eq!(advice(&quiet, "pay"), ["always_met"], "{:?}", quiet.not_judged);
    let young = World { data: &[(2 * DAY, 0)], ..QUIET }.backtest(30 * DAY, &[], &[]);
    assert!(why(&young, "advice on objectives, of shop/pay")[0].contains("judged is 2 d"), "{:?}", young.not_judged);
    // Half of it has no data: nobody knows how it is.
    let holes = World { data: &[(7 * DAY, 6 * DAY), (2 * DAY, 0)], ..QUIET }.backtest(30 * DAY, &[], &[]);
    assert!(advice(&holes, "pay").is_empty());
    assert!(why(&holes, "advice on shop/pay")[0].contains("data for 43% of the judged time"), "{:?}", holes.not_judged);
}

#[test]
fn a_short_time_is_no_experience() {
    for (length, median) in [(50 * MINUTE, None), (HOUR, Some(36_000.0)), (2 * DAY, Some(36_000.0))] {
        let world = World { data: &[(90 * DAY, 0)], failing: &[(45 * DAY, 32 * DAY)], down: &[(DAY, 0)], ..QUIET };
        let found = world.backtest(length, &[], &[]);
        assert!(advice(&found, "pay").is_empty(), "{length}: {:?}", found.advice);
        assert_eq!(found.slos[0].groups[0].events_per_hour, median, "{length}");
        assert_eq!(why(&found, "advice on objectives").len(), 1, "{:?}", found.not_judged);
    }
    // The week is clean, and the budget of the thirty days before is spent.
    let spent = World { data: &[(90 * DAY, 0)], failing: &[(8 * DAY, 7 * DAY)], ..QUIET }.backtest(6 * DAY, &[], &[]);
    assert!(advice(&spent, "pay").iter().all(|it| *it != "always_met"), "{:?}", spent.advice);
    let missed = World { failing: &[(30 * DAY, 0)], ..QUIET }.backtest(6 * DAY, &[], &[]);
    let text = &missed.advice.iter().find(|it| it.kind == "never_met").expect("advice").text;
    assert!(text.contains("on each of 6 days") && !text.contains("spent"), "{text}");
}

#[test]
fn each_variant_has_its_own_severity_of_a_service_that_is_down() {
    let world = World { down: &[(2 * HOUR, HOUR)], ..QUIET };
    let found = world.backtest(DAY, &[], &["tier=low", "min_errors=3"]);
    let severity = |variant: usize| {
        let all = found.variants[variant].fired.iter().filter(|it| it.alert == "ServiceDown");
        all.map(|it| it.severity).collect::<Vec<_>>()
    };
    assert_eq!([severity(0), severity(1)], [vec![Severity::Page], vec![Severity::Ticket]]);
    assert_eq!((found.variants[1].summary.pages, found.variants[1].summary.tickets), (0, 1));
    // What weighs time has no errors to count, and is named.
    assert!(why(&found, "shop/up with --what-if min_errors=3")[0].contains("weighs time"), "{:?}", found.not_judged);
    assert!(why(&found, "shop/pay with").is_empty());
}

#[test]
fn a_page_explains_nothing_after_the_judged_time() {
    let world = World { failing: &[(HOUR, 0)], ..QUIET };
    let list = [incident(-2 * HOUR, -3 * HOUR), incident(10 * MINUTE, -HOUR)];
    let found = world.backtest(DAY, &list[..1], &[]);
    let [page] = found.variants[0].pages.as_slice() else { panic!("{:?}", found.variants[0].pages) };
    assert_eq!((page.until, page.incidents.len(), found.variants[0].summary.precision), (None, 0, Some(0.0)));
    let text = words::human(&found);
    assert!(text.contains("not judged: it began after the judged time") && !text.contains('\x1b'), "{text}");
    let found = world.backtest(DAY, &list[1..], &[]);
    assert_eq!(found.variants[0].summary.precision, Some(1.0));
    assert!(words::human(&found).contains("not judged: it ended after the judged time"));
}

#[test]
fn what_nobody_recorded_is_not_missed_and_what_was_told_before_is_detected() {
    let deaf = World { deaf: &[(3 * HOUR, 2 * HOUR)], ..QUIET };
    let found = deaf.backtest(DAY, &[incident(3 * HOUR - MINUTE, 2 * HOUR + MINUTE)], &[]);
    assert_eq!(found.server_gaps, [[END - 3 * HOUR, END - 2 * HOUR]]);
    let [Verdict::NotJudged { why }] = found.variants[0].verdicts.as_slice() else { panic!("{found:?}") };
    assert_eq!((why.as_str(), found.variants[0].summary.recall), ("the server recorded nothing while it lasted", None));
    assert_eq!(found.judged, Some(23 * HOUR));
    // Told once, and not again of each SLO; what an SLO alone lacks is its own.
    let text = words::human(&found);
    assert_eq!((text.matches("recorded nothing for 1 h").count(), text.matches("no data").count()), (1, 0), "{text}");
    let data = &[(30 * DAY, 3 * HOUR), (2 * HOUR, 0)];
    let text = words::human(&World { data, ..QUIET }.backtest(DAY, &[], &[]));
    assert_eq!((text.matches("recorded nothing").count(), text.matches("no data").count()), (0, 2), "{text}");

    // Down from before the time, and without data from before it too.
    let down = World { data: &[(30 * DAY, DAY)], down: &[(2 * DAY, 6 * HOUR)], ..QUIET };
    let found = down.backtest(20 * HOUR, &[incident(10 * HOUR, 9 * HOUR)], &[]);
    let [Verdict::Detected { after: 0, alert, slo: None, .. }] = found.variants[0].verdicts.as_slice() else {
        panic!("{:?}", found.variants[0].verdicts)
    };
    assert_eq!(alert, "ServiceDown");
    let fired = found.variants[0].fired.iter().find(|it| it.alert == "ServiceDown").expect("an alert");
    assert!(fired.since_before && fired.from < found.from, "{fired:?}");
    let text = words::human(&found);
    assert!(text.contains(" or earlier  for ") && text.contains("detected after 0 s by ServiceDown"), "{text}");
}
