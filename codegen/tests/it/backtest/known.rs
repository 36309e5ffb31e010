//! Four days whose incidents are known, written into the storage of a Prometheus; what the alerts must do is counted here
//! from the events themselves, by the formulas of the workbook.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kilter_codegen::backtest::result::{Notice, Variant, Verdict};
use kilter_codegen::model::Severity;
use kilter_harness::{Prometheus, PrometheusConfig};

use super::{SLO, backtest, outcome, requests};
use crate::cli::said;
use crate::support::tool;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// Between two scrapes, and requests between them.
const SCRAPE: i64 = 60;
const REQUESTS: f64 = 600.0;
/// The last moment of the history: 2026-11-24 00:00 UTC.
const END: i64 = 1_795_478_400;
const START: i64 = END - 4 * DAY;

/// Begin, end and share of errors. What the list of incidents says of them is in [`incidents`].
const OUTAGE: (i64, i64, f64) = (START + DAY + 3 * HOUR, START + DAY + 3 * HOUR + 600, 1.0);
const FIFTH: (i64, i64, f64) = (START + 2 * DAY + 12 * HOUR, START + 2 * DAY + 13 * HOUR, 0.2);
const UNTOLD: (i64, i64, f64) = (START + 3 * DAY + 15 * HOUR, START + 3 * DAY + 15 * HOUR + 1_800, 0.05);
/// The service is away, and everything else is there.
const GONE: (i64, i64) = (START + 3 * DAY + HOUR, START + 3 * DAY + 2 * HOUR);
/// Nothing at all is scraped.
const DEAF: (i64, i64) = (START + 2 * DAY + 20 * HOUR, START + 2 * DAY + 20 * HOUR + 2_400);

fn share(at: i64) -> f64 {
    let of = [OUTAGE, FIFTH, UNTOLD].into_iter().find(|(from, to, _)| (*from..*to).contains(&at));
    of.map_or(0.0, |(_, _, share)| share)
}

fn history() -> String {
    let (mut good, mut bad, mut up) = (String::new(), String::new(), String::new());
    let (mut succeeded, mut failed) = (0.0, 0.0);
    let mut at = START;
    while at <= END {
        let within = |(from, to): (i64, i64)| (from..to).contains(&at);
        failed += REQUESTS * share(at - 1);
        succeeded += REQUESTS * (1.0 - share(at - 1));
        if !within(DEAF) {
            let _ = writeln!(up, "up{{job=\"other\"}} 1 {at}");
            if !within(GONE) {
                let _ = writeln!(good, "{} {succeeded} {at}", requests(false));
                let _ = writeln!(bad, "{} {failed} {at}", requests(true));
            }
        }
        at += SCRAPE;
    }
    good + &bad + &up + "# EOF\n"
}

/// When both windows of a pair burn faster than its share of a week's budget allows, from the events themselves.
fn burning(from: i64, budget: f64) -> Option<i64> {
    let burn = |at: i64, window: i64| {
        let minutes = (0..window / SCRAPE).map(|it| share(at - 1 - it * SCRAPE));
        minutes.sum::<f64>() / (window / SCRAPE) as f64 / budget
    };
    let factor = |share: f64, long: i64| (share * 7.0 * DAY as f64 / long as f64).min(0.5 / budget);
    let pairs = [(0.08, HOUR, 300), (0.125, 6 * HOUR, 1_800)];
    let holds = |at: i64| {
        pairs.iter().any(|(part, long, short)| {
            let factor = factor(*part, *long);
            burn(at, *long) > factor && burn(at, *short) > factor
        })
    };
    (from..from + 2 * HOUR).step_by(60).find(|at| holds(*at))
}

fn moment(at: i64) -> String {
    kilter_codegen::backtest::moment::Offset::default().rfc3339(at * 1_000)
}

fn incidents() -> String {
    let line = |name: &str, (from, to): (i64, i64), more: &str| {
        format!("  - {{name: {name}, start: {}, end: {}{more}}}\n", moment(from), moment(to))
    };
    "incidents:\n".to_owned()
        + &line("Everything failed.", (OUTAGE.0, OUTAGE.1), ", service: shop, slo: pay")
        + &line("A fifth failed.", (FIFTH.0, FIFTH.1), "")
        + &line("Nobody could pay by card.", (START + 2 * DAY, START + 2 * DAY + HOUR), ", service: shop")
        + &line("Before all that.", (START - DAY, START - DAY + HOUR), "")
}

