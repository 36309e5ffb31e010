//! SLO files of other tools. Each reader turns its format into a [`draft::Service`]: our own SLO file as values whose
//! places are those of the user's file. The loader takes its tree, `kilter import` prints it.
//!
//! A new format costs one file with a [`Reader`] and one line in the list.

pub mod draft;
pub mod export;
mod lift;
mod openslo;
mod openslo_alpha;
mod openslo_sli;
pub mod print;
mod pyrra;
mod query;
mod ratio;
mod report;
mod shape;
mod sloth;
mod sloth_windows;
pub mod target;

use crate::diagnostic::{Code, Findings};
use crate::resolve::{is_plain, may_carry};
use crate::spec::check::{help, printable};
use crate::yaml::{self, Document, Node, Range, Value, YamlError};
use draft::{Service, Sli, Text};
use report::Report;

/// A format of another tool.
#[derive(Debug)]
pub struct Reader {
    /// As `--from` names it.
    pub name: &'static str,
    /// As people name it.
    pub title: &'static str,
    /// Whether its documents refer to others in the same folder.
    pub refers: bool,
    /// Whether a document is of this format, whatever its version.
    owns: fn(&Node) -> bool,
    /// Every service of a file's documents of this format. Says everything that is wrong or not carried.
    read: fn(&[&Node], &[Neighbour], &mut Report<'_, '_>) -> Vec<Service>,
}

/// Every format, in the order in which they are tried.
pub const READERS: &[&Reader] = &[&sloth::READER, &openslo::READER, &pyrra::READER];

/// A document beside the file that is read: what references can name.
#[derive(Debug, Clone)]
pub struct Neighbour {
    /// Its file, as shown.
    pub path: String,
    /// Whether the user named that file too, rather than its lying in the same folder.
    pub input: bool,
    /// The document.
    pub root: Node,
}

/// The documents of a file, some of them foreign.
#[derive(Debug)]
pub struct Foreign {
    /// Each document, or why it is none.
    pub documents: Vec<Result<Document, YamlError>>,
}

/// What a text turned out to be.
#[derive(Debug)]
pub enum Read {
    /// One document of ours, or of nobody.
    Own(Document),
    /// Documents of other tools.
    Foreign(Foreign),
    /// No YAML that can be read.
    Broken(YamlError),
}

/// Reads a text and tells whose it is. Our own files hold one document.
pub fn recognise(text: &str) -> Read {
    let mut documents = yaml::parse_all(text);
    if documents.iter().any(Result::is_err) && text.contains("sloth.slok.dev/") | text.contains("prometheus/v") {
        // Sloth reads what is no YAML: see there.
        let mended = yaml::parse_all(&sloth::as_sloth_reads(text));
        documents = if mended.iter().all(Result::is_ok) { mended } else { documents };
    }
    let mut documents: Vec<_> = documents.into_iter().flat_map(items).collect();
    let foreign = |it: &Result<Document, YamlError>| it.as_ref().is_ok_and(|it| owner(&it.root).is_some());
    if documents.iter().any(foreign) {
        return Read::Foreign(Foreign { documents });
    }
    let parsed = if documents.len() == 1 { documents.remove(0) } else { yaml::parse(text) };
    match parsed {
        Ok(document) => Read::Own(document),
        Err(error) => Read::Broken(error),
    }
}

/// `kubectl get -o yaml` wraps several objects into a list.
fn items(document: Result<Document, YamlError>) -> Vec<Result<Document, YamlError>> {
    let list = |root: &Node| {
        let kind = root.get("kind").and_then(shape::scalar).is_some_and(|it| it.text == "List");
        let items = root.get("items").map(|it| &it.value);
        match items {
            Some(Value::List(items)) if kind && items.iter().any(|it| owner(it).is_some()) => Some(items.clone()),
            _ => None,
        }
    };
    match document {
        Ok(Document { root, mut duplicates }) => match list(&root) {
            Some(items) => items
                .into_iter()
                .map(|root| Ok(Document { root, duplicates: std::mem::take(&mut duplicates) }))
                .collect(),
            None => vec![Ok(Document { root, duplicates })],
        },
        error => vec![error],
    }
}

/// Whether a document holds no SLO itself: others may refer to it.
pub fn is_support(root: &Node) -> bool {
    let kind = root.get("kind").and_then(shape::scalar);
    kind.is_some_and(|it| !["SLO", "PrometheusServiceLevel", "ServiceLevelObjective"].contains(&it.text.as_str()))
}

/// The format of a document.
pub fn owner(root: &Node) -> Option<&'static Reader> {
    READERS.iter().copied().find(|it| (it.owns)(root))
}

impl Foreign {
    /// The documents that could be read.
    pub fn roots(&self) -> impl Iterator<Item = &Node> {
        self.documents.iter().flatten().map(|it| &it.root)
    }

