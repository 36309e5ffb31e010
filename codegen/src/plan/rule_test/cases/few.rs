//! Few events, one in two seconds, and failures that no series counts until the first of them: no error is no missing data,
//! and a rate below one is a rate.

use kilter_contract::slo as names;

use super::super::file::selector;
use super::super::inputs::{Raw, Samples};
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::Subject;
use super::super::tracks::{Driven, Track};
use super::super::traffic::{Flow, Timeline};
use crate::model::{Duration, EventSide, Sli};

const BORN: Duration = Duration::from_mins(20);
const FAILING: Duration = Duration::from_mins(10);
/// Then four times as many events, for less than the rate's window, after as little of the old pace.
const CALM: Duration = Duration::from_mins(2);
const MORE: Duration = Duration::from_mins(3);
/// The part of them that fails.
const RATIO: f64 = 0.5;

/// A test for each set of SLOs that count nothing of each other: there are too few events to hide another's.
pub(super) fn all<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Vec<Made> {
    let counts = |it: &Subject<'_>| it.inputs.series.iter().all(|raw| matches!(raw.samples, Samples::Counter(_)));
    // Maintenance would leave some of them out.
    let fits = |it: &Subject<'_>| it.errs() && counts(it) && it.slo.policy.maintenance.is_none();
    let few: Vec<&Driven<'_, 'a>> = track.0.iter().filter(|it| fits(it.subject)).collect();
    let says_good = |it: &&Driven<'_, 'a>| {
        matches!(it.subject.slo.sli, Sli::Events { side: EventSide::Good(_), .. }) && it.subject.inputs.series.len() > 1
    };
    let good: Vec<&Driven<'_, 'a>> = few.iter().copied().filter(says_good).collect();
    let named = |proves: &str, number: usize| match number {
        0 => proves.to_owned(),
        _ => format!("{proves} ({})", number + 1),
    };
    let mut made = Vec::new();
    for (number, of) in apart(few).into_iter().enumerate() {
        made.extend(played(first, track, &of, &named("few events, and the first failure is counted", number)));
    }
    for (number, of) in apart(good).into_iter().enumerate() {
        made.extend(first_success(first, track, &of, &named("few events, and none is good yet", number)));
    }
    made
}

fn apart<'d, 'c, 'a>(mut open: Vec<&'d Driven<'c, 'a>>) -> Vec<Vec<&'d Driven<'c, 'a>>> {
    let mut sets = Vec::new();
    while !open.is_empty() {
        let (mut apart, mut left): (Vec<&Driven<'_, 'a>>, Vec<&Driven<'_, 'a>>) = (Vec::new(), Vec::new());
        for it in open {
            let (own, slo) = (&it.subject.inputs, it.subject.slo);
            let meets = |other: &&Driven<'_, 'a>| other.subject.inputs.feed(slo) || own.feed(other.subject.slo);
            if apart.iter().any(meets) { left.push(it) } else { apart.push(it) }
        }
        sets.push(apart);
        open = left;
    }
    sets
}

/// Where good events are counted, no series of them means that none was good.
fn first_success<'a>(
    first: &'a Subject<'a>,
    track: &Track<'_, 'a>,
    of: &[&Driven<'_, 'a>],
    proves: &str,
) -> Option<Made> {
    let end = BORN.plus(FAILING);
    let mut stage = Stage::on(first.context, track, Grid::Hours, proves, end)?;
    for driven in of {
        let it = driven.subject;
        let (before, after): (Timeline, Timeline) =
            (vec![(BORN, Flow::Events(1.0))], vec![(FAILING, Flow::Events(0.0))]);
        let born = |raw: &Raw| matches!(raw.samples, Samples::Counter(counts) if counts.good && !counts.bad);
        stage.plays_few(driven, &before, &after, born);
        let [error, total] = [names::ERROR_RATE, names::TOTAL_RATE].map(|name| selector(name, &it.recorded()));
        let all = format!("abs({error} / ({total} > 0) - 1) < bool 0.05");
        stage.asks_with(it, &all, BORN.minus(Grid::Hours.step()), &it.recorded(), 1.0);
        stage.asks_with(it, &format!("abs({error}) < bool 0.000001"), end, &it.recorded(), 1.0);
    }
    stage.done()
}

fn played<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, of: &[&Driven<'_, 'a>], proves: &str) -> Option<Made> {
    let failed = BORN.plus(FAILING);
    let end = failed.plus(CALM).plus(MORE);
    let mut stage = Stage::on(first.context, track, Grid::Hours, proves, end)?;
    for driven in of {
        let it = driven.subject;
        let before: Timeline = vec![(BORN, Flow::Events(0.0))];
        let after: Timeline = vec![(FAILING, Flow::Events(RATIO)), (CALM, Flow::Events(0.0)), (MORE, Flow::Crowd(4.0))];
        // What counts failures only is born with them.
        let born = |raw: &Raw| matches!(raw.samples, Samples::Counter(counts) if !counts.good);
        stage.plays_few(driven, &before, &after, born);
        stage.plays_older(driven, end);
        let calm = BORN.minus(Grid::Hours.step());
        let error = selector(names::ERROR_RATE, &it.recorded());
        stage.asks_with(it, &format!("abs({error}) < bool 0.000001"), calm, &it.recorded(), 1.0);
        stage.asks(it, &it.ever("", calm), calm, None);
        let rate = it.burning();
        let close = format!("abs({rate} / {} - 1) < bool 0.05", RATIO / it.budget);
        stage.asks_with(it, &close, failed, &it.recorded(), 1.0);
        if it.slo.sli.red().is_some() {
            // Two minutes of one in two seconds, three of two a second; one interval less when a window is open on its left.
            let events = selector(names::TOTAL_RATE, &it.recorded());
            let pace = it.context.estate.time_scale.divisor() as f64;
            let close = format!("abs({events} / {pace} - 1.5) < bool 0.25");
            stage.asks_with(it, &close, end, &it.recorded(), 1.0);
        }
    }
    stage.done()
}
