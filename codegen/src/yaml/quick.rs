//! The plain part of YAML, read line by line: block mappings and lists, plain and quoted scalars of one line, comments.
//! Most SLO files are nothing else, and the library takes ten times as long. Whatever is beyond this, or wrong, or could be
//! read in two ways is `None`, and the library's to read.

use super::write::is_word;
use super::{Key, Node, Range, Value};

/// Larger texts could exceed the library's budgets.
const MOST_BYTES: usize = 1 << 20;
const MOST_LEVELS: usize = 16;

/// The tree of a text, the same as the library makes of it.
pub(super) fn read(text: &str) -> Option<Node> {
    let plain = |c: u8| matches!(c, b'\n' | 0x20..=0x7e);
    if text.len() > MOST_BYTES || !text.bytes().all(plain) {
        return None;
    }
    let mut lines = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        let (start, end) = (at + indent, at + line.trim_end().len());
        at += line.len();
        match content.as_bytes() {
            [] | [b'\n' | b'#', ..] => {}
            // A document's mark, or a directive.
            [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..] | [b'%', ..] => return None,
            _ => lines.push(Line { indent, start, end: end.max(start) }),
        }
    }
    let mut reader = Reader { text, lines, next: 0, levels: 0 };
    let indent = reader.peek()?.indent;
    let root = reader.block(indent)?;
    (reader.next == reader.lines.len()).then_some(root)
}

/// A line with content: its column, and its bytes.
#[derive(Clone, Copy)]
struct Line {
    indent: usize,
    start: usize,
    end: usize,
}

struct Reader<'a> {
    text: &'a str,
    lines: Vec<Line>,
    next: usize,
    levels: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<Line> {
        self.lines.get(self.next).copied()
    }

    fn content(&self, line: Line) -> &[u8] {
        &self.text.as_bytes()[line.start..line.end]
    }

    fn is_item(&self, line: Line) -> bool {
        matches!(self.content(line), [b'-', b' ', ..])
    }

    /// A mapping or a list whose lines begin in this column.
    fn block(&mut self, indent: usize) -> Option<Node> {
        self.levels += 1;
        let line = self.peek().filter(|_| self.levels <= MOST_LEVELS)?;
        let node = if self.is_item(line) { self.list(indent, line.start) } else { self.mapping(indent) };
        self.levels -= 1;
        node
    }

    fn list(&mut self, indent: usize, start: usize) -> Option<Node> {
        let mut items = Vec::new();
        while let Some(line) = self.peek().filter(|it| it.indent == indent && self.is_item(*it)) {
            let blanks = self.content(line)[1..].iter().take_while(|it| **it == b' ').count();
            let inner = Line { indent: indent + 1 + blanks, start: line.start + 1 + blanks, end: line.end };
            // What stands behind the dash stands as if it had a line of its own.
            self.lines[self.next] = inner;
            items.push(if self.key(inner).is_some() {
                self.block(inner.indent)?
            } else {
                self.next += 1;
                self.scalar(inner.start, inner.end)?
            });
        }
        self.ends(indent)?;
        Some(Node { value: Value::List(items), range: Range { start, end: start } })
    }

    fn mapping(&mut self, indent: usize) -> Option<Node> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        while let Some(line) = self.peek().filter(|it| it.indent == indent && !self.is_item(*it)) {
            let (key, value) = self.key(line)?;
            if entries.iter().any(|(it, _)| it.text == key.text) {
                return None;
            }
            self.next += 1;
            let node = if value < line.end && self.text.as_bytes()[value] != b'#' {
                self.scalar(value, line.end)?
            } else {
                let below = self.peek()?;
                match below.indent.cmp(&indent) {
                    std::cmp::Ordering::Greater => self.block(below.indent)?,
                    // A list need not be indented; the library places such a one at its first item.
                    std::cmp::Ordering::Equal if self.is_item(below) => {
                        let blanks = self.content(below)[1..].iter().take_while(|it| **it == b' ').count();
                        self.list(indent, below.start + 1 + blanks)?
                    }
                    _ => return None,
                }
            };
            entries.push((key, node));
        }
        self.ends(indent)?;
        let start = entries.first()?.0.range.start;
        Some(Node { value: Value::Map(entries), range: Range { start, end: start } })
    }

    /// What follows a block stands further out: deeper it would be the rest of a scalar.
    fn ends(&self, indent: usize) -> Option<()> {
        self.peek().is_none_or(|it| it.indent <= indent).then_some(())
    }

    /// The key of a line and where its value begins.
    fn key(&self, line: Line) -> Option<(Key, usize)> {
        let content = self.content(line);
        let len = content.iter().take_while(|c| c.is_ascii_alphanumeric() || b"_-./".contains(c)).count();
        let named = content.first().is_some_and(u8::is_ascii_alphabetic) && content.get(len) == Some(&b':');
        let apart = content.get(len + 1).is_none_or(|it| *it == b' ');
        let range = Range { start: line.start, end: line.start + len };
        let text = &self.text[range.start..range.end];
        let blanks = content.get(len + 1..)?.iter().take_while(|it| **it == b' ').count();
        let value = range.end + 1 + blanks;
        (named && apart && !is_word(text)).then(|| (Key { text: text.to_owned(), range }, value))
    }

    /// A scalar of one line.
    fn scalar(&self, start: usize, end: usize) -> Option<Node> {
        let raw = &self.text[start..end];
        let quote = raw.chars().next()?;
        if quote == '"' || quote == '\'' {
            let len = raw[1..].find(quote)?;
            let (inner, behind) = (&raw[1..=len], &raw[len + 2..]);
            let fine = (behind.trim_start().is_empty() || behind.starts_with(" #") || behind.starts_with("  "))
                && (behind.trim_start().is_empty() || behind.trim_start().starts_with('#'))
                && !inner.contains('\\');
            let range = Range { start, end: start + len + 2 };
            let value = Value::Scalar { text: inner.to_owned(), string: true };
            return fine.then_some(Node { value, range });
        }
        let raw = raw.find(" #").map_or(raw, |at| raw[..at].trim_end());
        let string = if quote.is_ascii_alphabetic() || is_measure(raw) {
            true
        } else if is_number(raw) {
            false
        } else {
            return None;
        };
        let fine = !is_word(raw) && !raw.contains(": ") && !raw.ends_with(':');
        let value = Value::Scalar { text: raw.to_owned(), string };
        fine.then_some(Node { value, range: Range { start, end: start + raw.len() } })
    }
}

