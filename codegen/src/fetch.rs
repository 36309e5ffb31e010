//! A metrics page from wherever it is: a service that runs, a file, the standard input. With `load`, the way in.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;

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

/// The format that a service is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// The text format 0.0.4.
    #[default]
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Form {
    const fn accept(self) -> &'static str {
        match self {
            Self::Text => "text/plain;version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text;version=1.0.0",
        }
    }
}

const NO_TLS: &str = "let curl fetch it: curl -s https://... | kilter init --from -";
const ADDRESS: &str =
    "is the service running, and is this its admin address? For example: http://localhost:9464/metrics";

/// Reads a page as text. `from` is an `http://` address, a path, or `-`.
pub fn page(from: &str, current: &Path) -> Result<String, FetchError> {
    page_as(from, current, Form::Text)
}

/// The same, and a service is asked for this format; a file is what it is.
pub fn page_as(from: &str, current: &Path, form: Form) -> Result<String, FetchError> {
    let bytes = if from.starts_with("https://") {
        let message = "kilter speaks plain HTTP only".to_owned();
        return Err(FetchError::Http { url: from.to_owned(), message, next: NO_TLS });
    } else if from.starts_with("http://") {
        http(&with_path(from), form)?
    } else {
        file(from, current)?
    };
    as_text(bytes, from)
}

/// Without a path it is the usual one.
fn with_path(url: &str) -> String {
    let bare = url["http://".len()..].trim_end_matches('/');
    if bare.contains('/') || bare.is_empty() { url.to_owned() } else { format!("http://{bare}/metrics") }
}

fn http(url: &str, form: Form) -> Result<Vec<u8>, FetchError> {
    let failed = |message: String| FetchError::Http { url: url.to_owned(), message, next: ADDRESS };
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().into();
    // What Prometheus' own scrapes say is left out: a service holds back what is new for those.
    let answer = agent.get(url).header("accept", form.accept()).call();
    let mut answer = answer.map_err(|error| failed(error.to_string()))?;
    let mut bytes = Vec::new();
    answer
        .body_mut()
        .as_reader()
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}

fn file(from: &str, current: &Path) -> Result<Vec<u8>, FetchError> {
    let failed = |source: io::Error| {
        let address = from.split(['/', ':']).next().is_some_and(|host| from.contains(':') && !host.is_empty());
        let absent = source.kind() == io::ErrorKind::NotFound;
        let next = if absent && address {
            format!("\n  next: an address begins with http://: http://{from}")
        } else {
            String::new()
        };
        FetchError::Io { from: from.to_owned(), source, next }
    };
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
        for (given, asked) in [
            ("http://localhost:9464", "http://localhost:9464/metrics"),
            ("http://localhost:9464/", "http://localhost:9464/metrics"),
            ("http://localhost:9464/admin/prom", "http://localhost:9464/admin/prom"),
            ("http://", "http://"),
        ] {
            assert_eq!(with_path(given), asked);
        }
    }
}
