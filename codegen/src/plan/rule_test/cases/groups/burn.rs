//! A burning budget, pair by pair.

use super::super::super::stage::Grid;
use super::super::super::subject::{PAGE, Subject, TICKET};
use super::super::super::text::Told;
use super::super::super::theory::Pair;
use super::super::kept;
use super::{Ask, Group, HOURS, Phase};
use crate::model::{Duration, Severity};

/// Times the factor: what a pair's own burn is, so that neither half nor twice the factor tells it from others.
const HIGH: f64 = 1.4;
/// What its short window is left with.
const LEFT: f64 = 0.7;
/// Half of the steps each, where the short window is longer than a step: on average as much.
const SWING: [f64; 2] = [0.2, 1.2];
/// A burst of one step: a twelfth of it is below the factor, and two are above.
const BURST: f64 = 6.6;
/// Errors that are too few, and that are enough with them: parts of `min_errors`.
const FEW_ERRORS: f64 = 0.8;
const MORE_ERRORS: f64 = 0.45;
/// Events without errors between them.
const REST: f64 = 0.25;
/// Windows below an hour are no whole number of steps.
const SHORTEST: u64 = 60;
/// Those of more than three days hold more points than promtool reads.
const LONGEST: u64 = 3 * 24 * 60;
/// Windows up to this long count errors by the average of what there is, which a history that is young misjudges.
const AVERAGED: u64 = 120;

pub(super) fn groups(it: &Subject<'_>) -> Vec<Group> {
    let mut all = Vec::new();
    for told in [PAGE, TICKET] {
        let pairs = it.pairs(told.severity);
        for (number, pair) in pairs.iter().enumerate() {
            let name = format!("{} {}", told.severity.as_str(), number + 1);
            all.extend(
                by_itself(it, told, pairs, pair).map(|group| Group { name: format!("{name}, its burn"), ..group }),
            );
            all.extend(
                guard(it, told, pairs, pair).map(|group| Group { name: format!("{name}, few errors"), ..group }),
            );
        }
    }
    all.extend(tiles(it));
    all.extend(ends(it));
    all
}

fn minutes(duration: Duration) -> u64 {
    duration.millis() / 60_000
}

/// The grid that a pair needs, and its step.
fn grid(pair: &Pair) -> (Grid, u64) {
    let grid = if minutes(pair.long) <= HOURS { Grid::Hours } else { Grid::Days };
    (grid, minutes(grid.step()))
}

fn up(minutes: f64, step: u64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "minutes of a test")]
    let whole = minutes.ceil() as u64;
    whole.div_ceil(step) * step
}

/// Events per second of a healthy group, so that the guard decides nothing.
fn plenty(it: &Subject<'_>, pair: &Pair) -> f64 {
    (100.0 * f64::from(it.slo.min_errors) / (pair.burn * it.budget * pair.long.secs_f64())).max(1.0)
}

/// The pairs with a longer window, and whether they still see what went before all these minutes.
fn longer<'p>(pairs: &'p [Pair], pair: &Pair, length: u64) -> (Vec<&'p Pair>, bool) {
    let longer: Vec<&Pair> = pairs.iter().filter(|it| it.long > pair.long).collect();
    let see = longer.iter().all(|it| minutes(it.long) > length + 5);
    (longer, see)
}

/// So much goes before it that longer windows see nothing.
fn by_itself(it: &Subject<'_>, told: Told<'static>, pairs: &[Pair], pair: &Pair) -> Option<Group> {
    let ((grid, step), long, short) = (grid(pair), minutes(pair.long), minutes(pair.short));
    let (keep, events) = (minutes(kept(told.severity)), plenty(it, pair));
    let rate = |times: f64| Some(times * pair.burn * it.budget * events);
    let off = up(0.6 * short as f64, step) + keep.max(step);
    let begin = step + long;
    let (longer, see) = longer(pairs, pair, begin + long + off);
    let others = pairs.iter().filter(|it| it.long < pair.long);
    let alone = others.clone().all(|it| HIGH * pair.burn * 1.02 < it.burn);
    if !(SHORTEST..=LONGEST).contains(&long) || !see || !alone {
        return None;
    }
    let lowest = longer.iter().map(|it| it.burn).fold(f64::INFINITY, f64::min).min(pair.burn);
    let crowd = 20.0 * HIGH * pair.burn / lowest * events * long as f64 / step as f64;
    let mut phases: Vec<Phase> =
        vec![(step, Some(0.0), Some(crowd)), (long, Some(0.0), Some(events)), (long, rate(HIGH), Some(events))];
    if short >= 30 && short >= 2 * step {
        for number in 0..off / step {
            phases.push((step, rate(SWING[usize::from(number % 2 == 1)]), Some(events)));
        }
    } else {
        phases.push((off, rate(LEFT), Some(events)));
    }
    let early = long * 3 / 5 / step * step;
    let mut asks = vec![
        Ask::Silent(told, begin + early, begin + early),
        Ask::Fires(told, begin + up(0.9 * long as f64, step), true),
        Ask::Fires(told, begin + long + off, false),
    ];
    if short <= step {
        // The short window is below from now on: only for as long as it is kept.
        asks.push(Ask::Fires(told, begin + long, true));
    }
    Some(Group { grid, name: String::new(), phases, asks })
}

