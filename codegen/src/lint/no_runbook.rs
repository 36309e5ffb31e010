//! An estate whose alerts link no runbook, and services that page without a word on what to do.

use super::first_key;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::{Estate, Service};
use crate::plan::windows::{self, Severity};

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    // Without a kilter.yaml somebody tries Kilter out.
    if !sources.has_config {
        return all;
    }
    if estate.links.runbooks.is_none() {
        let message = "kilter.yaml does not say where runbooks are published, so alerts link none";
        let help = "publish rules/runbooks and write links: {runbooks: https://runbooks.example}";
        Findings::new(0, sources, &mut all).warning(Code::NoRunbook, first_key(sources, 0), message, help);
    }
    let foreign = |file: &usize| sources.foreign.contains_key(file);
    for service in estate.services.iter().filter(|it| it.mitigations.is_none() && pages(it)) {
        let mut own = sources.trees_of(service.name.as_str()).filter(|(file, _)| !foreign(file));
        let Some((file, tree)) = own.next() else { continue };
        let place = tree.get("service").map(|it| it.range);
        let message = format!("`{}` pages, but names no mitigations: its runbooks do not say what to do", service.name);
        let help = "write down what helped last time: runbook: {mitigations: docs/mitigations.md}";
        Findings::new(file, sources, &mut all).warning(Code::NoRunbook, place.unwrap_or_default(), message, help);
    }
    all
}

/// Whether an SLO without mitigations of its own pages.
fn pages(service: &Service) -> bool {
    let open = service.slos.iter().filter(|it| it.mitigations.is_none());
    open.flat_map(windows::pairs).any(|it| it.severity == Severity::Page)
}
