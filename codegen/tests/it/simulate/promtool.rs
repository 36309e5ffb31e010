//! Scenarios by chance, evaluated by ours and by the real promtool: at the same evaluations each alert fires, and burn
//! rates, budget and coverage have the same values.
//!
//! `KILTER_CASES` scenarios (30) from `KILTER_SEED` on. Each is an SLO of its own with another objective and other
//! policies, or a group of one SLO. What promtool is fed is what a Prometheus would have scraped in the scenario.

use std::fmt::Write as _;

use kilter_codegen::diagnostic::Findings;
use kilter_codegen::load::{SourceFile, Sources};
use kilter_codegen::model::{Duration, Maintenance, NoData, Slo, Weekly};
use kilter_codegen::plan::context::Context;
use kilter_codegen::replay::{Pair, Replay, Rules};
use kilter_codegen::scenario::{self, Scenario as Happens};

use crate::property::given;
use crate::property::input::Dice;
use crate::scenarios::{Scenario, check};
use crate::support::{estate, events, slo};

/// What is compared.
struct Case {
    slo: String,
    group: Option<String>,
    text: String,
    rules: Rules,
    pair: Pair,
}

#[test]
fn alerts_fire_when_promtool_says_so() {
    let (cases, first) = (given("KILTER_CASES", 30), given("KILTER_SEED", 1));
    // The interval of our rules, and one that does not divide the grid of five minutes. A query may hold 10,000 samples, so
    // that a service has few SLOs.
    let batches = (0..cases.div_ceil(BATCH)).map(|number| {
        let mut dice = Dice::new(first + number * 1_000);
        compare(&mut dice, if number % 2 == 0 { 30 } else { 35 })
    });
    let (all, fired): (Vec<Scenario>, Vec<usize>) = batches.unzip();
    let fired: usize = fired.iter().sum();
    assert!(fired as u64 * 2 >= cases, "{fired} alerts of {cases} scenarios: they prove little");
    check(&all);
}

/// Scenarios of one service, and how long they take.
const BATCH: u64 = 15;
const SECONDS: u64 = 3 * 3_600;

/// A service with so many scenarios; the questions to promtool, and how many alerts fire.
fn compare(dice: &mut Dice, interval: u64) -> (Scenario, usize) {
    let (cases, groups, seconds) = (BATCH, BATCH / 5, SECONDS);
    let mut slos: Vec<Slo> = (groups..cases).map(|number| policies(dice, number)).collect();
    let mut grouped =
        slo("grouped", "0.99", events("rate(bad_total{slo=\"\"}[$window])", "rate(all_total{slo=\"\"}[$window])"));
    grouped.by = vec!["case".to_owned()];
    slos.push(grouped);
    let estate = estate(slos);
    let context = Context::new(&estate, &estate.services[0]);
    let mut promtool = Scenario::new("by chance", &estate, 1).every(interval);
    let mut all = Vec::new();
    for number in 0..cases {
        let (slo, group) = if number < groups {
            ("grouped".to_owned(), Some(number.to_string()))
        } else {
            (format!("s{number}"), None)
        };
        let (text, mut happens) = happening(dice);
        let mut rules = Rules::of(&context, &slo.parse().expect("a name")).expect("the rules of an SLO");
        // promtool evaluates every group at one interval.
        rules.budget_interval = Duration::from_secs(interval);
        happens.history = Some(Duration::from_mins(dice.below(18) as u64 * 5));
        happens.after = Some(Duration::from_secs(seconds));
        let (from, _) = happens.span(&rules);
        let until = from + i64::try_from(seconds * 1_000).expect("milliseconds");
        let label = group.as_ref().map_or_else(|| format!("slo=\"{slo}\""), |it| format!("case=\"{it}\""));
        let counters = happens.counters(from, until);
        promtool.feed(format!("all_total{{{label}}}"), samples(counters.iter().map(|it| (it.0 - from, it.1))));
        promtool.feed(format!("bad_total{{{label}}}"), samples(counters.iter().map(|it| (it.0 - from, it.2))));
        let sli = &estate.services[0].slos[0].sli;
        let mut pair = happens.pair(&rules, sli, Duration::from_secs(interval));
        pair.start = 0;
        let evaluations = usize::try_from(seconds / interval).expect("a number") + 1;
        pair.error.truncate(evaluations);
        pair.total.truncate(evaluations);
        all.push(Case { slo, group, text, rules, pair });
    }
    let end = seconds / interval * interval;
    let (mut fired, mut said) = (0, String::new());
    for case in &all {
        let replay = case.rules.replay(&case.pair);
        fired += ask(&mut promtool, case, &replay, interval, end, &mut said);
    }
    println!("{said}");
    (promtool, fired)
}

/// An SLO with a mix of policies, not too many: those that are alike share rules.
fn policies(dice: &mut Dice, number: u64) -> Slo {
    let own = format!("{{slo=\"s{number}\"}}");
    let sli = events(&format!("rate(bad_total{own}[$window])"), &format!("rate(all_total{own}[$window])"));
    let mut it = slo(&format!("s{number}"), dice.one(&["0.999", "0.999", "0.99", "0.95"]), sli);
    match dice.below(6) {
        0 => it.min_errors = 0,
        1 => it.no_data = NoData::Bad,
        2 => it.no_data = NoData::Ticket,
        3 => it.window = Duration::from_mins(7 * 1_440),
        // promtool's clock begins on a Thursday at midnight.
        4 => {
            let schedule = vec![Weekly { days: vec![4], from: 70, to: 100 }];
            it.policy.maintenance = Some(Maintenance { promql: None, schedule });
        }
        _ => {}
    }
    it
}

