//! For programs.

use serde::Serialize;

use super::super::{Diagnostic, Edit};
use super::{Region, region, sorted};
use crate::load::Sources;

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
    serde_json::to_string_pretty(&lines(all, sources)).unwrap_or_default() + "\n"
}

/// The same, as a part of something larger.
pub fn json_value(all: &[Diagnostic], sources: &Sources) -> serde_json::Value {
    serde_json::to_value(lines(all, sources)).unwrap_or_default()
}

fn lines<'a>(all: &'a [Diagnostic], sources: &'a Sources) -> Vec<Line<'a>> {
    sorted(all)
        .into_iter()
        .map(|it| {
            let file = &sources.files[it.span.file];
            let Region { line, column, end_line, end_column } = region(&file.text, it.span.range);
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
        .collect()
}

fn change<'a>(edit: &'a Edit, text: &str) -> Change<'a> {
    let Region { line, column, end_line, end_column } = region(text, edit.range);
    Change { line, column, end_line, end_column, text: &edit.text }
}
