//! The lines of a page. In the text format a label's value may hold line ends as they are, so that a series goes on over
//! several lines; Prometheus reads these.

use super::Form;
use super::line::{Flaw, Line, OPEN, read};

/// What some editors write before a text. No format has it.
pub const MARK: char = '\u{feff}';

/// Over how many values with a line end one series goes on at most, so that a broken page is read in one pass.
const MOST: usize = 64;

/// Every line with the place of its first byte.
pub fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split('\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        (start, line)
    })
}

/// Every line with the place of its first byte and what it is, without a byte-order mark; a series is one of them, over
/// however many lines it goes.
pub fn records(page: &str, form: Form) -> impl Iterator<Item = (usize, &str, Line<'_>)> {
    let mut at = if page.starts_with(MARK) { MARK.len_utf8() } else { 0 };
    std::iter::from_fn(move || {
        let start = at;
        let (line, is) = (start <= page.len()).then(|| record(page, start, form))?;
        at = start + line.len() + 1;
        Some((start, line, is))
    })
}

/// What begins at this byte.
pub fn record(page: &str, start: usize, form: Form) -> (&str, Line<'_>) {
    let rest = &page[start..];
    let line = rest.split('\n').next().unwrap_or_default();
    let first = read(line, start, form);
    if form == Form::OpenMetrics || !is_open(&first) {
        return (line, first);
    }
    let mut whole = line;
    for _ in 0..MOST {
        let Some(end) = closed(rest, whole) else { break };
        whole = &rest[..end];
        match read(whole, start, form) {
            Line::Sample(raw) if raw.flaw.is_none() => return (whole, Line::Sample(raw)),
            again if is_open(&again) => {}
            _ => break,
        }
    }
    (line, first)
}

fn is_open(line: &Line<'_>) -> bool {
    matches!(line, Line::Unread(Flaw { why: OPEN, .. }))
}

/// The end of the line on which the value is closed that is open behind these lines.
fn closed(rest: &str, open: &str) -> Option<usize> {
    // An escape at the end of a line escapes nothing.
    let escapes = open.bytes().rev().take_while(|b| *b == b'\\').count();
    if escapes % 2 == 1 {
        return None;
    }
    let mut bytes = rest.as_bytes()[open.len()..].iter().zip(open.len()..);
    while let Some((byte, at)) = bytes.next() {
        match byte {
            b'"' => return Some(rest[at..].find('\n').map_or(rest.len(), |it| at + it)),
            b'\\' if bytes.next().is_none_or(|(it, _)| *it == b'\n') => return None,
            _ => {}
        }
    }
    None
}