fn happening(dice: &mut Dice) -> (String, Happens) {
    let mut text = String::new();
    for step in 0..=1 + dice.below(3) {
        let ratio =
            |dice: &mut Dice| dice.one(&["100%", "100%", "60%", "60%", "17%", "17%", "7%", "3.1%", "1.1%", "0.23%"]);
        let length = |dice: &mut Dice| {
            let most = [300, 600, 1_500, 2_400][dice.below(4)];
            format!("{}s", 20 + dice.below(most))
        };
        if step > 0 {
            text.push_str(" then ");
        }
        match dice.below(11) {
            0..=4 => write!(text, "{} for {}", ratio(dice), length(dice)),
            5 => write!(text, "ramp {} to {} over {}", ratio(dice), ratio(dice), length(dice)),
            6 => write!(
                text,
                "flapping {} for {}s every {}s over 35m",
                ratio(dice),
                25 + dice.below(60),
                100 + dice.below(500)
            ),
            7 => write!(text, "healthy for {} then deploy", length(dice)),
            8 => write!(text, "no data for {}", length(dice)),
            9 => write!(text, "no traffic for {}", length(dice)),
            _ => write!(text, "daily 0% to {} for {}", ratio(dice), length(dice)),
        }
        .expect("a string");
    }
    let mut happens = from_words(&text, scenario::inline).expect("a scenario");
    let traffic = dice.one(&["", "", "50/s", "3/s", "100/h", "30/h"]);
    if !traffic.is_empty() {
        happens.traffic = from_words(traffic, scenario::traffic).expect("traffic");
    }
    let every = [10, 15, 15, 30, 50, 60][dice.below(6)];
    happens.scrape.interval = Duration::from_secs(every as u64);
    happens.scrape.phase = Duration::from_secs(dice.below(every) as u64);
    (format!("{text}, {traffic} scraped every {every}s"), happens)
}

pub(super) fn from_words<T>(text: &str, read: impl Fn(&mut Findings<'_>) -> Option<T>) -> Option<T> {
    let mut sources = Sources::default();
    sources.files.push(SourceFile { path: "--scenario".to_owned(), text: text.to_owned() });
    let mut found = Vec::new();
    let made = read(&mut Findings::new(0, &sources, &mut found));
    assert!(found.is_empty(), "{text}: {found:?}");
    made
}

/// Samples at whole seconds in promtool's notation with an interval of one second.
fn samples(all: impl Iterator<Item = (i64, f64)>) -> String {
    let (mut text, mut next) = (String::new(), 0);
    for (at, value) in all {
        let second = at / 1_000;
        if second > next {
            write!(text, "_x{} ", second - next).expect("a string");
        }
        write!(text, "{value} ").expect("a string");
        next = second + 1;
    }
    text.trim_end().to_owned()
}

/// Asks promtool what ours found; how many alerts fired.
fn ask(promtool: &mut Scenario, case: &Case, replay: &Replay, interval: u64, end: u64, said: &mut String) -> usize {
    let group = case.group.as_ref().map_or(String::new(), |it| format!(",case=\"{it}\""));
    let own = format!("slo=\"{}\"{group}", case.slo);
    writeln!(said, "{own}: {}", case.text).expect("a string");
    let mut fired = 0;
    for alert in &replay.alerts {
        let name = format!("alertname=\"{}\",severity=\"{}\"", alert.name, alert.severity.as_str());
        let query = format!("ALERTS{{alertstate=\"firing\",{name},{own}}}");
        let end_of = |until: Option<i64>| until.map_or(end + interval, |it| u64::try_from(it / 1_000).expect("a time"));
        let times = alert.firings.iter().flat_map(|it| {
            (u64::try_from(it.from / 1_000).expect("a time")..end_of(it.until))
                .step_by(usize::try_from(interval).expect("seconds"))
        });
        let times: Vec<u64> = times.collect();
        if times.is_empty() {
            promtool.none(&format!("count_over_time({query}[{end}s])"), end);
            continue;
        }
        fired += 1;
        writeln!(
            said,
            "  {name}: {:?}",
            alert.firings.iter().map(|it| (it.from / 1_000, it.until.map(|it| it / 1_000))).collect::<Vec<_>>()
        )
        .expect("a string");
        promtool.is(&format!("sum(count_over_time({query}[{end}s]))"), end, times.len() as f64);
        let sum: u64 = times.iter().sum();
        promtool.is(&format!("sum(sum_over_time(timestamp({query})[{end}s:{interval}s]))"), end, sum as f64);
    }
    for part in [3, 5, 8, 10] {
        let index = replay.budget.len() * part / 10 - 1;
        let at = interval * index as u64;
        for burn in &replay.burn {
            same(promtool, &format!("slo:burn_rate:{}{{{own}}}", burn.window), at, burn.at(index));
        }
        let budget = replay.budget[index];
        same(promtool, &format!("slo:error_budget_remaining:ratio{{{own}}}"), at, budget.remaining);
        same(promtool, &format!("slo:period_coverage:ratio{{{own}}}"), at, budget.coverage);
    }
    fired
}

/// A value is the same to nine digits, or there is none.
fn same(promtool: &mut Scenario, query: &str, at: u64, value: Option<f64>) {
    match value {
        None => promtool.none(query, at),
        Some(value) => {
            let near = (value.abs() * 1e-9).max(1e-12);
            promtool.is(&format!("count(abs({query} - {value:e}) < {near:e})"), at, 1.0);
        }
    }
}
