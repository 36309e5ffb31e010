//! What comes and goes: no traffic, traffic, a restart, an instance that joins with what it has counted elsewhere, traffic
//! that is lost, series that vanish and come back.

use kilter_contract::slo as names;

use super::super::super::context::Context;
use super::super::file::ExpectedAlert;
use super::super::inputs::{Fed, identity};
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::{MISSING_PAGE, MISSING_TICKET, Subject, owned, traffic_lost};
use super::super::text::{Numbers, Told, expected};
use super::super::tracks::Track;
use super::super::traffic::{Flow, Timeline};
use super::RATE;
use crate::model::{Duration, NoData, Severity};
use crate::render::engine::TemplateError;

const STEP: Duration = Grid::Fine.step();
/// No event ever, then traffic, then none.
const IDLE: Duration = Duration::from_mins(8);
const HEALTHY: Duration = Duration::from_mins(12);
const LOST: Duration = Duration::from_mins(12);
const AGAIN: Duration = Duration::from_mins(3);
const GONE: Duration = Duration::from_mins(22);
const BACK: Duration = Duration::from_mins(3);
/// Two evaluations.
const MARGIN: Duration = STEP.times(2);

/// Moments at which something is asked for.
struct Moments {
    lost: Duration,
    again: Duration,
    paged: Duration,
    ticketed: Duration,
    end: Duration,
}

const fn moments() -> Moments {
    let minutes = Duration::from_mins;
    let silent = IDLE.plus(HEALTHY);
    let again = silent.plus(LOST);
    let gone = again.plus(AGAIN);
    let back = gone.plus(GONE);
    Moments {
        // The rate is zero when its window is; then the hold.
        lost: silent.plus(RATE).plus(minutes(5)).plus(MARGIN),
        again,
        // The rate needs two samples, so it ends within its window; then the hold.
        paged: gone.plus(RATE).plus(minutes(3)).plus(MARGIN),
        ticketed: gone.plus(RATE).plus(minutes(15)).plus(MARGIN),
        end: back.plus(BACK),
    }
}

/// The test of a track; the first of a service also pins the texts.
pub(super) fn made<'a>(
    first: &'a Subject<'a>,
    track: &Track<'_, 'a>,
    pins: bool,
) -> Result<Option<Made>, TemplateError> {
    let at = moments();
    let proves =
        "what comes and goes: idle is silent, lost traffic and missing data alert, and what comes back resolves";
    let Some(mut stage) = Stage::on(first.context, track, Grid::Fine, proves, at.end) else { return Ok(None) };
    for driven in &track.0 {
        let it = driven.subject;
        // Time does not stop, and what leaves failures out has no rule for it.
        let stops = !it.slo.sli.is_time_weighted();
        let nothing = if stops { Flow::Idle } else { Flow::Events(0.0) };
        let timeline: Timeline = vec![
            (IDLE, nothing),
            (HEALTHY, Flow::Events(0.0)),
            (LOST, nothing),
            (AGAIN, Flow::Events(0.0)),
            (GONE, Flow::Gone),
            (BACK, Flow::Events(0.0)),
        ];
        stage.plays(driven, &timeline);
        // A total without its errors says nothing about errors.
        let whole = it.inputs.fed != Fed::Total;
        if whole {
            let quiet = at.again.minus(LOST).plus(RATE);
            stage.asks(it, &it.ever("", quiet), quiet, None);
        }
        let Some(severity) = it.missing else {
            stage.asks(it, &it.ever("", at.end), at.end, None);
            continue;
        };
        if stops && !it.slo.sli.leaves_failures_out() {
            let alert = it.alert(traffic_lost(severity));
            stage.asks(it, &alert, at.lost, Some(1.0));
            stage.asks(it, &alert, at.again.plus(MARGIN), None);
        }
        stage.asks(it, &it.alert(MISSING_PAGE), at.paged, (severity == Severity::Page).then_some(1.0));
        stage.asks(it, &it.alert(MISSING_TICKET), at.paged, None);
        stage.asks(it, &it.alert(MISSING_TICKET), at.ticketed, Some(1.0));
        for told in [MISSING_PAGE, MISSING_TICKET] {
            stage.asks(it, &it.alert(told), at.end, None);
        }
        for other in it.others() {
            stage.asks(it, &other, at.ticketed, None);
        }
    }
    if pins {
        let lost = track
            .0
            .iter()
            .map(|it| it.subject)
            .filter(|it| !it.slo.sli.is_time_weighted() && !it.slo.sli.leaves_failures_out());
        let lost = lost.filter_map(|it| Some((it, traffic_lost(it.missing?))));
        let texts = lost.map(|(it, told)| text(it, told)).collect::<Result<Vec<_>, _>>()?;
        stage.pins(names::TRAFFIC_LOST, at.lost, texts);
        let pages = track.0.iter().map(|it| it.subject).filter(|it| it.missing == Some(Severity::Page));
        let mut texts = pages.map(|it| text(it, MISSING_PAGE)).collect::<Result<Vec<_>, _>>()?;
        texts.extend(never_came(first, |name| track.0.iter().all(|it| it.subject.slo.name.as_str() != name))?);
        stage.pins(names::DATA_MISSING, at.paged, texts);
    }
    Ok(stage.done())
}

fn text(it: &Subject<'_>, told: Told<'_>) -> Result<ExpectedAlert, TemplateError> {
    expected(it.context, it.templates, told, Some(it.slo), it.owned(told), Numbers::default())
}

/// The tickets of SLOs whose data never came.
pub(super) fn never_came(
    first: &Subject<'_>,
    which: impl Fn(&str) -> bool,
) -> Result<Vec<ExpectedAlert>, TemplateError> {
    let context: &Context<'_> = first.context;
    let slos = context.service.slos.iter().filter(|it| it.no_data != NoData::Ignore && which(it.name.as_str()));
    slos.map(|slo| {
        let labels = owned(context, slo, identity(context.estate, context.service, slo), MISSING_TICKET);
        expected(context, first.templates, MISSING_TICKET, Some(slo), labels, Numbers::default())
    })
    .collect()
}
