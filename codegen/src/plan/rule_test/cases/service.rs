//! The service as a whole: its data never came, and all its instances are down.

use kilter_contract::slo as names;

use super::super::super::alerting::down_severity;
use super::super::file::{ExpectedAlert, Labels, selector};
use super::super::inputs::Inputs;
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::{MISSING_TICKET, Subject};
use super::super::text::{Numbers, Told, expected};
use super::absence::never_came;
use super::schedule;
use crate::model::{Duration, Weekly};
use crate::render::engine::TemplateError;

const STEP: Duration = Grid::Fine.step();
/// The 31st sample comes one second after an evaluation.
const OFF: Duration = Duration::from_secs(31);

/// Nothing is scraped but whether the instances are up.
pub(super) fn made<'a>(subjects: &'a [Subject<'a>]) -> Result<Vec<Made>, TemplateError> {
    let Some(first) = subjects.first() else { return Ok(Vec::new()) };
    let schedules: Vec<Weekly> = first.context.service.slos.iter().flat_map(schedule::of).cloned().collect();
    let all = [at_first(first, &schedules)?, off_the_grid(first, &schedules)?, for_an_hour(first, &schedules)?];
    Ok(all.into_iter().flatten().collect())
}

fn at_first<'a>(first: &'a Subject<'a>, schedules: &[Weekly]) -> Result<Option<Made>, TemplateError> {
    let context = first.context;
    let minutes = Duration::from_mins;
    let Some(mut stage) = Stage::between(
        context,
        schedules,
        Grid::Fine,
        "data that never came ticket, and a service that is down alerts",
        minutes(30),
    ) else {
        // Where the schedules of all SLOs together leave no such time, each SLO is still proven.
        return Ok(None);
    };
    let at = minutes(15);
    // Between two maintenances other SLOs may have been missing for longer.
    if stage.lead == Duration::ZERO {
        stage.pins(MISSING_TICKET.alert, at.minus(STEP.times(2)), vec![]);
    }
    stage.pins(MISSING_TICKET.alert, at.plus(STEP.times(2)), never_came(first, |_| true)?);
    down(&mut stage, first)?;
    Ok(stage.done())
}

/// Two instances: one down is no outage, both down is; then one is back, and at last discovery forgets both. Another
/// service is up.
fn down<'a>(stage: &mut Stage<'a>, first: &Subject<'a>) -> Result<(), TemplateError> {
    let Some((labels, firing)) = alert(first)? else { return Ok(()) };
    feed(stage, &labels, "1", &[(Some(1), 5), (Some(0), 15)]);
    feed(stage, &labels, "2", &[(Some(1), 10), (Some(0), 5), (Some(1), 5)]);
    if let Some(stranger) = Inputs::stranger(first.context.estate, first.context.service) {
        feed(stage, &stranger, "1", &[(Some(1), 30)]);
    }
    // Within a minute and an evaluation, and not within less than a minute.
    let half = |halves: u64| STEP.times(halves);
    for (at, alerts) in [
        (half(18), vec![]),
        (half(21), vec![]),
        (half(23), vec![firing.clone()]),
        (half(31), vec![]),
        (half(41), vec![]),
        (half(43), vec![firing]),
    ] {
        stage.pins(names::SERVICE_DOWN, at, alerts);
    }
    Ok(())
}

/// Down one second after an evaluation, up again, and gone, with samples that come at every second of the rules' grid.
fn off_the_grid<'a>(first: &'a Subject<'a>, schedules: &[Weekly]) -> Result<Option<Made>, TemplateError> {
    let proves = "a service that is down one second off the grid alerts as soon";
    let stage = Stage::between(first.context, schedules, Grid::Fine, proves, Duration::from_mins(30));
    // A lead on the grid of evaluations is none on that of other samples.
    let Some(stage) = stage.filter(|it| it.lead == Duration::ZERO) else { return Ok(None) };
    let Some((mut labels, firing)) = alert(first)? else { return Ok(None) };
    let mut stage = stage.sampled(OFF);
    labels.insert("instance".to_owned(), "1".to_owned());
    // Down at 961 s, up at 1240 s, gone at 1550 s.
    stage.feeds(selector("up", &labels), None, "1+0x30 0+0x8 1+0x9 stale");
    for (half_minutes, fires) in
        [(32, false), (34, false), (36, true), (41, true), (42, false), (53, false), (55, true)]
    {
        let alerts = if fires { vec![firing.clone()] } else { vec![] };
        stage.pins(names::SERVICE_DOWN, STEP.times(half_minutes), alerts);
    }
    Ok(stage.done())
}

/// Instances that were never up are forgotten at once; one that was up is missed for an hour, whatever the others were.
fn for_an_hour<'a>(first: &'a Subject<'a>, schedules: &[Weekly]) -> Result<Option<Made>, TemplateError> {
    let minutes = Duration::from_mins;
    let proves = "a service that vanished alerts for an hour";
    let Some(mut stage) = Stage::between(first.context, schedules, Grid::Hours, proves, minutes(115)) else {
        return Ok(None);
    };
    let Some((labels, firing)) = alert(first)? else { return Ok(None) };
    feed(&mut stage, &labels, "1", &[(Some(0), 15), (None, 15), (Some(1), 15)]);
    feed(&mut stage, &labels, "2", &[(None, 40), (Some(0), 5)]);
    for (at, fires) in [(10, true), (25, false), (40, false), (55, true), (95, true), (110, false)] {
        let alerts = if fires { vec![firing.clone()] } else { vec![] };
        stage.pins(names::SERVICE_DOWN, minutes(at), alerts);
    }
    Ok(stage.done())
}

/// Labels of the service's targets, and what is told when it is down.
fn alert(first: &Subject<'_>) -> Result<Option<(Labels, ExpectedAlert)>, TemplateError> {
    let context = first.context;
    let Some(labels) = Inputs::target(context.estate, context.service) else { return Ok(None) };
    let severity = down_severity(context);
    let told = Told { alert: names::SERVICE_DOWN, template: "down", severity, range: "6h" };
    let mut owner = context.estate.identity.clone();
    owner.insert(names::SERVICE_LABEL.to_owned(), context.service.name.to_string());
    owner.insert(names::TEAM_LABEL.to_owned(), context.service.team.to_string());
    owner.extend(context.service.extra.labels.clone());
    owner.insert(names::SEVERITY_LABEL.to_owned(), context.estate.policy.severities.of(severity).to_owned());
    let firing = expected(context, first.templates, told, None, owner, Numbers::default())?;
    Ok(Some((labels, firing)))
}

/// Whether one instance is up, for so many minutes each, until discovery forgets it.
fn feed(stage: &mut Stage<'_>, labels: &Labels, number: &str, phases: &[(Option<u8>, u64)]) {
    let mut labels = labels.clone();
    labels.insert("instance".to_owned(), number.to_owned());
    let values = phases.iter().map(|(value, minutes)| {
        let samples = stage.count(Duration::from_mins(*minutes));
        match value {
            Some(value) => format!("{value}+0x{}", samples - 1),
            None => format!("stale _x{}", samples - 1),
        }
    });
    let values = values.collect::<Vec<_>>().join(" ") + " stale";
    // Before it all, it is as it is first.
    let before = match phases.first() {
        Some((Some(value), _)) => format!("{value}+0"),
        _ => "_".to_owned(),
    };
    stage.feeds(selector("up", &labels), Some(&before), &values);
}
