//! Query strings and credentials are cut out of every field of a log line and every attribute of a span: a URL in an error
//! message is the usual way for a token to leave a service.

/// Names of fields whose value is never printed.
const SECRET: &[&str] =
    &["authorization", "cookie", "set-cookie", "password", "passwd", "secret", "token", "api_key", "apikey"];

/// The text without query strings and credentials.
pub(crate) fn redacted(name: &str, text: &str) -> String {
    if secret(name) {
        return "[redacted]".to_owned();
    }
    // Most texts hold nothing that could be one.
    if !text.contains("://") && !text.contains(['?', '=']) && !text.contains("earer ") && !text.contains("asic ") {
        return text.to_owned();
    }
    let mut scheme = false;
    let word = |word: &str| {
        let credentials = std::mem::replace(&mut scheme, is_scheme(word)) && word.trim_end().len() >= 8;
        let end = &word[word.trim_end().len()..];
        if credentials { format!("[redacted]{end}") } else { pair(word).unwrap_or_else(|| url(word)) }
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// Whether a field of this name is never printed.
fn secret(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let ends = |it: &&str| lower.strip_suffix(*it).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '.']));
    SECRET.iter().any(ends)
}

/// Whether credentials follow, as in `Authorization: Bearer ...`.
fn is_scheme(word: &str) -> bool {
    let word = word.trim().trim_start_matches(['"', '\'']);
    ["bearer", "basic"].iter().any(|it| word.eq_ignore_ascii_case(it))
}

/// `password=...` and its kin, in the middle of a text.
fn pair(word: &str) -> Option<String> {
    let (before, after) = word.split_once('=')?;
    let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.')).next()?;
    let end = &after[after.trim_end().len()..];
    (secret(name) && !before.contains('?')).then(|| format!("{before}=[redacted]{end}"))
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
            ("message", "sent Authorization: Bearer eyJhbGciOi.x\nto h", "sent Authorization: Bearer [redacted]\nto h"),
            ("message", "bearer token refused", "bearer token refused"),
            ("message", "login password=hunter2 user=me", "login password=[redacted] user=me"),
            ("message", "dsn postgres://u:p@h/db?sslkey=x pool=3", "dsn postgres://[redacted]@h/db?[redacted] pool=3"),
            ("message", "a = b", "a = b"),
        ] {
            assert_eq!(redacted(name, text), shown);
        }
    }
}
