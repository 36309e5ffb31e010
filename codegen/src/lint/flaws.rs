//! Flaws of single expressions in SLO files: buckets without `le`, rates of aggregates, regular expressions.

use super::Query;
use super::flaw::{Flaw, missing_le, rate_of_aggregate, regexes};
use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::Estate;
use crate::promql::Tree;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    let Some(tree) = query.tree() else { return };
    // Kilter sums the two sides of `events`.
    let flaws = in_expression(query.text, tree, query.kind == "events", &|_| false);
    flaws.into_iter().for_each(|it| query.tell(it, sources, all));
}

/// What an SLO file and a rule file have alike. `recorded` knows the series that are recorded as aggregates.
pub(crate) fn in_expression(text: &str, tree: &Tree, summed: bool, recorded: &dyn Fn(&str) -> bool) -> Vec<Flaw> {
    let mut all = missing_le(text, tree, summed);
    all.extend(rate_of_aggregate(text, tree, recorded));
    all.extend(regexes(tree));
    all
}
