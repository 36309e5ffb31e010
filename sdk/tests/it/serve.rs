//! `serve`: readiness, health, drain, and connections that end in an error.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::service::{Service, WORKERS};

fn connection_error(kind: &str) -> String {
    format!("http_server_connection_errors_total{{error_type=\"{kind}\"}}")
}

fn requests(route: &str, status: &str, error: &str) -> String {
    format!(
        "http_server_request_duration_seconds_count{{http_request_method=\"GET\",http_route=\"{route}\",\
         http_response_status_code=\"{status}\",error_type=\"{error}\"}}"
    )
}

/// Waits for a series to have this value.
async fn becomes(service: &Service, series: &str, value: f64) {
    let mut last = None;
    for _ in 0..100 {
        last = service.value(series).await;
        if last == Some(value) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, page) = service.admin("/metrics").await;
    panic!("{series} is {last:?}, not {value}:\n{page}");
}

/// A stream that outlives the drain is counted before the end, while the admin page is still up and not ready.
#[tokio::test(flavor = "multi_thread")]
async fn what_outlives_the_drain_is_counted_as_server_shutdown() {
    // A collector that never answers keeps the flush going, so that the page can be read after the drain.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let endpoint = format!("http://{}", silent.local_addr().expect("an address"));
    for http2 in [false, true] {
        let mut service = Service::start(&[
            ("KILTER_DRAIN", "1s"),
            ("KILTER_FLUSH", "5s"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        ]);
        while service.admin("/readyz").await.0 != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut client = reqwest::Client::builder();
        if http2 {
            client = client.http2_prior_knowledge();
        }
        let client = client.build().expect("a client");
        let mut stream = client.get(service.url("/endless")).send().await.expect("a head");
        stream.chunk().await.expect("a first chunk");
        assert_eq!(service.scraped(&requests("/endless", "200", "server_shutdown")).await, Some(0.0));
        service.terminate();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(service.admin("/readyz").await.0, 503, "draining");
        assert_eq!(service.admin("/healthz").await.0, 200);
        assert!(reqwest::get(service.url("/broken")).await.is_err(), "no new connections while draining");
        becomes(&service, &requests("/endless", "200", "server_shutdown"), 1.0).await;
        let cut = service.scraped(&requests("/endless", "200", "server_shutdown")).await;
        assert_eq!(cut, Some(1.0), "a scrape after the abort sees it: the series was born before");
        while let Ok(Some(_)) = stream.chunk().await {}
        let (_, report) = service.ended();
        assert!(report.starts_with("1 connections aborted"), "{report}");
    }
}

/// A request that ends within the drain is not cut.
#[tokio::test(flavor = "multi_thread")]
async fn what_ends_within_the_drain_succeeds() {
    let mut service = Service::start(&[("KILTER_DRAIN", "20s")]);
    let url = service.url("/block");
    let asked = tokio::spawn(async move { reqwest::get(url).await.map(|it| it.status().as_u16()) });
    tokio::time::sleep(Duration::from_secs(11)).await;
    // One worker, and it is blocked: the service's runtime does not run, and `/healthz` says so.
    assert_eq!(service.admin("/healthz").await.0, 503);
    service.terminate();
    assert_eq!(asked.await.expect("the task ends").expect("an answer"), 200);
    let (_, report) = service.ended();
    assert!(report.starts_with("0 connections aborted"), "{report}");
}

#[tokio::test]
async fn connections_that_fail_are_counted_by_their_kind() {
    let service = Service::start(&[("KILTER_HEADER_TIMEOUT", "500ms")]);
    let connect = || TcpStream::connect(service.address).expect("a connection");

    let mut nonsense = connect();
    nonsense.write_all(b"nonsense\r\n\r\n").expect("sent");
    becomes(&service, &connection_error("bad_request"), 1.0).await;

    // 431: a head that is larger than the HTTP library takes, which it answers by itself.
    let mut large = connect();
    let _ = large.write_all(format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)).as_bytes());
    becomes(&service, &connection_error("bad_request"), 2.0).await;
    assert!(!service.admin("/metrics").await.1.contains("http_response_status_code=\"431\""));

    let mut half = connect();
    half.write_all(b"GET / HTTP/1.1\r\nHost:").expect("sent");
    becomes(&service, &connection_error("header_timeout"), 1.0).await;

    let mut gone = connect();
    gone.write_all(b"GET / HTTP/1.1\r\nHost:").expect("sent");
    drop(gone);
    becomes(&service, &connection_error("client_disconnect"), 1.0).await;
}

/// A client that keeps its connection for later did nothing wrong; one that connects and says nothing is let go.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_closed_and_are_no_error() {
    let service = Service::start(&[("KILTER_HEADER_TIMEOUT", "500ms")]);
    let mut kept = TcpStream::connect(service.address).expect("a connection");
    kept.write_all(b"GET /broken HTTP/1.1\r\nHost: it\r\n\r\n").expect("sent");
    let silent = TcpStream::connect(service.address).expect("a connection");
    for mut idle in [kept, silent] {
        idle.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let start = Instant::now();
        let mut all = Vec::new();
        idle.read_to_end(&mut all).expect("the service closes");
        assert!(start.elapsed() < Duration::from_secs(10));
    }
    becomes(&service, &requests("/broken", "500", "500"), 1.0).await;
    for kind in ["header_timeout", "client_disconnect", "io", "_OTHER"] {
        assert_eq!(service.value(&connection_error(kind)).await, Some(0.0), "{kind}");
    }
}

/// Who sends a second signal does not want to wait for the drain.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_drain() {
    let mut service = Service::start(&[("KILTER_DRAIN", "10m")]);
    let mut stream = reqwest::get(service.url("/endless")).await.expect("a head");
    stream.chunk().await.expect("a first chunk");
    service.terminate();
    assert_eq!(service.logged("draining").await.len(), 1);
    service.terminate();
    let (took, report) = service.ended();
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(report.starts_with("1 connections aborted"), "{report}");
}

/// A handler that blocks its thread cannot be aborted; the end comes all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_blocks_does_not_hold_up_the_flush() {
    let service = Service::start(&[("KILTER_DRAIN", "100ms"), (WORKERS, "3")]);
    let url = service.url("/block");
    let asked = tokio::spawn(reqwest::get(url));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    service.terminate();
    service.logged("ended").await;
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    asked.abort();
}
