//! Counters that begin again, and an instance that appears with what it has counted before anybody looked: neither is an
//! error or traffic. Meanwhile the budget burns just below everything, so that anything more would alert.

use super::super::inputs::Samples;
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::Subject;
use super::super::theory;
use super::super::tracks::Track;
use super::super::traffic::Flow;
use super::BELOW;
use crate::model::Duration;

const STEP: Duration = Grid::Hours.step();
/// Until the restart, and afterwards.
const HALF: Duration = Duration::from_mins(30);

pub(super) fn made<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Option<Made> {
    let end = HALF.times(2);
    let proves = "counters that begin again and instances that join are no errors";
    let mut stage = Stage::on(first.context, track, Grid::Hours, proves, end)?;
    let counts = |it: &Subject<'_>| it.inputs.series.iter().all(|raw| matches!(raw.samples, Samples::Counter(_)));
    for driven in track.0.iter().filter(|it| it.subject.errs() && counts(it.subject)) {
        let it = driven.subject;
        let quiet = BELOW * theory::lowest(&it.ticket).min(theory::lowest(&it.page));
        stage.restarts(driven, &vec![(HALF, Flow::Events(quiet * it.budget))]);
        stage.asks(it, &it.ever("", end), end, None);
        let burn = it.burning();
        for at in [HALF.plus(STEP), end] {
            stage.asks_with(it, &format!("abs({burn} / {quiet} - 1) < bool 0.05"), at, &it.recorded(), 1.0);
        }
    }
    stage.done()
}
