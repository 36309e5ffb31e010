//! Prometheus rule files that others wrote: what is in them, and what is wrong with it. Only what is certain or nearly so
//! is told; taste is not.

mod checks;
mod dialect;
mod read;

pub use dialect::Dialect;
pub use read::{Rule, RuleKind};

use crate::diagnostic::{Code, Diagnostic, Edit, Findings, Severity};
use crate::lint::Flaw;
use crate::load::Sources;
use crate::model::Duration;
use crate::promql::{edit_in_source, place_in_source};
use crate::yaml::{Document, Node, Range, Value, YamlError, parse_all};

/// The documents of a rule file.
#[derive(Debug)]
pub struct RuleFile {
    /// Index of the file.
    pub file: usize,
    /// Each document, or why it is none.
    pub documents: Vec<Result<Document, YamlError>>,
}

/// What is known about where the rules run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting {
    /// What they will run on; nothing is said about it when `None`.
    pub target: Option<Dialect>,
    /// The longest distance of two scrapes.
    pub scrape_interval: Option<Duration>,
}

/// The documents of a text that holds Prometheus rules: a file with `groups`, or objects of the Prometheus operator.
/// `named` is whether somebody named this very file, and so wants to hear that it is broken.
pub fn recognise(text: &str, named: bool) -> Option<Vec<Result<Document, YamlError>>> {
    let says = |start: &str| text.lines().any(|it| it.trim_start_matches("- ").trim_start().starts_with(start));
    let json =
        text.trim_start().starts_with('{') && ["\"groups\"", "PrometheusRule"].iter().any(|it| text.contains(it));
    if !text.lines().any(|it| it.starts_with("groups:")) && !says("kind: PrometheusRule") && !json {
        return None;
    }
    let documents = parse_all(text);
    let rules = documents.iter().flatten().any(|it| !objects(&it.root).is_empty());
    // Charts hold templates of YAML, which are none yet.
    let broken = documents.iter().any(Result::is_err) && named && !text.contains("{{ .Values") && !text.contains("{{-");
    (rules || broken).then_some(documents)
}

/// The mappings with `groups` of a document: itself, the `spec` of an operator's object, or each of a list.
fn objects(root: &Node) -> Vec<&Node> {
    let kind = text(root.get("kind"));
    match kind {
        Some("PrometheusRule") => root.get("spec").into_iter().collect(),
        Some("List") => match root.get("items").map(|it| &it.value) {
            Some(Value::List(items)) => {
                items.iter().filter(|it| text(it.get("kind")) == Some("PrometheusRule")).flat_map(objects).collect()
            }
            _ => Vec::new(),
        },
        None if root.get("apiVersion").is_none() => match root.get("groups").map(|it| &it.value) {
            Some(Value::List(groups)) => {
                let of_rules = |it: &Node| it.get("rules").is_some() || it.get("name").is_some();
                if groups.is_empty() || groups.iter().any(of_rules) { vec![root] } else { Vec::new() }
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// Everything that is wrong in these files.
pub fn lint(files: &[RuleFile], sources: &Sources, setting: Setting) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let mut rules = Vec::new();
    for file in files {
        let mut findings = Findings::new(file.file, sources, &mut all);
        let mut loaded = 0;
        for document in &file.documents {
            let document = match document {
                Ok(it) => it,
                Err(error) => {
                    findings.error(Code::Yaml, error.range, error.message.as_str(), error.help);
                    continue;
                }
            };
            for error in &document.duplicates {
                findings.error(Code::Yaml, error.range, error.message.as_str(), error.help);
            }
            let plain = document.root.get("kind").is_none();
            let objects = objects(&document.root);
            if plain && !objects.is_empty() && loaded > 0 {
                let at = first_key(&document.root);
                let help = "move it into a file of its own, or its groups into the first document";
                let message = "Prometheus reads the first document of a file, and this is another";
                findings.warning(Code::SecondDocument, at, message, help);
            }
            loaded += usize::from(plain);
            for object in objects {
                rules.extend(read::rules(object, file.file, plain, setting.target, &mut findings));
            }
        }
    }
    checks::run(&rules, sources, setting, &mut all);
    all
}

/// What [`Setting::target`] makes of a single expression of an SLO file.
pub(crate) fn on_target(text: &str, target: Dialect) -> Vec<(Flaw, Severity)> {
    let Some(tree) = crate::promql::tree(text) else { return Vec::new() };
    checks::target::flaws(text, &tree, target, None)
}

/// Adds what is wrong with an expression at its place in the file.
fn tell(flaw: Flaw, severity: Severity, rule: &Rule<'_>, sources: &Sources, all: &mut Vec<Diagnostic>) {
    let source = sources.text(rule.file);
    let range = place_in_source(source, rule.place, rule.expr, flaw.at.start, flaw.at.end);
    let mut findings = Findings::new(rule.file, sources, all);
    match severity {
        Severity::Error => findings.error(flaw.code, range, flaw.message, flaw.help),
        Severity::Warning | Severity::Note => findings.warning(flaw.code, range, flaw.message, flaw.help),
    }
    let edit = |(at, with): &(Range, String)| edit_in_source(source, rule.place, rule.expr, *at, with);
    // Half a fix is none.
    let edits: Option<Vec<Edit>> = flaw.edits.iter().map(edit).collect();
    findings.fix(edits.unwrap_or_default());
}

fn text(node: Option<&Node>) -> Option<&str> {
    match &node?.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn first_key(node: &Node) -> Range {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.range, |(key, _)| key.range),
        _ => node.range,
    }
}
