//! A metric whose name is nearly one of the contract's: most likely misspelt, and then silent for ever.

use std::collections::BTreeMap;

use kilter_contract::{CATALOG, Signal, find, find_series};

use super::queries;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;
use crate::spec::check::{least_edits, nearest};

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let signals = || CATALOG.iter().flat_map(|it| it.iter());
    let series: Vec<String> = signals().flat_map(Signal::series).collect();
    let series: Vec<&str> = series.iter().map(String::as_str).collect();
    let names: Vec<&str> = signals().map(|it| it.name).collect();
    let mut all = Vec::new();
    let mut asked: BTreeMap<(bool, String), Option<&str>> = BTreeMap::new();
    for query in queries(estate, sources) {
        let Ok(expr) = promql::parse(query.text) else { continue };
        // A `latency` SLI names a histogram, all others its series.
        let known = if query.kind == "latency" { &names } else { &series };
        for (selector, at) in promql::placed_selectors(query.text, &expr) {
            // Most SLOs of an estate name the same few metrics.
            let near = asked.entry((query.kind == "latency", selector.metric.clone()));
            let Some(near) = *near.or_insert_with(|| misspelt(&selector.metric, known)) else { continue };
            let range = query.place(sources, at);
            let message = format!("the contract has no metric `{}`, but it has `{near}`", selector.metric);
            let help = "correct the name; if the service has a metric of its own with this name, rename that";
            Findings::new(query.file, sources, &mut all).warning(Code::NearContract, range, message, help);
        }
    }
    all
}

/// The contract's series that a name most likely means. Two edits at most: services have similar names of their own.
fn misspelt<'a>(metric: &str, known: &[&'a str]) -> Option<&'a str> {
    if known.iter().all(|it| least_edits(metric, it) > 2) {
        return None;
    }
    let near = nearest(metric, known).filter(|_| find_series(metric).is_none() && find(metric).is_none())?;
    (strsim::damerau_levenshtein(metric, near) <= 2).then_some(near)
}
