//! The service as a whole: its data never came, and all its instances are down.

use kilter_contract::slo as names;

use super::super::super::alerting::down_severity;
use super::super::file::selector;
use super::super::inputs::Inputs;
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::{MISSING_TICKET, Subject};
use super::super::text::{Numbers, Told, expected};
use super::super::traffic::SAMPLE_SECONDS;
use super::absence::never_came;
use super::schedule;
use crate::model::{Duration, Weekly};
use crate::render::engine::TemplateError;

const STEP: Duration = Grid::Fine.step();

/// Nothing is scraped but whether the instances are up.
pub(super) fn made<'a>(subjects: &'a [Subject<'a>]) -> Result<Option<Made>, TemplateError> {
    let Some(first) = subjects.first() else { return Ok(None) };
    let context = first.context;
    let minutes = Duration::from_mins;
    let schedules: Vec<Weekly> = context.service.slos.iter().flat_map(schedule::of).cloned().collect();
    let Some(mut stage) = Stage::between(
        context,
        &schedules,
        Grid::Fine,
        "data that never came ticket, and a service that is down alerts",
        minutes(30),
    ) else {
        // Where the schedules of all SLOs together leave no such time, each SLO is still proven.
        return Ok(None);
    };
    let at = minutes(15);
    // Between two maintenances other SLOs may have been missing for longer.
    if stage.lead == Duration::from_secs(0) {
        stage.pins(MISSING_TICKET.alert, at.minus(STEP.times(2)), vec![]);
    }
    stage.pins(MISSING_TICKET.alert, at.plus(STEP.times(2)), never_came(first, |_| true)?);
    down(&mut stage, first)?;
    Ok(stage.done())
}

/// Two instances: one down is no outage, both down is; then one is back, and at last discovery forgets both.
fn down<'a>(stage: &mut Stage<'a>, first: &Subject<'a>) -> Result<(), TemplateError> {
    let context = first.context;
    let Some(labels) = Inputs::target(context.estate, context.service) else { return Ok(()) };
    let severity = down_severity(context);
    let told = Told { alert: names::SERVICE_DOWN, template: "down", severity, range: "6h" };
    let mut owner = context.estate.identity.clone();
    owner.insert(names::SERVICE_LABEL.to_owned(), context.service.name.to_string());
    owner.insert(names::TEAM_LABEL.to_owned(), context.service.team.to_string());
    owner.extend(context.service.extra.labels.clone());
    owner.insert(names::SEVERITY_LABEL.to_owned(), context.estate.policy.severities.of(severity).to_owned());
    let firing = expected(context, first.templates, told, None, owner, Numbers::default())?;
    let per_minute = 60 / SAMPLE_SECONDS;
    let for_minutes = |value: u8, minutes: u64| format!("{value}+0x{}", minutes * per_minute - 1);
    for (number, phases) in [("1", vec![(1, 5), (0, 15)]), ("2", vec![(1, 10), (0, 5), (1, 5)])] {
        let mut labels = labels.clone();
        labels.insert("instance".to_owned(), number.to_owned());
        let values: Vec<String> = phases.into_iter().map(|(value, length)| for_minutes(value, length)).collect();
        stage.feeds(selector("up", &labels), Some("1+0"), &format!("{} stale", values.join(" ")));
    }
    for (minutes, alerts) in [(9, vec![]), (12, vec![firing.clone()]), (16, vec![]), (23, vec![firing])] {
        stage.pins(told.alert, Duration::from_mins(minutes), alerts);
    }
    Ok(())
}
