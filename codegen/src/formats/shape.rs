//! Reading a foreign mapping: wrong types, missing and unknown keys, all of them told.

use super::draft::Text;
use super::report::Report;
use crate::diagnostic::Code;
use crate::spec::check::{help, printable};
use crate::yaml::{Key, Node, Range, Value};

/// A mapping and what it is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    node: &'a Node,
    name: &'static str,
}

/// What the format's own tool does with a key that it does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It refuses the file.
    Refused,
    /// It goes on without a word.
    Ignored,
}

impl<'a> Fields<'a> {
    /// The mapping, or a finding.
    pub(super) fn of(node: &'a Node, name: &'static str, report: &mut Report<'_, '_>) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            return Some(Self { node, name });
        }
        let message = format!("{name} is a mapping, but here is {}", node.kind());
        report.error(Code::WrongType, node.range, message, "see the format's own documentation for its keys");
        None
    }

    /// Where it begins: its first key.
    pub(super) fn place(&self) -> Range {
        match &self.node.value {
            Value::Map(entries) => entries.first().map_or(self.node.range, |(key, _)| key.range),
            _ => self.node.range,
        }
    }

    /// Tells every key that is none of these.
    pub(super) fn only(&self, keys: &[&str], unknown: Unknown, report: &mut Report<'_, '_>) -> &Self {
        for (key, _) in self.entries().iter().filter(|(key, _)| !keys.contains(&key.text.as_str())) {
            let message = format!("{} has no key `{}`", self.name, printable(&key.text));
            let help = help(&key.text, keys);
            match unknown {
                Unknown::Refused => report.error(Code::UnknownKey, key.range, message, help),
                Unknown::Ignored => report.ignored(key.range, message, help),
            }
        }
        self
    }

    /// Keys with their values.
    pub(super) fn entries(&self) -> &'a [(Key, Node)] {
        match &self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// A value that is there and says something.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.node.get(key).filter(|it| it.value != Value::Null)
    }

    /// The place of a key, else of the mapping.
    pub(super) fn key(&self, key: &str) -> Range {
        self.entries().iter().find(|(it, _)| it.text == key).map_or_else(|| self.place(), |(it, _)| it.range)
    }

    /// A scalar.
    pub(super) fn text(&self, key: &'static str, report: &mut Report<'_, '_>) -> Option<Text> {
        let node = self.get(key)?;
        let text = scalar(node);
        if text.is_none() {
            self.wrong(node, key, "a text", report);
        }
        text
    }

    /// A scalar that must be there.
    pub(super) fn need(&self, key: &'static str, example: &str, report: &mut Report<'_, '_>) -> Option<Text> {
        if self.get(key).is_none() {
            self.missing(key, example, report);
        }
        self.text(key, report)
    }

    /// A mapping that must be there.
    pub(super) fn need_map(&self, key: &'static str, name: &'static str, report: &mut Report<'_, '_>) -> Option<Self> {
        if self.get(key).is_none() {
            self.missing(key, "{...}", report);
        }
        self.map(key, name, report)
    }

    /// A mapping.
    pub(super) fn map(&self, key: &str, name: &'static str, report: &mut Report<'_, '_>) -> Option<Self> {
        Fields::of(self.get(key)?, name, report)
    }

    /// A boolean; absent is `default`.
    pub(super) fn flag(&self, key: &'static str, default: bool, report: &mut Report<'_, '_>) -> bool {
        let Some(node) = self.get(key) else { return default };
        match scalar(node).as_ref().map(|it| it.text.as_str()) {
            Some("true") => true,
            Some("false") => false,
            _ => {
                self.wrong(node, key, "true or false", report);
                default
            }
        }
    }

    /// The items of a list.
    pub(super) fn items(&self, key: &'static str, report: &mut Report<'_, '_>) -> &'a [Node] {
        match self.get(key) {
            Some(Node { value: Value::List(items), .. }) => items,
            Some(node) => {
                self.wrong(node, key, "a list", report);
                &[]
            }
            None => &[],
        }
    }

    /// The items of a list of texts.
    pub(super) fn texts(&self, key: &'static str, report: &mut Report<'_, '_>) -> Vec<Text> {
        let items = self.items(key, report);
        for node in items.iter().filter(|it| scalar(it).is_none()) {
            self.wrong(node, key, "texts", report);
        }
        items.iter().filter_map(scalar).collect()
    }

    fn missing(&self, key: &str, example: &str, report: &mut Report<'_, '_>) {
        let message = format!("{} needs `{key}`", self.name);
        report.error(Code::MissingKey, self.place(), message, format!("add `{key}: {example}`"));
    }

    fn wrong(&self, node: &Node, key: &str, wanted: &str, report: &mut Report<'_, '_>) {
        let message = format!("`{key}` takes {wanted}, but here is {}", node.kind());
        report.error(Code::WrongType, node.range, message, format!("give `{key}` of {} {wanted}", self.name));
    }
}

/// A scalar as text.
pub(super) fn scalar(node: &Node) -> Option<Text> {
    match &node.value {
        Value::Scalar { text, .. } => Some(Text::new(text.clone(), node.range)),
        _ => None,
    }
}
