//! Recording rules: five per SLO (six with a memory), a burn rate per alert window, and the budget of the compliance window.

use std::collections::BTreeMap;
use std::sync::Arc;

use kilter_contract::slo;

use super::Rule;
use super::class::Class;
use super::context::{Context, Layout};
use super::expr::{burn_rate, over_window};
use super::maintenance::{self, Watched};
use super::sli;
use super::windows::{self, Severity};
use crate::model::{Duration, Slo};

/// The pair, objective, budget and facts of one SLO. Nothing that may change later is a label of the first four.
pub fn per_slo(context: &Context<'_>, slo: &Slo) -> Vec<Rule> {
    let Watched { before, pair } = maintenance::watched(context, slo, sli::pair(context, slo));
    let labels = Arc::new(context.slo_labels(slo));
    let record =
        |name: &str, expr: String| Rule::Recording { record: name.to_owned(), expr, labels: Arc::clone(&labels) };
    let mut facts = BTreeMap::clone(&labels);
    facts.extend([
        (slo::TEAM_LABEL.to_owned(), context.service.team.to_string()),
        ("objective".to_owned(), slo.objective.percent()),
        ("window".to_owned(), slo.window.to_string()),
        ("sli".to_owned(), slo.sli.kind().to_owned()),
    ]);
    facts.extend(slo.policy.tier.iter().map(|tier| ("tier".to_owned(), tier.clone())));
    let memory = pair.memory.map(|expr| record(slo::LAST_SUCCESS, expr));
    let before = before.into_iter().map(|(name, expr)| record(name, expr));
    let pair_and_facts = [
        record(slo::TOTAL_RATE, pair.total),
        record(slo::ERROR_RATE, pair.error),
        record(slo::OBJECTIVE, format!("vector({})", slo.objective.fraction())),
        record(slo::ERROR_BUDGET, format!("vector({})", slo.objective.error_budget())),
        Rule::Recording { record: slo::INFO.to_owned(), expr: "vector(1)".to_owned(), labels: facts.into() },
    ];
    memory.into_iter().chain(before).chain(pair_and_facts).collect()
}

/// The burn rate over every alert window that the classes use; a rule serves all their SLOs at once.
pub fn burn_rates(context: &Context<'_>, classes: &[Class<'_>]) -> Vec<Rule> {
    let split = context.layout != Layout::Whole;
    let names: Vec<&str> = classes.iter().filter(|_| split).flat_map(Class::names).collect();
    // Rules of several groups that record one series look like duplicates; where one is of one SLO it can say so.
    let labels = Arc::new(match (split, names.as_slice()) {
        (true, [one]) => BTreeMap::from([(slo::SLO_LABEL.to_owned(), (*one).to_owned())]),
        _ => BTreeMap::new(),
    });
    let burn = |(window, tiles): (Duration, bool)| Rule::Recording {
        record: slo::burn_rate(&window.to_string()),
        expr: burn(context, &names, window, tiles),
        labels: Arc::clone(&labels),
    };
    windows(classes).into_iter().map(burn).collect()
}

/// Every alert window that some classes use, shortest first, and whether it is a sum of tiles.
pub fn windows(classes: &[Class<'_>]) -> Vec<(Duration, bool)> {
    let mut all: Vec<Duration> =
        classes.iter().flat_map(|class| &class.pairs).flat_map(|(pair, _)| [pair.long, pair.short]).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|window| (window, classes.iter().any(|class| tiled(class, window)))).collect()
}

/// Only the long window of the first page pair decides early (of the first pair, where nothing pages), and beyond twelve
/// tiles the sum costs more than it tells.
fn tiled(class: &Class<'_>, window: Duration) -> bool {
    let first = class.pairs_of(Severity::Page).first().copied().or(class.pairs.first());
    first.map(|(pair, _)| pair.long) == Some(window) && window.millis() <= 12 * windows::timing().rate.millis()
}

fn burn(context: &Context<'_>, names: &[&str], window: Duration, tiles: bool) -> String {
    let scaled = context.estate.time_scale.apply(window);
    let over = |series: &str| over_window(&context.recorded(series, names), scaled, context.timing.rate, tiles);
    let budget = context.recorded(slo::ERROR_BUDGET, names);
    burn_rate(&over(slo::ERROR_RATE), &over(slo::TOTAL_RATE), &budget, &context.join())
}

/// Burn, coverage and what is left of the budget over the compliance window: one rule each, whatever the classes.
pub fn budget(context: &Context<'_>, classes: &[Class<'_>]) -> Vec<Rule> {
    let record = |name: &str, expr: &dyn Fn(&Class<'_>) -> String| Rule::Recording {
        record: name.to_owned(),
        expr: classes.iter().map(expr).collect::<Vec<_>>().join("\nor\n"),
        labels: Arc::default(),
    };
    let remaining = format!(
        "1 - {} * clamp_max({}, 1)",
        context.recorded(slo::PERIOD_BURN_RATE, &[]),
        context.recorded(slo::PERIOD_COVERAGE, &[])
    );
    vec![
        record(slo::PERIOD_BURN_RATE, &|class| period_burn(context, class)),
        record(slo::PERIOD_COVERAGE, &|class| period_coverage(context, class)),
        Rule::Recording { record: slo::BUDGET_REMAINING.to_owned(), expr: remaining, labels: Arc::default() },
    ]
}

fn period_burn(context: &Context<'_>, class: &Class<'_>) -> String {
    let over =
        |name: &str| format!("sum_over_time({}{})", context.recorded(name, &class.names()), grid(context, class));
    let budget = context.recorded(slo::ERROR_BUDGET, &class.names());
    burn_rate(&over(slo::ERROR_RATE), &over(slo::TOTAL_RATE), &budget, &context.join())
}

/// Share of the compliance window's grid that has a sample: a young history spends its share of the budget only.
fn period_coverage(context: &Context<'_>, class: &Class<'_>) -> String {
    let points = period_points(context, class);
    let count =
        |series: &str| format!("count_over_time({}{})", context.recorded(series, &class.names()), grid(context, class));
    let counted = count(slo::TOTAL_RATE);
    if !class.maintained {
        return format!("{counted} / {points}");
    }
    // Maintenance is known time: without it the rest of the window would have to spend more than the budget.
    let on = context.join().join(", ");
    format!("({counted} + on ({on}) group_left () {}\n  or {counted}) / {points}", count(slo::MAINTENANCE))
}

/// Points of the compliance window's grid.
pub fn period_points(context: &Context<'_>, class: &Class<'_>) -> u64 {
    context.estate.time_scale.apply(class.window).millis() / context.timing.rate.millis()
}

/// `[30d:5m]`.
fn grid(context: &Context<'_>, class: &Class<'_>) -> String {
    format!("[{}:{}]", context.estate.time_scale.apply(class.window), context.timing.rate)
}
