//! Requests and their answers: credentials, patience, bounds, and what each failure means.

use std::io::Read as _;
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::{HeaderName, HeaderValue, Response, header};
use ureq::{Agent, Body};

use super::access::{Access, Address, Credentials};
use super::{Answer, Failure, PromError};
use crate::http;

/// The largest answer that is read, unpacked.
const MAX_BYTES: u64 = 256 << 20;

/// How often a server that has too much to do is asked again.
const RETRIES: u32 = 2;

/// The longest that it may ask to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Transport {
    agent: Agent,
    address: Address,
    headers: Vec<(HeaderName, HeaderValue)>,
    timeout: Duration,
}

/// What every answer of the API looks like.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    status: String,
    // Not `Option<T>` with a default: an error has no data, and a success must have them.
    data: Option<T>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    infos: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    #[serde(default)]
    error_type: String,
    error: String,
}

impl Transport {
    pub(super) fn new(access: &Access) -> Result<Self, PromError> {
        let address = Address::read(&access.url)?;
        let setting = |message: &str, next: &str| PromError::new(Failure::Setting, &address.shown, message, next);
        let roots = access.roots.as_deref().map(http::certificates);
        if roots.as_ref().is_some_and(Vec::is_empty) {
            return Err(setting("no certificate is in the file", "the file must be PEM: -----BEGIN CERTIFICATE-----"));
        }
        let mut headers = Vec::new();
        for (name, value) in &access.headers {
            let wrong = || {
                let message = format!("the header `{}` cannot be sent", name.escape_debug());
                setting(&message, "a header is a name and a text in one line: 'X-Scope-OrgID: shop'")
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.push((name, secret_value(value.text()).ok_or_else(wrong)?));
        }
        if let Some(credentials) = access.credentials.as_ref().or(address.credentials.as_ref()) {
            let wrong = || setting("the credentials cannot be sent", "they are one line of printable text");
            headers.push((header::AUTHORIZATION, authorization(credentials).ok_or_else(wrong)?));
        }
        // Whoever is redirected has given another address than the server's, and credentials do not follow.
        let config = http::agent(access.timeout, roots)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false);
        Ok(Self { agent: config.build().into(), address, headers, timeout: access.timeout })
    }

    pub(super) fn address(&self) -> &str {
        &self.address.shown
    }

    /// Asks with a form, as queries may be longer than an address; as an address where only that is served.
    pub(super) fn ask<T: DeserializeOwned>(&self, path: &str, form: &[(&str, String)]) -> Result<Answer<T>, PromError> {
        let answer = self.patiently(|| {
            let mut request = self.agent.post(self.url(path));
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            request.send_form(form.iter().map(|(key, value)| (*key, value.as_str())))
        })?;
        if matches!(answer.status().as_u16(), 405 | 501) {
            return self.get(path, form);
        }
        self.read(answer)
    }

