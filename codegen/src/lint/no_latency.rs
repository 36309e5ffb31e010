//! A route with an availability SLO and no latency SLO: a hang that clients give up on is seen by nobody.

use kilter_contract::http::ROUTE;

use super::slo_node;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::{Estate, Family, Red, Sli};

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for service in &estate.services {
        let timed: Vec<&[String]> = service
            .slos
            .iter()
            .filter_map(|slo| served(&slo.sli).filter(|red| red.slower_than_nanos.is_some()))
            .map(|red| red.values(ROUTE.key))
            .collect();
        for slo in &service.slos {
            let Some(red) = served(&slo.sli).filter(|red| red.slower_than_nanos.is_none()) else { continue };
            let routes = red.values(ROUTE.key);
            let seen = |route: &String| timed.iter().any(|it| it.is_empty() || it.contains(route));
            let all_seen =
                if routes.is_empty() { timed.iter().any(|it| it.is_empty()) } else { routes.iter().all(seen) };
            let place = slo_node(sources, service, slo.name.as_str());
            if let Some((index, node)) = place.filter(|_| !all_seen) {
                let range = node.get("name").map_or(node.range, |it| it.range);
                let message =
                    format!("`{}` watches availability, but no SLO watches the latency of its routes", slo.name);
                let help = "requests that hang until clients give up are not errors: add an SLO with `slower_than` on the same routes";
                Findings::new(index, sources, &mut all).warning(Code::NoLatency, range, message, help);
            }
        }
    }
    all
}

fn served(sli: &Sli) -> Option<&Red> {
    sli.red().filter(|red| red.family == Family::HttpServer)
}
