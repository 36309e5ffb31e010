//! What is recorded for other SLOs of the service, and by other services that have an SLO of the same name.

use kilter_contract::slo as names;

use super::super::super::super::class::Class;
use super::super::super::file::{Labels, selector};
use super::super::super::inputs::identity;
use super::super::super::stage::Stage;
use super::super::super::subject::{MISSING_TICKET, Subject};
use super::{feed, own};
use crate::model::Duration;

/// When nobody of them has alerted, in minutes.
pub(super) const END: u64 = 100;

pub(super) fn fed(stage: &mut Stage<'_>, it: &Subject<'_>, class: &Class<'_>) {
    slos(stage, it, class);
    services(stage, it);
}

/// Labels of what is recorded, or told, with another value of one of them.
fn other(mut labels: Labels, key: &str, value: &str) -> Labels {
    labels.insert(key.to_owned(), value.to_owned());
    labels
}

/// One is removed, one has no group without a label, one never came. Where a service has several classes, their rules name
/// their SLOs.
fn slos(stage: &mut Stage<'_>, it: &Subject<'_>, class: &Class<'_>) {
    let minutes = Duration::from_mins;
    let of = |slo: &str| other(it.recorded(), names::SLO_LABEL, slo);
    let promised = |stage: &mut Stage<'_>, slo: &str| {
        let labels = other(identity(it.context.estate, it.context.service, it.slo), names::SLO_LABEL, slo);
        let values = format!("0.001+0x{END}");
        stage.feeds(selector(names::ERROR_BUDGET, &labels), None, &values);
    };
    feed(stage, it, &of("removed"), &[(10, Some(0.0), Some(1.0))]);
    promised(stage, "grouped");
    feed(stage, it, &other(own(it, "a group"), names::SLO_LABEL, "grouped"), &[(END, Some(0.0), Some(1.0))]);
    for slo in ["removed", "grouped"] {
        silent(stage, it, &Labels::from([(names::SLO_LABEL.to_owned(), slo.to_owned())]), END - 10);
    }
    if class.number.is_none() && it.missing.is_some() {
        promised(stage, "awaited");
        let mut labels = it.firing(MISSING_TICKET);
        it.slo.by.iter().for_each(|label| drop(labels.remove(label)));
        let alert = selector("ALERTS", &other(labels, names::SLO_LABEL, "awaited"));
        stage.asks(it, &alert, minutes(30), Some(1.0));
    }
}

/// One's budget burns, its traffic ends and its data vanish; one has recorded burn rates, one what it has spent.
fn services(stage: &mut Stage<'_>, it: &Subject<'_>) {
    let minutes = Duration::from_mins;
    let of = |service: &str| other(it.recorded(), names::SERVICE_LABEL, service);
    let windows = it.page.iter().chain(&it.ticket).flat_map(|it| [it.long, it.short]);
    let mut burns: Vec<String> = windows.map(|it| names::burn_rate(&it.to_string())).collect();
    burns.sort_unstable();
    burns.dedup();
    let (pair, burning, spent) = (of("another"), of("a burning one"), of("one that spent"));
    let some = (Some(1.0), Some(1.0));
    feed(stage, it, &pair, &[(60, some.0, some.1), (15, Some(0.0), Some(0.0)), (5, some.0, some.1)]);
    let promised = other(identity(it.context.estate, it.context.service, it.slo), names::SERVICE_LABEL, "another");
    let always = |value: &str| format!("{value}+0x{END}");
    stage.feeds(selector(names::ERROR_BUDGET, &promised), None, &always("0.001"));
    feed(stage, it, &burning, &[(END, Some(1_000.0), None)]);
    for burn in &burns {
        stage.feeds(selector(burn, &burning), None, &always("1000"));
    }
    stage.feeds(selector(names::BUDGET_REMAINING, &burning), None, &always("-1"));
    stage.feeds(selector(names::PERIOD_BURN_RATE, &spent), None, &always("2"));
    stage.feeds(selector(names::PERIOD_COVERAGE, &spent), None, &always("1"));
    burns.extend([names::PERIOD_BURN_RATE, names::PERIOD_COVERAGE].map(str::to_owned));
    let any: Vec<String> = burns.iter().map(|name| selector(name, &pair)).collect();
    stage.asks(it, &any.join(" or "), minutes(50), None);
    stage.asks(it, &selector(names::BUDGET_REMAINING, &spent), minutes(50), None);
    for service in [&pair, &burning] {
        let key = names::SERVICE_LABEL;
        silent(stage, it, &Labels::from([(key.to_owned(), service[key].clone())]), END);
    }
}

/// None of its alerts has fired.
fn silent(stage: &mut Stage<'_>, it: &Subject<'_>, with: &Labels, at: u64) {
    let mut labels = identity(it.context.estate, it.context.service, it.slo);
    labels.extend(with.clone());
    labels.insert("alertstate".to_owned(), "firing".to_owned());
    let (alerts, at) = (selector("ALERTS", &labels), Duration::from_mins(at));
    stage.asks(it, &format!("count_over_time({alerts}[{}])", it.time(at)), at, None);
}
