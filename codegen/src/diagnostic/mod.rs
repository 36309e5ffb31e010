//! What a user got wrong: a code, a place, a cause and a next step.

pub mod code;
pub mod explain;
pub mod fix;
pub mod report;

pub use code::Code;
pub use fix::Edit;

use crate::load::Sources;
use crate::yaml::Range;

/// How bad it is. Errors stop the pipeline after its stage; warnings never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Generated, but look at it.
    Warning,
}

impl Severity {
    /// As it is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A place in one of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Index of the file in [`crate::load::Sources`].
    pub file: usize,
    /// Bytes of its text.
    pub range: Range,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code with its explanation.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What stands under the caret.
    pub label: String,
    /// What to do next.
    pub help: String,
    /// The change that mends it, when it is mechanical: edits of the same file that do not overlap. Empty when not.
    pub fix: Vec<Edit>,
}

/// Collects findings of one file.
#[derive(Debug)]
pub struct Findings<'a> {
    file: usize,
    source: &'a str,
    all: &'a mut Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    /// Findings in the file with this index.
    pub fn new(file: usize, sources: &'a Sources, all: &'a mut Vec<Diagnostic>) -> Self {
        // A file of several services has one text.
        let source = sources.text(file);
        let file = sources.foreign.get(&file).copied().unwrap_or(file);
        Self { file, source, all }
    }

    /// Text of the file.
    pub fn source(&self) -> &'a str {
        self.source
    }

    /// How many there are by now.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Adds an error.
    pub fn error(&mut self, code: Code, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, code, range, message.into(), help.into());
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: Code, range: Range, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, code, range, message.into(), help.into());
    }

    /// Adds a change that mends the finding added last.
    pub fn fix(&mut self, edits: impl IntoIterator<Item = Edit>) {
        if let Some(last) = self.all.last_mut() {
            last.fix.extend(edits);
        }
    }

    fn add(&mut self, severity: Severity, code: Code, range: Range, message: String, help: String) {
        let span = Span { file: self.file, range };
        let label = code.title().to_owned();
        self.all.push(Diagnostic { code, severity, message, span, label, help, fix: Vec::new() });
    }
}

/// Whether any of them is an error.
pub fn any_error<'a>(all: impl IntoIterator<Item = &'a Diagnostic>) -> bool {
    all.into_iter().any(|it| it.severity == Severity::Error)
}
