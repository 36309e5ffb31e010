//! The text of page and ticket, for one SLO of the service, where every window's value follows from a division: the grid
//! points of the windows stand exactly at the outage's minutes.

use kilter_contract::slo as names;

use super::super::inputs::Samples;
use super::super::stage::{Grid, Made, Stage, up_to};
use super::super::subject::{PAGE, Subject, TICKET};
use super::super::text::{Numbers, expected};
use super::super::theory;
use super::super::tracks::{Driven, Track};
use super::super::traffic::{Flow, Volume};
use super::{RATE, schedule};
use crate::model::Duration;
use crate::render::engine::TemplateError;

/// An error ratio that makes the time to exhaustion no whole number of seconds, whose last digit would be a matter of float
/// rounding.
const RATIO: f64 = 0.77;
/// Healthy history before.
const HISTORY: Duration = Duration::from_mins(10);

pub(super) fn made(subjects: &[Subject<'_>]) -> Result<Option<Made>, TemplateError> {
    let Some(it) = pinned(subjects).filter(|it| it.errs() && exact(it)) else { return Ok(None) };
    let driven = Driven { subject: it, volume: Volume::for_objective(it.budget, it.slo.min_errors), apart: false };
    let track = Track(vec![driven]);
    let step = Grid::Fine.step();
    let (_, pairs) = it.loudest();
    let detection = theory::detection(pairs, it.budget, RATIO, HISTORY).unwrap_or(HISTORY);
    let outage = up_to(up_to(detection, step).plus(step).plus(RATE), RATE);
    let at = HISTORY.plus(outage);
    let Some(mut stage) = Stage::on(it.context, &track, Grid::Fine, "the text of a burning budget", at) else {
        return Ok(None);
    };
    stage.plays(&track.0[0], &vec![(HISTORY, Flow::Events(0.0)), (outage, Flow::Events(RATIO))]);
    let bad = outage.secs_f64() / RATE.secs_f64();
    // What is no rate of a counter has a value from the first moment on.
    let counted = it.inputs.series.iter().all(|it| matches!(it.samples, Samples::Counter(_)));
    let all = at.secs_f64() / RATE.secs_f64() + f64::from(u8::from(!counted));
    let period = it.slo.window;
    // The budget's group runs after the alerts: they see what stood there one evaluation before.
    let budget_left = 1.0 - theory::budget_spent(outage.minus(RATE), RATIO, it.budget, period);
    let mut texts = Vec::new();
    for (pairs, told) in [(&it.page, PAGE), (&it.ticket, TICKET)] {
        let burn = |pair: &theory::Pair| {
            let points = (pair.long.secs_f64() / RATE.secs_f64()).min(all);
            bad.min(points) / points * RATIO / it.budget
        };
        let (Some(fired), Some(first)) = (pairs.iter().find(|it| burn(it) > it.burn), pairs.first()) else {
            continue;
        };
        let scale = it.context.estate.time_scale.divisor() as f64;
        let exhaustion_seconds = budget_left.max(0.0) * period.secs_f64() / scale / burn(first);
        let window = fired.long.to_string();
        let numbers = Numbers { burn: burn(fired), fired: &window, budget_left, exhaustion_seconds };
        texts.push(expected(it.context, it.templates, told, Some(it.slo), it.owned(told), numbers)?);
    }
    stage.pins(names::ERROR_BUDGET_BURN, at, texts);
    Ok(stage.done())
}

/// The first SLO whose series no other SLO of the service counts too. promtool compares all alerts of a name, so another
/// SLO that burns with it would have to be foretold as well.
fn pinned<'s, 'a>(subjects: &'s [Subject<'a>]) -> Option<&'s Subject<'a>> {
    subjects
        .iter()
        .filter(|it| schedule::of(it.slo).is_empty())
        .find(|it| subjects.iter().all(|other| other.slo.name == it.slo.name || !it.inputs.feed(other.slo)))
}

/// Whether every long window's value follows from a division: it is a sum of tiles, or read from one point a step.
fn exact(it: &Subject<'_>) -> bool {
    let tiled = it.loudest().1.first().map(|it| it.long);
    let exact = |it: &theory::Pair| it.long > RATE.times(24) || (Some(it.long) == tiled && it.long <= RATE.times(12));
    it.page.iter().chain(&it.ticket).all(exact)
}
