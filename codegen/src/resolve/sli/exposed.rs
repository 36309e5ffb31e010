//! An SLI held against the contract of exactly this service: routes and their methods, configured names, kinds of errors.

use std::collections::BTreeSet;

use kilter_contract::service::ServiceContract;
use kilter_contract::{Label, Values, cache, db, error_type, http, http_client, job, messaging};

use super::super::known::Known;
use super::{Code, Findings, items, printable, scalar};
use crate::model::Family;
use crate::spec::check::help;
use crate::yaml::{Node, Value};

/// Labels whose values the service gives when it makes a handle, so that all of them are known before the first call, and
/// what they are called.
const NAMED: &[(Label, &str)] = &[
    (http_client::DEPENDENCY, "dependency"),
    (db::NAMESPACE, "database"),
    (job::NAME, "job"),
    (cache::NAME, "cache"),
    (messaging::DESTINATION, "destination"),
];

const HANDLES: &str = "its test makes every handle before it writes the contract";

/// Everything that the SLI asks for and the service does not have.
pub(super) fn check(node: &Node, family: Family, known: &Known, findings: &mut Findings<'_>) {
    let Some(contract) = &known.contract else { return };
    if family == Family::HttpServer {
        routes(node, contract, findings);
    }
    for (filter, (_, what)) in family
        .filters()
        .iter()
        .flat_map(|filter| NAMED.iter().filter(|(label, _)| *label == filter.label).map(move |named| (filter, named)))
    {
        let names = known.names(filter.label.key).unwrap_or_default();
        for (name, place) in scalars(node.get(filter.key)).into_iter().filter(|(it, _)| !names.contains(it)) {
            missing((what, name), place, &names, HANDLES, contract, findings);
        }
    }
    let declared: Vec<&str> = contract.error_kinds.iter().map(String::as_str).collect();
    let outcomes = family.outcomes().into_iter().filter(|it| matches!(it.label.values, Values::ErrorType));
    for outcome in outcomes {
        let kinds = scalars(node.get("bad").and_then(|it| it.get(outcome.key)));
        let undeclared = |(it, _): &(&str, &Node)| error_type::is_declarable(it) && !declared.contains(it);
        for (kind, place) in kinds.into_iter().filter(undeclared) {
            let all: Vec<&str> = declared.iter().chain(error_type::KINDS).copied().collect();
            missing(
                ("kind of error", kind),
                place,
                &all,
                "kinds are declared with Service::error_kinds",
                contract,
                findings,
            );
        }
    }
}

/// Routes that it does not have, and methods that they do not have. A service that declares none is not known well enough.
fn routes(node: &Node, contract: &ServiceContract, findings: &mut Findings<'_>) {
    let all: Vec<&str> = contract.routes.iter().map(|it| it.route.as_str()).collect();
    if all.is_empty() {
        return;
    }
    let (wanted, methods) = (scalars(node.get("routes")), scalars(node.get("methods")));
    for (route, place) in wanted.iter().filter(|(it, _)| !all.contains(it)) {
        missing(
            ("route", route),
            place,
            &distinct(&all),
            "routes are declared with kilter::routes!",
            contract,
            findings,
        );
    }
    let found: Vec<&str> = wanted.iter().map(|(it, _)| *it).filter(|it| all.contains(it)).collect();
    let over = if wanted.is_empty() { &all } else { &found };
    let of = |routes: &[&str]| -> Vec<&str> {
        let all = contract.routes.iter().filter(|it| routes.contains(&it.route.as_str())).flat_map(|it| &it.methods);
        distinct(&all.map(String::as_str).collect::<Vec<_>>())
    };
    // A route of GET answers HEAD too.
    let has =
        |routes: &[&str], method: &str| of(routes).iter().any(|it| *it == method || (method, *it) == ("HEAD", "GET"));
    let real = |(it, _): &&(&str, &Node)| http::METHODS.contains(it) && *it != error_type::OTHER;
    for (method, place) in methods.iter().filter(real).filter(|(it, _)| !over.is_empty() && !has(over, it)) {
        let how = "a route has the methods that it is declared with";
        missing(("such route with the method", method), place, &of(over), how, contract, findings);
    }
    for (route, place) in wanted.iter().filter(|(it, _)| found.contains(it) && !methods.is_empty()) {
        if !methods.iter().any(|(it, _)| has(&[route], it) || !http::METHODS.contains(it)) {
            let message = format!("`{}` has none of these methods", printable(route));
            findings.error(Code::NotOfService, place.range, message, format!("it has: {}", of(&[route]).join(", ")));
        }
    }
}

/// A name that the service does not have.
pub(in super::super) fn missing(
    (what, name): (&str, &str),
    place: &Node,
    names: &[&str],
    how: &str,
    contract: &ServiceContract,
    findings: &mut Findings<'_>,
) {
    let near = if names.is_empty() { "it has none".to_owned() } else { help(name, names) };
    let message = format!("{} has no {what} `{}`", printable(&contract.service), printable(name));
    findings.error(Code::NotOfService, place.range, message, format!("{near}; {how}"));
}

/// The name of a job, or one of the resources, when the service has none of it.
pub(in super::super) fn named(
    label: &Label,
    what: &str,
    name: &str,
    place: &Node,
    known: &Known,
    findings: &mut Findings<'_>,
) {
    let (Some(contract), Some(names)) = (&known.contract, known.names(label.key)) else { return };
    if !names.contains(&name) {
        missing((what, name), place, &names, HANDLES, contract, findings);
    }
}

fn distinct<'a>(all: &[&'a str]) -> Vec<&'a str> {
    all.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The scalars of a list, or the one that stands in its place.
fn scalars(node: Option<&Node>) -> Vec<(&str, &Node)> {
    let Some(node) = node else { return Vec::new() };
    let nodes = match &node.value {
        Value::List(_) => items(Some(node)),
        _ => std::slice::from_ref(node),
    };
    nodes.iter().filter_map(scalar).collect()
}
