//! A draft as the text of our own SLO file, with what was not carried as comments.

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::draft::{Note, Service, Slo};
use crate::diagnostic::report::position;
use crate::spec::check::printable;
use crate::yaml::{self, Node, Value};

/// The text of one service. `path` and `source` are those of the foreign file.
pub fn text(service: &Service, path: &str, source: &str) -> Result<String, String> {
    let lines = |notes: &[Note]| {
        let line = |note: &Note| format!("line {}: {}", position(source, note.at).0, note.text);
        let mut all: Vec<String> = notes.iter().map(line).collect();
        all.dedup();
        all
    };
    let mut out = format!("# Imported from {} by kilter {}.\n", printable(path), env!("CARGO_PKG_VERSION"));
    lines(&service.notes).iter().for_each(|it| out.push_str(&comment("", it)));
    let head =
        yaml::to_string(&Head { api_version: "kilter/v1", service: &service.name.text, team: &service.team.text })?;
    out.push_str(&head);
    let none = !service.slos.iter().any(|it| it.sli.exists());
    out.push_str(if none { "slos: []\n" } else { "slos:\n" });
    for slo in &service.slos {
        let item = item(slo)?;
        lines(&slo.notes).iter().for_each(|it| out.push_str(&comment("  ", it)));
        if slo.sli.exists() {
            out.push_str(&item);
        } else {
            out.push_str(&comment("  ", "not in this version of Kilter; no rule watches this SLO:"));
            item.lines().for_each(|it| out.push_str(&comment("  ", it.get(2..).unwrap_or_default())));
        }
    }
    Ok(out)
}

#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    api_version: &'a str,
    service: &'a str,
    team: &'a str,
}

/// One SLO as an item of the list.
fn item(slo: &Slo) -> Result<String, String> {
    let mut tree = slo.tree();
    if let Value::Map(entries) = &mut tree.value {
        // What this version does not have is shown all the same, where the whole SLO is a comment.
        let missing = slo.more.iter().filter(|(target, _)| !target.exists() && !slo.sli.exists());
        entries.extend(
            missing
                .map(|(target, node)| (yaml::Key { text: target.key().to_owned(), range: node.range }, node.clone())),
        );
    }
    let body = yaml::to_string(&Tree(&tree))?;
    let mut out = String::new();
    for (index, line) in body.lines().enumerate() {
        let start = if index == 0 { "  - " } else { "    " };
        out.push_str(if line.is_empty() { "" } else { start });
        out.push_str(line);
        out.push('\n');
    }
    Ok(out)
}

/// A comment, whatever the text holds.
fn comment(indent: &str, text: &str) -> String {
    let safe: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{indent}# {safe}").trim_end().to_owned() + "\n"
}

/// A tree for serde.
struct Tree<'a>(&'a Node);

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0.value {
            Value::Null => serializer.serialize_unit(),
            Value::Scalar { text, .. } => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items.iter().map(Tree)),
            Value::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, node) in entries {
                    map.serialize_entry(&key.text, &Tree(node))?;
                }
                map.end()
            }
        }
    }
}
