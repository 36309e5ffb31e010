//! Groups and rules, and everything for which Prometheus would refuse the whole file.

use std::collections::BTreeSet;

use super::{Dialect, first_key, text};
use crate::diagnostic::{Code, Findings};
use crate::model::Duration;
use crate::promql::{self, Tree, place_in_source};
use crate::spec::check::{help, printable};
use crate::yaml::{Key, Node, Range, Value};

/// What a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// A series.
    Record,
    /// An alert.
    Alert,
}

/// A rule whose expression can be read.
#[derive(Debug)]
pub struct Rule<'a> {
    /// Index of its file.
    pub file: usize,
    /// What it makes.
    pub kind: RuleKind,
    /// Of what name.
    pub name: &'a str,
    /// Where that stands.
    pub name_at: Range,
    /// PromQL.
    pub expr: &'a str,
    /// Where that stands.
    pub place: Range,
    /// What it says.
    pub tree: Tree,
    /// Whether it waits before it fires.
    pub holds: bool,
    /// Its labels, those of its group included.
    pub labels: Vec<(&'a str, &'a str)>,
    /// Its annotations.
    pub annotations: Vec<(&'a str, &'a str)>,
    /// Texts of labels and annotations with templates, and where they stand.
    pub texts: Vec<(&'a str, Range)>,
}

/// A field and the first version of Prometheus that has it; `None` for fields of other engines.
type Field = (&'static str, Option<Dialect>);

const fn since(name: &'static str, major: u32, minor: u32) -> Field {
    (name, Some(Dialect { major, minor }))
}

// Versions: the changelog of Prometheus. Mimir, Thanos and vmalert have fields of their own.
const GROUP: &[Field] = &[
    since("name", 2, 0),
    since("interval", 2, 0),
    since("rules", 2, 0),
    since("limit", 2, 31),
    since("query_offset", 2, 53),
    since("labels", 3, 0),
    ("partial_response_strategy", None),
    ("source_tenants", None),
    ("evaluation_delay", None),
    ("align_evaluation_time_on_interval", None),
    ("type", None),
    ("concurrency", None),
    ("params", None),
    ("headers", None),
    ("eval_offset", None),
    ("eval_delay", None),
    ("eval_alignment", None),
    ("debug", None),
];

const RULE: &[Field] = &[
    since("record", 2, 0),
    since("alert", 2, 0),
    since("expr", 2, 0),
    since("for", 2, 0),
    since("labels", 2, 0),
    since("annotations", 2, 0),
    since("keep_firing_for", 2, 42),
    ("debug", None),
    ("update_entries_limit", None),
];

/// The rules below `groups`. `plain` says that Prometheus itself reads this text, and not an operator.
pub(super) fn rules<'a>(
    object: &'a Node,
    file: usize,
    plain: bool,
    target: Option<Dialect>,
    findings: &mut Findings<'_>,
) -> Vec<Rule<'a>> {
    let mut reader = Reader { file, target, findings };
    let mut all = Vec::new();
    let mut names = BTreeSet::new();
    if plain {
        let known: &[Field] = &[since("groups", 2, 0), ("namespace", None)];
        reader.fields(object, "a rule file", known);
    }
    for group in list(object.get("groups")) {
        reader.fields(group, "a group", GROUP);
        match (text(group.get("name")), group.get("name")) {
            (Some(name), Some(place)) if !names.insert(name) => {
                reader.refuse(
                    place.range,
                    format!("the file has another group `{}`", printable(name)),
                    "rename one of them",
                );
            }
            (None | Some(""), _) if matches!(group.value, Value::Map(_)) => {
                reader.refuse(first_key(group), "this group has no name".to_owned(), "for example: name: shop");
            }
            _ => {}
        }
        for key in ["interval", "query_offset"] {
            reader.duration(group, key);
        }
        let labels = reader.texts(group, "labels");
        for rule in list(group.get("rules")) {
            all.extend(reader.rule(rule, &labels));
        }
    }
    all
}

