//! Findings of one page. What is wrong on a thousand lines is one finding with its first place, and a page that is wrong
//! from top to bottom does not fill a screen for each of its families.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::yaml::Range;

/// How many findings of one code are shown.
const MOST: usize = 20;

/// What makes two lines wrong in the same way: the code, the family, and a detail such as the label.
type Key<'a> = (Code, usize, Cow<'a, str>);

/// Collects them.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    all: HashMap<Key<'a>, (Diagnostic, usize)>,
    /// How many each code has, so that beyond the limit nothing is kept.
    counts: HashMap<Code, usize>,
}

/// The text of a finding.
pub(super) struct Text {
    pub(super) message: String,
    pub(super) help: String,
}

pub(super) fn text(message: impl Into<String>, help: impl Into<String>) -> Text {
    Text { message: message.into(), help: help.into() }
}

impl<'a> Found<'a> {
    /// Adds one; its text is made for the first line only.
    pub(super) fn tell(
        &mut self,
        (severity, code): (Severity, Code),
        (family, detail): (usize, impl Into<Cow<'a, str>>),
        range: Range,
        text: impl FnOnce() -> Text,
    ) {
        let key = (code, family, detail.into());
        if let Some((_, count)) = self.all.get_mut(&key) {
            *count += 1;
            return;
        }
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count > MOST {
            return;
        }
        let Text { message, help } = text();
        let span = Span { file: 0, range };
        let label = code.title().to_owned();
        let it = Diagnostic { code, severity, message, span, label, help, fix: Vec::new() };
        self.all.insert(key, (it, 1));
    }

    /// All of them, in the order of the page.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let told = |(mut it, count): (Diagnostic, usize)| {
            if count > 1 {
                it.message.push_str(&format!(" ({count} lines)"));
            }
            it
        };
        let mut all: Vec<Diagnostic> = self.all.into_values().map(told).collect();
        all.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        for (code, count) in self.counts.into_iter().collect::<std::collections::BTreeMap<_, _>>() {
            if let Some(last) = all.iter_mut().rev().find(|it| it.code == code && count > MOST) {
                last.help.push_str(&format!("; {} more findings of this kind are not shown", count - MOST));
            }
        }
        all
    }
}

/// The longest line that is shown whole.
const LONGEST: usize = 4 << 10;

/// The page with nothing on the lines that no finding is about, so that printing does not take a page of fifty megabytes
/// apart for each; lines and columns stay. The findings' places move along.
pub(super) fn excerpt(page: &str, all: &mut [Diagnostic]) -> String {
    let mut out = String::new();
    let mut next = 0;
    for (start, line) in crate::exposition::lines(page) {
        if start > 0 {
            out.push('\n');
        }
        let end = start + line.len();
        let mut shown = line.len().min(LONGEST);
        while !line.is_char_boundary(shown) {
            shown -= 1;
        }
        let at = out.len();
        let first = next;
        while next < all.len() && all[next].span.range.start <= end {
            let range = &mut all[next].span.range;
            let within = |it: usize| at + it.saturating_sub(start).min(shown);
            *range = Range { start: within(range.start), end: within(range.end) };
            next += 1;
        }
        if next > first {
            out.push_str(&line[..shown]);
        }
    }
    out
}
