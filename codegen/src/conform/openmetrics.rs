//! What OpenMetrics is strict about and the text format is not: Prometheus drops the whole page for one blank too many.

use super::found::{Found, text};
use super::page::PAGE;
use crate::diagnostic::{Code, Severity};
use crate::exposition::{Line, Says};
use crate::yaml::Range;

const BLANKS: &str = "OpenMetrics has one blank between two parts of a line, and no other";

/// Tells what is wrong with the form of a line.
pub(super) fn strict(line: &str, start: usize, read: &Line<'_>, found: &mut Found<'_>) {
    // A carriage return was told as such.
    let line = line.trim_end_matches('\r');
    let (why, from) = match read {
        Line::Blank if line.trim().is_empty() => ("OpenMetrics has no empty lines", 0),
        Line::Blank => ("OpenMetrics has no comments but HELP, TYPE, UNIT and the end", 0),
        Line::End if line != "# EOF" => ("OpenMetrics ends in `# EOF` and nothing else", 0),
        Line::Meta(meta) => {
            let says = match meta.says {
                Says::Help => "HELP",
                Says::Type => "TYPE",
                Says::Unit => "UNIT",
            };
            if line.starts_with(&format!("# {says} {} ", meta.name)) {
                return;
            }
            (BLANKS, 0)
        }
        Line::Sample(raw) if raw.flaw.is_none() => match odd(line) {
            Some(at) => (BLANKS, at),
            None => return,
        },
        _ => return,
    };
    let at = Range { start: start + from, end: start + line.len() };
    found.tell((Severity::Error, Code::OpenMetrics), (PAGE, why), at, || {
        text(why, "Prometheus takes nothing of such a page: correct it, or serve it as text/plain; version=0.0.4")
    });
}

/// Where a blank of a series is missing, or stands where none may be; or a comma that no label follows.
fn odd(line: &str) -> Option<usize> {
    let (mut quoted, mut escaped, mut braces, mut before) = (false, false, false, b' ');
    for (at, byte) in line.bytes().enumerate() {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            before = byte;
            continue;
        }
        let wrong = match byte {
            b'\t' => true,
            b' ' => braces || before == b' ' || at + 1 == line.len(),
            b'{' => before == b' ' && !line[..at].ends_with("# "),
            b'}' => before == b',',
            _ => before == b'}',
        };
        if wrong {
            return Some(at);
        }
        match byte {
            b'{' => braces = true,
            b'}' => braces = false,
            b'"' => quoted = true,
            _ => {}
        }
        before = byte;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_outside_of_values_are_looked_at() {
        for (line, at) in [
            ("a 1", None),
            ("a{b=\"x  \\\" ,y\",c=\"\"} 1 2.5 # {trace_id=\"1\"} 0.1 2.5", None),
            ("a  1", Some(2)),
            (" a 1", Some(0)),
            ("a 1 ", Some(3)),
            ("a\t1", Some(1)),
            ("a {b=\"c\"} 1", Some(2)),
            ("a{b=\"c\", d=\"e\"} 1", Some(8)),
            ("a{b=\"c\",} 1", Some(8)),
            ("a{b=\"c\"}1", Some(8)),
        ] {
            assert_eq!(odd(line), at, "{line}");
        }
    }
}
