//! Rejected calls have no method, so an SLO of some methods of a dependency counts those of all.

use super::slo_node;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for (service, slo) in estate.services.iter().flat_map(|it| it.slos.iter().map(move |slo| (it, slo))) {
        let Some(red) = slo.sli.red().filter(|red| red.counts_rejected()) else { continue };
        let place = slo_node(sources, service, slo.name.as_str())
            .and_then(|(file, node)| Some((file, node.get("sli")?.get(red.family.key())?.get("methods")?)));
        if let Some((file, node)) = place.filter(|_| red.only.len() > 1) {
            let message = "calls that a breaker rejected have no method: this SLO counts those of every method";
            let help =
                "leave `methods` out, or keep it and know that a breaker for other methods spends this budget too";
            Findings::new(file, sources, &mut all).warning(Code::RejectedMethods, node.range, message, help);
        }
    }
    all
}
