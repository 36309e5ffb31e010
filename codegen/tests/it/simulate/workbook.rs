//! The figures of the SRE workbook, chapter 5, beside ours, as `docs/simulate.md` shows them. After a change:
//! `KILTER_ACCEPT=1 cargo test -p kilter --test it simulate::workbook`, then read the diff.

use std::fmt::Write as _;
use std::path::Path;

use kilter_codegen::model::{Duration, Maintenance, NoData, Severity, Weekly};
use kilter_codegen::plan::context::Context;
use kilter_codegen::scenario::{BEGIN, Scenario, Step, What, inline};
use kilter_codegen::simulate::{Simulated, simulate};

use super::promtool::from_words;
use crate::support::{estate, events, slo};

/// Seconds of 30 days, and the budget of 99.9%.
const PERIOD: f64 = 30.0 * 86_400.0;
const BUDGET: f64 = 0.001;

/// Table 5-8 and the rule text below it: long window in seconds, burn rate.
const PAGE: [(f64, f64); 2] = [(3_600.0, 14.4), (21_600.0, 6.0)];
const TICKET: [(f64, f64); 2] = [(86_400.0, 3.0), (259_200.0, 1.0)];

/// `detection time = (1 - SLO) / error ratio * alert window * burn rate`, in seconds, and the share of the budget that is
/// spent then: `burn rate * alert window / period`.
fn detection(pairs: &[(f64, f64)], ratio: f64) -> Option<(f64, f64)> {
    let fires = pairs.iter().filter(|(_, burn)| ratio > burn * BUDGET);
    let each = fires.map(|(window, burn)| (BUDGET / ratio * window * burn, burn * window / PERIOD));
    each.min_by(|a, b| a.0.total_cmp(&b.0))
}

fn played(scenario: &Scenario) -> Simulated {
    let estate = estate(vec![slo("avail", "0.999", events("rate(bad_total[$window])", "rate(all_total[$window])"))]);
    let service = &estate.services[0];
    simulate(&Context::new(&estate, service), &service.slos[0], scenario).expect("an SLO")
}

/// When an alert on the burning budget first fires and resolves, in seconds after the beginning, and what is spent then.
fn alert(it: &Simulated, severity: Severity) -> Option<(f64, Option<f64>, f64)> {
    let alert = it.replay.alerts.iter().find(|it| it.name == "ErrorBudgetBurn" && it.severity == severity)?;
    assert!(alert.firings.len() <= 1, "{alert:?}");
    let seconds = |moment: i64| (moment - BEGIN) as f64 / 1_000.0;
    alert
        .firings
        .first()
        .map(|first| (seconds(first.from), first.until.map(seconds), it.spent(first.from).expect("it began")))
}

#[test]
fn the_workbooks_figures_are_reproduced() {
    let mut page = String::from(
        "| error ratio | page: workbook | page: Kilter | ticket: workbook | ticket: Kilter | budget spent at the page | at the ticket |\n|---|---|---|---|---|---|---|\n",
    );
    for (name, ratio) in [
        ("100%", 1.0),
        ("50%", 0.5),
        ("15%", 0.15),
        ("5%", 0.05),
        ("1%", 0.01),
        ("0.5%", 0.005),
        ("0.3%", 0.003),
        ("0.15%", 0.0015),
        ("0.1%", 0.001),
    ] {
        let mut scenario =
            Scenario::of(vec![Step { what: What::Errors(ratio), length: Duration::from_mins(3 * 1_440) }]);
        scenario.after = Some(Duration::from_millis(0));
        let it = played(&scenario);
        let mut cells = vec![name.to_owned()];
        let mut spent = Vec::new();
        for (severity, pairs) in [(Severity::Page, PAGE), (Severity::Ticket, TICKET)] {
            let (theory, ours) = (detection(&pairs, ratio), alert(&it, severity));
            match (theory, ours) {
                (None, None) => {
                    cells.extend(["never".to_owned(), "never".to_owned()]);
                    spent.push("-".to_owned());
                }
                (Some((seconds, share)), Some((fires, _, shown))) => {
                    // An hour is the raw hour, to an evaluation; longer windows lag by up to ten minutes, and are full of
                    // errors a step early.
                    let (early, lag) =
                        if ratio > 0.02 && severity == Severity::Page { (30.0, 60.0) } else { (330.0, 630.0) };
                    assert!(
                        fires >= seconds - early && fires <= seconds + lag,
                        "{name} {severity:?}: {fires}, not {seconds}"
                    );
                    assert!(shown >= share * 0.9, "{name} {severity:?}: {shown}, not {share}");
                    cells.extend([time(seconds), time(fires)]);
                    spent.push(format!("{:.0}% / {:.1}%", share * 100.0, shown * 100.0));
                }
                (theory, ours) => panic!("{name} {severity:?}: {theory:?} by the workbook, but {ours:?}"),
            }
        }
        cells.extend(spent);
        writeln!(page, "| {} |", cells.join(" | ")).expect("a string");
    }
    let mut reset = String::from(
        "| scenario | page fires | page resolves after the end | by the short window | ticket fires | ticket resolves after the end |\n|---|---|---|---|---|---|\n",
    );
    // Which short window holds the last of the errors: what fired last decides.
    for (text, short) in
        [("15% for 10m", 300.0), ("100% for 2m", 300.0), ("100% for 20m", 1_800.0), ("1% for 6h", 1_800.0)]
    {
        let mut scenario = from_words(text, kilter_codegen::scenario::inline).expect("a scenario");
        scenario.after = Some(Duration::from_mins(12 * 60));
        let it = played(&scenario);
        let end = (it.end() - BEGIN) as f64 / 1_000.0;
        let (fires, resolves, _) = alert(&it, Severity::Page).expect("a page");
        let after = resolves.expect("it resolves") - end;
        // It is kept for five minutes, and errors above the threshold leave the window a little before their end does.
        assert!(after <= short + 300.0 + 60.0 && after >= short * 0.5, "{text}: {after}, by a window of {short}");
        let ticket = alert(&it, Severity::Ticket).map_or_else(
            || ["-".to_owned(), "-".to_owned()],
            |(fires, resolves, _)| [time(fires), resolves.map_or("later".to_owned(), |it| time(it - end))],
        );
        let cells = [text.to_owned(), time(fires), time(after), time(short)];
        writeln!(reset, "| {} |", cells.into_iter().chain(ticket).collect::<Vec<_>>().join(" | ")).expect("a string");
    }
    in_the_docs("detection", &page);
    in_the_docs("reset", &reset);
}

