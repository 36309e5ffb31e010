//! A counter that is read without `rate`.

use super::{Context, Rule, is_ranged, selectors};
use crate::diagnostic::Code;
use crate::lint::{Flaw, only_exists};
use crate::promql::{Part, Tree};

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>) -> Vec<Flaw> {
    let mut all = Vec::new();
    selectors(&rule.tree, &mut |it, metric, above| {
        let counter = metric.ends_with("_total") && !metric.contains(':');
        if counter && !is_ranged(above) && !only_exists(it, above) && !is_difference(metric, above) {
            let message = format!("the counter `{metric}` is read without rate()");
            let help =
                format!("write rate({metric}[5m]) or increase({metric}[5m]); a gauge should not have a counter's name");
            all.push(Flaw::new(Code::CounterWithoutRate, it.head, message, help));
        }
    });
    all
}

/// `x - x offset 5m`, `x unless x offset 5m`: the counter is compared with itself at another time.
fn is_difference(metric: &str, above: &[&Tree]) -> bool {
    let names = |side: &Tree| side.all().iter().filter_map(|it| it.selects()).any(|(name, _)| name == metric);
    let nearest = above.iter().rev().find_map(|it| match &it.part {
        Part::Binary { sides, .. } => Some((it, sides)),
        _ => None,
    });
    nearest.is_some_and(|(it, sides)| {
        sides.iter().all(names) && it.all().iter().any(|it| matches!(it.part, Part::Shifted(_)))
    })
}
