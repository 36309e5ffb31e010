//! What silences what: as little as possible.

use std::collections::BTreeSet;

use kilter_contract::slo;
use serde::Serialize;

use super::super::expr::{equal, one_of};
use crate::model::{Dependency, Estate, Service, Silences};

/// An inhibition rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inhibition {
    /// While these fire,
    pub source_matchers: Vec<String>,
    /// these are silent,
    pub target_matchers: Vec<String>,
    /// when these labels are equal.
    pub equal: Vec<String>,
}

/// All of them.
pub(super) fn inhibitions(estate: &Estate) -> Vec<Inhibition> {
    let depends = |service: &Service| {
        service.depends_on.iter().map(|it| of_dependency(estate, service.name.as_str(), it)).collect::<Vec<_>>()
    };
    let declared = estate.services.iter().flat_map(depends);
    [page_over_ticket(estate), down_over_burning(estate)].into_iter().chain(declared).collect()
}

/// A page silences the ticket of the same alert and the same SLO and group, and nothing else of it. Labels that both
/// sides lack are equal, which is right for `by` labels of other SLOs.
fn page_over_ticket(estate: &Estate) -> Inhibition {
    let mut labels: BTreeSet<String> = estate.identity.keys().cloned().collect();
    labels.extend(estate.services.iter().flat_map(|it| &it.slos).flat_map(|it| it.by.iter().cloned()));
    let own = ["alertname", slo::SERVICE_LABEL, slo::SLO_LABEL].map(str::to_owned);
    Inhibition {
        source_matchers: vec![equal(slo::SEVERITY_LABEL, slo::PAGE)],
        target_matchers: vec![equal(slo::SEVERITY_LABEL, slo::TICKET)],
        equal: own.into_iter().chain(labels).collect(),
    }
}

/// A service that is down has no data, and its budgets burn: both follow, and are no news.
fn down_over_burning(estate: &Estate) -> Inhibition {
    Inhibition {
        source_matchers: vec![equal("alertname", slo::SERVICE_DOWN)],
        target_matchers: vec![one_of("alertname", &[slo::ERROR_BUDGET_BURN, slo::DATA_MISSING])],
        equal: std::iter::once(slo::SERVICE_LABEL.to_owned()).chain(estate.identity.keys().cloned()).collect(),
    }
}

/// A page about a dependency explains what burns in the service that declares it. Both names stand in the matchers, so
/// that the labels to compare are those of the estate.
fn of_dependency(estate: &Estate, service: &str, dependency: &Dependency) -> Inhibition {
    let silenced: &[&str] = match dependency.silences {
        Silences::Tickets => &[slo::TICKET],
        Silences::Pages => &[slo::PAGE, slo::TICKET],
    };
    Inhibition {
        source_matchers: vec![
            one_of("alertname", &[slo::ERROR_BUDGET_BURN, slo::SERVICE_DOWN]),
            equal(slo::SERVICE_LABEL, dependency.service.as_str()),
            equal(slo::SEVERITY_LABEL, slo::PAGE),
        ],
        target_matchers: vec![
            equal("alertname", slo::ERROR_BUDGET_BURN),
            equal(slo::SERVICE_LABEL, service),
            one_of(slo::SEVERITY_LABEL, silenced),
        ],
        equal: estate.identity.keys().cloned().collect(),
    }
}