struct Reader<'f, 'd> {
    file: usize,
    target: Option<Dialect>,
    findings: &'f mut Findings<'d>,
}

impl Reader<'_, '_> {
    fn refuse(&mut self, at: Range, message: String, help: &str) {
        self.findings.error(Code::RuleFile, at, message, help);
    }

    /// Fields that nobody has, and those that the target does not have.
    fn fields(&mut self, node: &Node, what: &str, known: &[Field]) {
        let Value::Map(entries) = &node.value else {
            let message = format!("{what} is a mapping, but here is {}", node.kind());
            return self.refuse(
                node.range,
                message,
                "see prometheus.io/docs/prometheus/latest/configuration/recording_rules",
            );
        };
        for (key, _) in entries {
            let Some((name, first)) = known.iter().find(|(it, _)| *it == key.text) else {
                let own: Vec<&str> = known.iter().filter(|(_, it)| it.is_some()).map(|(it, _)| *it).collect();
                let message = format!("{what} has no field `{}`", printable(&key.text));
                let help = help(&key.text, &own);
                self.findings.error(Code::RuleFile, key.range, message, help);
                continue;
            };
            let Some(target) = self.target.filter(|target| first.is_none_or(|first| *target < first)) else { continue };
            let message = format!("{what} of {target} has no field `{name}`, so the whole file is refused");
            let help = match first {
                Some(first) => format!("it came with {first}: leave it out before that"),
                None => "it belongs to Mimir, Thanos or vmalert: leave it out".to_owned(),
            };
            self.findings.error(Code::NotInDialect, key.range, message, help);
        }
    }

    /// A duration as Prometheus writes them; zero is one.
    fn duration(&mut self, node: &Node, key: &str) {
        let Some((shown, place)) = text(node.get(key)).zip(node.get(key)) else { return };
        let zero = shown.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == "0";
        if !zero && shown.parse::<Duration>().is_err() {
            let message = format!("`{}` is no duration", printable(shown));
            self.refuse(place.range, message, &format!("for example: {key}: 5m"));
        }
    }