/// `5m46s`, `1d`.
fn time(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    let mut rest = seconds.round() as u64;
    let mut text = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= size {
            write!(text, "{}{unit}", rest / size).expect("a string");
            rest %= size;
        }
    }
    text
}

/// The page has this table between its marks.
fn in_the_docs(name: &str, table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulate.md");
    let page = std::fs::read_to_string(&path).expect("docs/simulate.md");
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = page.find(&open).expect("a mark") + open.len();
    let end = start + page[start..].find(&close).expect("a mark");
    if std::env::var_os("KILTER_ACCEPT").is_some() {
        std::fs::write(&path, format!("{}{table}{}", &page[..start], &page[end..])).expect("a page");
        return;
    }
    assert_eq!(&page[start..end], table, "docs/simulate.md is stale; next: KILTER_ACCEPT=1, then read the diff");
}

/// What is spent is what counts for the SLO, as its rules have it: missing data that are bad, nothing of maintenance, and
/// what is bad all the time.
#[test]
fn what_is_spent_is_what_counts() {
    let mut bad = slo("bad", "0.999", events("rate(bad_total[$window])", "rate(all_total[$window])"));
    bad.no_data = NoData::Bad;
    let mut away = slo("away", "0.999", events("rate(bad_total[$window])", "rate(all_total[$window])"));
    // The steps begin on a Monday at noon.
    let schedule = vec![Weekly { days: vec![1], from: 750, to: 810 }];
    away.policy.maintenance = Some(Maintenance { promql: None, schedule });
    let estate = estate(vec![bad, away]);
    let service = &estate.services[0];
    let month = 30.0 * 1_440.0;
    // Of two hours 65 minutes are maintenance: five minutes longer, as the rate still holds it.
    for (slo, steps, background, minutes) in
        [(0, "no data for 1h", 0.0, 60.0), (1, "100% for 2h", 0.0, 55.0), (0, "healthy for 2h", 0.0005, 0.06)]
    {
        let scenario = Scenario { background, ..from_words(steps, inline).expect("a scenario") };
        let it = simulate(&Context::new(&estate, service), &service.slos[slo], &scenario).expect("an SLO");
        let spent = it.spent(it.end()).expect("it began");
        assert!((spent / (minutes / month / BUDGET) - 1.0).abs() < 0.01, "{steps}: {spent}");
        // The rules see what began and ended within five minutes a little early or late.
        let (before, after) = (it.remaining(BEGIN - 1).expect("a budget"), it.remaining(it.until()).expect("a budget"));
        assert!((before - after - spent).abs() < 6.0 / month / BUDGET, "{steps}: {spent}, {before} to {after}");
        assert_eq!(it.spent(BEGIN - 1), None);
    }
}
