//! A label whose name is nearly one of the signal's: it matches nothing, or groups nothing.

use kilter_contract::{Signal, find, find_series};

use super::Query;
use super::flaw::Flaw;
use crate::diagnostic::{Code, Diagnostic};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql::{Part, Tree};
use crate::spec::check::nearest;
use crate::yaml::Range;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    // Most queries name nothing of the contract.
    if query.selectors().iter().any(|(it, _)| signal(&it.metric).is_some()) {
        let flaws = query.tree().map(flaws).unwrap_or_default();
        flaws.into_iter().for_each(|it| query.tell(it, sources, all));
    }
}

/// Labels of matchers and of groupings, where every metric below is the contract's.
fn flaws(tree: &Tree) -> Vec<Flaw> {
    let mut all = Vec::new();
    for part in tree.all() {
        let (names, signals): (Vec<(&str, Range)>, Vec<&Signal>) = match &part.part {
            Part::Selector { metric, matchers, .. } => {
                let name = |label: &str, at: Range| Range { start: at.start, end: at.start + label.len() };
                let labels = matchers.iter().map(|it| (it.label.as_str(), name(&it.label, it.range)));
                (labels.collect(), signal(metric).into_iter().collect())
            }
            Part::Aggregation { grouping: Some(grouping), .. } => {
                let parts = part.all();
                let metrics: Vec<&str> = parts.iter().filter_map(|it| it.selects()).map(|(it, _)| it).collect();
                let signals: Option<Vec<&Signal>> = metrics.into_iter().map(signal).collect();
                (grouping.names.iter().map(|(it, at)| (it.as_str(), *at)).collect(), signals.unwrap_or_default())
            }
            _ => continue,
        };
        let labels: Vec<&str> = signals.iter().flat_map(|it| it.labels).map(|it| it.key).collect();
        for (label, at) in names {
            let Some(near) = misspelt(label, &labels) else { continue };
            let message = format!("the signal has no label `{label}`, but it has `{near}`");
            let help = "correct the name; if the scrape adds a label of this name, rename that";
            all.push(Flaw::new(Code::NearLabel, at, message, help));
        }
    }
    all
}

fn signal(metric: &str) -> Option<&'static Signal> {
    find_series(metric).or_else(|| find(metric))
}

/// Two edits at most, and no label that Prometheus or the histogram adds.
fn misspelt<'a>(label: &str, known: &[&'a str]) -> Option<&'a str> {
    let near =
        nearest(label, known).filter(|_| !known.contains(&label) && !["le", "job", "instance"].contains(&label))?;
    (strsim::damerau_levenshtein(label, near) <= 2).then_some(near)
}
