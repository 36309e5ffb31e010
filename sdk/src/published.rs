//! The contract of one service: what it declares, and the names that it uses the contract's signals with.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::service::{ExportedRoute, ExportedSignal, ServiceContract};
use kilter_contract::{Values, error_type, le_text};

use crate::core::Core;

/// As JSON, sorted, ending in a line end. The version is left out of a file that is committed.
pub(crate) fn text(core: &Core, with_version: bool) -> String {
    let mut text = serde_json::to_string_pretty(&contract(core, with_version)).unwrap_or_default();
    text.push('\n');
    text
}

fn contract(core: &Core, with_version: bool) -> ServiceContract {
    let config = &core.config;
    let mut all = ServiceContract::of(&config.identity.service);
    all.version = with_version.then(|| config.identity.version.clone());
    all.routes = routes(core);
    all.error_kinds =
        config.error_kinds.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>().into_iter().collect();
    all.signals = config.signals.iter().map(ExportedSignal::from).collect();
    all.signals.sort_by(|a, b| a.name.cmp(&b.name));
    let added = config.bounds.added.iter();
    all.bounds = added.map(|(name, it)| ((*name).to_owned(), it.iter().map(|it| le_text(*it)).collect())).collect();
    all.uses = uses(core);
    all
}

/// One entry per template: a route may be declared once for each of its methods.
fn routes(core: &Core) -> Vec<ExportedRoute> {
    let mut all: Vec<ExportedRoute> = Vec::new();
    for route in core.config.routes {
        let methods = route.methods().iter().map(ToString::to_string);
        all.push(ExportedRoute::new(route.path(), methods, route.is_stream(), route.success_status()));
    }
    all.sort();
    all.dedup();
    all
}

/// The signals of the contract in use, with what stands in their labels of configured names.
fn uses(core: &Core) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let own: BTreeSet<&str> = core.config.signals.iter().map(|it| it.name).collect();
    let mut all = BTreeMap::new();
    for family in core.families.used().filter(|it| !own.contains(it.signal.name)) {
        let series = family.all();
        let names = |at: usize| -> Vec<String> {
            let values = series.iter().filter_map(|it| it.values[at].as_deref());
            let distinct: BTreeSet<&str> = values.filter(|it| *it != error_type::OTHER).collect();
            distinct.into_iter().map(str::to_owned).collect()
        };
        let labels = family.signal.labels.iter().enumerate();
        let configured = labels.filter(|(_, label)| matches!(label.values, Values::Configured));
        let labels = configured.map(|(at, label)| (label.key.to_owned(), names(at))).collect();
        if !series.is_empty() {
            all.insert(family.signal.name.to_owned(), labels);
        }
    }
    all
}
