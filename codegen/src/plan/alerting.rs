//! Alerting rules. No join and no metadata: team and severity are static labels, and every expression names its service.
//!
//! A join on `slo:info` in an alert would fail every evaluation for five minutes after a restart with a changed team.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::class::{Class, POLICY_LABEL};
use super::context::Context;
use super::expr::{Over, is_grid, over, over_window};
use super::maintenance::unless_maintained;
use super::windows::{Pair, Severity};
use super::words::{Words, annotations, link_annotations};
use super::{Rule, expr};
use crate::model::{Decimal, Duration, Extra, NoData, Slo};
use crate::render::engine::{TemplateError, Templates};

/// Everything an alert needs besides its expression.
struct Alert<'a> {
    name: &'a str,
    severity: Severity,
    template: &'a str,
    section: String,
    range: &'a str,
    hold: Option<Duration>,
    keep: Option<Duration>,
}

/// What must hold for an alert of a class. The expression is made from it, and [`crate::replay`] evaluates it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// The budget burns.
    Burn,
    /// Data that were there are not.
    Vanished,
    /// There are no data, or only one side of the pair.
    Missing,
    /// There is no traffic, although there was.
    TrafficLost,
    /// The budget is spent.
    Exhausted,
}

/// An alert of a class without its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// Its name.
    pub name: &'static str,
    /// How it is delivered.
    pub severity: Severity,
    /// What must hold.
    pub condition: Condition,
    /// How long it must hold.
    pub hold: Option<Duration>,
    /// How long it stays afterwards.
    pub keep: Option<Duration>,
}

/// The alerts of one class in the order of its rules; [`Condition::Exhausted`] belongs to the budget's group.
pub fn watches(context: &Context<'_>, class: &Class<'_>) -> Vec<Watch> {
    let timing = &context.timing;
    let mut all = Vec::new();
    for (severity, keep) in [(Severity::Page, timing.page_keep_firing), (Severity::Ticket, timing.ticket_keep_firing)] {
        if !class.pairs_of(severity).is_empty() {
            let name = slo::ERROR_BUDGET_BURN;
            all.push(Watch { name, severity, condition: Condition::Burn, hold: None, keep: Some(keep) });
        }
    }
    if let Some(severity) = class.missing_severity() {
        let held = |name, severity, condition, hold| Watch { name, severity, condition, hold: Some(hold), keep: None };
        if severity == Severity::Page {
            all.push(held(slo::DATA_MISSING, severity, Condition::Vanished, timing.missing_page_hold));
        }
        all.push(held(slo::DATA_MISSING, Severity::Ticket, Condition::Missing, timing.missing_ticket_hold));
        if class.slos.iter().any(|it| has_traffic_to_lose(it)) {
            all.push(held(slo::TRAFFIC_LOST, severity, Condition::TrafficLost, timing.traffic_hold));
        }
    }
    all.push(spent(context));
    all
}

/// The budget of the compliance window is spent. A ticket: nobody can win it back at night.
const fn spent(context: &Context<'_>) -> Watch {
    let (name, keep) = (slo::ERROR_BUDGET_EXHAUSTED, Some(context.timing.exhausted_keep_firing));
    Watch { name, severity: Severity::Ticket, condition: Condition::Exhausted, hold: None, keep }
}

/// The alerts of one class but [`exhausted`], which belongs to the budget's group.
pub fn per_class(context: &Context<'_>, class: &Class<'_>, templates: &Templates) -> Result<Vec<Rule>, TemplateError> {
    let all = watches(context, class).into_iter().filter(|it| it.condition != Condition::Exhausted);
    all.map(|it| of_watch(context, class, it, templates)).collect()
}

/// The alert of a class that belongs to the budget's group.
pub fn exhausted(context: &Context<'_>, class: &Class<'_>, templates: &Templates) -> Result<Rule, TemplateError> {
    of_watch(context, class, spent(context), templates)
}

fn of_watch(
    context: &Context<'_>,
    class: &Class<'_>,
    watch: Watch,
    templates: &Templates,
) -> Result<Rule, TemplateError> {
    let Watch { name, severity, condition, hold, keep } = watch;
    let (template, expr) = match condition {
        Condition::Burn => ("burn", burn(context, class, severity)),
        Condition::Vanished => ("missing", data_vanished(context, class)),
        Condition::Missing => ("missing", data_missing(context, class)),
        Condition::TrafficLost => ("traffic", traffic_lost(context, class)),
        Condition::Exhausted => ("exhausted", format!("{} < 0", recorded(context, class, slo::BUDGET_REMAINING))),
    };
    let range = match condition {
        Condition::Burn => range(class, severity),
        Condition::Exhausted => "30d".to_owned(),
        Condition::Vanished | Condition::Missing | Condition::TrafficLost => "6h".to_owned(),
    };
    let alert = Alert { name, severity, template, section: section(name, severity), range: &range, hold, keep };
    alert.rule(context, class, expr, templates)
}

