//! Findings as text for people and as JSON for programs. Sorted by file and place.

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use serde::Serialize;

use super::{Diagnostic, Edit, Severity};
use crate::load::Sources;

/// In rustc's look: code, message, the line with a caret, the next step.
pub fn human(all: &[Diagnostic], sources: &Sources, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let render = |it| {
        let groups: Vec<Group<'_>> = std::iter::once(group(it, sources)).chain(suggestion(it, sources)).collect();
        renderer.render(&groups) + "\n\n"
    };
    sorted(all).into_iter().map(render).collect()
}

/// The mechanical change, as a patch of its line.
fn suggestion<'a>(it: &'a Diagnostic, sources: &'a Sources) -> Option<Group<'a>> {
    let text = &sources.files[it.span.file].text;
    let whole = |edit: &Edit| text.get(edit.range.start..edit.range.end).is_some();
    if it.fix.is_empty() || !it.fix.iter().all(whole) {
        return None;
    }
    let patches = it.fix.iter().map(|edit| Patch::new(edit.range.start..edit.range.end, &edit.text));
    Some(Level::NOTE.secondary_title(FIXABLE).element(Snippet::source(text).patches(patches)))
}

const FIXABLE: &str = "`kilter lint --fix` writes this:";

fn group<'a>(it: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match it.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let file = &sources.files[it.span.file];
    let range = it.span.range;
    let end = range.end.max(range.start).min(file.text.len());
    let start = range.start.min(end);
    let mark = AnnotationKind::Primary.span(start..end).label(&it.label);
    level
        .primary_title(&it.message)
        .id(it.code.as_str())
        .element(Snippet::source(&file.text).path(&file.path).annotation(mark))
        .element(Level::HELP.message(&it.help))
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the JSON keys")]
struct Line<'a> {
    code: &'a str,
    severity: &'a str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
    help: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fix: Vec<Change<'a>>,
}

/// A mechanical change.
#[derive(Serialize)]
struct Change<'a> {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: &'a str,
}

/// A JSON array; lines and columns count from 1, columns in characters.
pub fn json(all: &[Diagnostic], sources: &Sources) -> String {
    let lines: Vec<Line<'_>> = sorted(all)
        .into_iter()
        .map(|it| {
            let file = &sources.files[it.span.file];
            let (line, column) = position(&file.text, it.span.range.start);
            let (end_line, end_column) = position(&file.text, it.span.range.end);
            let (code, severity) = (it.code.as_str(), it.severity.as_str());
            Line {
                code,
                severity,
                file: &file.path,
                line,
                column,
                end_line,
                end_column,
                message: &it.message,
                help: &it.help,
                fix: it.fix.iter().map(|edit| change(edit, &file.text)).collect(),
            }
        })
        .collect();
    serde_json::to_string_pretty(&lines).unwrap_or_default() + "\n"
}

fn change<'a>(edit: &'a Edit, text: &str) -> Change<'a> {
    let (line, column) = position(text, edit.range.start);
    let (end_line, end_column) = position(text, edit.range.end);
    Change { line, column, end_line, end_column, text: &edit.text }
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
