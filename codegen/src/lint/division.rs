//! A division inside `events` can be 0/0, which is NaN and counts as no error.

use super::queries;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for query in queries(estate, sources).into_iter().filter(|it| it.kind == "events") {
        if promql::parse(query.text).is_ok_and(|it| promql::divides(&it)) {
            let message = format!("`{}` divides, so it is NaN while its divisor is zero", query.key);
            let help = "name the counters of bad and of all events: Kilter divides, and guards the zero";
            Findings::new(query.file, sources, &mut all).warning(Code::Division, query.node.range, message, help);
        }
    }
    all
}
