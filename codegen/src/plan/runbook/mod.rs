//! A runbook per SLO, for somebody who was asleep a minute ago. Words come from the template; every number and query
//! from here.

pub mod conditions;
pub mod measured;
pub(super) mod queries;

use std::collections::BTreeMap;

use kilter_contract::slo;
use serde::Serialize;

use super::class::Class;
use super::context::Context;
use super::windows::{self, Pair, Severity};
use super::{alerting, links, resources};
use crate::model::{Decimal, Duration, Name, OfficeHours, Slo};
use crate::render::engine::{TemplateError, Templates};
use crate::render::rules::banner;

/// A runbook as Markdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runbook {
    /// Its SLO.
    pub slo: Name,
    /// The text.
    pub text: String,
}

#[derive(Serialize)]
struct Data {
    banner: String,
    service: String,
    slo: String,
    description: String,
    impact: Option<String>,
    team: String,
    objective: String,
    window: String,
    allowance: String,
    latency: bool,
    /// Whether it counts events: what weighs time has no traffic.
    events: bool,
    measured: String,
    pages: Vec<Burn>,
    tickets: Vec<Burn>,
    sections: Sections,
    dashboard: String,
    queries: queries::Queries,
    escalation: Escalation,
    causes: String,
    mitigations: String,
    reset: String,
}

/// Who hears of it.
#[derive(Serialize)]
struct Escalation {
    page: Option<String>,
    ticket: Option<String>,
    office_hours: Option<String>,
    next: Option<String>,
    after: String,
    last: Option<Last>,
}

/// The leadership of all teams.
#[derive(Serialize)]
struct Last {
    receiver: String,
    after: String,
    teams: u32,
}

#[derive(Serialize)]
struct Burn {
    long: String,
    short: String,
    factor: String,
    error_ratio: String,
    spent: String,
    detection: String,
    exhaustion: String,
    reset: String,
}

#[derive(Serialize)]
struct Sections {
    burn_page: String,
    burn_ticket: String,
    missing_page: String,
    missing_ticket: String,
    /// Where there is traffic to lose.
    traffic_page: Option<String>,
    traffic_ticket: String,
    down: String,
    exhausted: String,
}

/// The runbooks of a service.
pub fn runbooks(context: &Context<'_>, templates: &Templates) -> Result<Vec<Runbook>, TemplateError> {
    let mut all = Vec::new();
    let causes = causes(context, templates)?;
    for class in context.classes() {
        for slo in &class.slos {
            let text = templates.render("runbook/slo", &data(context, class, slo, &causes))?;
            all.push(Runbook { slo: slo.name.clone(), text });
        }
    }
    Ok(all)
}

fn data(context: &Context<'_>, class: &Class<'_>, slo: &Slo, causes: &str) -> Data {
    let name = slo.name.as_str();
    let burns =
        |severity| class.pairs_of(severity).into_iter().map(|(pair, factor)| burn(slo, pair, *factor)).collect();
    let mitigations = [slo.mitigations.as_deref(), context.service.mitigations.as_deref()];
    let mitigations: Vec<&str> = mitigations.into_iter().flatten().map(str::trim_end).collect();
    let heading = |alert: &str, severity: Severity| format!("{alert} ({})", severity.as_str());
    Data {
        banner: banner("", &context.service.source, context.estate.time_scale).trim_end().to_owned(),
        service: context.service.name.to_string(),
        slo: name.to_owned(),
        description: slo.description.clone(),
        impact: slo.impact.clone(),
        team: context.service.team.to_string(),
        objective: slo.objective.percent(),
        window: slo.window.to_string(),
        allowance: minutes(slo.window.secs_f64() * slo.objective.error_budget().to_f64()),
        latency: slo.sli.kind() == "latency",
        events: !slo.sli.is_time_weighted(),
        measured: measured::words(&slo.sli),
        pages: burns(Severity::Page),
        tickets: burns(Severity::Ticket),
        sections: Sections {
            burn_page: heading(slo::ERROR_BUDGET_BURN, Severity::Page),
            burn_ticket: heading(slo::ERROR_BUDGET_BURN, Severity::Ticket),
            missing_page: heading(slo::DATA_MISSING, Severity::Page),
            missing_ticket: heading(slo::DATA_MISSING, Severity::Ticket),
            traffic_page: alerting::has_traffic_to_lose(slo).then(|| heading(slo::TRAFFIC_LOST, Severity::Page)),
            traffic_ticket: heading(slo::TRAFFIC_LOST, Severity::Ticket),
            down: heading(slo::SERVICE_DOWN, alerting::down_severity(context)),
            exhausted: heading(slo::ERROR_BUDGET_EXHAUSTED, Severity::Ticket),
        },
        dashboard: links::dashboard(context, name, "6h").unwrap_or_default(),
        queries: queries::queries(context, slo),
        escalation: escalation(context),
        causes: causes.to_owned(),
        mitigations: mitigations.join("\n\n"),
        reset: minutes(longest_reset(class).secs_f64()),
    }
}