/// No instance is up, or every target vanished from discovery although there were some.
pub fn service_down(context: &Context<'_>, templates: &Templates) -> Result<Rule, TemplateError> {
    let up = expr::select("up", &context.raw_matchers());
    let memory = context.timing.down_memory;
    let expr = format!("max({up}) == 0\nor (max(max_over_time({up}[{memory}])) == 1 unless max({up}))");
    let expr = unless_maintained(context, expr);
    let severity = down_severity(context);
    let mut labels = context.service_labels();
    labels.extend(static_labels(context, &context.service.extra, severity));
    let slo = context.service.slos.first().map(|it| it.name.to_string()).unwrap_or_default();
    let mut links = context.service.extra.annotations.clone();
    links.extend(link_annotations(context, &slo, "6h", &section(slo::SERVICE_DOWN, severity)));
    Ok(Rule::Alerting {
        alert: slo::SERVICE_DOWN.to_owned(),
        expr,
        hold: Some(context.timing.down_hold),
        keep_firing_for: None,
        labels,
        annotations: annotations(templates, "down", &Words::of_service(context), links)?,
    })
}

/// A service that wakes nobody when it fails wakes nobody when it is down.
pub fn down_severity(context: &Context<'_>) -> Severity {
    let pages = |class: &Class<'_>| {
        !class.pairs_of(Severity::Page).is_empty() || class.missing_severity() == Some(Severity::Page)
    };
    if context.classes().iter().any(pages) { Severity::Page } else { Severity::Ticket }
}

/// Time range of the dashboard that a burn alert links: its longest window.
pub fn range(class: &Class<'_>, severity: Severity) -> String {
    let longest = class.pairs_of(severity).into_iter().map(|(pair, _)| pair.long).max();
    longest.map(|it| it.to_string()).unwrap_or_default()
}

/// The anchor of an alert's section in a runbook, as Markdown renderers make it from `## ErrorBudgetBurn (page)`.
pub fn section(alert: &str, severity: Severity) -> String {
    format!("{}-{}", alert.to_lowercase(), severity.as_str())
}

impl Alert<'_> {
    fn rule(
        &self,
        context: &Context<'_>,
        class: &Class<'_>,
        expr: String,
        templates: &Templates,
    ) -> Result<Rule, TemplateError> {
        let longs: Vec<(String, Decimal)> =
            class.pairs_of(self.severity).iter().map(|(pair, factor)| (pair.long.to_string(), *factor)).collect();
        let words = Words::placeholders(context, class, &longs);
        let mut links = class.extra.annotations.clone();
        links.extend(link_annotations(context, "{{ $labels.slo }}", self.range, &self.section));
        Ok(Rule::Alerting {
            alert: self.name.to_owned(),
            expr,
            hold: self.hold,
            keep_firing_for: self.keep,
            labels: class_labels(context, class, self.severity),
            annotations: annotations(templates, self.template, &words, links)?,
        })
    }
}

/// What every alert of the service carries.
pub(super) fn static_labels(context: &Context<'_>, extra: &Extra, severity: Severity) -> BTreeMap<String, String> {
    let mut labels = extra.labels.clone();
    let name = context.estate.policy.severities.of(severity);
    labels.insert(slo::SEVERITY_LABEL.to_owned(), name.to_owned());
    labels.insert(slo::TEAM_LABEL.to_owned(), context.service.team.to_string());
    labels
}

/// Rules of two classes would otherwise be duplicates to promtool.
fn class_labels(context: &Context<'_>, class: &Class<'_>, severity: Severity) -> BTreeMap<String, String> {
    let mut labels = static_labels(context, &class.extra, severity);
    labels.extend(class.number.map(|number| (POLICY_LABEL.to_owned(), number.to_string())));
    labels
}

fn recorded(context: &Context<'_>, class: &Class<'_>, series: &str) -> String {
    context.recorded(series, &class.names())
}

/// Both windows of a pair above its factor, and enough errors to be more than chance; any pair of the severity.
fn burn(context: &Context<'_>, class: &Class<'_>, severity: Severity) -> String {
    let pairs = class.pairs_of(severity);
    let one = |pair: &Pair, factor: Decimal| {
        let above =
            |window: Duration| format!("{} > {factor}", recorded(context, class, &slo::burn_rate(&window.to_string())));
        let guard = if class.min_errors == 0 {
            String::new()
        } else {
            format!("\n  and {}", enough_errors(context, class, pair.long))
        };
        format!("(\n  {}\n  and {}{guard}\n)", above(pair.long), above(pair.short))
    };
    pairs.iter().map(|(pair, factor)| one(pair, *factor)).collect::<Vec<_>>().join("\nor\n")
}

