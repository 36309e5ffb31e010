//! A minute without events whose quantile or quotient is NaN counts as a bad minute.

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    if query.kind == "slices" && query.expr().is_some_and(|it| promql::may_be_nan(it)) {
        let message = "a minute without events gives NaN, and a comparison with NaN is 0: a bad minute";
        let help = "drop NaN before the comparison: (... >= 0) < bool 0.5";
        Findings::new(query.file, sources, all).warning(Code::IdleMinute, query.node.range, message, help);
    }
}
