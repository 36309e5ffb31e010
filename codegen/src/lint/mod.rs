//! Warnings about what is legal but will hurt. One file per check, one line in the list.

mod counter_ratio;
mod counter_without_rate;
mod division;
mod idle_minute;
mod near_contract;
mod no_latency;
mod rejected_methods;
mod stale_link;

use rayon::prelude::*;

use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::{Estate, Service};
use crate::yaml::{Node, Value};

/// A check: everything that it finds.
type Check = fn(&Estate, &Sources) -> Vec<Diagnostic>;

/// Every check.
const CHECKS: &[Check] = &[
    counter_without_rate::check,
    division::check,
    near_contract::check,
    no_latency::check,
    counter_ratio::check,
    idle_minute::check,
    rejected_methods::check,
    stale_link::check,
];

/// Runs them all.
pub fn lint(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let found: Vec<Vec<Diagnostic>> = CHECKS.par_iter().map(|check| check(estate, sources)).collect();
    found.concat()
}

/// A PromQL text of an SLI with its place.
struct Query<'a> {
    /// `events`, `ratio` and so on.
    kind: &'static str,
    /// `errors`, `good`, `total` and so on.
    key: &'static str,
    /// As written.
    text: &'a str,
    /// Its node.
    node: &'a Node,
    /// Index of its file.
    file: usize,
}

/// Every PromQL text of the estate.
fn queries<'a>(estate: &Estate, sources: &'a Sources) -> Vec<Query<'a>> {
    let mut all = Vec::new();
    for (service, slo) in estate.services.iter().flat_map(|it| it.slos.iter().map(move |slo| (it, slo))) {
        let texts = slo.sli.texts();
        let Some((file, node)) = slo_node(sources, service, slo.name.as_str()).filter(|_| !texts.is_empty()) else {
            continue;
        };
        for (kind, key, _) in texts {
            let found = node.get("sli").and_then(|it| it.get(kind)?.get(key));
            if let Some(Node { value: Value::Scalar { text, .. }, .. }) = found {
                all.extend(found.map(|node| Query { kind, key, text, node, file }));
            }
        }
    }
    all
}

/// The node of an SLO in its file, with the file's index. Files of other tools can share a service.
fn slo_node<'a>(sources: &'a Sources, service: &Service, name: &str) -> Option<(usize, &'a Node)> {
    let says = |node: &Node, key: &str, wanted: &str| matches!(node.get(key).map(|it| &it.value), Some(Value::Scalar { text, .. }) if text == wanted);
    sources.trees_of(service.name.as_str()).find_map(|(index, tree)| {
        let Value::List(items) = &tree.get("slos")?.value else { return None };
        items.iter().find(|node| says(node, "name", name)).map(|node| (index, node))
    })
}
