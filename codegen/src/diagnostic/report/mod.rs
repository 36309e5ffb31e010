//! Findings for people, programs and the pages of CI: five printers of one report. Sorted by file and place.

mod github;
mod json;
mod junit;
mod sarif;

use std::collections::BTreeMap;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

pub use github::{data as quoted_for_github, github};
pub use json::{json, json_value};
pub use junit::{Case, escaped as escaped_for_xml, junit, suite};
pub use sarif::{log, sarif};

use super::{Code, Diagnostic, Edit, Severity};
use crate::load::Sources;
use crate::yaml::Range;

/// In rustc's look: code, message, the line with a caret, the next step.
pub fn human(all: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let masked = without_secrets(all, sources);
    let render = |it: &Diagnostic| {
        let text = masked.get(&it.span.file).map_or(sources.files[it.span.file].text.as_ref(), String::as_str);
        let first = group(it, &sources.files[it.span.file].path, text);
        let groups: Vec<Group<'_>> = std::iter::once(first).chain(suggestion(it, text)).collect();
        renderer.render(&groups) + "\n\n"
    };
    sorted(all).into_iter().map(render).collect()
}

/// The texts of files that hold secrets in plain sight, with stars in their place: logs of CI must not spread them.
fn without_secrets(all: &[Diagnostic], sources: &Sources) -> BTreeMap<usize, String> {
    let mut masked = BTreeMap::new();
    for it in all.iter().filter(|it| it.code == Code::LiteralSecret) {
        let text: &mut String = masked.entry(it.span.file).or_insert_with(|| sources.files[it.span.file].text.clone());
        let Range { start, end } = it.span.range;
        if let Some(secret) = text.get(start..end) {
            // Lines stay lines, bytes stay bytes: the carets of other findings must not move.
            let stars = secret.split('\n').map(|line| "*".repeat(line.len())).collect::<Vec<_>>().join("\n");
            text.replace_range(start..end, &stars);
        }
    }
    masked
}

/// The mechanical change, as a patch of its line.
fn suggestion<'a>(it: &'a Diagnostic, text: &'a str) -> Option<Group<'a>> {
    let whole = |edit: &Edit| text.get(edit.range.start..edit.range.end).is_some();
    if it.fix.is_empty() || !it.fix.iter().all(whole) {
        return None;
    }
    let patches = it.fix.iter().map(|edit| Patch::new(edit.range.start..edit.range.end, &edit.text));
    Some(Level::NOTE.secondary_title(FIXABLE).element(Snippet::source(text).patches(patches)))
}

const FIXABLE: &str = "`kilter lint --fix` writes this:";

fn group<'a>(it: &'a Diagnostic, path: &'a str, text: &'a str) -> Group<'a> {
    let level = match it.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let range = it.span.range;
    let end = range.end.max(range.start).min(text.len());
    let start = range.start.min(end);
    let mark = AnnotationKind::Primary.span(start..end).label(&it.label);
    level
        .primary_title(&it.message)
        .id(it.code.as_str())
        .element(Snippet::source(text).path(path).annotation(mark))
        .element(Level::HELP.message(&it.help))
}

/// A place as programs count it: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

fn region(text: &str, range: Range) -> Region {
    let ((line, column), (end_line, end_column)) = (position(text, range.start), position(text, range.end));
    Region { line, column, end_line, end_column }
}

/// Line and column of a byte, from 1.
pub fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |it| it + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn sorted(all: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = all.iter().collect();
    sorted.sort_by_key(|it| (it.span, it.code));
    sorted.dedup();
    sorted
}
