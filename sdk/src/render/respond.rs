//! `/metrics` over HTTP: negotiation, compression, and one rendering for all who ask at the same time.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, Response};

use super::{Format, page};
use crate::core::Core;
use crate::signal::birth::Hold;
use crate::signal::clock;

/// The header by which Prometheus is known as a scraper; other readers see true values and change nothing.
static SCRAPER: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The last page per format and encoding, with the time at which its rendering began.
#[derive(Debug, Default)]
pub(crate) struct Pages([Mutex<Option<(u64, Bytes)>>; 8]);

/// Answers a GET of `/metrics`. Blocks while it renders: the admin server runs on a thread of its own.
pub(crate) fn respond(core: &'static Core, headers: &HeaderMap) -> Response<Body> {
    let arrived = clock::now();
    let accepts = |name: &HeaderName, what: &str| {
        headers.get_all(name).iter().any(|it| it.to_str().is_ok_and(|it| accepted(it, what)))
    };
    let format = if accepts(&ACCEPT, "application/openmetrics-text") { Format::OpenMetrics } else { Format::Text };
    let gzip = accepts(&ACCEPT_ENCODING, "gzip");
    let scrape = core.config.all_readers_scrape || headers.contains_key(&SCRAPER);
    let slot = usize::from(format == Format::OpenMetrics) | usize::from(gzip) << 1 | usize::from(scrape) << 2;
    let mut last = core.pages.0[slot].lock().unwrap_or_else(PoisonError::into_inner);
    let bytes = match &*last {
        // Rendered after this request came: whoever waited for the lock shares it.
        Some((began, bytes)) if *began >= arrived => bytes.clone(),
        _ => {
            let began = clock::now();
            let text = page(core, format, Hold { now: began, span: core.hold_nanos(), scrape });
            let bytes = if gzip { compressed(&text) } else { text.into() };
            core.health.scrapes[usize::from(format == Format::OpenMetrics)].record(clock::now() - began);
            *last = Some((began, bytes.clone()));
            bytes
        }
    };
    drop(last);
    let mut response =
        Response::builder().header(CONTENT_TYPE, format.content_type()).header(VARY, "Accept, Accept-Encoding");
    if gzip {
        response = response.header(CONTENT_ENCODING, "gzip");
    }
    response.body(Body::from(bytes)).unwrap_or_default()
}

/// Whether a list such as `a;q=0.5, b` takes `what`.
fn accepted(list: &str, what: &str) -> bool {
    list.split(',').any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let refused = |it: &str| it.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0));
        parts.next().is_some_and(|it| it.eq_ignore_ascii_case(what)) && !parts.any(refused)
    })
}

/// Level 1: this text repeats itself so much that higher levels cost seven times as much for little.
fn compressed(text: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(text.as_bytes());
    encoder.finish().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn negotiation_reads_lists_and_refusals() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert!(accepted(prometheus, "application/openmetrics-text"));
        assert!(!accepted("text/html, */*", "application/openmetrics-text"));
        assert!(!accepted("gzip;q=0, identity", "gzip") && accepted("br, GZIP", "gzip"));
    }
}
