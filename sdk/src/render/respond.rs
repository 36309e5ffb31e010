//! `/metrics` over HTTP: negotiation, compression, and one rendering for all who ask at the same time.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, Method, Response};

use super::{Format, page};
use crate::core::Core;
use crate::signal::birth::Hold;
use crate::signal::clock;

/// The header by which Prometheus is known as a scraper; other readers see true values and change nothing.
static SCRAPER: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The last page per format and encoding, with the time at which its rendering began.
#[derive(Debug, Default)]
pub(crate) struct Pages([Mutex<Option<(u64, Bytes)>>; 8]);

/// Answers a GET or HEAD of `/metrics`; only a GET can be a scrape. Blocks while it renders: the admin server runs on a thread of its own.
pub(crate) fn respond(core: &'static Core, method: &Method, headers: &HeaderMap) -> Response<Body> {
    let arrived = clock::now();
    let wish = |name: &HeaderName, what: &str| {
        headers.get_all(name).iter().filter_map(|it| quality(it.to_str().ok()?, what)).fold(0.0, f32::max)
    };
    let openmetrics = wish(&ACCEPT, "application/openmetrics-text");
    let preferred = openmetrics > 0.0 && openmetrics >= wish(&ACCEPT, "text/plain");
    let format = if preferred { Format::OpenMetrics } else { Format::Text };
    let gzip = wish(&ACCEPT_ENCODING, "gzip") > 0.0;
    let scrape = method == Method::GET && (core.config.all_readers_scrape || headers.contains_key(&SCRAPER));
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

/// How much a list such as `a;q=0.5, b` wants `what`, from 0 (refused) to 1; `None` when it does not name it.
fn quality(list: &str, what: &str) -> Option<f32> {
    let items = list.split(',').filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next().filter(|it| it.eq_ignore_ascii_case(what))?;
        let q = parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
        Some(q.map_or(1.0, |q| q.parse().unwrap_or(0.0)))
    });
    items.reduce(f32::max)
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
    use super::quality;

    #[test]
    fn negotiation_reads_lists_and_wishes() {
        let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (list, what, wish) in [
            (prometheus, "application/openmetrics-text", Some(1.0)),
            (prometheus, "text/plain", Some(0.5)),
            ("text/html, */*", "application/openmetrics-text", None),
            ("gzip;q=0, identity", "gzip", Some(0.0)),
            ("br, GZIP", "gzip", Some(1.0)),
            ("gzip;q=x", "gzip", Some(0.0)),
        ] {
            assert_eq!(quality(list, what), wish, "{what} in {list}");
        }
    }
}