#[test]
fn known_incidents_are_judged_as_the_events_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(path.join("history.txt"), history()).expect("a file");
    fs::write(path.join("slo.yaml"), SLO).expect("a file");
    fs::write(path.join("incidents.yaml"), incidents()).expect("a file");
    let (made, text) = tool("promtool", &["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"], path);
    assert!(made, "{text}");
    let mut config = PrometheusConfig::new(vec![]);
    config.scrape_seconds = 60;
    let prometheus = Prometheus::start(path, config).expect("Prometheus starts");
    let server = prometheus.url();

    judged(&server, path);
    told_to_people(&server, path);
    refused(&server, path);
}

fn judged(server: &str, path: &Path) {
    let until = moment(END);
    let args = ["--since", "84h", "--until", &until, "--step", "30s", "--incidents", "incidents.yaml"];
    let what_if = [
        "--what-if",
        "objective=99%",
        "--what-if",
        "no_data=ignore,min_errors=0",
        "--what-if",
        "windows=page:20%:1h:5m",
    ];
    let (found, status) = outcome(server, &[&args[..], &what_if].concat(), path);
    assert_eq!(status, Some(1), "an incident was missed");
    let [as_it_is, lower, silent, one] = found.variants.as_slice() else { panic!("{} variants", found.variants.len()) };

    // Pages: two that the list tells of, one that it does not, and the hour without data.
    let pages: Vec<(i64, &str)> = (as_it_is.pages.iter())
        .map(|it: &Notice| (it.from / 1_000, as_it_is.fired[it.fired[0]].alert.as_str()))
        .collect();
    let burn = |from: i64, budget: f64| burning(from, budget).expect("it burns");
    let expected = [
        (burn(OUTAGE.0, 0.001), "ErrorBudgetBurn"),
        (burn(FIFTH.0, 0.001), "ErrorBudgetBurn"),
        // A rate over five minutes needs two scrapes, and three minutes more are waited for.
        (GONE.0 + 4 * 60 + 3 * 60, "SLODataMissing"),
        (burn(UNTOLD.0, 0.001), "ErrorBudgetBurn"),
    ];
    assert_eq!(pages.len(), expected.len(), "{pages:?}");
    for ((at, alert), (wanted, name)) in pages.iter().zip(expected) {
        assert!(*alert == name && (at - wanted).abs() <= 2 * SCRAPE, "{alert} at {at}, not {name} at {wanted}");
    }
    let night = |it: &Notice| it.night;
    assert_eq!(as_it_is.pages.iter().map(night).collect::<Vec<_>>(), [true, false, true, false]);
    assert!(as_it_is.fired.iter().any(|it| it.severity == Severity::Ticket));

    // The list: two of three that can be judged, by two of four pages.
    let list = found.incidents.as_deref().expect("a list");
    let of_incident = |variant: &Variant, name: &str| {
        let place = list.iter().position(|it| it.name == name).unwrap_or_else(|| panic!("no {name}"));
        variant.verdicts[place].clone()
    };
    let after = |it: &Verdict| match it {
        Verdict::Detected { after, spent, slo, .. } => (*after / 1_000, spent.expect("a share"), slo.clone()),
        other => panic!("{other:?}"),
    };
    for (name, (from, _, share)) in [("Everything failed.", OUTAGE), ("A fifth failed.", FIFTH)] {
        let (after, spent, slo) = after(&of_incident(as_it_is, name));
        let wanted = burn(from, 0.001) - from;
        assert!((after - wanted).abs() <= 2 * SCRAPE, "after {after} s, not {wanted} s");
        // Of ten requests a second, over a week: what had failed by then. A scrape of it may not be seen yet, and a rate
        // stretches what it saw over its whole window.
        let failed = |seconds: i64| seconds as f64 * 10.0 * share / (0.001 * 10.0 * 7.0 * DAY as f64);
        assert!((failed(after - 2 * SCRAPE)..=failed(after) * 1.3).contains(&spent), "{spent} after {after} s");
        assert_eq!(slo.as_deref(), Some("pay"));
    }
    let missed = of_incident(as_it_is, "Nobody could pay by card.");
    assert!(matches!(missed, Verdict::Missed { .. }), "{missed:?}");
    let before = of_incident(as_it_is, "Before all that.");
    assert!(matches!(before, Verdict::NotJudged { .. }), "{before:?}");
    let of = |it: Option<f64>| format!("{:.3}", it.expect("a share"));
    assert_eq!([of(as_it_is.summary.recall), of(as_it_is.summary.precision)], ["0.667", "0.500"]);
    assert_eq!((as_it_is.summary.pages, as_it_is.summary.night_pages), (4, 2));
    // Of three and a half days less what was not recorded at all.
    let week = 4.0 * 7.0 / (3.5 - (DEAF.1 - DEAF.0 + SCRAPE) as f64 / DAY as f64);
    let counted = as_it_is.summary.pages_per_week.expect("more than a day");
    assert!((counted - week).abs() < 1e-9, "{counted}");
    assert_eq!((found.begins, found.cost.counts > 0), (None, true));

    // What was not there is told, and not judged: a Prometheus that is away pages nobody.
    let [gap] = found.server_gaps.as_slice() else { panic!("{:?}", found.server_gaps) };
    // From the last scrape before it to the first after it.
    assert_eq!(gap.map(|it| it / 1_000), [DEAF.0 - SCRAPE, DEAF.1]);
    assert!(found.not_judged.iter().any(|it| it.what.contains("SLODataMissing")), "{:?}", found.not_judged);
    let group = &found.slos[0].groups[0];
    assert_eq!(group.gaps.len(), 2, "{:?}", group.gaps);
    let hourly = group.events_per_hour.expect("whole hours");
    assert!((hourly - 36_000.0).abs() < 400.0, "{hourly}");
    let bad = [OUTAGE, FIFTH, UNTOLD].iter().map(|(from, to, share)| (to - from) as f64 * 10.0 * share).sum::<f64>();
    let good = 1.0 - bad / group.events;
    assert!((group.sli.expect("events") - good).abs() < 5e-5, "{:?}, not {good}", group.sli);
    let left = group.budget.last().expect("a budget").1;
    let spent = bad / (0.001 * 10.0 * 7.0 * DAY as f64);
    assert!((1.0 - left - spent).abs() < 0.02 * spent, "{left} is left, but {spent} was spent");

    // With ten times the budget both are still told of, later, and the one that nobody noticed is not.
    for (name, (from, ..)) in [("Everything failed.", OUTAGE), ("A fifth failed.", FIFTH)] {
        let (after, wanted) = (after(&of_incident(lower, name)).0, burn(from, 0.01) - from);
        assert!((after - wanted).abs() <= 2 * SCRAPE && wanted > 300, "after {after} s, not {wanted} s");
    }
    assert_eq!((burning(UNTOLD.0, 0.01), lower.pages.len()), (None, 3), "{:?}", lower.pages);
    assert_eq!(of(lower.summary.precision), "0.667");
    assert!(silent.pages.iter().all(|it| silent.fired[it.fired[0]].alert != "SLODataMissing"));
    assert_eq!(silent.summary.pages, 3);

    // One pair that asks for a fifth of the budget: the half hour that nobody noticed spends less.
    let told = |from: i64| one.pages.iter().any(|it| (from..from + HOUR).contains(&(it.from / 1_000)));
    assert_eq!([OUTAGE.0, FIFTH.0, UNTOLD.0].map(told), [true, true, false], "{:?}", one.pages);
    assert!(one.fired.iter().all(|it| it.severity == Severity::Page || it.alert != "ErrorBudgetBurn"));
}

