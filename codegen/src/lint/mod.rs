//! Warnings about what is legal but will hurt. One file per check, one line in the list.

mod division;
mod no_latency;

use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::Estate;

/// A check: everything that it finds.
type Check = fn(&Estate, &Sources) -> Vec<Diagnostic>;

/// Every check.
const CHECKS: &[Check] = &[division::check, no_latency::check];

/// Runs them all.
pub fn lint(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    CHECKS.iter().flat_map(|check| check(estate, sources)).collect()
}

/// The node of an SLO in its file, with the file's index.
fn slo_node<'a>(sources: &'a Sources, source: &str, name: &str) -> Option<(usize, &'a crate::yaml::Node)> {
    let index = sources.files.iter().position(|it| it.path == source)?;
    let crate::yaml::Value::List(items) = &sources.trees[index].as_ref()?.get("slos")?.value else { return None };
    let named = |node: &&crate::yaml::Node| matches!(node.get("name").map(|it| &it.value), Some(crate::yaml::Value::Scalar { text, .. }) if text == name);
    items.iter().find(named).map(|node| (index, node))
}
