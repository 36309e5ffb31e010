//! How a Prometheus is reached: its address, what it must be told, and who asks. Secrets are never shown.

use std::fmt;
use std::time::Duration;

use super::{Failure, PromError};
use crate::http;

/// Everything that is needed to ask.
#[derive(Debug, Clone)]
pub struct Access {
    /// Its address, with the prefix of its paths when it has one: `https://mimir.example/prometheus`.
    pub url: String,
    /// Headers of every request, such as `X-Scope-OrgID`.
    pub headers: Vec<(String, Secret)>,
    /// Who asks.
    pub credentials: Option<Credentials>,
    /// The certificates (PEM) that are trusted in place of the system's.
    pub roots: Option<Vec<u8>>,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Access {
    /// How long an answer may take when nobody says so. Prometheus gives up after two minutes.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// A Prometheus that asks for nothing.
    pub fn open(url: &str) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), credentials: None, roots: None, timeout: Self::TIMEOUT }
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A bearer token.
    Token(Secret),
    /// Basic authentication.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Line ends around it are left out: files end in one.
    pub fn new(text: &str) -> Self {
        Self(text.trim_matches(['\r', '\n']).to_owned())
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An address in its parts.
#[derive(Debug)]
pub(super) struct Address {
    /// What requests go to, without a slash at its end.
    pub(super) base: String,
    /// What may be shown.
    pub(super) shown: String,
    /// Credentials that were in it.
    pub(super) credentials: Option<Credentials>,
}

const EXAMPLE: &str =
    "an address begins with http:// or https:// and ends where /api/v1 would follow: http://prometheus.example:9090";

impl Address {
    pub(super) fn read(url: &str) -> Result<Self, PromError> {
        let url = url.trim();
        let scheme = ["http://", "https://"]
            .into_iter()
            .find(|it| url.get(..it.len()).is_some_and(|start| start.eq_ignore_ascii_case(it)));
        let Some(scheme) = scheme else {
            return Err(PromError::new(
                Failure::Setting,
                &http::shown(url),
                "this is no address of a Prometheus",
                EXAMPLE,
            ));
        };
        let rest = &url[scheme.len()..];
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
        let mask = if user.is_some() { "***@" } else { "" };
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/api/v1").unwrap_or(path).trim_end_matches('/');
        let wrong = |what: &str| PromError::new(Failure::Setting, &http::shown(url), what, EXAMPLE);
        if host.is_empty() {
            return Err(wrong("the address has no host"));
        }
        if path.contains(['?', '#']) {
            return Err(wrong("the address goes on behind its path"));
        }
        let base = format!("{scheme}{host}{path}");
        if base.parse::<ureq::http::Uri>().is_err() {
            return Err(wrong("this is no address"));
        }
        let shown = format!("{scheme}{mask}{host}{path}");
        Ok(Self { base, shown, credentials: user.map(credentials) })
    }
}

/// `user:password`, with `%40` and the like as addresses write them.
fn credentials(text: &str) -> Credentials {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Credentials::Basic { user: unescaped(user), password: Secret(unescaped(password)) }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_as_people_write_it_and_its_password_is_never_shown() {
        for (given, base, shown) in [
            ("http://localhost:9090", "http://localhost:9090", "http://localhost:9090"),
            ("HTTP://localhost:9090/", "http://localhost:9090", "http://localhost:9090"),
            ("https://m.example/prometheus/api/v1/", "https://m.example/prometheus", "https://m.example/prometheus"),
            ("https://a:s%40cret@[::1]:1/p", "https://[::1]:1/p", "https://***@[::1]:1/p"),
        ] {
            let address = Address::read(given).unwrap();
            assert_eq!((address.base.as_str(), address.shown.as_str()), (base, shown));
        }
        let Some(Credentials::Basic { user, password }) = Address::read("https://a:s%40cr%et@h").unwrap().credentials
        else {
            panic!("no credentials");
        };
        assert_eq!((user.as_str(), password.text()), ("a", "s@cr%et"));
        assert!(!format!("{password:?}").contains("cr"));
        for given in [
            "",
            "localhost:9090",
            "http://",
            "http://u:secret@",
            "ftp://u:secret@h",
            "http://u:secret@h/a?b",
            "http://u:secret@a b",
            "u:secret@h",
            "http://u:se/secret@h:x",
            "http://u:secret@h/é%\u{0}",
        ] {
            let error = Address::read(given).unwrap_err().to_string();
            assert!(error.contains("\n  next: ") && !error.contains("secret"), "{error}");
        }
    }
}
