//! Inhibition rules of the Alertmanager base file that compare a label which both alerts can lack.

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::plan::Plan;
use crate::plan::expr::quote;
use crate::plan::routing::Proof;
use crate::promql::{self, Matcher};
use crate::spec::check::printable;
use crate::yaml::{Node, Value};

pub(super) fn check(estate: &Estate, plan: &Plan, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let Some((file, tree)) = sources.alertmanager_base.and_then(|it| Some((it, sources.trees.get(it)?.as_ref()?)))
    else {
        return all;
    };
    let mut findings = Findings::new(file, sources, &mut all);
    for rule in items(tree.get("inhibit_rules")) {
        let Some((source, target)) = matchers(rule, "source").zip(matchers(rule, "target")) else { continue };
        let equal: Vec<(&str, &Node)> = items(rule.get("equal")).iter().filter_map(scalar).collect();
        for (label, place) in &equal {
            let silenced = plan.routing.proofs.iter().filter(|it| accepts(&target, it) && lacks(estate, it, label));
            let Some(alert) = silenced.into_iter().find(|it| can_lack(label, &source, it, &equal, plan)) else {
                continue;
            };
            let name = value(alert, "alertname");
            let message = format!(
                "alerts need not have `{label}`, and missing on both sides is equal: this can silence every {name}"
            );
            let help = format!("ask for it: add '{label}!=\"\"' to the source matchers");
            findings.warning(Code::WideInhibition, place.range, message, help);
        }
    }
    all
}

/// Whether an alert that silences this one can lack the label too.
fn can_lack(label: &str, source: &[Matcher], silenced: &Proof, equal: &[(&str, &Node)], plan: &Plan) -> bool {
    if source.iter().any(|it| it.label == label && !it.accepts("")) {
        return false;
    }
    // Alerts of one name are ours as well, so everything about them is known.
    if !equal.iter().any(|(it, _)| *it == "alertname") {
        return true;
    }
    let same = |it: &&Proof| equal.iter().all(|(label, _)| value(it, label) == value(silenced, label));
    plan.routing
        .proofs
        .iter()
        .filter(same)
        .any(|it| it != silenced && accepts(source, it) && value(it, label).is_empty())
}

/// Whether an alert of ours certainly lacks a label: those of the estate and of `by` come with the series.
fn lacks(estate: &Estate, alert: &Proof, label: &str) -> bool {
    let slo = value(alert, "slo");
    let grouped = estate
        .services
        .iter()
        .flat_map(|it| &it.slos)
        .any(|it| it.by.iter().any(|by| by == label) && (slo.is_empty() || it.name.as_str() == slo));
    value(alert, label).is_empty() && !grouped && !estate.identity.contains_key(label) && !FROM_SERIES.contains(&label)
}

/// Labels of causes that only their series know.
const FROM_SERIES: &[&str] =
    &["resource_type", "resource_name", "dependency", "replica", "db_namespace", "problem", "rule_group"];

fn value<'a>(alert: &'a Proof, label: &str) -> &'a str {
    alert.label(label).unwrap_or_default()
}

fn accepts(matchers: &[Matcher], alert: &Proof) -> bool {
    matchers.iter().all(|it| it.accepts(value(alert, &it.label)))
}

/// `source_matchers`, and the older `source_match` and `source_match_re`; `None` when one of them cannot be read.
fn matchers(rule: &Node, side: &str) -> Option<Vec<Matcher>> {
    let written = items(rule.get(&format!("{side}_matchers"))).iter().filter_map(scalar).map(|(it, _)| parsed(it));
    let mut all: Option<Vec<Matcher>> = written.collect();
    for (key, sign) in [(format!("{side}_match"), "="), (format!("{side}_match_re"), "=~")] {
        let Some(Value::Map(entries)) = rule.get(&key).map(|it| &it.value) else { continue };
        let one = |(key, node): &(crate::yaml::Key, Node)| matcher(&key.text, sign, scalar(node)?.0);
        all = all.zip(entries.iter().map(one).collect::<Option<Vec<_>>>()).map(|(one, more)| [one, more].concat());
    }
    all
}

/// `severity="page"`, with or without quotes and blanks.
fn parsed(text: &str) -> Option<Matcher> {
    let text = text.trim().trim_start_matches('{').trim_end_matches('}');
    let at = text.find(['=', '!'])?;
    let sign = ["=~", "!~", "!=", "="].into_iter().find(|it| text[at..].starts_with(it))?;
    let value = text[at + sign.len()..].trim();
    let value = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
    matcher(text[..at].trim(), sign, value)
}

fn matcher(label: &str, sign: &str, value: &str) -> Option<Matcher> {
    let expr = promql::parse(&format!("up{{{}{sign}{}}}", printable(label), quote(value))).ok()?;
    promql::selectors(&expr).pop()?.matchers.pop()
}

fn items(node: Option<&Node>) -> &[Node] {
    match node.map(|it| &it.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}

fn scalar(node: &Node) -> Option<(&str, &Node)> {
    match &node.value {
        Value::Scalar { text, .. } => Some((text, node)),
        _ => None,
    }
}
