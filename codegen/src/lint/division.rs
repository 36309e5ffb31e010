//! A division inside `events` can be 0/0, which is NaN and counts as no error.

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    if query.kind == "events" && query.expr().is_some_and(|it| promql::divides(it)) {
        let message = format!("`{}` divides, so it is NaN while its divisor is zero", query.key);
        let help = "name the counters of bad and of all events: Kilter divides, and guards the zero";
        Findings::new(query.file, sources, all).warning(Code::Division, query.node.range, message, help);
    }
}
