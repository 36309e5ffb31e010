//! What the rules run on, and what its engine needs to know.

use std::collections::BTreeMap;

use super::{Code, Findings, printable, scalar, text};
use crate::model::{Limits, Settings, Target};
use crate::yaml::{Node, Value};

/// `target`, or the usual one.
pub(super) fn read(tree: &Node, findings: &mut Findings<'_>) -> Target {
    let Some((wanted, node)) = text(tree, "target") else { return Target::default() };
    wanted.parse().unwrap_or_else(|error: crate::model::TargetError| {
        findings.error(Code::UnknownTarget, node.range, error.to_string(), error.help());
        Target::default()
    })
}

/// `targets`.
pub(super) fn settings(tree: &Node, findings: &mut Findings<'_>) -> Settings {
    let Some(targets) = tree.get("targets") else { return Settings::default() };
    let operator = targets.get("operator");
    let namespace = operator.and_then(|it| text(it, "namespace")).and_then(|(name, node)| {
        let legal = is_name(name) && name.len() <= 63 && !name.contains('.');
        legal_or(legal, name, "no name for a namespace", "for example: namespace: monitoring", node, findings)
    });
    let limit = |key: &str, least: usize, findings: &mut Findings<'_>| {
        let (value, node) = targets.get("mimir").and_then(|it| it.get(key)).and_then(scalar)?;
        let number = value.parse().ok().filter(|it| (least..=MOST).contains(it));
        if number.is_none() {
            let message = format!("`{}` is no limit that works", printable(value));
            findings.error(Code::BadValue, node.range, message, format!("a whole number from {least} to {MOST}"));
        }
        number
    };
    Settings {
        namespace,
        labels: operator.and_then(|it| it.get("labels")).map(|it| labels(it, findings)).unwrap_or_default(),
        mimir: Limits {
            rules_per_group: limit("max_rules_per_group", LEAST_RULES, findings),
            groups: limit("max_groups", 1, findings),
            bytes: None,
        },
        partial: targets.get("thanos").and_then(|it| text(it, "partial_response")).is_some_and(|(it, _)| it == "warn"),
    }
}

/// Mimir's own default: below it the rules of one SLO would not fit into one group.
const LEAST_RULES: usize = 20;
const MOST: usize = 1_000_000;

fn labels(node: &Node, findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let Value::Map(entries) = &node.value else { return BTreeMap::new() };
    let mut all = BTreeMap::new();
    for (key, node) in entries {
        let Some((value, _)) = scalar(node) else { continue };
        let (prefix, name) = key.text.rsplit_once('/').map_or((None, key.text.as_str()), |(it, name)| (Some(it), name));
        if !is_label(name) || prefix.is_some_and(|it| !is_name(it)) {
            let message = format!("`{}` cannot be a Kubernetes label", printable(&key.text));
            findings.error(Code::BadValue, key.range, message, "for example: labels: {release: kube-prometheus-stack}");
        } else if legal_or(
            value.is_empty() || is_label(value),
            value,
            "no value of a Kubernetes label",
            "at most 63 letters, digits and inner dashes, dots and underscores",
            node,
            findings,
        )
        .is_some()
        {
            all.insert(key.text.clone(), value.to_owned());
        }
    }
    all
}

fn legal_or(
    legal: bool,
    value: &str,
    what: &str,
    help: &str,
    node: &Node,
    findings: &mut Findings<'_>,
) -> Option<String> {
    if !legal {
        findings.error(Code::BadValue, node.range, format!("`{}` is {what}", printable(value)), help);
    }
    legal.then(|| value.to_owned())
}

/// The names of Kubernetes objects: lower-case letters, digits, inner dashes and dots.
fn is_name(text: &str) -> bool {
    let legal = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit();
    text.len() <= 253
        && text.split('.').all(|part| {
            let bytes = part.as_bytes();
            bytes.first().copied().is_some_and(legal)
                && bytes.last().copied().is_some_and(legal)
                && bytes.iter().all(|it| legal(*it) || *it == b'-')
        })
}

/// The part of a label behind its prefix, and its value.
fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(it))
}
