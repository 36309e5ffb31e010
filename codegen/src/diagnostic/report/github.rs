//! Workflow commands of GitHub Actions, which become annotations of a pull request.

use super::super::{Diagnostic, Severity};
use super::{Region, region, sorted};
use crate::load::Sources;

/// One command a finding.
pub fn github(all: &[Diagnostic], sources: &Sources) -> String {
    sorted(all).into_iter().map(|it| line(it, sources)).collect()
}

fn line(it: &Diagnostic, sources: &Sources) -> String {
    let file = &sources.files[it.span.file];
    let Region { line, column, end_line, end_column } = region(&file.text, it.span.range);
    let level = match it.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let place = format!(
        "file={},line={line},endLine={end_line},col={column},endColumn={end_column},title={}",
        property(&file.path),
        property(&format!("{} {}", it.code, it.code.title()))
    );
    format!("::{level} {place}::{}\n", data(&format!("{}\nNext: {}", it.message, it.help)))
}

/// A text behind `::`, as the toolkit of GitHub Actions escapes it.
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_ends_a_command_early() {
        assert_eq!(super::property("a,b:c%d\ne"), "a%2Cb%3Ac%25d%0Ae");
        assert_eq!(super::data("a,b:c%d\r\n"), "a,b:c%25d%0D%0A");
    }
}
