//! Counters for an `events` SLI.

use promql_parser::label::Matcher;
use promql_parser::parser::{Expr, VectorSelector};

use super::super::file::Labels;
use super::{ALL, BAD, Fed, GOOD, Inputs, Raw, Samples, accepts, group_value, invent, name_of, of_label, refused_by};
use crate::model::{EventSide, Slo};
use crate::plan::rule_test::traffic::Counts;
use crate::promql;

/// `rate(selector[$window])` on both sides, in parentheses, aggregated and added if need be.
pub(super) fn events(slo: &Slo, side: &EventSide, total: &str) -> Option<Inputs> {
    let (part, counts) = match side {
        EventSide::Errors(text) => (text, BAD),
        EventSide::Good(text) => (text, GOOD),
    };
    let rest = Counts { good: !counts.good, bad: !counts.bad };
    let (parts, totals) = (counted(part)?, counted(total)?);
    if parts.function != totals.function {
        return None;
    }
    let (parts, totals) = (parts.selectors, totals.selectors);
    let (mut groups, mut series) = (Vec::new(), Vec::new());
    for group in 0..2 {
        let mut by = Labels::new();
        for label in &slo.by {
            let matchers: Vec<&Matcher> = parts.iter().chain(&totals).flat_map(|it| of_label(it, label)).collect();
            by.insert(label.clone(), group_value(&matchers, group)?);
        }
        if groups.contains(&by) {
            continue;
        }
        let all: Vec<&VectorSelector> = parts.iter().chain(&totals).collect();
        let mut push = |of: &VectorSelector, metric: String, labels: Labels, counts, share: usize| {
            let (samples, share) = (Samples::Counter(counts), share as u64);
            let refused = refused_by(of, &labels, &all);
            series.push(Raw { metric, labels, samples, group: groups.len(), share, refused });
        };
        let invented: Vec<(String, Labels)> =
            parts.iter().map(|it| Some((name_of(it)?, invent(it, &by, None)?))).collect::<Option<_>>()?;
        let counts_part = |total: &&VectorSelector| {
            invented.iter().any(|(name, labels)| name_of(total).as_ref() == Some(name) && accepts(total, labels))
        };
        let (shared, apart): (Vec<&VectorSelector>, Vec<&VectorSelector>) = totals.iter().partition(counts_part);
        for (of, (metric, labels)) in parts.iter().zip(&invented) {
            push(of, metric.clone(), labels.clone(), counts, parts.len());
        }
        // The total may count the part's own series: then what is left is counted by its other selectors, or by series of
        // the shared ones that the part refuses.
        let (left, refused, counts) = match (shared.len(), apart.len()) {
            (0, _) => (apart, None, ALL),
            (n, 0) if n == parts.len() => (shared, Some(&parts), rest),
            (n, _) if n == parts.len() => (apart, None, rest),
            _ => return None,
        };
        for total in &left {
            push(total, name_of(total)?, invent(total, &by, refused.map(Vec::as_slice))?, counts, left.len());
        }
        groups.push(by);
    }
    Some(Inputs { groups, series, fed: Fed::Series })
}

/// What one side of an `events` SLI counts.
struct Counted {
    /// `rate` or `increase`.
    function: &'static str,
    selectors: Vec<VectorSelector>,
}

/// A sum of simple counts; `None` for anything else.
fn counted(text: &str) -> Option<Counted> {
    counted_by(&promql::parse(text).ok()?.whole())
}

fn counted_by(expr: &Expr) -> Option<Counted> {
    match expr {
        Expr::Paren(inner) => counted_by(&inner.expr),
        Expr::Aggregate(sum) if sum.op.to_string() == "sum" => counted_by(&sum.expr),
        Expr::Binary(added) if added.op.to_string() == "+" => {
            let (mut left, right) = (counted_by(&added.lhs)?, counted_by(&added.rhs)?);
            left.selectors.extend(right.selectors);
            (left.function == right.function).then_some(left)
        }
        Expr::Call(call) => {
            let function = ["rate", "increase"].into_iter().find(|name| *name == call.func.name)?;
            let Expr::MatrixSelector(matrix) = &**call.args.args.first()? else { return None };
            let selector = &matrix.vs;
            let plain = selector.offset.is_none() && selector.at.is_none() && selector.matchers.or_matchers.is_empty();
            plain.then(|| Counted { function, selectors: vec![selector.clone()] })
        }
        _ => None,
    }
}
