//! What comes and goes: no traffic, traffic, traffic that is lost, series that vanish and come back.

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

/// How long each thing lasts.
struct Course {
    grid: Grid,
    samples: Duration,
    /// No event ever, then traffic, then none.
    idle: Duration,
    healthy: Duration,
    lost: Duration,
    again: Duration,
    gone: Duration,
    back: Duration,
}

/// At the pace of production.
const ON: Course = Course {
    grid: Grid::Fine,
    samples: Grid::Fine.samples(),
    idle: Duration::from_mins(8),
    healthy: Duration::from_mins(12),
    lost: Duration::from_mins(12),
    again: Duration::from_mins(3),
    gone: Duration::from_mins(22),
    back: Duration::from_mins(3),
};

/// Seven samples that end one second after an evaluation.
const UNIT: Duration = Duration::from_secs(301);
/// Nothing is scraped at an evaluation: each change comes one second later after it than the one before.
const OFF: Course = Course {
    grid: Grid::Hours,
    samples: Duration::from_secs(43),
    idle: UNIT.times(2),
    healthy: UNIT.times(3),
    lost: UNIT.times(5),
    again: UNIT.times(2),
    gone: UNIT.times(7),
    back: UNIT.times(2),
};

/// Moments at which something is asked for.
struct Moments {
    quiet: Duration,
    lost: Duration,
    found: Duration,
    paged: Duration,
    ticketed: Duration,
    end: Duration,
}

const fn moments(of: &Course) -> Moments {
    let minutes = Duration::from_mins;
    // Two evaluations.
    let margin = of.grid.step().times(2);
    let silent = of.idle.plus(of.healthy);
    let again = silent.plus(of.lost);
    let gone = again.plus(of.again);
    let back = gone.plus(of.gone);
    Moments {
        quiet: silent.plus(RATE),
        // The rate is zero when its window is; then the hold.
        lost: silent.plus(RATE).plus(minutes(5)).plus(margin),
        found: again.plus(margin),
        // The rate needs two samples, so it ends within its window; then the hold.
        paged: gone.plus(RATE).plus(minutes(3)).plus(margin),
        ticketed: gone.plus(RATE).plus(minutes(15)).plus(margin),
        end: back.plus(of.back),
    }
}

/// The test of a track with nothing that meets an evaluation. Its holds are longer than its evaluations apart.
pub(super) fn off_the_grid<'a>(first: &'a Subject<'a>, track: &Track<'_, 'a>) -> Result<Option<Made>, TemplateError> {
    let proves = "what comes and goes off the grid alerts and resolves as well";
    played(first, track, &OFF, proves, false)
}

/// The test of a track; the first of a service also pins the texts.
pub(super) fn made<'a>(
    first: &'a Subject<'a>,
    track: &Track<'_, 'a>,
    pins: bool,
) -> Result<Option<Made>, TemplateError> {
    let proves =
        "what comes and goes: idle is silent, lost traffic and missing data alert, and what comes back resolves";
    played(first, track, &ON, proves, pins)
}

fn played<'a>(
    first: &'a Subject<'a>,
    track: &Track<'_, 'a>,
    course: &Course,
    proves: &str,
    pins: bool,
) -> Result<Option<Made>, TemplateError> {
    let at = moments(course);
    let Some(stage) = Stage::on(first.context, track, course.grid, proves, at.end) else { return Ok(None) };
    // A lead on the grid of evaluations is none on that of other samples.
    if course.grid != Grid::Fine && stage.lead > Duration::ZERO {
        return Ok(None);
    }
    let mut stage = stage.sampled(course.samples);
    for driven in &track.0 {
        let it = driven.subject;
        // Time does not stop, and what leaves failures out has no rule for it.
        let stops = !it.slo.sli.is_time_weighted();
        let nothing = if stops { Flow::Idle } else { Flow::Events(0.0) };
        let timeline: Timeline = vec![
            (course.idle, nothing),
            (course.healthy, Flow::Events(0.0)),
            (course.lost, nothing),
            (course.again, Flow::Events(0.0)),
            (course.gone, Flow::Gone),
            (course.back, Flow::Events(0.0)),
        ];
        stage.plays(driven, &timeline);
        // A total without its errors says nothing about errors.
        let whole = it.inputs.fed != Fed::Total;
        if whole {
            stage.asks(it, &it.ever("", at.quiet), at.quiet, None);
        }
        let Some(severity) = it.missing else {
            stage.asks(it, &it.ever("", at.end), at.end, None);
            continue;
        };
        if stops && !it.slo.sli.leaves_failures_out() {
            let alert = it.alert(traffic_lost(severity));
            stage.asks(it, &alert, at.lost, Some(1.0));
            stage.asks(it, &alert, at.found, None);
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