    /// The formats in it, by name.
    pub fn formats(&self) -> Vec<&'static Reader> {
        let mut all: Vec<&'static Reader> = self.roots().filter_map(owner).collect();
        all.dedup_by_key(|it| it.name);
        all
    }

    /// Every service, each once. SLOs of kinds that this version does not have are in the drafts, and are errors.
    pub fn services(&self, neighbours: &[Neighbour], findings: &mut Findings<'_>) -> Vec<Service> {
        let mut report = Report::new(findings);
        for document in &self.documents {
            match document {
                Ok(it) => it.duplicates.iter().for_each(|it| report.error(Code::Yaml, it.range, &it.message, it.help)),
                Err(error) => report.error(Code::Yaml, error.range, &error.message, error.help),
            }
        }
        let strangers = self.roots().filter(|it| owner(it).is_none());
        strangers.for_each(|it| stranger(it, &mut report));
        let mut all: Vec<Service> = Vec::new();
        for reader in READERS {
            let own: Vec<&Node> = self.roots().filter(|it| (reader.owns)(it)).collect();
            if own.is_empty() {
                continue;
            }
            for service in (reader.read)(&own, neighbours, &mut report) {
                match all.iter_mut().find(|it| it.name.text == service.name.text) {
                    Some(other) => {
                        other.slos.extend(service.slos);
                        other.notes.extend(service.notes);
                    }
                    None => all.push(service),
                }
            }
        }
        for slo in all.iter().flat_map(|it| &it.slos) {
            let Sli::Other(target, node) = &slo.sli else { continue };
            if !target.exists() {
                let message = format!(
                    "`{}` measures what needs `sli: {}`, which this version of Kilter does not have",
                    slo.name.text,
                    target.key()
                );
                report.error(
                    Code::ForeignSli,
                    node.range,
                    message,
                    "name two counters instead, or keep the old rules for this SLO",
                );
            }
        }
        all
    }
}

fn stranger(root: &Node, report: &mut Report<'_, '_>) {
    let known: Vec<&str> = READERS.iter().map(|it| it.title).collect();
    let message = format!("this document is none of {}, although others in the file are", known.join(", "));
    let range = match &root.value {
        Value::Map(entries) => entries.first().map_or(root.range, |(key, _)| key.range),
        _ => root.range,
    };
    report.error(Code::ForeignVersion, range, message, "move it into a file of its own");
}

/// Refuses a version or kind that the reader does not know.
fn unknown_version(what: &str, text: &Text, known: &[&str], report: &mut Report<'_, '_>) {
    let message = format!("{what} `{}` cannot be read", printable(&text.text));
    report.error(Code::ForeignVersion, text.range, message, help(&text.text, known));
}

/// The team that labels name, else the service itself.
fn team(service: &Text, labels: &[(&str, Text)], report: &mut Report<'_, '_>) -> Option<Text> {
    let named = TEAM_LABELS.iter().find_map(|key| labels.iter().find(|(it, _)| it == key));
    if let Some((_, team)) = named {
        return lift::name(team, "the team", report);
    }
    let message = format!("the file names no team, so `{}` is taken", service.text);
    report.assumed(service.range, message, "add a label `team`, or a team of this name to kilter.yaml");
    Some(service.clone())
}

/// Labels that name who is told.
const TEAM_LABELS: &[&str] = &["team", "owner"];

/// The labels or annotations that our file can carry; what it cannot is told. Those that name the team are not among them.
fn carry<'a>(target: target::Target, all: Vec<(&'a str, Text)>, report: &mut Report<'_, '_>) -> Vec<(&'a str, Text)> {
    let mut kept = Vec::new();
    for (key, text) in all.into_iter().filter(|(key, _)| !TEAM_LABELS.contains(key)) {
        let help = match target {
            _ if !target.exists() => "route by the labels service, slo, team and severity, which every alert has",
            target::Target::Annotations => "alerts have a summary, a description and links of their own: see templates",
            _ => "give it another name: letters, digits and underscores, and none that Kilter sets itself",
        };
        let annotation = target == target::Target::Annotations;
        if target.exists() && may_carry(key, annotation) && is_plain(&text.text) {
            kept.push((key, text));
        } else {
            report.not_carried(text.range, format!("{} are not carried: {}", target.key(), printable(key)), help);
        }
    }
    kept
}

/// One sentence about an SLO that has none.
fn description(found: Option<Text>, name: &Text, objective: &Text, report: &mut Report<'_, '_>) -> Text {
    if let Some(text) = found.filter(|it| !it.text.trim().is_empty()) {
        return Text::new(text.text.split_whitespace().collect::<Vec<_>>().join(" "), text.range);
    }
    report.assumed(
        name.range,
        format!("`{}` has no description, so one is made of its name", name.text),
        "say in one sentence what works when this SLO is met",
    );
    Text::new(format!("{} holds for {} of all events.", name.text, objective.text), name.range)
}

/// The same value, with every place in it moved to one: it stands in another file, this is where it is named.
fn relocated(node: &Node, range: Range) -> Node {
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().map(|it| relocated(it, range)).collect()),
        Value::Map(entries) => {
            let entry =
                |(key, node): &(yaml::Key, Node)| (yaml::Key { text: key.text.clone(), range }, relocated(node, range));
            Value::Map(entries.iter().map(entry).collect())
        }
        other => other.clone(),
    };
    Node { value, range }
}
