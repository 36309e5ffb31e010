//! Names of services that collide with files, rule groups and dashboards of Kilter's own, or with each other's.

use super::{Code, Findings};
use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::Service;

/// Services of these names would write over what belongs to the whole estate.
const OWN: &[(&str, &str)] = &[
    ("kilter", "the file rules/kilter.rules.yaml"),
    ("estate", "the rule group slo-estate"),
    ("slo-overview", "the dashboard dashboards/slo-overview.json"),
];

/// Endings of the groups that a service has beside its first.
const ENDINGS: &[&str] = &["-budget", "-sloth"];

/// Every service whose name is taken.
pub(super) fn check(services: &[(usize, Service)], sources: &Sources, all: &mut Vec<Diagnostic>) {
    for (index, service) in services {
        let name = service.name.as_str();
        let own =
            OWN.iter().find(|(it, _)| *it == name).map(|(_, what)| format!("{what}, which belongs to the estate"));
        let group = || {
            let (other, ending) = ENDINGS.iter().find_map(|it| Some((name.strip_suffix(it)?, it)))?;
            let known = services.iter().any(|(_, it)| it.name.as_str() == other);
            known.then(|| format!("the rule group slo-{other}{ending}, which `{other}` has too"))
        };
        let Some(what) = own.or_else(group) else { continue };
        let place = sources.trees.get(*index).and_then(Option::as_ref).and_then(|it| it.get("service"));
        let message = format!("the service `{name}` would make {what}");
        let range = place.map_or_else(Default::default, |it| it.range);
        Findings::new(*index, sources, all).error(Code::TakenName, range, message, format!("for example: {name}-web"));
    }
}
