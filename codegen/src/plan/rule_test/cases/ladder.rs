//! Burns that last for hours and days, on coarse grids: each pair of windows fires, by itself where another one of its
//! severity can be kept silent, as late as the workbook says and no later, and resets.
//!
//! Days of history are not fed: what the longest window of a pair holds before the burn is pressed into the first
//! evaluation interval as so many times the traffic, which is the same to windows that weigh events. Time cannot be pressed:
//! where it is weighed, the history of the pair is fed as it is.

use kilter_contract::slo as names;

use super::super::file::selector;
use super::super::measure::Row;
use super::super::stage::{Grid, Made, Stage, down_to, up_to};
use super::super::subject::{PAGE, Subject, TICKET};
use super::super::text::Told;
use super::super::theory;
use super::super::tracks::Track;
use super::super::traffic::Flow;
use super::{BELOW, RATE, kept};
use crate::model::{Duration, Severity};

/// The burns of the table: multiples of the budget.
const BURNS: [(f64, &str); 3] = [(10.0, "10x"), (3.0, "3x"), (1.5, "1.5x")];
/// Windows up to this long need evaluations at the pace of hours.
const HOURS: Duration = Duration::from_mins(12 * 60);
/// A factor must be exceeded by so much to be told from its neighbour.
const APART: f64 = 1.1;
/// And by so much to be exceeded at all, whatever floats do.
const EXCEEDED: f64 = 1.02;
/// A longer window that must stay silent holds so many times the traffic that would bring it to its threshold.
const DILUTED: u64 = 4;

/// A burn that lasts until it alerts.
struct Climb {
    told: Told<'static>,
    burn: f64,
    /// From its beginning to the alert, in full windows: by the workbook, and with what longer windows lag behind it.
    workbook: Duration,
    promised: Duration,
    /// No longer window, which is not full, can alert before it.
    single: bool,
    /// What stands still before it: pressed together (in real time), then real.
    pressed: Duration,
    real: Duration,
    grid: Grid,
    reset: Duration,
    label: Option<&'static str>,
}

/// The burns of the table, and the pairs that they do not show by themselves.
pub(super) fn all<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Vec<Made> {
    let mut made = Vec::new();
    for grid in [Grid::Hours, Grid::Days] {
        for (number, (_, label)) in BURNS.iter().enumerate() {
            let proves = format!("a burn of {label} alerts in time and resets");
            made.extend(played(first, track, grid, &proves, |it| row(it, number)));
        }
        // An SLO has as many of them as it has pairs that nothing else shows.
        let most = track.0.iter().map(|it| alone(it.subject).len()).max().unwrap_or(0);
        for number in 0..most {
            let proves = match number {
                0 => "a pair of windows alerts by itself".to_owned(),
                _ => format!("a pair of windows alerts by itself ({})", number + 1),
            };
            made.extend(played(first, track, grid, &proves, |it| alone(it).into_iter().nth(number)));
        }
    }
    made.extend(just_below(first, track, Phase::On));
    made.extend(just_below(first, track, Phase::Off));
    made
}

fn played<'a>(
    first: &'a Subject<'a>,
    track: &Track<'_, 'a>,
    grid: Grid,
    proves: &str,
    of: impl Fn(&Subject<'_>) -> Option<Climb>,
) -> Option<Made> {
    let step = grid.step();
    let climbs: Vec<_> = track.0.iter().filter(|it| it.subject.errs()).collect();
    let climbs: Vec<_> =
        climbs.into_iter().filter_map(|it| Some((it, of(it.subject).filter(|it| it.grid == grid)?))).collect();
    let ends = |climb: &Climb| {
        let began = step.plus(climb.real);
        let recovered = began.plus(fired(climb)).plus(step);
        let gone = up_to(recovered.plus(climb.reset).plus(kept(climb.told.severity)), step).plus(step.times(2));
        (began, recovered, gone)
    };
    let end = climbs.iter().map(|(_, climb)| ends(climb).2).max()?;
    let mut stage = Stage::on(first.context, track, grid, proves, end)?;
    for (driven, climb) in climbs {
        let (it, (began, recovered, gone)) = (driven.subject, ends(&climb));
        let bad = Flow::Events(climb.burn * it.budget);
        let times = climb.pressed.secs_f64() / step.secs_f64();
        let timeline = vec![
            (step, Flow::Crowd(times)),
            (climb.real, Flow::Events(0.0)),
            (recovered.minus(began), bad),
            (end.minus(recovered), Flow::Events(0.0)),
        ];
        stage.plays(driven, &timeline);
        let alert = it.alert(climb.told);
        stage.asks(it, &it.ever("", began), began, None);
        let early = began.plus(down_to(times_of(climb.workbook, BELOW), step));
        if early > began && climb.single {
            let severity = it.context.estate.policy.severities.of(climb.told.severity);
            stage.asks(it, &it.ever(severity, early), early, None);
        }
        stage.asks(it, &alert, began.plus(fired(&climb)), Some(1.0));
        stage.asks(it, &alert, gone, None);
        for other in it.others() {
            stage.asks(it, &other, end, None);
        }
        let Some(label) = climb.label else { continue };
        stage.measures(
            it,
            climb.told,
            &Row {
                label: label.to_owned(),
                burn: climb.burn,
                began,
                ended: recovered,
                end,
                detection: fired(&climb),
                reset: Some(gone.minus(recovered)),
            },
        );
        if grid == Grid::Hours && !it.slo.sli.is_time_weighted() {
            spent(&mut stage, it, &climb, (began, recovered));
        }
    }
    stage.done()
}