/// The same for people, from CSV, with a coarser step, an offset and a what-if.
fn told_to_people(server: &str, path: &Path) {
    let row = |name: &str, (from, to, _): (i64, i64, f64)| format!("{name},{},{},shop\n", moment(from), moment(to));
    let list = "Name,start,end,service\n".to_owned() + &row("\"All, failed\"", OUTAGE) + &row("A fifth", FIFTH);
    fs::write(path.join("incidents.csv"), list).expect("a file");
    let until = moment(END);
    let args = ["--since", "84h", "--until", &until, "--step", "5m", "--incidents", "incidents.csv"];
    let more = ["--utc-offset", "-05:00", "--what-if", "objective=99%"];
    let out = backtest(server, &[&args[..], &more].concat(), path);
    let text = said(&out);
    assert_eq!(out.status.code(), Some(0), "{text}");
    for wanted in [
        "evaluated every 5 min",
        "times below can be 5 min late",
        "shop/pay (99.9% over 7d)",
        "incidents: recall 100%, precision 50%",
        "All, failed (10 min): detected after",
        "pages that no incident explains",
        "objective=99%",
        "so its rules would not have run either",
        "queries,",
        "counts were asked for this estimate",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("KLT0"), "what kilter lint says is told there: {text}");
    // 03:00 UTC is ten in the evening there.
    assert!(text.contains("2026-11-20 22:") && text.contains("in the night 22:00-07:00 -05:00"), "{text}");
}

