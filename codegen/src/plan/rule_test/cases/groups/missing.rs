//! Missing data, group by group, and what is recorded where nothing happens.

use kilter_contract::slo as names;

use super::super::super::super::maintenance::has_measured;
use super::super::super::file::selector;
use super::super::super::stage::{Grid, Stage};
use super::super::super::subject::{MISSING_PAGE, MISSING_TICKET, Subject};
use super::{Ask, Group, Phase, own};
use crate::model::{Duration, Severity};

pub(super) const IDLE: &str = "no events";
const FEW: &str = "few events";
const DAY: u64 = 24 * 60;

pub(super) fn groups(it: &Subject<'_>) -> Vec<Group> {
    let of = |grid, name: &str, phases: Vec<Phase>, asks| Group { grid, name: name.to_owned(), phases, asks };
    let hours = |name: &str, phases, asks| of(Grid::Hours, name, phases, asks);
    let idle = hours(IDLE, vec![(60, Some(0.0), Some(0.0))], vec![]);
    let few = hours(FEW, vec![(60, Some(0.0005), Some(0.001))], vec![]);
    let Some(severity) = it.missing else { return vec![idle, few] };
    let pages = severity == Severity::Page;
    let fires = |told, at| Ask::Fires(told, at, true);
    let not = |told, at| Ask::Fires(told, at, false);
    let some = (Some(0.0), Some(0.5));
    let mut all = vec![
        idle,
        few,
        hours("always there", vec![(150, some.0, some.1)], vec![Ask::Silent(MISSING_TICKET, 145, 145)]),
        // Less than one event a second, until the tenth minute; the page forgets it after an hour.
        hours(
            "vanished",
            vec![(10, some.0, some.1)],
            vec![Ask::Fires(MISSING_PAGE, 45, pages), not(MISSING_PAGE, 80), fires(MISSING_TICKET, 45)],
        ),
        hours("vanished without events", vec![(10, Some(0.0), Some(0.0))], vec![not(MISSING_PAGE, 45)]),
        hours(
            "a gap",
            vec![(20, some.0, some.1), (5, None, None), (20, some.0, some.1)],
            vec![Ask::Silent(MISSING_PAGE, 40, 40), Ask::Silent(MISSING_TICKET, 40, 40)],
        ),
        hours("no errors are known", vec![(40, None, some.1)], vec![fires(MISSING_TICKET, 30)]),
    ];
    // Where missing data count as errors, errors are known of what nobody measures.
    if !has_measured(it.slo) {
        all.push(hours("only errors are known", vec![(40, some.1, None)], vec![fires(MISSING_TICKET, 30)]));
    }
    all.extend([
        of(Grid::Days, "always there", vec![(DAY + 300, some.0, some.1)], vec![]),
        of(
            Grid::Days,
            "vanished",
            vec![(120, some.0, some.1)],
            vec![fires(MISSING_TICKET, 120 + 20 * 60), not(MISSING_TICKET, 120 + DAY + 120)],
        ),
    ]);
    all
}

/// No events have no burn rate, few have one, and a period that is more than full counts as full.
pub(super) fn recorded(stage: &mut Stage<'_>, it: &Subject<'_>) {
    let idle = own(it, IDLE);
    let mut windows: Vec<Duration> = it.page.iter().chain(&it.ticket).flat_map(|it| [it.long, it.short]).collect();
    windows.sort_unstable();
    windows.dedup();
    let mut series: Vec<String> = windows.iter().map(|it| names::burn_rate(&it.to_string())).collect();
    series.push(names::PERIOD_BURN_RATE.to_owned());
    let any: Vec<String> = series.iter().map(|name| selector(name, &idle)).collect();
    stage.asks(it, &any.join(" or "), Duration::from_mins(30), None);
    // Few events spend a budget too.
    let few = own(it, FEW);
    let spent = format!("{} > bool 0", selector(names::PERIOD_BURN_RATE, &few));
    stage.asks_with(it, &spent, Duration::from_mins(30), &few, 1.0);
    let full = own(it, "a full period");
    stage.feeds(selector(names::PERIOD_BURN_RATE, &full), None, "0.5+0x30");
    stage.feeds(selector(names::PERIOD_COVERAGE, &full), None, "1.05+0x30");
    stage.asks(it, &selector(names::BUDGET_REMAINING, &full), Duration::from_mins(20), Some(0.5));
}