/// Everything fails, but hardly anything happens.
fn guard(it: &Subject<'_>, told: Told<'static>, pairs: &[Pair], pair: &Pair) -> Option<Group> {
    let ((grid, step), long, short) = (grid(pair), minutes(pair.long), minutes(pair.short));
    let enough = f64::from(it.slo.min_errors);
    if enough == 0.0 || !(SHORTEST..=LONGEST).contains(&long) {
        return None;
    }
    let burst = up(long as f64 / 12.0, step).max(if short <= step { 3 } else { 2 } * step);
    // The window sees both of them, also one that is open on its left.
    let apart = (long * 3 / 5).min(long.saturating_sub(2 * burst + step)) / step * step;
    let last = pairs.iter().all(|it| it.long <= pair.long);
    let start = match last {
        true if long > AVERAGED => 0,
        true => long,
        false => step + long,
    };
    let first = start + burst;
    let second = first + apart + burst;
    let third = second + long + step + burst;
    if !last && !longer(pairs, pair, third).1 {
        return None;
    }
    let each = |part: f64, minutes: u64| Some(part * enough / (minutes * 60) as f64);
    let failing = |part: f64| (burst, each(part, burst), each(part, burst));
    let rest = |minutes: u64| (minutes, Some(0.0), each(REST, long));
    let crowd = (step, Some(0.0), each(100.0 / it.budget, step));
    let mut phases: Vec<Phase> = match last {
        true if long > AVERAGED => vec![],
        true => vec![rest(long)],
        false => vec![crowd, rest(long)],
    };
    phases.extend([failing(FEW_ERRORS), rest(apart), failing(MORE_ERRORS), rest(long + step), failing(FEW_ERRORS)]);
    phases.push(rest(step));
    let asks = vec![
        Ask::Silent(told, first + apart, first + apart),
        Ask::Fires(told, second, true),
        Ask::Silent(told, burst + step, third),
    ];
    Some(Group { grid, name: String::new(), phases, asks })
}

/// One step that burns, with and without one before it: of an hour that is summed up from its tiles.
fn tiles(it: &Subject<'_>) -> Vec<Group> {
    let (told, pairs) = it.loudest();
    let Some(pair) = pairs.first().filter(|pair| minutes(pair.long) == 60) else { return vec![] };
    let (longer, see) = longer(pairs, pair, 90);
    if !see || BURST * pair.burn * it.budget > 1.0 {
        return vec![];
    }
    let events = plenty(it, pair);
    let lowest = longer.iter().map(|it| it.burn).fold(f64::INFINITY, f64::min).min(pair.burn);
    let crowd = 20.0 * BURST * pair.burn / lowest * events * 12.0;
    let of = |name: &str, gap: u64| {
        let mut phases: Vec<Phase> = vec![(5, Some(0.0), Some(crowd)), (60, Some(0.0), Some(events))];
        phases.extend((gap > 0).then_some((gap, None, None)));
        phases.push((5, Some(BURST * pair.burn * it.budget * events), Some(events)));
        phases.push((15, Some(0.0), Some(events)));
        let end = phases.iter().map(|it| it.0).sum::<u64>();
        Group { grid: Grid::Hours, name: name.to_owned(), phases, asks: vec![Ask::Silent(told, end - 5, end - 5)] }
    };
    vec![of("one step", 0), of("one step after a gap", 5)]
}

/// Everything fails; then comes so much that no window sees it any more.
fn ends(it: &Subject<'_>) -> Option<Group> {
    let failing = 60;
    let events = 1.0_f64.max(100.0 * f64::from(it.slo.min_errors) / 3_600.0);
    let crowd = 6_000.0 * events / it.budget;
    let mut asks = Vec::new();
    for told in [PAGE, TICKET].into_iter().filter(|told| !it.pairs(told.severity).is_empty()) {
        let keep = minutes(kept(told.severity));
        asks.push(Ask::Fires(told, failing + keep - 5, true));
        // By now all factors of all policies are exceeded.
        asks.push(Ask::Alone(told, failing + keep - 5));
        asks.push(Ask::Fires(told, failing + keep + 5, false));
    }
    let after = minutes(kept(Severity::Ticket)) + 15;
    let phases = vec![(failing, Some(events), Some(events)), (after, Some(0.0), Some(crowd))];
    (!asks.is_empty()).then(|| Group { grid: Grid::Hours, name: "all fails, then nothing".to_owned(), phases, asks })
}
