//! What the user wrote becomes what it means: defaults applied, names and labels checked against the contract.

mod alertmanager;
mod boards;
mod bounds;
mod dependencies;
mod estate;
mod events;
mod known;
mod maintenance;
mod policy;
mod resource;
mod sli;
mod slo;
mod taken;
mod target;
mod volume;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::diagnostic::{Code, Diagnostic, Findings, any_error};
use crate::load::Sources;
use crate::model::{Estate, Name, Service, TimeScale};
use crate::spec::SLO_FILE;
use crate::spec::check::{check, help, printable};
use crate::yaml::{Node, Value};

pub(crate) use known::own;
pub(crate) use policy::{can_be_window, is_plain, may_carry};
pub(crate) use sli::red::{is_method, is_route};

/// The estate, unless anything is an error. Every finding of every file is reported.
pub fn estate(sources: &Sources, time_scale: TimeScale) -> (Option<Estate>, Vec<Diagnostic>) {
    let mut all = Vec::new();
    let mut estate = estate::read(sources, time_scale, &mut all);
    let scope = policy::of_estate(sources, &mut estate, &mut Findings::new(0, sources, &mut all));
    let mut names: BTreeMap<Name, usize> = BTreeMap::new();
    let first = usize::from(sources.has_config);
    let mut services = Vec::new();
    let trees: Vec<(usize, &Node)> = (sources.trees.iter().enumerate().skip(first))
        .filter(|(index, _)| sources.alertmanager_base != Some(*index))
        .filter_map(|(index, tree)| Some((index, tree.as_ref()?)))
        .collect();
    let read = |&(index, tree): &(usize, &Node)| {
        let mut found = Vec::new();
        let mut findings = Findings::new(index, sources, &mut found);
        check(tree, &SLO_FILE, &mut findings);
        let service = text(tree, "service").map_or("", |(it, _)| it);
        let known = known::Known::of(index, service, sources, &mut found);
        let mut findings = Findings::new(index, sources, &mut found);
        (slo::service(tree, index, sources, (&estate, &scope, &known), &mut findings), found)
    };
    let resolved: Vec<_> = trees.par_iter().map(read).collect();
    for ((index, tree), (service, found)) in trees.into_iter().zip(resolved) {
        all.extend(found);
        let Some(service) = service else { continue };
        let mut findings = Findings::new(index, sources, &mut all);
        if let Some(other) =
            names.get(&service.name).filter(|it| [**it, index].iter().all(|it| sources.foreign.contains_key(it)))
        {
            join(&mut services, service, tree, *other, sources, &mut findings);
            continue;
        }
        if let Some(other) = names.insert(service.name.clone(), index) {
            let (place, path) = (tree.get("service").unwrap_or(tree).range, &sources.files[other].path);
            let message = format!("the service `{}` is already defined in {path}", service.name);
            let help = "two files of one service and identity would record the same series: merge them, or give each its own identity";
            findings.error(Code::Duplicate, place, message, help);
        }
        services.push((index, service));
    }
    dependencies::check(&services, sources, &mut all);
    taken::check(&services, sources, &mut all);
    alertmanager::check_base(sources, &mut all);
    estate.services = services.into_iter().map(|(_, service)| service).collect();
    let broken = |(index, tree): (usize, &Option<Node>)| tree.is_none() && !sources.foreign.contains_key(&index);
    let broken = sources.trees.iter().enumerate().any(broken);
    // A bound that nobody exposes yet does not hide which bounds are needed.
    let fine = !broken && !any_error(all.iter().filter(|it| !awaits_bounds(it)));
    (fine.then_some(estate), all)
}

/// Whether it is mended by building the service with the bounds that its SLOs need.
pub fn awaits_bounds(it: &Diagnostic) -> bool {
    matches!(it.code, Code::OffBounds | Code::NotBuilt)
}

/// Other tools write a file per SLO: files of one service are one service.
fn join(
    all: &mut [(usize, Service)],
    more: Service,
    tree: &Node,
    other: usize,
    sources: &Sources,
    findings: &mut Findings<'_>,
) {
    let Some((_, service)) = all.iter_mut().find(|(_, it)| it.name == more.name) else { return };
    let place = |name: &str| {
        let named = items(tree.get("slos")).iter().filter_map(|it| text(it, "name")).find(|(it, _)| *it == name);
        named.map_or(tree.range, |(_, node)| node.range)
    };
    for slo in &more.slos {
        if service.slos.iter().any(|it| it.name == slo.name) {
            let path = &sources.files[other].path;
            let message = format!("the service `{}` has an SLO `{}` already, in {path}", service.name, slo.name);
            findings.error(Code::Duplicate, place(slo.name.as_str()), message, "rename one of them");
        }
    }
    if service.team != more.team {
        let message = format!("the service `{}` is of the team `{}` in another file", service.name, service.team);
        let at = tree.get("team").map_or(tree.range, |it| it.range);
        findings.warning(Code::CarriedOtherwise, at, message, "a service has one team: give all its files the same");
    }
    if !service.source.split(", ").any(|it| it == more.source) {
        service.source = format!("{}, {}", service.source, more.source);
    }
    service.slos.extend(more.slos);
}

/// The value of a key that takes a text; other types were told by the structure check.
fn text<'a>(node: &'a Node, key: &str) -> Option<(&'a str, &'a Node)> {
    let node = node.get(key)?;
    match &node.value {
        Value::Scalar { text, string: true } => Some((text, node)),
        _ => None,
    }
}

/// The value of a key that takes a number, or a text such as `99.9%`.
fn number<'a>(node: &'a Node, key: &str) -> Option<(&'a str, &'a Node)> {
    scalar(node.get(key)?)
}

fn scalar(node: &Node) -> Option<(&str, &Node)> {
    match &node.value {
        Value::Scalar { text, .. } => Some((text, node)),
        _ => None,
    }
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|it| &it.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

/// A name, or the reason why it is none.
fn name(node: &Node, key: &str, findings: &mut Findings<'_>) -> Option<Name> {
    let (text, place) = text(node, key)?;
    match text.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            let whose = if key == "name" { "an SLO".to_owned() } else { format!("a {key}") };
            let message = format!("`{}` is no name for {whose}: {error}", printable(text));
            let help = suggestion(text).map_or("for example: git-https".to_owned(), |it| format!("for example: {it}"));
            findings.error(Code::BadName, place.range, message, help);
            None
        }
    }
}

/// The nearest legal name.
pub fn suggestion(text: &str) -> Option<String> {
    let dashed: String =
        text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(40).collect();
    let words: Vec<&str> = dashed.split('-').filter(|it| !it.is_empty()).collect();
    (!words.is_empty()).then(|| words.join("-"))
}

/// Reports a word that is none of the known ones.
fn unknown(code: Code, text: &str, known: &[&str], what: &str, node: &Node, findings: &mut Findings<'_>) {
    findings.error(code, node.range, format!("{what} `{}`", printable(text)), help(text, known));
}
