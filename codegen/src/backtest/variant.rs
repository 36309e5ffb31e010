//! What-ifs: the same SLOs with other objectives, windows or policies. A variant goes through the model like a file, so what
//! cannot be is told like in a file, at its place in the argument.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Findings, Severity, Span};
use crate::load::{SourceFile, Sources};
use crate::model::Estate;
use crate::resolve;
use crate::spec::check::{help, printable};
use crate::yaml::{Key, Node, Range, Value};

/// Keys of an SLO that can be otherwise without being measured otherwise.
const KEYS: &[&str] = &["objective", "window", MIN_ERRORS, "tier", "no_data", "windows"];

const MIN_ERRORS: &str = "min_errors";

/// The fields of an alert window, in the order in which an argument has them.
const FIELDS: [&str; 4] = ["severity", "share", "long", "short"];

/// How the argument is shown where something is wrong with it.
const SHOWN: &str = "--what-if";

/// Places of what a variant puts into a tree: far behind every text.
const FAR: usize = 1 << 40;

/// An estate with something changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// As it was asked for; `as it is` for the files themselves.
    pub name: String,
    /// What it comes to.
    pub estate: Estate,
    /// SLOs that weigh time, so that its `min_errors` is nothing for them.
    pub left: BTreeSet<(String, String)>,
}

/// The variant of an estate that an argument such as `objective=99.5%,window=7d` asks for, of some SLOs (service and name).
/// Its text becomes a source; findings that the files themselves have are left out.
pub fn read(
    text: &str,
    sources: &mut Sources,
    estate: &Estate,
    chosen: &BTreeSet<(String, String)>,
    before: &[Diagnostic],
) -> (Option<Variant>, Vec<Diagnostic>) {
    let file = sources.files.len();
    sources.files.push(SourceFile { path: SHOWN.to_owned(), text: text.to_owned() });
    let mut found = Vec::new();
    let settings = settings(text, &mut Findings::new(file, sources, &mut found));
    if !found.is_empty() {
        return (None, found);
    }
    let counts = settings.iter().any(|(key, _)| key.text == MIN_ERRORS);
    let left = if counts { weighing(estate, chosen) } else { BTreeSet::new() };
    let mut changed = sources.clone();
    for tree in changed.trees.iter_mut().flatten() {
        change(tree, &settings, chosen, &left);
    }
    let (estate, mut said) = resolve::estate(&changed, estate.time_scale);
    said.retain(|it| !before.contains(it));
    for it in &mut said {
        if it.span.range.start >= FAR {
            let Range { start, end } = it.span.range;
            it.span = Span { file, range: Range { start: start - FAR, end: end - FAR } };
        } else {
            it.message = format!("{} (with {SHOWN} {text})", it.message);
        }
        // The files are right as they are.
        it.fix.clear();
    }
    // Every SLO says the same about one argument.
    let mut seen = BTreeSet::new();
    said.retain(|it| it.span.file != file || seen.insert((it.code, it.span, it.message.clone())));
    let awaited = |it: &Diagnostic| it.severity == Severity::Error;
    let estate = estate.filter(|_| !said.iter().any(awaited));
    (estate.map(|estate| Variant { name: text.to_owned(), estate, left }), said)
}

/// Those of the chosen SLOs that count no events. None when that is all of them: then the argument is wrong.
fn weighing(estate: &Estate, chosen: &BTreeSet<(String, String)>) -> BTreeSet<(String, String)> {
    let weigh = estate.services.iter().flat_map(|service| {
        let slos = service.slos.iter().filter(|it| it.sli.is_time_weighted());
        slos.map(|it| (service.name.to_string(), it.name.to_string()))
    });
    let left: BTreeSet<_> = weigh.filter(|it| chosen.contains(it)).collect();
    if left.len() == chosen.len() { BTreeSet::new() } else { left }
}

