//! Series of SLIs that name one metric: a gauge, a histogram.

use promql_parser::label::Matcher;
use promql_parser::parser::{Expr, VectorSelector};

use super::super::file::Labels;
use super::{ALL, Fed, GOOD, Inputs, Raw, Samples, group_value, invent, name_of, of_label, refused_by};
use crate::model::{Histogram, Slo};
use crate::promql;

/// The gauge of an `uptime` SLI, when it is one selector, aggregated or not.
pub(super) fn uptime(slo: &Slo, up: &str) -> Option<Inputs> {
    let selector = one(&promql::parse(up).ok()?.whole())?;
    by_group(slo, &selector, |labels| Some(vec![(name_of(&selector)?, labels, Samples::Up)]))
}

/// Counts and buckets of a classic histogram.
pub(super) fn latency(slo: &Slo, of: &Histogram) -> Option<Inputs> {
    let selector = one(&promql::parse(&format!("{}{{{}}}", of.metric, of.matchers)).ok()?.whole())?;
    by_group(slo, &selector, |labels| {
        let bucket = |le: String| {
            let mut labels = labels.clone();
            labels.insert("le".to_owned(), le);
            labels
        };
        // Whole bounds as OpenMetrics spells them.
        let bound = of.threshold.to_string();
        let bound = if bound.contains('.') { bound } else { format!("{bound}.0") };
        let name = |form: &str| format!("{}_{form}", of.metric);
        Some(vec![
            (name("count"), labels.clone(), Samples::Counter(ALL)),
            (name("bucket"), bucket(bound), Samples::Counter(GOOD)),
            (name("bucket"), bucket("+Inf".to_owned()), Samples::Counter(ALL)),
        ])
    })
}

fn by_group(
    slo: &Slo,
    selector: &VectorSelector,
    series_of: impl Fn(Labels) -> Option<Vec<(String, Labels, Samples)>>,
) -> Option<Inputs> {
    let (mut groups, mut series): (Vec<Labels>, Vec<Raw>) = (Vec::new(), Vec::new());
    for group in 0..2 {
        let mut by = Labels::new();
        for label in &slo.by {
            let matchers: Vec<&Matcher> = of_label(selector, label);
            by.insert(label.clone(), group_value(&matchers, group)?);
        }
        if groups.contains(&by) {
            continue;
        }
        let group = groups.len();
        let labels = invent(selector, &by, None)?;
        let refused = refused_by(selector, &labels, &[selector]);
        let made = series_of(labels)?;
        series.extend(made.into_iter().map(|(metric, labels, samples)| Raw {
            metric,
            labels,
            samples,
            group,
            share: 1,
            refused: refused.clone(),
        }));
        groups.push(by);
    }
    Some(Inputs { groups, series, fed: Fed::Series })
}

/// The only selector of an expression that gives its value, or that of one of its series.
fn one(expr: &Expr) -> Option<VectorSelector> {
    match expr {
        Expr::VectorSelector(selector) => Some(selector.clone()),
        Expr::Paren(inner) => one(&inner.expr),
        Expr::Aggregate(it) if ["max", "min", "avg"].contains(&it.op.to_string().as_str()) => one(&it.expr),
        _ => None,
    }
}