/// What a burn has cost when it ends: every evaluation is a point of the grid, so the workbook's share follows from counts.
fn spent(stage: &mut Stage<'_>, it: &Subject<'_>, climb: &Climb, (began, recovered): (Duration, Duration)) {
    let real = recovered.minus(began);
    let worth = climb.pressed.plus(climb.real).plus(real);
    // What went before without any event is covered time, in which the budget is taken to burn as fast.
    let covered = stage.lead.plus(recovered);
    let share = theory::budget_spent(real, climb.burn * it.budget, it.budget, it.slo.window);
    let share = share * covered.secs_f64() / worth.secs_f64();
    let left = selector(names::BUDGET_REMAINING, &it.recorded());
    let close = format!("abs(1 - {left} - {share}) < bool {}", share / 20.0);
    stage.asks_with(it, &close, recovered, &it.recorded(), 1.0);
}

/// When it has alerted, on its grid: the workbook's time, rounded up to the evaluation that sees it, plus one evaluation.
fn fired(climb: &Climb) -> Duration {
    let step = climb.grid.step();
    up_to(climb.promised, step).plus(step)
}

/// A burn of the table, when it alerts at all.
fn row(it: &Subject<'_>, number: usize) -> Option<Climb> {
    let (burn, label) = BURNS[number];
    if burn * it.budget > 1.0 {
        return None;
    }
    let both = [PAGE, TICKET].into_iter().flat_map(|told| it.pairs(told.severity).iter().map(move |pair| (told, pair)));
    let (told, pair) = both
        .filter(|(_, pair)| burn > pair.burn * EXCEEDED)
        .min_by_key(|(told, pair)| (full(it, *told, pair, burn), told.severity == Severity::Ticket))?;
    climb(it, told, pair, burn, Some(label))
}

/// The pairs that no burn of the table shows by themselves, with one that does.
fn alone(it: &Subject<'_>) -> Vec<Climb> {
    let mut all = Vec::new();
    for told in [PAGE, TICKET] {
        let pairs = it.pairs(told.severity);
        for pair in pairs.iter().skip(usize::from(told.severity == it.loudest().0.severity)) {
            // What fires only with it: shorter windows with a higher factor, longer ones with a lower.
            let above = pairs.iter().map(|it| it.burn).filter(|it| *it > pair.burn * APART);
            // A ticket by itself does not page.
            let pages = Some(theory::lowest(&it.page))
                .filter(|page| told.severity == Severity::Ticket && *page > pair.burn * APART);
            let most = above.chain(pages).fold(1.0 / it.budget, f64::min);
            let burn = (pair.burn * most).sqrt();
            let others = pairs.iter().filter(|it| *it != pair && it.burn < burn);
            let longer = others.clone().all(|it| it.long > pair.long && it.burn < pair.burn);
            let shown = BURNS.iter().enumerate().any(|(number, (burn, _))| {
                let other = pairs.iter().any(|it| it != pair && *burn * EXCEEDED >= it.burn);
                !other && row(it, number).is_some_and(|it| it.told.severity == told.severity)
            });
            // Time cannot be pressed together, so nothing silences a longer window.
            let silent = others.clone().next().is_none() || !it.slo.sli.is_time_weighted();
            if burn < pair.burn * APART || !longer || !silent || shown {
                continue;
            }
            let Some(mut climb) = climb(it, told, pair, burn, None) else { continue };
            // The longer ones are silenced by what is older than this pair's own window.
            if let Some(longest) = others.map(|it| it.long).max() {
                let threshold =
                    pairs.iter().filter(|it| it.long > pair.long).map(|it| it.burn).fold(f64::INFINITY, f64::min);
                climb.real = up_to(pair.long, climb.grid.step());
                let full = climb.promised.secs_f64() * burn / threshold;
                climb.single = true;
                climb.pressed = longest.max(times_of(Duration::from_secs(1), full)).times(DILUTED);
            }
            all.push(climb);
        }
    }
    all
}