/// How long a page stays after the errors end at most: the longest short window of a page, and the hold against
/// flapping.
fn longest_reset(class: &Class<'_>) -> Duration {
    let timing = windows::timing();
    let shorts = class.pairs_of(Severity::Page).into_iter().map(|(pair, _)| pair.short);
    Duration::from_millis(shorts.max().unwrap_or(timing.rate).millis() + timing.page_keep_firing.millis())
}

/// The receivers of the service's team, as kilter.yaml has them.
fn escalation(context: &Context<'_>) -> Escalation {
    let team = context.estate.teams.get(&context.service.team);
    let hours = |it: &OfficeHours| format!("{}, {} to {} {}", it.days.join(", "), it.from, it.to, it.location);
    Escalation {
        page: team.map(|it| it.page.clone()),
        ticket: team.map(|it| it.ticket.clone()),
        office_hours: team.and_then(|it| it.office_hours.as_ref()).map(hours),
        next: team.and_then(|it| it.escalation.clone()),
        after: minutes(windows::timing().escalation_hold.secs_f64()),
        last: context.estate.leadership.as_ref().map(|it| Last {
            receiver: it.receiver.clone(),
            after: minutes(it.after.secs_f64()),
            teams: it.teams,
        }),
    }
}

/// Numbers of one pair, for a total outage (SRE workbook, chapter 5): it fires after `factor * budget * long window`
/// and has spent `factor * long window / compliance window` of the budget. Once the outage is over, the short window falls
/// below the threshold after `(1 - factor * budget) * short window`; the hold against flapping comes on top.
fn burn(slo: &Slo, pair: &Pair, factor: Decimal) -> Burn {
    let budget = slo.objective.error_budget().to_f64();
    let timing = windows::timing();
    let keep = match pair.severity {
        Severity::Page => timing.page_keep_firing,
        Severity::Ticket => timing.ticket_keep_firing,
    };
    let (factor_number, long) = (factor.to_f64(), pair.long.secs_f64());
    Burn {
        long: pair.long.to_string(),
        short: pair.short.to_string(),
        factor: factor.to_string(),
        error_ratio: percent(factor_number * budget),
        spent: percent(factor_number * long / slo.window.secs_f64()),
        detection: minutes(factor_number * budget * long),
        exhaustion: minutes(slo.window.secs_f64() / factor_number),
        reset: minutes((1.0 - factor_number * budget) * pair.short.secs_f64() + keep.secs_f64()),
    }
}

fn percent(ratio: f64) -> String {
    let text = format!("{:.3}", ratio * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Seconds in the largest unit that keeps two digits.
fn minutes(seconds: f64) -> String {
    let (value, unit) = match seconds {
        it if it < 120.0 => (it, "s"),
        it if it < 2.0 * 3600.0 => (it / 60.0, "min"),
        it if it < 2.0 * 86_400.0 => (it / 3600.0, "h"),
        it => (it / 86_400.0, "d"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.trim_end_matches(".0"))
}

/// The sections about causes: alike in every runbook of the service.
fn causes(context: &Context<'_>, templates: &Templates) -> Result<String, TemplateError> {
    let heading = |it: &resources::Cause| (it.template, format!("{} ({})", it.alert, Severity::Ticket.as_str()));
    let headings: BTreeMap<&str, String> = resources::causes(context).iter().map(heading).collect();
    Ok(templates.render("runbook/causes", &headings)?.trim_end().to_owned())
}
