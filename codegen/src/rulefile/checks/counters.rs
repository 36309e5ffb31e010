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

/// `x - x offset 5m` is what `increase` says, but for restarts.
fn is_difference(metric: &str, above: &[&Tree]) -> bool {
    above.iter().any(|it| match &it.part {
        Part::Binary { sign, sides, .. } if sign == "-" => {
            sides.iter().all(|side| side.all().iter().filter_map(|it| it.selects()).any(|(name, _)| name == metric))
        }
        _ => false,
    })
}
