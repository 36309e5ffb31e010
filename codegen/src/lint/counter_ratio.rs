//! A ratio of two counters: as `events` every event weighs the same, and an idle moment is not missing.

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    if query.kind == "ratio" && query.expr().is_some_and(|it| promql::of_two_counters(it)) {
        let message = format!("`{}` divides two counters, so every moment weighs the same, however busy", query.key);
        let help =
            "write them as `events: {errors: ..., total: ...}`; `ratio` is for what only somebody else can count";
        Findings::new(query.file, sources, all).warning(Code::CounterRatio, query.node.range, message, help);
    }
}
