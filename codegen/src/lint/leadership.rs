//! An alert about pages of several teams, in an estate that has fewer: it could never fire.

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::plan::escalation::{can_spread, paged};

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let written = sources.trees.first().and_then(Option::as_ref).and_then(|it| it.get("leadership")?.get("teams"));
    let Some((leadership, node)) = estate.leadership.as_ref().zip(written) else { return all };
    if !can_spread(estate, leadership) {
        let (wanted, count) = (leadership.teams, paged(estate).len());
        let message = format!(
            "pages of {wanted} teams at once cannot be: {count} of `teams` own{} services",
            if count == 1 { "s" } else { "" }
        );
        let help = "leave `teams` out (2, once there are so many), or write a number that there are";
        Findings::new(0, sources, &mut all).error(Code::CannotSpread, node.range, message, help);
    }
    all
}