/// `99.9` or `5`; whatever else begins with a digit is left to the library.
fn is_number(raw: &str) -> bool {
    let (whole, fraction) = raw.split_once('.').unwrap_or((raw, "0"));
    let digits = |it: &str| !it.is_empty() && it.len() <= 9 && it.bytes().all(|c| c.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

/// `30d` or `99.9%`.
fn is_measure(raw: &str) -> bool {
    raw.strip_suffix(['s', 'm', 'h', 'd', 'w', '%']).is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::super::{Document, parse_slowly};
    use super::*;

    const TEXT: &str = "# c\nversion: prometheus/v1\nservice: x # y\nlabels:\n  owner: \"team: a\"\n  k: 'q # r'\n  e: \"\"\n\nslos:\n  # d\n  - name: r\n    objective: 99.9\n    sli:\n      events:\n        error_query: sum(rate(x{a=\"b\",c=~\"(5..|429)\"}[{{.window}}]))\n  -   name: s\n      window: 30d\n  - plain text\nlist:\n- 1\n- a: 99.9%\n  b: a#b\n-  c\nlast: https://x.example/a?b=c\n";

    /// `None`, or just what the library says.
    fn same(text: &str) -> bool {
        let Some(root) = read(text) else { return false };
        assert_eq!(Ok(Document { root, duplicates: Vec::new() }), parse_slowly(text), "{text}");
        true
    }

    #[test]
    fn what_is_plain_is_read_as_the_library_reads_it() {
        assert!(same(TEXT));
        assert!(same("a: 1") && same("- a\n- b\n") && same("a:\n    b:\n        c: d\n    e: f\n"));
        for text in [
            "a: b: c\n",
            "a: b\n c\n",
            "a: b\n  c: d\n",
            "a:\n",
            "a:\nb: c\n",
            "a: ~\n",
            "a: yes\n",
            "a: 'it''s'\n",
            "a: \"\\n\"\n",
            "a: |\n  b\n",
            "a: [b]\n",
            "a: &x b\nc: *x\n",
            "a: 1\na: 2\n",
            "---\na: b\n",
            "a: b\n---\nc: d\n",
            "a: \"b\" c\n",
            "a: b\n...\n",
            "a:\tb\n",
            "- - a\n",
            "-\n",
            "a: 0x1f\n",
            "a: 1e5\n",
            "a: 010\n",
            "a: .5\n",
            "? a\n: b\n",
            "a: - b\n",
            "a:b\n",
            "",
            "# a\n",
            " a: b\nc: d\n",
            "a:\n  b: c\n d: e\n",
            "a: !x b\n",
            "a: @b\n",
            "null: a\n",
            "a: infinity\n",
            "a: NaN\n",
            "a: 2026-11-25\n",
            "a: b:\n",
            "a:\n  - b\n - c\n",
            "a: 'b' #c\n",
            "a: 'b'#c\n",
            "a: \"b\n  c\"\n",
            "a: b #\n",
            "ü: a\n",
        ] {
            same(text);
        }
    }

    #[test]
    fn one_letter_more_or_less_changes_both_alike() {
        let mut quick = 0;
        for at in 0..TEXT.len() {
            let (before, after) = TEXT.split_at(at);
            quick += usize::from(same(&format!("{before}{}", &after[1..])));
            for more in [" ", "\n", ":", "-", "#", "'", "\"", "a", "1", "{", ": ", "- ", " #", "\n  "] {
                quick += usize::from(same(&format!("{before}{more}{after}")));
            }
        }
        assert!(quick > 2_000, "only {quick} texts were plain");
    }
}
