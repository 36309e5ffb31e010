//! An estate without teams: its alerts fall to the default receiver.

use std::collections::BTreeSet;

use super::first_key;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    if sources.has_config && estate.teams.is_empty() {
        let names: BTreeSet<&str> = estate.services.iter().map(|it| it.team.as_str()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let message = format!("kilter.yaml has no teams, so nobody receives the alerts of: {}", names.join(", "));
        let first = names.first().copied().unwrap_or("store");
        let help =
            format!("name their receivers: teams: {{{first}: {{page: {first}-pager, ticket: {first}-tickets}}}}");
        Findings::new(0, sources, &mut all).warning(Code::NoTeams, first_key(sources, 0), message, help);
    }
    all
}