    /// Labels or annotations.
    fn texts<'a>(&mut self, node: &'a Node, key: &str) -> Vec<(&'a Key, &'a str, Range)> {
        let mut all = Vec::new();
        let entries = match node.get(key).map(|it| &it.value) {
            Some(Value::Map(entries)) => entries,
            None | Some(Value::Null) => return all,
            Some(_) => {
                let at = node.get(key).map_or(node.range, |it| it.range);
                self.refuse(at, format!("`{key}` is a mapping of texts"), "for example: {severity: page}");
                return all;
            }
        };
        for (name, value) in entries {
            let utf8 = self.target.is_some_and(|it| it >= Dialect::THREE);
            if (!is_label(&name.text) && !utf8) || (name.text == "__name__" && key == "labels") {
                let message = format!("`{}` cannot be a name below `{key}`", printable(&name.text));
                self.refuse(name.range, message, "letters, digits and underscores");
            }
            match &value.value {
                Value::Scalar { text, .. } => {
                    if text.matches("{{").count() != text.matches("}}").count() {
                        let message = "a template is opened and never closed, or closed and never opened".to_owned();
                        self.refuse(value.range, message, "for example: {{ $labels.instance }}");
                    }
                    all.push((name, text.as_str(), value.range));
                }
                Value::Null => {}
                _ => {
                    let message = format!("`{}` takes a text, but here is {}", printable(&name.text), value.kind());
                    self.refuse(value.range, message, "put it into quotes");
                }
            }
        }
        all
    }

    fn rule<'a>(&mut self, node: &'a Node, group: &[(&'a Key, &'a str, Range)]) -> Option<Rule<'a>> {
        self.fields(node, "a rule", RULE);
        self.duration(node, "for");
        self.duration(node, "keep_firing_for");
        let labels = self.texts(node, "labels");
        let annotations = self.texts(node, "annotations");
        let named = |key: &str| text(node.get(key)).zip(node.get(key)).filter(|(it, _)| !it.is_empty());
        let (kind, (name, name_node)) = match (named("record"), named("alert")) {
            (Some(it), None) => (RuleKind::Record, it),
            (None, Some(it)) => (RuleKind::Alert, it),
            (one, _) => {
                let both = one.is_some();
                if matches!(node.value, Value::Map(_)) {
                    let what = if both { "both" } else { "neither" };
                    let message = format!("a rule records or alerts, but this one does {what}");
                    let at = if both { node.get("alert").map_or(node.range, |it| it.range) } else { first_key(node) };
                    self.refuse(at, message, "write `record: job:requests:rate5m`, or `alert: ShopDown`");
                }
                return None;
            }
        };
        if kind == RuleKind::Record {
            self.recorded(node, name, name_node);
        }
        let Some((expr, place)) = named("expr") else {
            self.refuse(name_node.range, format!("`{}` has no `expr`", printable(name)), "add the expression");
            return None;
        };
        let tree = self.expression(expr, place.range)?;
        let zero = |it: &str| it.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == "0";
        let pairs = |all: &[(&'a Key, &'a str, Range)]| -> Vec<(&'a str, &'a str)> {
            all.iter().map(|(key, text, _)| (key.text.as_str(), *text)).collect()
        };
        let mut own = pairs(&labels);
        let outer = pairs(group).into_iter().filter(|(key, _)| own.iter().all(|(it, _)| it != key));
        let outer: Vec<_> = outer.collect();
        own.extend(outer);
        Some(Rule {
            file: self.file,
            kind,
            name,
            name_at: name_node.range,
            expr,
            place: place.range,
            tree,
            holds: text(node.get("for")).is_some_and(|it| !zero(it)),
            labels: own,
            annotations: pairs(&annotations),
            texts: labels.iter().chain(&annotations).map(|(_, text, at)| (*text, *at)).collect(),
        })
    }

    /// What a recording rule cannot have.
    fn recorded(&mut self, node: &Node, name: &str, place: &Node) {
        let Value::Map(entries) = &node.value else { return };
        for key in entries.iter().map(|(key, _)| key) {
            if ["for", "keep_firing_for", "annotations"].contains(&key.text.as_str()) {
                let message = format!("a recording rule has no `{}`", key.text);
                self.refuse(key.range, message, "leave it out: only alerts have it");
            }
        }
        let utf8 = self.target.is_some_and(|it| it >= Dialect::THREE) && !name.contains(['{', '}']);
        if !utf8 && !is_label(&name.replace(':', "_")) {
            let message = format!("`{}` is no name of a series", printable(name));
            self.refuse(place.range, message, "letters, digits, underscores and colons, such as job:requests:rate5m");
        }
    }

    fn expression(&mut self, expr: &str, place: Range) -> Option<Tree> {
        let error = match promql::parse_of_others(expr) {
            Ok(parsed) => {
                let kind = parsed.value_type().to_string();
                if ["scalar", "vector"].contains(&kind.as_str()) {
                    return promql::tree(expr);
                }
                let message = format!("this gives a {kind}, but a rule needs one value per series");
                let help = "for example: rate(requests_total[5m])".to_owned();
                promql::PromqlError { message, help, start: 0, end: expr.trim_end().len() }
            }
            // The parser refuses most rates of aggregates, but does not say why.
            Err(error) => {
                let tree = promql::tree(expr);
                let flaws = tree.map(|it| crate::lint::rate_of_aggregate(expr, &it, &|_| false)).unwrap_or_default();
                if let Some(flaw) = flaws.into_iter().next() {
                    let range = place_in_source(self.findings.source(), place, expr, flaw.at.start, flaw.at.end);
                    self.findings.error(flaw.code, range, flaw.message, flaw.help);
                    return None;
                }
                error
            }
        };
        let range = place_in_source(self.findings.source(), place, expr, error.start, error.end);
        self.findings.error(Code::PromQl, range, error.message, error.help);
        None
    }
}

fn is_label(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn list(node: Option<&Node>) -> &[Node] {
    match node.map(|it| &it.value) {
        Some(Value::List(items)) => items,
        _ => &[],
    }
}
