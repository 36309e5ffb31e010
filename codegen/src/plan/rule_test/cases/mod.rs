//! The timelines, and what must hold on them. Times are real here; they are scaled where they are written down.

mod absence;
mod budget;
mod few;
mod groups;
mod ladder;
mod outage;
mod policies;
mod restarts;
pub(super) mod schedule;
mod service;
mod texts;

use super::super::context::Context;
use super::stage::Made;
use super::subject::Subject;
use super::tracks::{Track, tracks};
use crate::model::{Duration, Severity};
use crate::render::engine::{TemplateError, Templates};

/// The rate window, and the grid of long windows.
const RATE: Duration = Duration::from_mins(5);
/// Just below a threshold.
const BELOW: f64 = 0.9;

/// How long an alert on a burning budget stays after its condition.
const fn kept(severity: Severity) -> Duration {
    match severity {
        Severity::Page => Duration::from_mins(5),
        Severity::Ticket => Duration::from_mins(30),
    }
}

/// The tests of a service's SLOs, and of the service as a whole.
pub(super) fn tests(context: &Context<'_>, templates: &Templates) -> Result<Vec<Made>, TemplateError> {
    let subjects: Vec<Subject<'_>> =
        context.service.slos.iter().map(|slo| Subject::of(context, slo, templates)).collect();
    let mut all = Vec::new();
    // Missing data of other SLOs are told in between, unless they are maintained then.
    let calm = subjects.iter().all(|it| schedule::of(it.slo).is_empty());
    let tracks = tracks(&subjects);
    // promtool compares all alerts of a name: none of another track may count what this one is fed with.
    let alone = |track: &Track<'_, '_>| {
        let own = |name: &str| track.0.iter().any(|it| it.subject.slo.name.as_str() == name);
        let mut others = subjects.iter().filter(|it| !own(it.slo.name.as_str()));
        others.all(|other| !track.0.iter().any(|it| it.subject.inputs.feed(other.slo)))
    };
    let pinned = tracks.iter().position(alone).filter(|_| calm);
    for (number, track) in tracks.iter().enumerate() {
        let Some(first) = track.0.first().map(|it| it.subject) else { continue };
        let pins = pinned == Some(number);
        let mut made: Vec<Made> = Vec::new();
        made.extend(outage::on_the_grid(first, track));
        made.extend(outage::off_the_grid(first, track));
        made.extend(absence::made(first, track, pins)?);
        made.extend(absence::off_the_grid(first, track)?);
        made.extend(few::all(first, track));
        made.extend(restarts::made(first, track));
        made.extend(ladder::all(first, track));
        made.extend(policies::all(first, track));
        if number > 0 {
            for it in &mut made {
                it.rename(&format!(" (track {})", number + 1));
            }
        }
        all.extend(made);
    }
    all.extend(groups::all(context, &subjects));
    all.extend(budget::made(&subjects, calm)?);
    all.extend(texts::made(&subjects)?);
    all.extend(service::made(&subjects)?);
    Ok(all)
}
