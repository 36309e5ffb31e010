//! What a user got wrong: a code, a place, a cause and a next step.

/// How bad it is. Errors stop the pipeline after its stage; warnings never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Generated, but look at it.
    Warning,
}

/// A place in a source file: byte offsets into its text. Line and column are computed when printing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Index of the file in [`crate::load::Sources`].
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code, such as `KLT0012`; every code is documented in one table.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence: what is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Why it is wrong, when the message does not say so.
    pub cause: Option<String>,
    /// What to do next.
    pub help: String,
}
