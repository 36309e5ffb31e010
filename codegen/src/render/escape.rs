//! Values within Markdown that others read: whatever a user wrote stays text.

/// The text as Markdown shows it: no markup, no HTML, no mention of a person or an issue, on one line.
pub fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        word.chars().for_each(|it| push(&mut out, it));
    }
    // Blanks at the ends part a value from its neighbours.
    let blank = |is: bool| if is && !out.is_empty() { " " } else { "" };
    let (start, end) = (text.starts_with(char::is_whitespace), text.ends_with(char::is_whitespace));
    [blank(start), &out, blank(end)].concat()
}

fn push(out: &mut String, character: char) {
    match character {
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '&' => out.push_str("&amp;"),
        '@' => out.push_str("&#64;"),
        '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' | '!' => out.extend(['\\', character]),
        _ => out.push(character),
    }
}

/// The text as code on one line: in a fence of backticks that is longer than any within. Not for cells of a table.
pub fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return text;
    }
    let longest = text.split(|it| it != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let gap = if longest > 0 { " " } else { "" };
    format!("{fence}{gap}{text}{gap}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_user_wrote_is_markup() {
        for (text, safe) in [
            ("a <img src=x> & b", "a &lt;img src=x&gt; &amp; b"),
            ("**bold** _it_ [x](y) | z", "\\*\\*bold\\*\\* \\_it\\_ \\[x\\](y) \\| z"),
            ("@team fixes #12\n# now", "&#64;team fixes \\#12 \\# now"),
            ("`code` ~~no~~ $x$", "\\`code\\` \\~\\~no\\~\\~ \\$x\\$"),
        ] {
            assert_eq!(markdown(text), safe);
        }
        assert_eq!(code("a|b `c`"), "`` a|b `c` ``");
        assert_eq!(code("rate(x[5m])\n"), "`rate(x[5m])`");
    }
}
