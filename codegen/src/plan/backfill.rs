//! Rules that fill the history of SLOs from what was scraped before their own rules were there, with `promtool tsdb
//! create-blocks-from rules`.
//!
//! promtool evaluates each rule by itself over what the server holds at that time: no rule sees what another one of its
//! run makes. So there are two files. The first records the pair of every SLO over raw series alone, with its budget and
//! its maintenance; the second, run when the server has the blocks of the first, what is made of these.
//!
//! What is recorded for dashboards and for how rules run (`slo:info`) needs no past. Where missing data count as errors,
//! what is filled is what was measured: whether the rules ran is known of no time before there were any.

use std::collections::BTreeMap;
use std::sync::Arc;

use kilter_contract::slo;

use super::context::Context;
use super::maintenance::{active, has_measured};
use super::{Rule, RuleFile, RuleGroup, raw, recording};

/// The two files of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// Over what was scraped.
    pub first: RuleFile,
    /// Over what the first has filled.
    pub second: RuleFile,
}

/// Plans them.
pub fn backfill(context: &Context<'_>) -> Backfill {
    let pairs = context.service.slos.iter().flat_map(|it| of_slo(context, it)).collect();
    let mut made = recording::burn_rates(context, context.classes());
    made.extend(budget(context));
    Backfill { first: file(context, "pairs", pairs), second: file(context, "burn-rates", made) }
}

fn file(context: &Context<'_>, what: &str, rules: Vec<Rule>) -> RuleFile {
    let name = format!("slo-{}-backfill-{what}", context.service.name);
    let interval = context.timing.interval;
    RuleFile { source: context.service.source.clone(), groups: vec![RuleGroup { name, interval, rules }] }
}

fn of_slo(context: &Context<'_>, it: &crate::model::Slo) -> Vec<Rule> {
    let pair = raw::pair(context, it);
    let labels: Arc<BTreeMap<String, String>> = Arc::new(context.slo_labels(it));
    let record =
        |name: &str, expr: String| Rule::Recording { record: name.to_owned(), expr, labels: Arc::clone(&labels) };
    let active = it.policy.maintenance.as_ref().map(|it| active(context, it));
    let counted = |side: &str| match &active {
        Some(active) => format!("({side})\nunless on () ({active})"),
        None => side.to_owned(),
    };
    let mut rules = vec![
        record(slo::TOTAL_RATE, counted(&pair.total)),
        record(slo::ERROR_RATE, counted(&pair.error)),
        record(slo::OBJECTIVE, format!("vector({})", it.objective.fraction())),
        record(slo::ERROR_BUDGET, format!("vector({})", it.objective.error_budget())),
    ];
    if has_measured(it) {
        rules.push(record(slo::MEASURED_RATE, pair.total));
    }
    rules.extend(active.map(|active| record(slo::MAINTENANCE, active)));
    rules
}

/// The rules of the budget; what is left is asked of the same pair, not of what these record.
fn budget(context: &Context<'_>) -> Vec<Rule> {
    let mut rules = recording::budget(context, context.classes());
    let mut parts: Vec<(String, String)> = Vec::new();
    for rule in &mut rules {
        let Rule::Recording { record, expr, .. } = rule else { continue };
        for (recorded, of) in &parts {
            *expr = expr.replace(recorded, &format!("({of})"));
        }
        parts.push((context.recorded(record, &[]), expr.clone()));
    }
    rules
}
