//! A rate of what was aggregated before: restarts of single counters are no longer seen.

use super::{Flaw, written};
use crate::diagnostic::Code;
use crate::promql::{Part, Tree};

/// Functions that read counters.
pub(crate) const RATES: &[&str] = &["rate", "irate", "increase"];

/// Rates of aggregates; `recorded` knows the series that are recorded as one.
pub(crate) fn rate_of_aggregate(text: &str, tree: &Tree, recorded: &dyn Fn(&str) -> bool) -> Vec<Flaw> {
    let one = |call: &&Tree| {
        let [argument] = call.call(RATES)? else { return None };
        let Part::Ranged { of, brackets, .. } = &argument.part else { return None };
        if let Some((metric, _)) = of.selects().filter(|(metric, _)| recorded(metric)) {
            let rate = written(text, call.head);
            let message = format!("`{metric}` is recorded as an aggregate, so `{rate}` of it sees no restart");
            let help = "record the rate of the counters, and aggregate that";
            return Some(Flaw::new(Code::RateOfAggregate, call.head, message, help));
        }
        let aggregate = aggregate(of)?;
        let Part::Aggregation { name, grouping, args } = &aggregate.part else { return None };
        let rate = written(text, call.head);
        let message =
            format!("`{rate}` of a `{name}`: when one of its counters restarts, this one does not fall to zero");
        let help = format!("first the rate, then the aggregate: {name}({rate}(metric_total[5m]))");
        let flaw = Flaw::new(Code::RateOfAggregate, call.head, message, help);
        // `rate(sum(x)[5m:])` is meant as `sum(rate(x[5m]))`; of anything else nobody can know.
        let plain = args.last().filter(|it| it.selects().is_some() && args.len() == 1 && of.bare() == aggregate);
        let length = text.get(brackets.start..brackets.end)?.trim_start_matches('[').split([':', ']']).next()?.trim();
        Some(match plain {
            Some(counter) => {
                let by = grouping.as_ref().map(|it| format!(" {} ", written(text, it.range))).unwrap_or_default();
                let counter = text.get(counter.range.start..counter.range.end)?;
                flaw.mended(call.range, format!("{name}{by}({rate}({counter}[{length}]))"))
            }
            _ => flaw,
        })
    };
    tree.all().iter().filter_map(one).collect()
}

/// The aggregation that an expression is, or is made of by arithmetic.
fn aggregate(of: &Tree) -> Option<&Tree> {
    match &of.part {
        Part::Aggregation { .. } => Some(of),
        Part::Brackets(of) | Part::Signed(of) | Part::Shifted(of) => aggregate(of),
        Part::Binary { sign, sides, .. } if ["+", "-", "*", "/"].contains(&sign.as_str()) => {
            sides.iter().find_map(aggregate)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    #[test]
    fn the_rate_comes_first() {
        for (text, good) in [
            ("rate(sum(x)[5m:])", Some("sum(rate(x[5m]))")),
            ("increase(sum by (a) (x{b=\"c\"})[1h:1m])", Some("sum by (a) (increase(x{b=\"c\"}[1h]))")),
            ("rate((sum(x) + sum(y))[5m:])", None),
            ("irate(max(rate(x[5m]))[5m:])", None),
            ("rate(job:x:sum[5m])", None),
        ] {
            let flaws = rate_of_aggregate(text, &tree(text).unwrap(), &|it| it == "job:x:sum");
            assert_eq!(flaws.len(), 1, "{text}");
            assert_eq!(flaws[0].edits.first().map(|(_, it)| it.as_str()), good, "{text}");
        }
        for text in
            ["sum(rate(x[5m]))", "max_over_time(sum(x)[5m:])", "rate(x[5m:])", "rate((x and on () sum(y))[5m:])"]
        {
            assert!(rate_of_aggregate(text, &tree(text).unwrap(), &|_| false).is_empty(), "{text}");
        }
    }
}