/// What cannot be, and what would cost too much.
fn refused(server: &str, path: &Path) {
    let broken = format!(
        "incidents:\n  - {{name: a, start: yesterday, end: {}}}\n  - {{name: b, start: {}, end: {}, service: shp}}\n  - {{start: 2026-11-03, end: 2026-11-04, slo: pey, what: x}}\n",
        moment(END),
        moment(END),
        moment(START)
    );
    fs::write(path.join("broken.yaml"), broken).expect("a file");
    let other = SLO.replace("/pay", "/nowhere").replace("name: pay", "name: other");
    fs::write(path.join("other.yaml"), other).expect("a file");
    fs::write(path.join("empty.yaml"), "").expect("a file");
    fs::write(path.join("wrong.yaml"), SLO.replace("99.9%", "all")).expect("a file");
    let nobody = "http://127.0.0.1:1";
    for (args, code, answers) in [
        (
            vec![
                "slo.yaml",
                "--prometheus",
                nobody,
                "--incidents",
                "broken.yaml",
                "--what-if",
                "objective=99.9",
                "--what-if",
                "windw=7d",
            ],
            2,
            vec![
                "`yesterday` is no moment",
                "KLT0162",
                "KLT0003",
                "KLT0004",
                "did you mean `pay`?",
                "KLT0163",
                "did you mean `window`?",
                "--> --what-if:1:11",
                "did you mean `objective: 99.9%`?",
            ],
        ),
        (vec!["slo.yaml", "--prometheus", server, "--since", "50y"], 2, vec!["or --yes", "samples"]),
        (vec!["slo.yaml", "--prometheus", server, "--since", "50y", "--estimate"], 0, vec!["samples"]),
        (vec!["slo.yaml", "--prometheus", server, "--step", "7s"], 2, vec!["no multiple of 30s"]),
        (vec!["slo.yaml", "--prometheus", server, "--slo", "shop/pai"], 2, vec!["did you mean `shop/pay`?"]),
        (vec!["slo.yaml", "--prometheus", server, "--incidents", "nowhere.yaml"], 2, vec!["nowhere.yaml"]),
        (
            vec!["other.yaml", "--prometheus", server, "--since", "1d"],
            2,
            vec!["the server has no data of any", "no data of it in this time"],
        ),
        (vec!["slo.yaml", "--prometheus", nobody, "--since", "1d", "--grace", "0s"], 2, vec!["is it running"]),
        (
            vec!["slo.yaml", "--prometheus", nobody, "--incidents", "empty.yaml"],
            2,
            vec!["the file is empty", "\n1 error, "],
        ),
        (vec!["wrong.yaml", "--prometheus", nobody], 2, vec!["KLT", "nothing was asked"]),
        (vec!["slo.yaml", "--since", "1d"], 2, vec!["no Prometheus is named"]),
    ] {
        let out = crate::cli::kilter(&[&["backtest"], &args[..]].concat(), path);
        let text = said(&out);
        assert_eq!(out.status.code(), Some(code), "{args:?}: {text}");
        for answer in answers {
            assert!(text.contains(answer), "{args:?}: no {answer}: {text}");
        }
    }
}