    pub(super) fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Answer<T>, PromError> {
        let answer = self.patiently(|| {
            let mut request = self.agent.get(self.url(path));
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
            request.query_pairs(query.iter().map(|(key, value)| (*key, value.as_str()))).call()
        })?;
        self.read(answer)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address.base)
    }

    /// Sends; again when the server is too busy for now, or closed a connection that was kept.
    fn patiently(&self, send: impl Fn() -> Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, PromError> {
        let mut tried = 0;
        loop {
            let wait = match send() {
                Ok(answer) if matches!(answer.status().as_u16(), 429 | 503) && tried < RETRIES => {
                    let wait = asked_to_wait(&answer).unwrap_or(Duration::from_secs(1 << tried));
                    if wait > LONGEST_WAIT || is_json(&answer) && answer.status().as_u16() == 503 {
                        return Ok(answer);
                    }
                    wait
                }
                Ok(answer) => return Ok(answer),
                Err(ureq::Error::Io(error)) if tried == 0 && was_closed(&error) => Duration::ZERO,
                Err(error) => return Err(self.unreachable(&error)),
            };
            thread::sleep(wait);
            tried += 1;
        }
    }

    fn read<T: DeserializeOwned>(&self, mut answer: Response<Body>) -> Result<Answer<T>, PromError> {
        let mut bytes = Vec::new();
        let body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let read = body.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.unreachable(&ureq::Error::from(error)))?;
        if bytes.len() as u64 > MAX_BYTES {
            let message = format!("the answer is larger than {} MiB", MAX_BYTES >> 20);
            return Err(self.error(Failure::TooLarge, message, "ask for less: fewer SLOs, or a shorter time"));
        }
        let status = answer.status();
        if let Ok(refusal) = serde_json::from_slice::<Refusal>(&bytes) {
            return Err(self.refused(status.as_u16(), &refusal));
        }
        if !status.is_success() {
            return Err(self.failed(&answer, &bytes));
        }
        let envelope: Envelope<T> =
            serde_json::from_slice(&bytes).map_err(|error| self.not_json(&answer, &bytes, &error))?;
        let (true, Some(data)) = (envelope.status == "success", envelope.data) else {
            return Err(self.not_prometheus("the answer has neither data nor an error".to_owned()));
        };
        let (warnings, infos) = (envelope.warnings.unwrap_or_default(), envelope.infos.unwrap_or_default());
        Ok(Answer { data, warnings, infos })
    }

    fn error(&self, failure: Failure, message: impl Into<String>, next: impl Into<String>) -> PromError {
        PromError::new(failure, &self.address.shown, message, next)
    }

    pub(super) fn not_prometheus(&self, message: String) -> PromError {
        self.error(Failure::NotPrometheus, message, PREFIX)
    }

    fn unreachable(&self, error: &ureq::Error) -> PromError {
        let said = http::said(error);
        if http::is_tls(error) {
            return self.error(Failure::Tls, said, TLS);
        }
        match error {
            ureq::Error::Timeout(_) => {
                let message = format!("no answer within {} s", self.timeout.as_secs_f64());
                self.error(Failure::Timeout, message, TIMEOUT)
            }
            ureq::Error::Io(it) if it.kind() == std::io::ErrorKind::TimedOut => {
                let message = format!("no answer within {} s", self.timeout.as_secs_f64());
                self.error(Failure::Timeout, message, TIMEOUT)
            }
            ureq::Error::Decompress(..) | ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                self.error(Failure::NotPrometheus, said, PREFIX)
            }
            _ => self.error(Failure::Unreachable, said, "is it running, and is this its address, seen from here?"),
        }
    }

    /// Prometheus' own words.
    fn refused(&self, status: u16, refusal: &Refusal) -> PromError {
        let Refusal { error_type, error } = refusal;
        let text = shortened(error);
        let message = if error_type.is_empty() { text.clone() } else { format!("{error_type}: {text}") };
        let much = ["too many samples", "exceeded maximum resolution", "limit", "too large", "max-"];
        let (failure, next) = match (error_type.as_str(), status) {
            (_, 401 | 403) => (Failure::Denied, DENIED),
            ("timeout" | "canceled", _) => (Failure::Timeout, TIMEOUT),
            (_, 429) => (Failure::Overloaded, BUSY),
            ("bad_data" | "execution" | "", _) if much.iter().any(|it| text.contains(it)) => {
                (Failure::TooMuch, "ask for less, or raise the limit of the server (--query.max-samples)")
            }
            ("bad_data" | "execution", _) => {
                (Failure::Query, "this server does not take the query: which version is it?")
            }
            ("not_found", _) => (Failure::NotFound, PREFIX),
            ("unavailable", _) | (_, 503) => (Failure::Overloaded, BUSY),
            _ => (Failure::Server, "the log of the server says more"),
        };
        self.error(failure, message, next)
    }

    /// A status without Prometheus' own words.
    fn failed(&self, answer: &Response<Body>, bytes: &[u8]) -> PromError {
        let status = answer.status();
        let reason = status.canonical_reason().unwrap_or_default();
        let said = if looks_like_html(bytes) { String::new() } else { shortened(&String::from_utf8_lossy(bytes)) };
        let mut message = format!("HTTP {} {reason}", status.as_u16()).trim_end().to_owned();
        if !said.is_empty() && !said.eq_ignore_ascii_case(reason) {
            message = format!("{message}: {said}");
        }
        match status.as_u16() {
            300..=399 => {
                let to = answer.headers().get(header::LOCATION).and_then(|it| it.to_str().ok());
                let to = to.map(|it| shortened(&http::shown(it))).unwrap_or_default();
                let message = format!("HTTP {}: it sends elsewhere: {to}", status.as_u16());
                self.error(Failure::Redirected, message, "give that address, or credentials when it is a login")
            }
            401 | 403 => self.error(Failure::Denied, message, DENIED),
            404 => self.error(Failure::NotFound, message, PREFIX),
            408 | 504 => self.error(Failure::Timeout, message, TIMEOUT),
            413 | 414 => self.error(Failure::TooMuch, message, "ask for fewer SLOs at once"),
            429 | 502 | 503 => self.error(Failure::Overloaded, message, BUSY),
            _ => self.error(Failure::Server, message, "the log of the server says more"),
        }
    }

    fn not_json(&self, answer: &Response<Body>, bytes: &[u8], error: &serde_json::Error) -> PromError {
        if looks_like_html(bytes) {
            let message = "a page for browsers, not the API";
            let next = "a login in front of it needs credentials (--prometheus-token-file), or the address lacks a prefix, as in https://mimir.example/prometheus";
            return self.error(Failure::NotPrometheus, message, next);
        }
        let kind = answer.body().mime_type().unwrap_or("no content type").to_owned();
        let what =
            if error.is_data() { "the answer has another form than the API's" } else { "the answer is not JSON" };
        self.not_prometheus(format!("{what} ({kind}): {error}"))
    }
}

