//! `/metrics` over HTTP: negotiation, compression, and one rendering for all who ask at the same time.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, VARY};
use http::{HeaderMap, Method, Response, StatusCode};

use super::{Format, page};
use crate::core::Core;
use crate::signal::birth::Hold;
use crate::signal::clock;

/// The header by which Prometheus is known as a scraper; other readers see true values and change nothing.
static SCRAPER: HeaderName = HeaderName::from_static("x-prometheus-scrape-timeout-seconds");

/// The pages, per format, encoding and kind of reader.
#[derive(Debug, Default)]
pub(crate) struct Pages([Slot; 8]);

/// One of them.
#[derive(Debug, Default)]
struct Slot {
    /// Requests that have come and are not answered.
    waiting: AtomicUsize,
    /// The last page, with the time at which its rendering began; kept while somebody waits, because it may be large.
    last: Mutex<Option<(u64, Bytes)>>,
}

/// A request that waits for a page.
struct Waiting(&'static Slot);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            *last = None;
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy)]
struct Wish {
    format: Format,
    gzip: bool,
    scrape: bool,
}

/// Answers a GET or HEAD of `/metrics`, off the threads that serve: rendering takes its time, and whoever asks meanwhile
/// shares the next page. Only a GET can be a scrape.
pub(crate) async fn respond(core: &'static Core, method: Method, headers: HeaderMap) -> Response<Body> {
    let arrived = clock::now();
    let scrape = method == Method::GET && (core.config.all_readers_scrape || headers.contains_key(&SCRAPER));
    let wish = Wish::of(&headers, scrape);
    let slot = &core.pages.0[wish.slot()];
    slot.waiting.fetch_add(1, Ordering::AcqRel);
    let waiting = Waiting(slot);
    let Ok(bytes) = tokio::task::spawn_blocking(move || bytes(core, &waiting, arrived, wish)).await else {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return failed;
    };
    let mut response =
        Response::builder().header(CONTENT_TYPE, wish.format.content_type()).header(VARY, "Accept, Accept-Encoding");
    if wish.gzip {
        response = response.header(CONTENT_ENCODING, "gzip");
    }
    response.body(Body::from(bytes)).unwrap_or_default()
}

/// A page that was begun after `arrived`.
fn bytes(core: &Core, waiting: &Waiting, arrived: u64, wish: Wish) -> Bytes {
    let mut last = waiting.0.last.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, bytes)) = last.as_ref().filter(|(began, _)| *began >= arrived) {
        // Whoever waited for the lock shares it.
        return bytes.clone();
    }
    let began = clock::now();
    let text = page(core, wish.format, Hold { now: began, span: core.hold_nanos(), scrape: wish.scrape });
    let bytes = if wish.gzip { compressed(&text) } else { text.into() };
    core.health.scrapes[usize::from(wish.format == Format::OpenMetrics)].histogram.record(clock::now() - began);
    *last = Some((began, bytes.clone()));
    bytes
}

impl Wish {
    fn of(headers: &HeaderMap, scrape: bool) -> Self {
        let wish = |name: &HeaderName, what: &str| {
            headers.get_all(name).iter().filter_map(|it| quality(it.to_str().ok()?, what)).fold(0.0, f32::max)
        };
        let openmetrics = wish(&ACCEPT, "application/openmetrics-text");
        let preferred = openmetrics > 0.0 && openmetrics >= wish(&ACCEPT, "text/plain");
        let format = if preferred { Format::OpenMetrics } else { Format::Text };
        Self { format, gzip: wish(&ACCEPT_ENCODING, "gzip") > 0.0, scrape }
    }

    fn slot(self) -> usize {
        usize::from(self.format == Format::OpenMetrics) | usize::from(self.gzip) << 1 | usize::from(self.scrape) << 2
    }
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
    use std::sync::{PoisonError, mpsc};
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use http::{HeaderMap, Method, Request};
    use tower::ServiceExt as _;

    use super::{quality, respond};
    use crate::core::{Core, CoreConfig};
    use crate::http::HttpServer;

    /// Scrapes wait for the render lock, requests do not: ten thousand of them, on the one thread of this runtime.
    #[tokio::test]
    async fn a_scrape_that_hangs_stops_no_request_and_whoever_waits_shares_one_page() {
        let core = Core::leak(CoreConfig::default());
        let ((locked, is_locked), (release, released)) = (mpsc::channel(), mpsc::channel::<()>());
        let rendering = std::thread::spawn(move || {
            let _held = core.pages.0[0].last.lock().unwrap_or_else(PoisonError::into_inner);
            locked.send(()).unwrap();
            let _ = released.recv();
        });
        is_locked.recv().unwrap();
        let scrapes: Vec<_> = (0..20).map(|_| tokio::spawn(respond(core, Method::GET, HeaderMap::new()))).collect();
        let app = Router::new().route("/", get(|| async { "fine" })).layer(HttpServer::new(core)).with_state(());
        for _ in 0..10_000 {
            let response = app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
            to_bytes(response.into_body(), usize::MAX).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(scrapes.iter().all(|it| !it.is_finished()));
        drop(release);
        rendering.join().unwrap();
        let mut pages = Vec::new();
        for scrape in scrapes {
            pages.push(to_bytes(scrape.await.unwrap().into_body(), usize::MAX).await.unwrap());
        }
        let line = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/\",http_response_status_code=\"200\"} 10000\n";
        assert!(std::str::from_utf8(&pages[0]).unwrap().contains(line));
        assert!(pages.iter().all(|it| *it == pages[0]));
        assert_eq!(core.health.scrapes[0].histogram.read().count(), 1);
        assert!(core.pages.0[0].last.lock().unwrap().is_none(), "a page that nobody waits for is not kept");
    }

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
