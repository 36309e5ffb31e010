//! `resources`: what is watched otherwise than by default.

use std::collections::BTreeSet;

use kilter_contract::{db, resilience};

use super::known::Known;
use super::sli::exposed;
use super::{Code, Findings, items, number, printable, scalar, text};
use crate::model::{Check, Decimal, Duration, RESOURCE_TYPES, Resource};
use crate::yaml::Node;

/// Reads them all.
pub(super) fn read(tree: &Node, known: &Known, findings: &mut Findings<'_>) -> Vec<Resource> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for node in items(tree.get("resources")) {
        let Some(resource) = one(node, findings) else { continue };
        if !seen.insert((resource.kind.clone(), resource.name.clone())) {
            let place = node.get("name").unwrap_or(node).range;
            let message = format!("the {} `{}` is here twice", resource.kind, printable(&resource.name));
            findings.error(Code::Duplicate, place, message, "keep one of them");
            continue;
        }
        let label = match resource.kind.as_str() {
            "db_pool" => db::POOL,
            "replica" => resilience::REPLICA,
            _ => kilter_contract::resource::NAME,
        };
        // What the process itself has comes with `init`, which a test does not call.
        let own = ["process", "tokio"].contains(&resource.name.as_str());
        if let Some(place) = node.get("name").filter(|_| !own) {
            exposed::named(&label, "resource", &resource.name, place, known, findings);
        }
        all.push(resource);
    }
    all
}

fn one(node: &Node, findings: &mut Findings<'_>) -> Option<Resource> {
    let saturated_for = duration(node, "saturated_for", findings);
    let fills_within = duration(node, "fills_within", findings);
    let lag = duration(node, "lag", findings);
    let near_limit = near_limit(node, findings);
    let (kind, _) = text(node, "type").filter(|(it, _)| RESOURCE_TYPES.contains(it))?;
    let (name, place) = text(node, "name")?;
    if name.is_empty() || name.contains(char::is_control) {
        let message = format!("`{}` is no name of a resource", printable(name));
        findings.error(Code::BadValue, place.range, message, "write the name as the code gives it");
    }
    let word = |text: &str| Check::WORDS.iter().find(|(word, _)| *word == text).map(|(_, check)| *check);
    let off: Vec<(Check, &Node)> = items(node.get("off"))
        .iter()
        .filter_map(|item| scalar(item).and_then(|(text, place)| Some((word(text)?, place))))
        .collect();
    let keys = [
        ("saturated_for", Check::Saturated),
        ("near_limit", Check::NearLimit),
        ("fills_within", Check::Filling),
        ("lag", Check::Lagging),
    ];
    let named = keys.iter().filter_map(|(key, check)| Some((*check, node.get(key)?)));
    for (check, place) in named.chain(off.iter().copied()).filter(|(check, _)| !check.concerns(kind)) {
        let known: Vec<&str> =
            Check::WORDS.iter().filter(|(_, check)| check.concerns(kind)).map(|(word, _)| *word).collect();
        let said = Check::WORDS.iter().find(|(_, it)| *it == check).map_or("", |(word, _)| word);
        let message = format!("a {kind} cannot be {}", said.replace('_', " its "));
        findings.error(Code::NotOfResource, place.range, message, format!("it can be: {}", known.join(", ")));
    }
    for (check, place) in &off {
        let key = keys.iter().find(|(key, it)| it == check && node.get(key).is_some());
        if let Some((key, _)) = key {
            let message = format!("`{key}` sets what `off` turns off");
            findings.error(Code::Conflict, place.range, message, "keep one of them");
        }
    }
    Some(Resource {
        kind: kind.to_owned(),
        name: name.to_owned(),
        saturated_for,
        near_limit,
        fills_within,
        lag,
        off: off.into_iter().map(|(check, _)| check).collect(),
    })
}

fn duration(node: &Node, key: &str, findings: &mut Findings<'_>) -> Option<Duration> {
    let (text, place) = text(node, key)?;
    let longest = Duration::from_mins(30 * 24 * 60);
    let shortest = Duration::from_secs(if key == "lag" { 1 } else { 60 });
    let parsed = text.parse::<Duration>().ok().filter(|it| (shortest..=longest).contains(it));
    if parsed.is_none() {
        let message = format!("`{}` is no duration from {shortest} to {longest}", printable(text));
        findings.error(Code::BadValue, place.range, message, format!("for example: {key}: 5m"));
    }
    parsed
}

/// `80%` or `0.8`.
fn near_limit(node: &Node, findings: &mut Findings<'_>) -> Option<Decimal> {
    let (text, place) = number(node, "near_limit")?;
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<Decimal>().map(|it| it.shift_left(2)),
        None => text.parse(),
    };
    let share = share.ok().filter(|it| !it.is_zero() && *it < Decimal::new(1, 0));
    if share.is_none() {
        let message = format!("`{}` is no share between 0% and 100%", printable(text));
        findings.error(Code::BadValue, place.range, message, "for example: near_limit: 80%");
    }
    share
}
