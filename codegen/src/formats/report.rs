//! What a reader tells: errors as everywhere, and every part that is not carried as it was, both as a finding and as a
//! comment of the printed file. One call does both, so neither can be forgotten.

use super::draft::{Note, Slo};
use crate::diagnostic::{Code, Findings};
use crate::yaml::Range;

/// Findings of one foreign file, and the notes of what is being read.
#[derive(Debug)]
pub(super) struct Report<'a, 'd> {
    findings: &'a mut Findings<'d>,
    notes: Vec<Note>,
    within: Option<String>,
}

impl<'a, 'd> Report<'a, 'd> {
    /// A report about the file of these findings.
    pub(super) fn new(findings: &'a mut Findings<'d>) -> Self {
        Self { findings, notes: Vec::new(), within: None }
    }

    /// From now on everything is about an object of that file, which is named here.
    pub(super) fn within(&mut self, path: Option<String>) {
        self.within = path;
    }

    fn said(&self, message: &str) -> String {
        self.within.as_ref().map_or(message.to_owned(), |path| format!("in {path}: {message}"))
    }

    /// Text of the file.
    pub(super) fn source(&self) -> &'d str {
        self.findings.source()
    }

    /// The file is wrong.
    pub(super) fn error(&mut self, code: Code, range: Range, message: impl Into<String>, help: impl Into<String>) {
        let message = self.said(&message.into());
        self.notes.push(Note { at: range.start, text: message.clone() });
        let range = self.first_line(range);
        self.findings.error(code, range, message, help);
    }

    /// A block scalar ends where the next key begins: its first line is enough to show it.
    fn first_line(&self, range: Range) -> Range {
        let text = self.source().get(range.start..range.end).unwrap_or_default();
        Range { start: range.start, end: range.start + text.find('\n').unwrap_or(text.len()) }
    }

    /// Something has no place in our file.
    pub(super) fn not_carried(&mut self, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.warn(Code::NotCarried, range, &message.into(), help.into());
    }

    /// Something is carried, but means something else.
    pub(super) fn differs(&mut self, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.warn(Code::CarriedOtherwise, range, &message.into(), help.into());
    }

    /// Something that we need is not said.
    pub(super) fn assumed(&mut self, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.warn(Code::Assumed, range, &message.into(), help.into());
    }

    /// A key that the format's own tool ignores without a word.
    pub(super) fn ignored(&mut self, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.warn(Code::IgnoredKey, range, &message.into(), help.into());
    }

    fn warn(&mut self, code: Code, range: Range, message: &str, help: String) {
        let message = self.said(message);
        self.notes.push(Note { at: range.start, text: message.clone() });
        let range = self.first_line(range);
        self.findings.warning(code, range, message, help);
    }

    /// An SLO that could not be read goes into the notes of its service, with why.
    pub(super) fn or_left_out(&mut self, slo: Option<Slo>, at: Range, notes: &mut Vec<Note>) -> Option<Slo> {
        if slo.is_none() {
            let text = "this SLO is left out, and no rule watches it".to_owned();
            notes.push(Note { at: at.start, text });
            notes.extend(self.take_notes());
        }
        slo
    }

    /// The notes since the last time, in the order of the file.
    pub(super) fn take_notes(&mut self) -> Vec<Note> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.sort();
        notes.dedup();
        notes
    }
}
