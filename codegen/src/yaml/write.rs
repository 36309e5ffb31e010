//! Texts as YAML without the library, where nothing about them can be read in two ways. The library looks at every
//! character several times, and an estate has a hundred thousand rules.

use serde::Serialize;

/// Words that some reader takes for something else than a text.
const WORDS: &[&str] = &["null", "true", "false", "nan", "inf", "infinity", "yes", "y", "on", "no", "n", "off"];

/// Appends the value of a key that stands in this column, from the blank behind its colon to the end of its last line,
/// just as the library writes it.
pub fn push_value(out: &mut String, text: &str, column: usize) -> Result<(), String> {
    if is_block(text) {
        out.push_str(" |-\n");
        let indent = " ".repeat(column + 2);
        for line in text.split('\n') {
            if !line.is_empty() {
                out.push_str(&indent);
                out.push_str(line);
            }
            out.push('\n');
        }
        return Ok(());
    }
    if is_plain(text) {
        out.push(' ');
        out.push_str(text);
        out.push('\n');
        return Ok(());
    }
    if is_quoted(text) {
        out.push_str(" \"");
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|it| matches!(it, b'"' | b'\\')) {
            out.push_str(&rest[..at]);
            out.push('\\');
            out.push_str(&rest[at..=at]);
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out.push_str("\"\n");
        return Ok(());
    }
    let written = super::to_string(&Value { v: text })?;
    let value = written.strip_prefix("v:").ok_or("a value without its key")?;
    if value.trim_end_matches('\n').contains('\n') {
        return Err("a text of several lines that no block can hold".to_owned());
    }
    out.push_str(value);
    Ok(())
}

/// Whether a key needs no quotes.
pub fn is_plain_key(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && !is_word(key)
}

#[derive(Serialize)]
struct Value<'a> {
    v: &'a str,
}

/// Several lines that a block holds as they are.
fn is_block(text: &str) -> bool {
    text.contains('\n') && is_printable(text, b'\n') && !text.starts_with([' ', '\n']) && !text.ends_with('\n')
}

/// One line that is a text to every reader.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    let opens = first.is_ascii_alphabetic() || *first == b'(' || is_measure(bytes);
    let apart = || text.contains(": ") || text.contains(" #");
    opens && is_printable(text, b' ') && !matches!(last, b' ' | b':') && !is_word(text) && !apart()
}

/// One line that would be a mapping or have a comment.
fn is_quoted(text: &str) -> bool {
    is_printable(text, b' ') && (text.contains(": ") || text.ends_with(':'))
}

/// Whether there is nothing but printable ASCII and this byte. All others are counted, not only looked for: so the
/// processor takes many at once.
fn is_printable(text: &str, or: u8) -> bool {
    text.bytes().filter(|it| !matches!(it, 0x20..=0x7e) && *it != or).count() == 0
}

/// `30s` or `99.9%`.
fn is_measure(bytes: &[u8]) -> bool {
    let Some((last, digits)) = bytes.split_last() else { return false };
    let digit = |c: &u8| c.is_ascii_digit() || (*last == b'%' && *c == b'.');
    b"smhdw%".contains(last) && digits.first().is_some_and(u8::is_ascii_digit) && digits.iter().all(digit)
}

/// Whether some reader takes this word for something else than a text.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= 8 && WORDS.iter().any(|it| it.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_as_the_library_writes_them() {
        let mut texts: Vec<String> = [
            "",
            " ",
            "a",
            "a b",
            "a: b",
            "a:",
            "a #b",
            "a#b",
            " a",
            "a ",
            "-",
            "- a",
            "---",
            "(a)",
            "[a]",
            "{a}",
            "\"a\"",
            "'a'",
            "30s",
            "5m",
            "1h30m",
            "1e5",
            "0x1f",
            "12",
            "1.5",
            "99.9%",
            "1.2.3%",
            ".5%",
            "1:30",
            "2026-11-25",
            "~",
            "=",
            "<<",
            "sum(rate(x{a=\"b\"}[5m])) >= 0",
            "a\nb",
            "a\n\nb",
            "a\n b",
            " a\nb",
            "\na",
            "a\n",
            "a\n\n",
            "a\tb",
            "a\n\tb",
            "ü",
            "a\nü",
            "{{ $labels.slo }} is: {{ $value }}",
            "https://x.example/d?a=b&c={{ $labels.slo }}",
            "# a",
            "a\\b",
            "\\",
            "%a",
            "@a",
            "`a`",
            "a: \"b\\c\" \\",
            "\": \"",
            "- a: b",
            "12: ",
            ":",
            "y",
            "Yes",
            "oN",
            "NULL",
            "nan",
            "Inf",
            "infinity",
            "truest",
            "a\u{7f}b",
            "a\u{85}b",
            "a\u{a0}b",
            "null\nnull",
        ]
        .map(str::to_owned)
        .to_vec();
        texts.extend(WORDS.iter().flat_map(|it| [(*it).to_owned(), it.to_uppercase(), format!("{it}s")]));
        texts.push("long ".repeat(60) + "end");
        for text in texts {
            let library = super::super::to_string(&Value { v: &text }).unwrap();
            let mut ours = "v:".to_owned();
            match push_value(&mut ours, &text, 0) {
                Ok(()) => assert_eq!(ours, library, "{text:?}"),
                Err(_) => assert!(text.contains('\n'), "{text:?}"),
            }
        }
    }
}
