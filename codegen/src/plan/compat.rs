//! Series of other tools, recorded from ours: right numbers under old names, so that dashboards go on working.
//!
//! They carry the other tool's labels only, never `service` and `slo`: where a name is both theirs and ours, nothing of
//! ours selects theirs, and the two never have the same labels.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::context::Context;
use super::windows;
use super::{Rule, RuleGroup};
use crate::model::{Compat, Duration, Slo};

/// The group of one tool's series.
pub fn group(context: &Context<'_>, compat: Compat) -> RuleGroup {
    match compat {
        Compat::Sloth => RuleGroup {
            name: format!("slo-{}-sloth", context.service.name),
            interval: context.timing.interval,
            rules: context.service.slos.iter().flat_map(|slo| sloth(context, slo)).collect(),
        },
    }
}

/// What Sloth records per SLO: its error ratios, its metadata and its info series.
fn sloth(context: &Context<'_>, slo: &Slo) -> Vec<Rule> {
    let (service, name) = (context.service.name.as_str(), slo.name.as_str());
    let mut labels = context.estate.identity.clone();
    labels.extend([
        ("sloth_id".to_owned(), format!("{service}-{name}")),
        ("sloth_service".to_owned(), service.to_owned()),
        ("sloth_slo".to_owned(), name.to_owned()),
    ]);
    let budget = slo.objective.error_budget();
    // One series per group, without our own labels; the aggregation also merges the copies of a doubled ruler.
    let ours = |series: &str| max_by(&slo.by, &context.recorded(series, &[name]));
    let record = |record: &str, expr: String, more: &[(&str, String)]| {
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let labels: BTreeMap<String, String> = labels.clone().into_iter().chain(more).collect();
        Rule::Recording { record: record.to_owned(), expr, labels }
    };
    let ratio = |window: Duration, burn: &str| {
        let window = named(window);
        let series = format!("slo:sli_error:ratio_rate{window}");
        record(&series, format!("{} * {budget}", ours(burn)), &[("sloth_window", window)])
    };
    let alert_windows = windows::table(slo.window).windows();
    let mut rules: Vec<Rule> =
        alert_windows.into_iter().map(|it| ratio(it, &slo::burn_rate(&it.to_string()))).collect();
    rules.push(ratio(slo.window, slo::PERIOD_BURN_RATE));
    let days = slo.window.millis() / 86_400_000;
    let shortest = slo::burn_rate(&windows::timing().rate.to_string());
    rules.extend([
        record(slo::OBJECTIVE, format!("vector({})", slo.objective.fraction()), &[]),
        record(slo::ERROR_BUDGET, format!("vector({budget})"), &[]),
        record("slo:time_period:days", format!("vector({days})"), &[]),
        record("slo:current_burn_rate:ratio", ours(&shortest), &[]),
        record(slo::PERIOD_BURN_RATE, ours(slo::PERIOD_BURN_RATE), &[]),
        record("slo:period_error_budget_remaining:ratio", ours(slo::BUDGET_REMAINING), &[]),
        record(
            "sloth_slo_info",
            "vector(1)".to_owned(),
            &[
                ("sloth_mode", "kilter".to_owned()),
                ("sloth_spec", "kilter/v1".to_owned()),
                ("sloth_version", env!("CARGO_PKG_VERSION").to_owned()),
                ("sloth_objective", slo.objective.percent().trim_end_matches('%').to_owned()),
            ],
        ),
    ]);
    rules
}

fn max_by(by: &[String], of: &str) -> String {
    if by.is_empty() { format!("max({of})") } else { format!("max by ({}) ({of})", by.join(", ")) }
}

/// A window in a name of Sloth's: whole weeks are weeks, as Prometheus prints durations.
fn named(window: Duration) -> String {
    let week = 7 * 86_400_000;
    if window.millis().is_multiple_of(week) { format!("{}w", window.millis() / week) } else { window.to_string() }
}