/// Errors that the long window really saw. An average times the whole window would make the first failure of a young
/// service an outage; so it counts only for the steps that there are data for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The sum of one rate a step, over this range.
    Sum(Duration),
    /// A rate over the window, times the steps in this range for which there are data.
    Counted(Over, Duration),
}

/// How the errors of a long window are counted.
pub const fn seen(context: &Context<'_>, long: Duration) -> Seen {
    let long = context.estate.time_scale.apply(long);
    let rate = context.timing.rate;
    if is_grid(long, rate) { Seen::Sum(long.minus(rate)) } else { Seen::Counted(over(long, rate, false), long) }
}

fn enough_errors(context: &Context<'_>, class: &Class<'_>, long: Duration) -> String {
    let scaled = context.estate.time_scale.apply(long);
    let rate = context.timing.rate;
    let errors = recorded(context, class, slo::ERROR_RATE);
    let sum = match seen(context, long) {
        Seen::Sum(range) => format!("sum_over_time({errors}[{range}:{rate}])"),
        Seen::Counted(_, range) => {
            format!("{} * count_over_time({errors}[{range}:{rate}])", over_window(&errors, scaled, rate, false))
        }
    };
    format!("{sum} * {} >= {}", rate.secs_text(), class.min_errors)
}

/// What is measured: what counts would hide that it is missing where missing data count as errors.
fn measured(context: &Context<'_>, class: &Class<'_>) -> String {
    recorded(context, class, if class.measured() { slo::MEASURED_RATE } else { slo::TOTAL_RATE })
}

/// Was there within the hour; after maintenance, within a day: it may have been away, or without traffic, for all of it.
fn data_vanished(context: &Context<'_>, class: &Class<'_>) -> String {
    let total = measured(context, class);
    let timing = &context.timing;
    let hour = format!("last_over_time({total}[{}]) > 0", timing.missing_page_memory);
    let exists = still_promised(context, class);
    if !class.maintained {
        return format!("{hour}\n{exists}\nunless {total}");
    }
    let active = recorded(context, class, slo::MAINTENANCE);
    let on = context.join().join(", ");
    format!(
        "(\n  {hour}\n  or max_over_time({total}[{}:{}]) > 0 and on ({on}) last_over_time({active}[{}])\n)\n{exists}\nunless {total}\nunless on ({on}) {active}",
        timing.missing_ticket_memory, timing.rate, timing.missing_page_memory
    )
}

/// An SLO that was renamed or removed leaves its past behind; nobody waits for its data.
fn still_promised(context: &Context<'_>, class: &Class<'_>) -> String {
    format!("and on ({}) {}", context.join().join(", "), recorded(context, class, slo::ERROR_BUDGET))
}

/// Never came; was there within a day, per group; or one side of the pair without the other.
fn data_missing(context: &Context<'_>, class: &Class<'_>) -> String {
    let total = measured(context, class);
    let error = recorded(context, class, slo::ERROR_RATE);
    let budget = recorded(context, class, slo::ERROR_BUDGET);
    let (memory, step) = (context.timing.missing_ticket_memory, context.timing.rate);
    let on = context.join().join(", ");
    let exists = still_promised(context, class);
    let missing = format!(
        "{budget} unless on ({on}) {total}\nor last_over_time({total}[{memory}:{step}]) {exists} unless {total}\nor {total} unless {error}"
    );
    // Where missing data count as errors there are errors without a total that was measured.
    let missing = if class.no_data == NoData::Bad { missing } else { format!("{missing}\nor {error} unless {total}") };
    if !class.maintained {
        return missing;
    }
    format!("({missing})\nunless on ({on}) {}", recorded(context, class, slo::MAINTENANCE))
}

/// Not SLOs that leave failures out: an outage takes all their events away, and is told by the SLO that it breaks. Nor
/// those that weigh time, which does not stop.
pub fn has_traffic_to_lose(slo: &Slo) -> bool {
    !slo.sli.leaves_failures_out() && !slo.sli.is_time_weighted()
}

/// No traffic now, although the last hour makes some certain.
fn traffic_lost(context: &Context<'_>, class: &Class<'_>) -> String {
    let watched: Vec<&str> =
        class.slos.iter().filter(|it| has_traffic_to_lose(it)).map(|it| it.name.as_str()).collect();
    let total = if watched.len() == class.slos.len() {
        recorded(context, class, slo::TOTAL_RATE)
    } else {
        context.recorded(slo::TOTAL_RATE, &watched)
    };
    let timing = &context.timing;
    format!(
        "{total} == 0\nand avg_over_time({total}[{}] offset {}) * {} > {}",
        timing.traffic_memory,
        timing.rate,
        timing.rate.secs_text(),
        timing.traffic_expected
    )
}
