//! The way from an expression back to the YAML that holds it.

use super::lexer::WINDOW;
use crate::diagnostic::Edit;
use crate::yaml::Range;

/// Bytes `start..end` of a decoded scalar as bytes of the source: quotes, escapes, line ends and indentation stand in
/// the source only. The whole scalar when the source does not spell the value, as behind an alias.
pub fn place_in_source(source: &str, scalar: Range, value: &str, start: usize, end: usize) -> Range {
    let raw = source.get(scalar.start..).unwrap_or_default();
    let (style, mut at) = match raw.chars().next() {
        Some('"') => (Style::Double, 1),
        Some('\'') => (Style::Single, 1),
        _ => (Style::Plain, 0),
    };
    let mut found: Option<Range> = None;
    let mut skip = 0;
    for (index, c) in value.char_indices() {
        if index >= end {
            break;
        }
        if index < skip {
            continue;
        }
        // Blanks of the value and of the source need not agree: lines are folded and indentation is dropped.
        if c.is_whitespace() {
            at += next(&raw[at..], style).filter(|(it, _)| it.is_whitespace()).map_or(0, |(_, len)| len);
            continue;
        }
        while let Some((_, len)) = next(&raw[at..], style).filter(|(it, _)| it.is_whitespace()) {
            at += len;
        }
        let (width, len) = match otherwise(&value[index..], &raw[at..]) {
            Some(it) => it,
            None => match next(&raw[at..], style) {
                Some((it, len)) if it == c => (c.len_utf8(), len),
                _ => return scalar,
            },
        };
        skip = index + width;
        if skip > start {
            let from = found.map_or(scalar.start + at, |it| it.start);
            found = Some(Range { start: from, end: scalar.start + at + len });
        }
        at += len;
    }
    found.unwrap_or(scalar)
}

/// What stands in a file of another tool where the value has words of Kilter's: the bytes of the value, and those of the
/// source. `None` where both say the same.
fn otherwise(value: &str, raw: &str) -> Option<(usize, usize)> {
    if value.starts_with(WINDOW) && !raw.starts_with(WINDOW) {
        let template = raw.starts_with("{{").then(|| raw.find("}}").map(|it| it + 2)).flatten();
        let fixed = raw.find(|c: char| !c.is_ascii_alphanumeric()).filter(|it| *it > 0);
        return template.or(fixed).map(|len| (WINDOW.len(), len));
    }
    // A plain counter became a rate of it.
    let inserted = [("rate(", "rate("), ("[$window])", "[")];
    let missing = inserted.into_iter().find(|(text, same)| value.starts_with(text) && !raw.starts_with(same));
    missing.map(|(text, _)| (text.len(), 0))
}

/// The edit of the source that puts `text` in the place of bytes `start..end` of a decoded scalar. `None` when the source
/// spells them otherwise, as behind an alias or an escape: then no edit is mechanical.
pub fn edit_in_source(source: &str, scalar: Range, value: &str, at: Range, text: &str) -> Option<Edit> {
    let range = place_in_source(source, scalar, value, at.start, at.end);
    (source.get(range.start..range.end) == value.get(at.start..at.end)).then(|| Edit::new(range, text))
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Plain, or a block: every character stands for itself.
    Plain,
    /// In single quotes: two stand for one.
    Single,
    /// In double quotes: backslashes escape.
    Double,
}

/// The next character that the source stands for, and how many bytes it takes there.
fn next(raw: &str, style: Style) -> Option<(char, usize)> {
    let c = raw.chars().next()?;
    match (style, c) {
        (Style::Single, '\'') => raw.starts_with("''").then_some(('\'', 2)),
        (Style::Double, '"') => None,
        (Style::Double, '\\') => escaped(raw),
        _ => Some((c, c.len_utf8())),
    }
}

/// A character that is written with a backslash (YAML 1.2.2, section 5.7).
fn escaped(raw: &str) -> Option<(char, usize)> {
    let c = raw.chars().nth(1)?;
    let code = |digits: usize| {
        let number = u32::from_str_radix(raw.get(2..2 + digits)?, 16).ok()?;
        Some((char::from_u32(number)?, 2 + digits))
    };
    let plain = match c {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        'x' => return code(2),
        'u' => return code(4),
        'U' => return code(8),
        // A space, a tab, a line end, a quote, a slash or a backslash stands for itself.
        other => other,
    };
    Some((plain, 1 + c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Value, parse};

    #[test]
    fn every_style_of_scalar_leads_back_to_its_source() {
        for source in [
            "e: sum(größe, rat(x))\n",
            "e: sum(größe,\n  rat(x))\n",
            "e: 'it''s(größe, rat(x))'\n",
            "e: \"\\x61\\\"\\n\\u00fc(größe, rat(x))\"\n",
            "e: \"a \\\n  b rat(x)\"\n",
            "e: |\n  sum(\n    größe,\n      rat(x)\n  )\n",
            "e: |2+\n    sum(\n    rat(x)\n\n",
            "e: >-\n  sum(\n  größe\n\n  rat(x))\n",
            "e: |\r\n  sum(\r\n    rat(x))\r\n",
        ] {
            let root = parse(source).unwrap().root;
            let node = root.get("e").unwrap();
            let Value::Scalar { text: value, .. } = &node.value else { panic!("a text") };
            let start = value.find("rat").unwrap();
            let range = place_in_source(source, node.range, value, start, start + "rat(x)".len());
            assert_eq!(&source[range.start..range.end], "rat(x)", "{source:?}");
        }
    }

    #[test]
    fn what_stands_for_the_range_leads_back_too() {
        let value = "sum(rate(ok{a=\"b\"}[$window])) - rate(bad[$window])";
        for source in [
            "e: 'sum(rate(ok{a=\"b\"}[{{ .window }}])) - rate(bad[{{.window}}])'\n",
            "e: sum(rate(ok{a=\"b\"}[5m])) - rate(bad[1h30m])\n",
            "e: sum(ok{a=\"b\"}) - bad\n",
            "e: \"sum(rate(ok{a=\\\"b\\\"}[{{.window}}])) - bad\"\n",
        ] {
            let root = parse(source).unwrap().root;
            let scalar = root.get("e").unwrap().range;
            let start = value.find("bad").unwrap();
            let range = place_in_source(source, scalar, value, start, start + 3);
            assert_eq!(&source[range.start..range.end], "bad", "{source}");
        }
    }

    #[test]
    fn behind_an_alias_the_whole_value_is_shown() {
        let source = "a: &x rat(y)\nb: *x\n";
        let root = parse(source).unwrap().root;
        let alias = root.get("b").unwrap().range;
        let range = place_in_source(source, alias, "rat(y)", 0, 3);
        assert_eq!(source[range.start..].trim_end(), "*x");
        assert_eq!(edit_in_source(source, alias, "rat(y)", Range { start: 0, end: 3 }, "rate"), None);
    }
}
