//! `depends_on`: whose outage silences what, checked once every service is known.

use super::{Code, Findings, items, text, unknown};
use crate::diagnostic::Diagnostic;
use crate::load::Sources;
use crate::model::{Dependency, Service, Silences};
use crate::yaml::Node;

/// The dependencies of a service; names are checked by [`check`].
pub(super) fn read(tree: &Node) -> Vec<Dependency> {
    let one = |node: &Node| {
        let silences = match text(node, "silences").map(|(it, _)| it) {
            Some("pages") => Silences::Pages,
            _ => Silences::Tickets,
        };
        Some(Dependency { service: text(node, "service")?.0.parse().ok()?, silences })
    };
    items(tree.get("depends_on")).iter().filter_map(one).collect()
}

/// Each dependency is another service of the estate, and no two services silence each other's pages.
pub(super) fn check(services: &[(usize, Service)], sources: &Sources, all: &mut Vec<Diagnostic>) {
    let known: Vec<&str> = services.iter().map(|(_, it)| it.name.as_str()).collect();
    for (index, service) in services {
        let Some(tree) = sources.trees.get(*index).and_then(Option::as_ref) else { continue };
        let mut findings = Findings::new(*index, sources, all);
        for node in items(tree.get("depends_on")) {
            let Some((name, place)) = text(node, "service") else { continue };
            let others: Vec<&str> = known.iter().copied().filter(|it| *it != service.name.as_str()).collect();
            if name == service.name.as_str() {
                let message = format!("`{name}` depends on itself");
                findings.error(Code::BadDependency, place.range, message, "name another service of the estate");
            } else if !known.contains(&name) {
                unknown(Code::BadDependency, name, &others, "this estate has no service", place, &mut findings);
            } else if silenced_by_each_other(service, name, services) {
                let message = format!("`{name}` and `{}` silence each other's pages", service.name);
                let help = "when both fail, nobody is woken: let one of them silence tickets only";
                findings.error(Code::BadDependency, place.range, message, help);
            }
        }
    }
}

/// Whether pages of `service` are silenced by `other`, directly, and those of `other` by `service`, over any number of
/// services in between.
fn silenced_by_each_other(service: &Service, other: &str, services: &[(usize, Service)]) -> bool {
    let pages = |it: &Service| {
        let silencing = it.depends_on.iter().filter(|it| it.silences == Silences::Pages);
        silencing.map(|it| it.service.as_str().to_owned()).collect::<Vec<_>>()
    };
    if !pages(service).iter().any(|it| it == other) {
        return false;
    }
    let (mut seen, mut open) = (Vec::new(), vec![other.to_owned()]);
    while let Some(name) = open.pop() {
        if name == service.name.as_str() {
            return true;
        }
        if let Some((_, next)) =
            services.iter().find(|(_, it)| it.name.as_str() == name).filter(|_| !seen.contains(&name))
        {
            open.extend(pages(next));
            seen.push(name);
        }
    }
    false
}
