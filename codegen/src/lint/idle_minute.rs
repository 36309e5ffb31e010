//! A minute without events whose quantile or quotient is NaN counts as a bad minute.

use super::queries;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for query in queries(estate, sources).into_iter().filter(|it| it.kind == "slices") {
        if promql::parse(query.text).is_ok_and(|it| promql::may_be_nan(&it)) {
            let message = "a minute without events gives NaN, and a comparison with NaN is 0: a bad minute";
            let help = "drop NaN before the comparison: (... >= 0) < bool 0.5";
            Findings::new(query.file, sources, &mut all).warning(Code::IdleMinute, query.node.range, message, help);
        }
    }
    all
}