fn climb(
    it: &Subject<'_>,
    told: Told<'static>,
    pair: &theory::Pair,
    burn: f64,
    label: Option<&'static str>,
) -> Option<Climb> {
    let grid = if pair.long <= HOURS { Grid::Hours } else { Grid::Days };
    let pairs = it.pairs(told.severity);
    let workbook = theory::workbook(pair, burn);
    // A coarse grid records few of the seconds that the low-traffic guard of a share of time asks for.
    let guarded = it.enough(burn).times(grid.step().millis().div_ceil(RATE.millis()));
    let alerts = |other: &&theory::Pair| burn * EXCEEDED > other.burn;
    Some(Climb {
        told,
        burn,
        workbook,
        promised: full(it, told, pair, burn).filter(|promised| guarded <= *promised)?,
        single: !pairs.iter().filter(alerts).any(|other| other.long > pair.long),
        pressed: pair.long.minus(workbook).max(grid.step()),
        real: if it.slo.sli.is_time_weighted() { up_to(pair.long, grid.step()) } else { Duration::ZERO },
        grid,
        // Only what may have fired has to end.
        reset: theory::reset(&pairs.iter().filter(alerts).copied().collect::<Vec<_>>()),
        label,
    })
}

/// When a pair alerts whose windows are full.
fn full(it: &Subject<'_>, told: Told<'_>, pair: &theory::Pair, burn: f64) -> Option<Duration> {
    theory::detection_of(pair, it.pairs(told.severity), it.budget, burn * it.budget, pair.long)
}

/// Whether samples and changes meet evaluations. The other burns are only shown where they do: long windows read what was
/// recorded, which is on the grid by itself, and what is scraped beside it is in the five-minute rate alone.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    On,
    Off,
}

/// Below the lowest threshold of all nothing fires at all; below that of pages, nothing pages, but a ticket comes. The
/// history is young, so every window sees the burn itself.
fn just_below<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, phase: Phase) -> Option<Made> {
    let step = Grid::Hours.step();
    let before = Duration::from_mins(40);
    // Seven such samples end one second after an evaluation, and 56 eight.
    let (samples, late, proves) = match phase {
        Phase::On => (Grid::Hours.samples(), 0, "slow burn tickets, and just below a threshold is silent"),
        Phase::Off => (Duration::from_secs(43), 8, "slow burn off the grid tickets, and just below one is silent"),
    };
    let struck: Vec<_> = track.0.iter().filter(|it| it.subject.errs()).collect();
    let lengths = |it: &Subject<'_>| {
        let slow = BELOW * theory::lowest(&it.page);
        // With a very low objective both severities have the same factor: nothing tickets that does not page.
        let apart = !it.page.is_empty() && slow > 1.2 * theory::lowest(&it.ticket);
        let after = up_to(it.enough(slow).times(2).plus(before), step);
        apart.then_some((slow, after))
    };
    let end =
        struck.iter().filter_map(|it| lengths(it.subject)).map(|(_, after)| before.plus(after)).max().unwrap_or(before);
    let mut stage = Stage::on(first.context, track, Grid::Hours, proves, end)?;
    // A lead on their grid is none on that of the samples.
    if phase == Phase::Off && stage.lead > Duration::ZERO {
        return None;
    }
    stage = stage.sampled(samples);
    for driven in struck {
        let it = driven.subject;
        let quiet = BELOW * theory::lowest(&it.ticket).min(theory::lowest(&it.page));
        let mut timeline = vec![(before.plus(Duration::from_secs(late)), Flow::Events(quiet * it.budget))];
        let mut end = before;
        stage.asks(it, &it.ever("", before), before, None);
        if let Some((slow, after)) = lengths(it) {
            timeline.push((up_to(after, samples), Flow::Events(slow * it.budget)));
            end = before.plus(after);
            stage.asks(it, &it.alert(TICKET), end, Some(1.0));
            stage.asks(it, &it.ever(&it.context.estate.policy.severities.page, end), end, None);
        }
        for other in it.others() {
            stage.asks(it, &other, end, None);
        }
        stage.plays(driven, &timeline);
    }
    stage.done()
}

fn times_of(duration: Duration, factor: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    Duration::from_millis((duration.secs_f64() * 1_000.0 * factor) as u64)
}
