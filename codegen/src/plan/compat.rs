//! Series of other tools, recorded from ours: right numbers under old names, so that dashboards go on working.
//!
//! They carry the other tool's labels only, never `service` and `slo`: where a name is both theirs and ours, nothing of
//! ours selects theirs, and the two never have the same labels.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::context::Context;
use super::expr::over_window;
use super::{Rule, RuleGroup};
use crate::model::{Compat, Duration, Slo};

/// The group of one tool's series.
pub fn group(context: &Context<'_>, compat: Compat) -> RuleGroup {
    match compat {
        Compat::Sloth => RuleGroup {
            name: format!("slo-{}-sloth", context.service.name),
            interval: context.timing.interval,
            rules: context.service.slos.iter().flat_map(|slo| sloth(context, slo, &alert_windows(context))).collect(),
        },
    }
}

/// What Sloth records per SLO: its error ratios, its metadata and its info series.
fn sloth(context: &Context<'_>, slo: &Slo, alert_windows: &[Duration]) -> Vec<Rule> {
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
        Rule::Recording { record: record.to_owned(), expr, labels: labels.into() }
    };
    let ratio = |window: Duration, burn: &str| {
        let window = named(window);
        let series = format!("slo:sli_error:ratio_rate{window}");
        record(&series, format!("{burn} * {budget}"), &[("sloth_window", window)])
    };
    let burn = |window: Duration| burn(context, slo, window, alert_windows);
    let minutes = |it: &u64| Duration::from_mins(*it);
    let mut rules: Vec<Rule> = WINDOWS.iter().map(minutes).map(|it| ratio(it, &burn(it))).collect();
    rules.push(ratio(slo.window, &ours(slo::PERIOD_BURN_RATE)));
    let days = slo.window.millis() / 86_400_000;
    rules.extend([
        record(slo::OBJECTIVE, format!("vector({})", slo.objective.fraction()), &[]),
        record(slo::ERROR_BUDGET, format!("vector({budget})"), &[]),
        record("slo:time_period:days", format!("vector({days})"), &[]),
        record("slo:current_burn_rate:ratio", burn(minutes(&WINDOWS[0])), &[]),
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

/// Windows of Sloth's series, in minutes.
const WINDOWS: &[u64] = &[5, 30, 60, 2 * 60, 6 * 60, 24 * 60, 3 * 24 * 60];

/// Every window for which the service's burn rates are recorded.
fn alert_windows(context: &Context<'_>) -> Vec<Duration> {
    let classes = context.classes();
    classes.iter().flat_map(|it| &it.pairs).flat_map(|(pair, _)| [pair.long, pair.short]).collect()
}

/// The burn rate over a window: as it is recorded, else from the pair.
fn burn(context: &Context<'_>, slo: &Slo, window: Duration, alert_windows: &[Duration]) -> String {
    let recorded = |series: &str| context.recorded(series, &[slo.name.as_str()]);
    if alert_windows.contains(&window) {
        return max_by(&slo.by, &recorded(&slo::burn_rate(&window.to_string())));
    }
    let scaled = context.estate.time_scale.apply(window);
    let over = |series: &str| max_by(&slo.by, &over_window(&recorded(series), scaled, context.timing.rate, false));
    format!("{} / ({} > 0) / {}", over(slo::ERROR_RATE), over(slo::TOTAL_RATE), slo.objective.error_budget())
}

fn max_by(by: &[String], of: &str) -> String {
    if by.is_empty() { format!("max({of})") } else { format!("max by ({}) ({of})", by.join(", ")) }
}

/// A window in a name of Sloth's: whole weeks are weeks, as Prometheus prints durations.
fn named(window: Duration) -> String {
    let week = 7 * 86_400_000;
    if window.millis().is_multiple_of(week) { format!("{}w", window.millis() / week) } else { window.to_string() }
}
