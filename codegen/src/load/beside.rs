//! Files that only one command reads, beside SLO files.

use std::path::Path;

use super::{LoadError, SourceFile, Sources, as_text, shown};
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::yaml;

/// Reads a file behind those that are there; its index. What is no text is a finding.
pub fn add_text(
    sources: &mut Sources,
    path: &Path,
    current: &Path,
    found: &mut Vec<Diagnostic>,
) -> Result<usize, LoadError> {
    let full = current.join(path);
    let failed = |source| LoadError::Io { path: path.display().to_string(), source };
    let size = std::fs::metadata(&full).map_err(failed)?.len();
    let index = sources.files.len();
    let (text, problem) = if size > yaml::MAX_BYTES as u64 {
        let message = format!("the file is larger than {} MiB", yaml::MAX_BYTES >> 20);
        (String::new(), Some((message, yaml::Range::default())))
    } else {
        as_text(std::fs::read(&full).map_err(failed)?)
    };
    sources.files.push(SourceFile { path: shown(&full, &sources.root), text });
    if let Some((message, range)) = problem {
        let help = "name a text in UTF-8: docs/backtest.md shows one";
        Findings::new(index, sources, found).error(Code::Text, range, message, help);
    }
    Ok(index)
}
