//! A full outage, at the pace of production: what pages first, as early as the workbook says, once, and how it ends.

use super::super::measure::Row;
use super::super::stage::{Grid, Made, Stage, up_to};
use super::super::subject::Subject;
use super::super::theory;
use super::super::tracks::Track;
use super::super::traffic::Flow;
use super::{RATE, kept};
use crate::model::Duration;

/// Resets that take longer than this are not waited for.
const WAITED_FOR: Duration = Duration::from_mins(40);
/// Samples that come one second after the rules' grid every 30 samples, and so does the incident.
const OFF: Duration = Duration::from_secs(31);
/// Below this part of its factor a pair is silent for sure.
const SURELY: f64 = 0.95;
/// Evaluation interval.
const STEP: Duration = Grid::Fine.step();

/// The hour before the outage is real; what the longer windows of pages hold beside it is pressed into the first
/// minutes, so that only the first pair can be early.
pub(super) fn on_the_grid<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Option<Made> {
    played(first, track, "a full outage alerts in time, once, and recovery resolves it", Phase::On)
}

/// The same one second after an evaluation, with samples that come at every second of the rules' grid.
pub(super) fn off_the_grid<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Option<Made> {
    played(first, track, "a full outage one second off the grid alerts in time", Phase::Off)
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    On,
    Off,
}

/// One SLO's part.
struct Part {
    timeline: Vec<(Duration, Flow)>,
    began: Duration,
    detected: Duration,
    recovered: Duration,
    gone: Option<Duration>,
}

fn played<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, proves: &str, phase: Phase) -> Option<Made> {
    let struck: Vec<_> = track.0.iter().filter(|it| it.subject.errs()).collect();
    let parts: Vec<Part> = struck.iter().map(|it| part(it.subject, phase)).collect();
    let end = parts.iter().map(|it| it.gone.unwrap_or(it.recovered)).max()?.plus(STEP);
    let mut stage = Stage::on(first.context, track, Grid::Fine, proves, end)?;
    if phase == Phase::Off {
        // A lead on their grid is none on that of the samples.
        if stage.lead > Duration::ZERO {
            return None;
        }
        stage = stage.sampled(OFF);
    }
    for (driven, part) in struck.iter().zip(parts) {
        let it = driven.subject;
        let mut timeline = part.timeline;
        timeline.push((up_to(end.minus(part.recovered), OFF), Flow::Events(0.0)));
        stage.plays(driven, &timeline);
        let (told, _) = it.loudest();
        let alert = it.alert(told);
        stage.asks(it, &it.ever("", part.began), part.began, None);
        stage.asks(it, &alert, up_to(part.began.plus(part.detected), STEP), Some(1.0));
        if phase == Phase::Off {
            continue;
        }
        if let Some(gone) = part.gone {
            stage.asks(it, &alert, gone, None);
        }
        // One alert is as many samples as there are evaluations from its first to its last one.
        let (all, step) = (format!("{alert}[{}:{}]", it.time(end), it.time(STEP)), it.time(STEP).secs_text());
        let time = format!("timestamp({alert})[{}:{}]", it.time(end), it.time(STEP));
        let pieces = format!("count_over_time({all}) - (max_over_time({time}) - min_over_time({time})) / {step}");
        stage.asks_with(it, &pieces, end, &it.firing(told), 1.0);
        for other in it.others() {
            stage.asks(it, &other, end, None);
        }
        let row = Row {
            label: "100%".to_owned(),
            burn: 1.0 / it.budget,
            began: part.began,
            ended: part.recovered,
            end,
            detection: part.detected,
            reset: part.gone.map(|gone| gone.minus(part.recovered)),
        };
        stage.measures(it, told, &row);
    }
    if phase == Phase::On {
        // Beside all that are fed themselves.
        struck.iter().for_each(|driven| stage.neighbours(driven, end));
    }
    stage.done()
}

fn part(it: &Subject<'_>, phase: Phase) -> Part {
    let (told, pairs) = it.loudest();
    let first = pairs.first().map_or(RATE, |pair| pair.long);
    let longest = pairs.iter().map(|pair| pair.long).max().unwrap_or(RATE);
    let samples = if phase == Phase::On { Grid::Fine.samples() } else { OFF };
    let crowd = up_to(RATE, samples);
    // What is real of the history: the window that decides early, as long as it is no longer than hours.
    let (real, whole) = match phase {
        Phase::On => (up_to(first.min(Duration::from_mins(120)), RATE), longest),
        // 31 is one more than 30: the samples come back to one second after the grid after 30 of them.
        Phase::Off => (OFF.times(31).minus(crowd), first),
    };
    let history = crowd.plus(real);
    let detection =
        theory::detection(pairs, it.budget, 1.0, if it.slo.sli.is_time_weighted() { history } else { whole });
    let detection = detection.unwrap_or(first);
    let times = whole.minus(real).minus(detection).secs_f64() / crowd.secs_f64();
    let late = if phase == Phase::On { Duration::ZERO } else { OFF };
    // The workbook's time, rounded up to the evaluation that sees it, plus one evaluation.
    let detected = up_to(detection.plus(it.enough(1.0 / it.budget)), STEP).plus(STEP).plus(late);
    let outage = up_to(detected.plus(STEP), samples);
    let recovered = history.plus(outage);
    // Only what may have fired has to end.
    let full = if it.slo.sli.is_time_weighted() { history.plus(outage) } else { whole };
    let fired =
        |pair: &&theory::Pair| outage.secs_f64() / pair.long.min(full).secs_f64() / it.budget > SURELY * pair.burn;
    let reset = theory::reset(&pairs.iter().filter(fired).copied().collect::<Vec<_>>());
    let ends = up_to(recovered.plus(reset).plus(kept(told.severity)).plus(STEP.times(2)), STEP);
    let gone = (reset <= WAITED_FOR).then_some(ends);
    Part {
        timeline: vec![(crowd, Flow::Crowd(times.max(1.0))), (real, Flow::Events(0.0)), (outage, Flow::Events(1.0))],
        began: history,
        detected,
        recovered,
        gone,
    }
}
