//! A metrics page from wherever it is: a service that runs, a file, the standard input. With `load`, the way in.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;

use crate::exposition::Form;
use crate::http;
use crate::spec::check::printable;

/// The largest page that is read, unpacked. Prometheus itself would choke on less.
pub const MAX_BYTES: u64 = 64 << 20;

/// How long a service may take. Prometheus gives up after ten seconds too.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no page; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The file or the standard input cannot be read.
    #[error("{from}: {source}{next}")]
    Io {
        /// The path.
        from: String,
        /// What the system says.
        #[source]
        source: io::Error,
        /// What to do, when there is a guess.
        next: String,
    },
    /// The service gave no page.
    #[error("{url}: {message}\n  next: {next}")]
    Http {
        /// The address.
        url: String,
        /// What went wrong.
        message: String,
        /// What to do.
        next: &'static str,
    },
    /// It was read, and is no metrics page.
    #[error("{from}: {message}\n  next: {next}")]
    NoPage {
        /// Where it came from.
        from: String,
        /// What it is.
        message: String,
        /// What to do.
        next: &'static str,
    },
}

/// A page, and what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What stands on it.
    pub text: String,
    /// What the Content-Type of a service says; of a file nothing does.
    pub form: Option<Form>,
}

const fn accept(form: Form) -> &'static str {
    match form {
        Form::Text => "text/plain;version=0.0.4",
        Form::OpenMetrics => "application/openmetrics-text;version=1.0.0",
    }
}

const UNTRUSTED: &str = "install the authority of its certificate on this machine, or name it in SSL_CERT_FILE; or let curl fetch the page: curl -s https://... | kilter init --from -";
const ADDRESS: &str =
    "is the service running, and is this its admin address? For example: http://localhost:9464/metrics";

/// Reads a page as text. `from` is an `http://` or `https://` address, a path, or `-`.
pub fn page(from: &str, current: &Path) -> Result<String, FetchError> {
    page_as(from, current, Form::Text).map(|it| it.text)
}

/// The same, and a service is asked for this format; what it answers may be another.
pub fn page_as(from: &str, current: &Path, form: Form) -> Result<Page, FetchError> {
    let (bytes, form) = match ["http://", "https://"].into_iter().find(|it| from.starts_with(it)) {
        Some(scheme) => over_http(&with_path(scheme, from), form).map(|(bytes, form)| (bytes, Some(form)))?,
        None => (file(from, current)?, None),
    };
    Ok(Page { text: as_text(bytes, &http::shown(from))?, form })
}

/// Without a path it is the usual one.
fn with_path(scheme: &str, url: &str) -> String {
    let bare = url[scheme.len()..].trim_end_matches('/');
    if bare.contains('/') || bare.is_empty() { url.to_owned() } else { format!("{scheme}{bare}/metrics") }
}

fn over_http(url: &str, form: Form) -> Result<(Vec<u8>, Form), FetchError> {
    let failed = |error: ureq::Error| FetchError::Http {
        url: http::shown(url),
        message: http::said(&error),
        next: if http::is_tls(&error) { UNTRUSTED } else { ADDRESS },
    };
    let agent: ureq::Agent = http::agent(TIMEOUT, None).build().into();
    // What Prometheus' own scrapes say is left out: a service holds back what is new for those.
    let answer = agent.get(url).header("accept", accept(form)).call();
    let mut answer = answer.map_err(failed)?;
    let header = |name: &str| answer.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    // What could be unpacked no longer says that it was packed.
    let packed = header("content-encoding");
    if !["", "identity"].contains(&packed) {
        return Err(FetchError::NoPage {
            from: http::shown(url),
            message: format!("the answer is packed as `{}`, and nobody asked for that", printable(packed)),
            next: "let the service pack pages with gzip or not at all: Prometheus reads nothing else",
        });
    }
    let form = Form::of_type(header("content-type"));
    let mut bytes = Vec::new();
    answer.body_mut().as_reader().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(error.into()))?;
    Ok((bytes, form))
}

fn file(from: &str, current: &Path) -> Result<Vec<u8>, FetchError> {
    let absent = |source: &io::Error| source.kind() == io::ErrorKind::NotFound;
    let failed = |source: io::Error| {
        if from.contains("://") && absent(&source) {
            let (from, message) = (http::shown(from), "only http:// and https:// are asked for pages".to_owned());
            return FetchError::NoPage {
                from,
                message,
                next: "let another program save the page to a file, and name that",
            };
        }
        let address = from.split(['/', ':']).next().is_some_and(|host| from.contains(':') && !host.is_empty());
        let next = if absent(&source) && address {
            format!("\n  next: an address begins with http://: http://{from}")
        } else {
            String::new()
        };
        FetchError::Io { from: from.to_owned(), source, next }
    };
    if from.is_empty() {
        return Err(FetchError::NoPage {
            from: "\"\"".to_owned(),
            message: "no page has an empty name".to_owned(),
            next: "name an address such as http://localhost:9464/metrics, a file, or - for the standard input",
        });
    }
    let mut bytes = Vec::new();
    if from == "-" {
        io::stdin().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = fs::File::open(current.join(from)).map_err(failed)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(bytes)
}

/// The text: unpacked when it is gzip, and not what a browser would show.
fn as_text(bytes: Vec<u8>, from: &str) -> Result<String, FetchError> {
    let none = |message: &str, next| FetchError::NoPage { from: from.to_owned(), message: message.to_owned(), next };
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        let read = MultiGzDecoder::new(bytes.as_slice()).take(MAX_BYTES + 1).read_to_end(&mut unpacked);
        read.map_err(|error| none(&format!("broken gzip: {error}"), "save the page again: curl -s --compressed URL"))?;
        unpacked
    } else {
        bytes
    };
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("larger than {} MiB", MAX_BYTES >> 20);
        return Err(none(&message, "is this a metrics page of one instance?"));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(none("not a text in UTF-8", "save the page as text: curl -s URL > page.txt"));
    };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if start.starts_with('<') {
        return Err(none("this is a page for browsers, not metrics", "most services have them at /metrics"));
    }
    if start.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok() {
        return Err(none("this is JSON, not metrics", "most services have them at /metrics"));
    }
    let says = |it: &&str| !it.is_empty() && !it.starts_with('#') && *it != "---";
    let first = start.lines().find(says).unwrap_or_default();
    if ["apiVersion:", "kind:", "groups:"].iter().any(|it| first.starts_with(it)) {
        let next = "name the metrics page of a service; SLO files are what --slo of kilter conform takes";
        return Err(none("this is YAML, not metrics", next));
    }
    if start.is_empty() {
        return Err(none("the page is empty", ADDRESS));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_means_the_usual_one() {
        for scheme in ["http://", "https://"] {
            for (given, asked) in [
                ("localhost:9464", "localhost:9464/metrics"),
                ("localhost:9464/", "localhost:9464/metrics"),
                ("localhost:9464/admin/prom", "localhost:9464/admin/prom"),
                ("", ""),
            ] {
                assert_eq!(with_path(scheme, &format!("{scheme}{given}")), format!("{scheme}{asked}"));
            }
        }
    }
}