const PREFIX: &str =
    "is this a Prometheus, and does its address need a prefix, as in https://mimir.example/prometheus?";
const DENIED: &str = "give credentials: --prometheus-token-file, --prometheus-user, or the tenant with --prometheus-header 'X-Scope-OrgID: ...'";
const TIMEOUT: &str = "wait longer with --prometheus-timeout 2m, or ask for less";
const BUSY: &str = "it starts, or has too much to do: try again in a minute";
const TLS: &str =
    "trust its certificate with --prometheus-ca FILE, or install it on this machine; http:// where it speaks no TLS";

/// What follows `Retry-After`, when that is seconds.
fn asked_to_wait(answer: &Response<Body>) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A 503 of Prometheus' own is a query that took too long: it would again.
fn is_json(answer: &Response<Body>) -> bool {
    answer.body().mime_type() == Some("application/json")
}

fn was_closed(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).first() == Some(&b'<')
}

/// The first line, not too long, without what a terminal would act on.
fn shortened(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// A header's value that logs of the library leave out.
fn secret_value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn authorization(credentials: &Credentials) -> Option<HeaderValue> {
    match credentials {
        Credentials::Token(token) if token.is_empty() => None,
        Credentials::Token(token) => secret_value(&format!("Bearer {}", token.text())),
        Credentials::Basic { user, password } => {
            secret_value(&format!("Basic {}", base64(format!("{user}:{}", password.text()).as_bytes())))
        }
    }
}

/// Base64 of RFC 4648, for the one header that needs it.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, byte| word << 8 | usize::from(*byte)) << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let letter = char::from(LETTERS[word >> (18 - 6 * index) & 63]);
            text.push(if index <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("a:\u{ff}?>", "YTrDvz8+")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }

    #[test]
    fn what_is_said_fits_in_a_line() {
        assert_eq!(shortened("  a\u{1b}[31mb\nc"), "a[31mb");
        assert_eq!(shortened(&"é".repeat(400)).chars().count(), 303);
    }
}
