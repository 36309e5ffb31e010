//! Mechanical changes of a text: only the bytes that they name change, so that comments and formatting stay.

use super::Diagnostic;
use crate::yaml::Range;

/// One change of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// The bytes that go.
    pub range: Range,
    /// What takes their place.
    pub text: String,
}

impl Edit {
    /// `text` in the place of `range`.
    pub fn new(range: Range, text: impl Into<String>) -> Self {
        Self { range, text: text.into() }
    }
}

/// The text of the file with this index after every fix, and how many findings it mends; `None` when there is none.
///
/// Where two fixes overlap the first in the text wins: the next run finds the other one, if it still stands.
pub fn applied(text: &str, file: usize, all: &[Diagnostic]) -> Option<(String, usize)> {
    let mut fixes: Vec<Vec<Edit>> = all.iter().filter(|it| it.span.file == file).map(|it| sorted(&it.fix)).collect();
    fixes.retain(|edits| !edits.is_empty() && fits(text, edits));
    fixes.sort();
    fixes.dedup();
    let mut taken: Vec<Edit> = Vec::new();
    let mut count = 0;
    for edits in fixes {
        let free =
            |edit: &Edit| taken.iter().all(|it| edit.range.end <= it.range.start || it.range.end <= edit.range.start);
        if edits.iter().all(free) {
            taken.extend(edits);
            count += 1;
        }
    }
    taken.sort();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in &taken {
        out.push_str(&text[at..edit.range.start]);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(&text[at..]);
    (count > 0).then_some((out, count))
}

fn sorted(edits: &[Edit]) -> Vec<Edit> {
    let mut edits = edits.to_vec();
    edits.sort();
    edits
}

/// Whether the edits follow each other at bytes where characters begin.
fn fits(text: &str, edits: &[Edit]) -> bool {
    let mut at = 0;
    edits.iter().all(|it| {
        let after = at <= it.range.start && text.get(it.range.start..it.range.end).is_some();
        at = it.range.end;
        after
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Code, Severity, Span};

    fn fixing(edits: &[(usize, usize, &str)]) -> Diagnostic {
        let edit = |&(start, end, text): &(usize, usize, &str)| Edit::new(Range { start, end }, text);
        Diagnostic {
            code: Code::Window,
            severity: Severity::Error,
            message: String::new(),
            span: Span::default(),
            label: String::new(),
            help: String::new(),
            fix: edits.iter().map(edit).collect(),
        }
    }

    #[test]
    fn only_the_named_bytes_change_and_overlaps_wait() {
        let text = "a: [5m] # ü\nb: [1h]\n";
        let first = fixing(&[(3, 7, "[$window]")]);
        for (all, expected) in [
            (vec![fixing(&[(16, 20, "[$window]")]), first.clone()], Some(("a: [$window] # ü\nb: [$window]\n", 2))),
            (vec![first.clone(), first.clone(), fixing(&[(4, 6, "1m")])], Some(("a: [$window] # ü\nb: [1h]\n", 1))),
            (vec![fixing(&[(0, 1, "c"), (2, 3, "  ")])], Some(("c:  [5m] # ü\nb: [1h]\n", 1))),
            (vec![fixing(&[(10, 11, "")]), fixing(&[(90, 95, "")]), fixing(&[])], None),
        ] {
            let made = applied(text, 0, &all);
            assert_eq!(made.as_ref().map(|(text, count)| (text.as_str(), *count)), expected);
        }
    }
}
