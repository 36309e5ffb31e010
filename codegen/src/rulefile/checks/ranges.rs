//! Ranges that hold fewer than four scrapes.

use super::{Context, Rule};
use crate::diagnostic::Code;
use crate::lint::Flaw;
use crate::promql::Part;

/// Scrapes that a range must hold, so that a lost one is no lost rate.
const SCRAPES: u64 = 4;

pub(super) fn check(rule: &Rule<'_>, context: &Context<'_>) -> Vec<Flaw> {
    let Some(interval) = context.setting.scrape_interval else { return Vec::new() };
    let wanted = interval.times(SCRAPES);
    let mut all = Vec::new();
    for part in rule.tree.all() {
        let Some(args) = part.call(&["rate", "increase", "delta", "deriv"]) else { continue };
        let Some(Part::Ranged { of, length: Some(length), step: None, brackets }) = args.last().map(|it| &it.part)
        else {
            continue;
        };
        // What is recorded is not scraped.
        let recorded = of.selects().is_some_and(|(metric, _)| metric.contains(':'));
        if *length < wanted.secs_f64() && !recorded {
            let shown = &rule.expr[brackets.start..brackets.end];
            let message = format!("{shown} hold fewer than {SCRAPES} scrapes that are {interval} apart");
            let help = format!("write at least [{wanted}]");
            all.push(Flaw::new(Code::ShortRange, *brackets, message, help));
        }
    }
    all
}
