//! A real server and real clients: HTTP/1.1 by hand over TCP, where the test decides what is sent and when it leaves,
//! and HTTP/2 by reqwest.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use kilter::testing::TestTelemetry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Serves an app on a free port for as long as the runtime lives.
pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends one HTTP/1.1 request and reads the whole response until the server closes.
pub(crate) async fn exchange(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = request(address, method, path, "Connection: close\r\n").await;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    String::from_utf8_lossy(&response).into_owned()
}

/// Sends a request head and gives the connection, unread.
pub(crate) async fn request(address: SocketAddr, method: &str, path: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.expect("a request");
    stream
}

/// Reads until the text has come.
pub(crate) async fn read_until(stream: &mut TcpStream, text: &str) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains(text) {
        let read = stream.read(&mut buffer).await.expect("bytes");
        assert!(read > 0, "closed before {text:?} came: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buffer[..read]);
    }
}

/// A client that speaks HTTP/2 from the first byte.
pub(crate) fn h2() -> reqwest::Client {
    reqwest::Client::builder().http2_prior_knowledge().build().expect("a client")
}

/// The labels that tell how requests ended.
const KEYS: &[&str] = &["http_request_method", "http_route", "http_response_status_code", "error_type"];

/// How the requests ended: `METHOD route status error` to their number, from the `_count` lines that are not zero.
/// Absent labels are `-`.
pub(crate) fn outcomes(page: &str) -> BTreeMap<String, u64> {
    counts(page, "http_server_request_duration_seconds_count", KEYS)
}

/// The values of these labels, with a space between, to the value of the series, for those that are not zero.
fn counts(page: &str, series: &str, keys: &[&str]) -> BTreeMap<String, u64> {
    let lines = page.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix('{')?.rsplit_once("} "));
    lines
        .filter(|(_, value)| *value != "0")
        .map(|(labels, value)| (short(labels, keys), value.parse().expect("a count")))
        .collect()
}

fn short(labels: &str, keys: &[&str]) -> String {
    let value = |key: &&str| {
        let start = labels.find(&format!("{key}=\""))? + key.len() + 2;
        labels[start..].split('"').next()
    };
    keys.iter().map(|key| value(key).unwrap_or("-")).collect::<Vec<_>>().join(" ")
}

/// Waits until exactly these counts of a family are on the page, and sees that nothing is added later.
pub(crate) async fn settle_family(telemetry: TestTelemetry, series: &str, keys: &[&str], expected: &[(&str, u64)]) {
    let expected: BTreeMap<String, u64> = expected.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
    let deadline = Instant::now() + Duration::from_secs(10);
    while counts(&telemetry.page(), series, keys) != expected {
        let seen = counts(&telemetry.page(), series, keys);
        assert!(Instant::now() < deadline, "seen:     {seen:#?}\nexpected: {expected:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(counts(&telemetry.page(), series, keys), expected, "counted twice");
}

/// Waits until exactly these outcomes are on the page and nothing is in flight.
pub(crate) async fn settle(telemetry: TestTelemetry, expected: &[(&str, u64)]) {
    let expected: BTreeMap<String, u64> = expected.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let page = telemetry.page();
        let idle =
            page.lines().filter(|it| it.starts_with("http_server_active_requests{")).all(|it| it.ends_with(" 0"));
        let seen = outcomes(&page);
        if idle && seen == expected {
            break;
        }
        assert!(Instant::now() < deadline, "idle: {idle}\nseen:     {seen:#?}\nexpected: {expected:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Nothing may be added later, by whatever is still being dropped.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(outcomes(&telemetry.page()), expected, "counted twice");
}