/// Keys and values with the places of both.
fn settings(text: &str, findings: &mut Findings<'_>) -> Vec<(Key, Node)> {
    let (mut all, mut start): (Vec<(Key, Node)>, usize) = (Vec::new(), 0);
    for part in text.split(',') {
        let whole = Range { start, end: start + part.len() };
        start = whole.end + 1;
        let Some((key, value)) = part.split_once('=') else {
            let message = format!("`{}` is not KEY=VALUE", printable(part));
            findings.error(Code::BadWhatIf, whole, message, "for example: --what-if objective=99.5%,window=7d");
            continue;
        };
        let place = Range { start: whole.start, end: whole.start + key.len() };
        let range = Range { start: place.end + 1, end: whole.end };
        let (key, value) = (key.trim(), value.trim());
        if !KEYS.contains(&key) {
            let message = format!("a what-if cannot change `{}`", printable(key));
            findings.error(Code::BadWhatIf, place, message, help(key, KEYS));
        } else if all.iter().any(|(it, _)| it.text == key) {
            let message = format!("`{key}` stands twice in one what-if");
            findings.error(Code::BadWhatIf, place, message, "give each variant a --what-if of its own");
        } else if value.is_empty() {
            let message = format!("`{key}` has no value");
            findings.error(Code::BadWhatIf, whole, message, "for example: --what-if objective=99.5%");
        } else {
            let key = Key { text: key.to_owned(), range: far(place) };
            if key.text == "windows" {
                all.extend(windows(&text[range.start..range.end], range, findings).map(|it| (key, it)));
            } else {
                all.push((key, scalar(value, range)));
            }
        }
    }
    all
}

/// Alert windows such as `page:2%:1h:5m+ticket:10%:3d:6h`, each with its place.
fn windows(text: &str, whole: Range, findings: &mut Findings<'_>) -> Option<Node> {
    let (mut pairs, mut start, before) = (Vec::new(), whole.start, findings.count());
    for pair in text.split('+') {
        let range = Range { start, end: start + pair.len() };
        start = range.end + 1;
        let fields: Vec<&str> = pair.split(':').collect();
        if fields.len() != FIELDS.len() {
            let message = format!("`{}` is not SEVERITY:SHARE:LONG:SHORT", printable(pair));
            findings.error(
                Code::BadWhatIf,
                range,
                message,
                "for example: --what-if windows=page:2%:1h:5m+ticket:10%:3d:6h",
            );
            continue;
        }
        let (mut entries, mut at) = (Vec::new(), range.start);
        for (key, field) in FIELDS.iter().zip(fields) {
            let place = Range { start: at, end: at + field.len() };
            at = place.end + 1;
            entries.push((Key { text: (*key).to_owned(), range: far(place) }, scalar(field.trim(), place)));
        }
        pairs.push(Node { value: Value::Map(entries), range: far(range) });
    }
    (findings.count() == before).then(|| Node { value: Value::List(pairs), range: far(whole) })
}

const fn far(it: Range) -> Range {
    Range { start: it.start + FAR, end: it.end + FAR }
}

/// A number is what YAML reads as one; everything else is a text.
fn scalar(text: &str, range: Range) -> Node {
    let string = text.parse::<f64>().is_err();
    Node { value: Value::Scalar { text: text.to_owned(), string }, range: far(range) }
}

/// Sets keys of the chosen SLOs of a tree; `min_errors` not of those that count no events.
fn change(
    tree: &mut Node,
    settings: &[(Key, Node)],
    chosen: &BTreeSet<(String, String)>,
    left: &BTreeSet<(String, String)>,
) {
    let name = |node: &Node, key: &str| match node.get(key).map(|it| &it.value) {
        Some(Value::Scalar { text, .. }) => text.clone(),
        _ => String::new(),
    };
    let service = name(tree, "service");
    let Value::Map(entries) = &mut tree.value else { return };
    let Some((_, list)) = entries.iter_mut().find(|(key, _)| key.text == "slos") else { return };
    let Value::List(slos) = &mut list.value else { return };
    for slo in slos {
        let of = (service.clone(), name(slo, "name"));
        if !chosen.contains(&of) {
            continue;
        }
        let Value::Map(entries) = &mut slo.value else { continue };
        for (key, value) in settings.iter().filter(|(it, _)| it.text != MIN_ERRORS || !left.contains(&of)) {
            entries.retain(|(it, _)| it.text != key.text);
            entries.push((key.clone(), value.clone()));
        }
    }
}
