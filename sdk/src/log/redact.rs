//! Query strings and credentials are cut out of every field: a URL in an error message is the usual way for a token to
//! reach a log.

/// Names of fields whose value is never printed.
const SECRET: &[&str] =
    &["authorization", "cookie", "set-cookie", "password", "passwd", "secret", "token", "api_key", "apikey"];

/// The text without query strings and credentials.
pub(super) fn redacted(name: &str, text: &str) -> String {
    let lower = name.to_ascii_lowercase();
    if SECRET.iter().any(|it| lower == *it || lower.ends_with(&format!("_{it}")) || lower.ends_with(&format!(".{it}")))
    {
        return "[redacted]".to_owned();
    }
    let plain = !text.contains("://") && !text.contains('?');
    if plain {
        return text.to_owned();
    }
    text.split_inclusive(char::is_whitespace).map(url).collect()
}

/// One word: a URL loses its user and its query.
fn url(word: &str) -> String {
    let (word, query) = match word.find('?').filter(|at| word.contains("://") || word[..*at].contains('/')) {
        Some(at) => (&word[..at], if word.ends_with(char::is_whitespace) { "?[redacted] " } else { "?[redacted]" }),
        None => (word, ""),
    };
    let Some(start) = word.find("://").map(|it| it + 3) else { return format!("{word}{query}") };
    let authority_end = word[start..].find('/').map_or(word.len(), |it| start + it);
    match word[start..authority_end].rfind('@') {
        Some(at) => format!("{}[redacted]{}{query}", &word[..start], &word[start + at..]),
        None => format!("{word}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn secrets_never_reach_a_line() {
        for (name, text, shown) in [
            ("message", "get https://u:p@h/x?token=1 failed", "get https://[redacted]@h/x?[redacted] failed"),
            ("message", "path /a/b?key=1", "path /a/b?[redacted]"),
            ("message", "really? yes", "really? yes"),
            ("authorization", "Bearer x", "[redacted]"),
            ("db_password", "x", "[redacted]"),
            ("path", "/a/b", "/a/b"),
        ] {
            assert_eq!(redacted(name, text), shown);
        }
    }
}
