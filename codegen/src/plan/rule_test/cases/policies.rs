//! Maintenance, and missing data that count as errors.

use kilter_contract::slo as names;

use super::super::file::{Labels, selector};
use super::super::inputs::Fed;
use super::super::stage::{Grid, Made, Stage, up_to};
use super::super::subject::{MISSING_PAGE, MISSING_TICKET, Subject};
use super::super::theory;
use super::super::tracks::{Driven, Track};
use super::super::traffic::{Flow, Timeline};
use super::RATE;
use crate::model::{Duration, NoData, Severity};

const STEP: Duration = Grid::Fine.step();
/// Healthy history before: more than the hour that decides early, on the grid.
const HISTORY: Duration = Duration::from_mins(65);

/// The tests of what policies add. What is fed at its recorded pair is behind the rules that apply them.
pub(super) fn all<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Vec<Made> {
    let of = |which: fn(&Subject<'_>) -> bool| -> Vec<&Driven<'_, 'a>> {
        track.0.iter().filter(|it| it.subject.inputs.fed != Fed::Pair && which(it.subject)).collect()
    };
    let bad = of(|it| it.slo.no_data == NoData::Bad);
    let maintained = of(|it| it.slo.policy.maintenance.is_some());
    let made = [
        missing_counts(first, track, &bad),
        just_begun(first, track, &bad),
        maintenance(first, track, &maintained),
        away_for_longer(first, track, &maintained),
    ];
    made.into_iter().flatten().collect()
}

/// From the moment at which no rate is left, all that was expected counts as errors: as early as an outage, and against the
/// budget.
fn missing_counts<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, of: &[&Driven<'_, 'a>]) -> Option<Made> {
    let after = Duration::from_mins(10);
    let times = |it: &Subject<'_>| {
        // A factor is at most half of a total outage, so that it is always detected.
        let detection = theory::detection(it.loudest().1, it.budget, 1.0, HISTORY).unwrap_or(HISTORY);
        let detection = RATE.plus(up_to(detection, STEP).plus(STEP));
        (detection, up_to(detection.plus(RATE.times(3)), RATE))
    };
    let end = of.iter().map(|it| HISTORY.plus(times(it.subject).1).plus(after)).max()?;
    let mut stage = Stage::on(first.context, track, Grid::Fine, "missing data count as errors", end)?;
    for driven in of {
        let it = driven.subject;
        let ((told, _), (detection, gone)) = (it.loudest(), times(it));
        let end = HISTORY.plus(gone).plus(after);
        stage.plays(driven, &vec![(HISTORY, Flow::Events(0.0)), (gone, Flow::Gone), (after, Flow::Events(0.0))]);
        stage.asks(it, &it.alert(told), HISTORY, None);
        stage.asks(it, &it.alert(told), HISTORY.plus(detection), Some(1.0));
        // The last rate lasts for up to five minutes, and the first needs two samples.
        let covered = 1.0 + stage.lead.secs_f64() / end.secs_f64();
        let spent = |time: Duration| covered * theory::budget_spent(time, 1.0, it.budget, it.slo.window);
        let left = selector(names::BUDGET_REMAINING, &it.recorded());
        let close = format!("abs(1 - {left} - {}) < bool {}", spent(gone.minus(RATE)), spent(RATE.times(2)));
        stage.asks_with(it, &close, end, &it.recorded(), 1.0);
        for other in it.others() {
            stage.asks(it, &other, HISTORY.plus(gone), None);
        }
    }
    stage.done()
}

/// Rules that have just begun to run, as after Prometheus itself was down, take nothing that they find missing for errors.
fn just_begun<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, of: &[&Driven<'_, 'a>]) -> Option<Made> {
    let ran = RATE.plus(STEP);
    let mut stage = Stage::on(first.context, track, Grid::Fine, "rules that have just begun wait", ran)?;
    if stage.lead > Duration::ZERO {
        // A lead would be time in which they ran.
        return None;
    }
    for driven in of {
        let it = driven.subject;
        stage.feeds(selector(names::MEASURED_RATE, &it.recorded()), None, "0.5 stale");
        let [error, total] = [names::ERROR_RATE, names::TOTAL_RATE].map(|name| selector(name, &it.recorded()));
        stage.asks(it, &format!("{error} or {total}"), RATE.minus(STEP), None);
        stage.asks(it, &total, ran, Some(0.5));
    }
    stage.done()
}

/// Everything fails in maintenance, then nothing is there: no alert, and the budget is whole. What the rate still holds of
/// it afterwards counts for nothing too.
fn maintenance<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, of: &[&Driven<'_, 'a>]) -> Option<Made> {
    let minutes = Duration::from_mins;
    let (failing, away, after) = (minutes(10), minutes(20), minutes(25));
    let timeline: Timeline = vec![
        (HISTORY, Flow::Events(0.0)),
        (failing, Flow::Events(1.0)),
        (away, Flow::Gone),
        (after, Flow::Events(0.0)),
    ];
    let end = HISTORY.plus(failing).plus(away).plus(after);
    let mut stage = Stage::on(first.context, track, Grid::Fine, "maintenance counts for nothing", end)?;
    for driven in of {
        let it = driven.subject;
        stage.plays(driven, &timeline);
        active(&mut stage, it, HISTORY, failing.plus(away).plus(RATE));
        stage.asks(it, &it.ever("", end), end, None);
        stage.asks(it, &selector(names::BUDGET_REMAINING, &it.recorded()), end, Some(1.0));
        // It is over: the SLO is measured again.
        stage.asks(it, &format!("count({})", it.series(names::MAINTENANCE)), end, None);
        let measured = format!("count({} > 0) > bool 0", it.series(names::TOTAL_RATE));
        stage.asks_with(it, &measured, end, &Labels::new(), 1.0);
    }
    stage.done()
}

/// What is still missing when the maintenance is over is missing.
fn away_for_longer<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>, of: &[&Driven<'_, 'a>]) -> Option<Made> {
    let minutes = Duration::from_mins;
    let (healthy, maintenance, after) = (minutes(20), minutes(90), minutes(25));
    let over = healthy.plus(maintenance).plus(RATE);
    let timeline = vec![(healthy, Flow::Events(0.0)), (maintenance.plus(RATE).plus(after), Flow::Gone)];
    let proves = "what does not come back from maintenance is missing";
    let mut stage = Stage::on(first.context, track, Grid::Fine, proves, over.plus(after))?;
    for driven in of {
        let it = driven.subject;
        let Some(severity) = it.missing else { continue };
        stage.plays(driven, &timeline);
        active(&mut stage, it, healthy, maintenance.plus(RATE));
        if it.inputs.fed == Fed::Series {
            stage.asks(it, &it.ever("", over.minus(STEP)), over.minus(STEP), None);
        }
        let paged = over.plus(minutes(3)).plus(STEP.times(2));
        let ticketed = over.plus(minutes(15)).plus(STEP.times(2));
        stage.asks(it, &it.alert(MISSING_PAGE), paged, (severity == Severity::Page).then_some(1.0));
        stage.asks(it, &it.alert(MISSING_TICKET), ticketed, Some(1.0));
    }
    stage.done()
}

/// Feeds the recorded maintenance: whatever begins it, this is what the other rules read.
fn active(stage: &mut Stage<'_>, it: &Subject<'_>, from: Duration, length: Duration) {
    let values = format!("_x{} 1+0x{} stale", stage.count(stage.lead.plus(from)), stage.count(length) - 1);
    stage.feeds(it.series(names::MAINTENANCE), None, &values);
}
