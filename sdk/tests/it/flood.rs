//! What clients choose costs nothing that lasts: neither series nor memory. Measured in a process that does only this.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::service::Service;

/// Requests that are sent before their answers are read.
const BATCH: u64 = 100;

/// Sends requests `from..to`, each with a path, method and host that nobody has seen, over one connection each 10,000.
fn flood(service: &Service, from: u64, to: u64) {
    for start in (from..to).step_by(10_000) {
        let mut stream = TcpStream::connect(service.address).expect("a connection");
        for batch in (start..to.min(start + 10_000)).step_by(100) {
            let mut heads = String::new();
            for n in batch..batch + BATCH {
                // An odd factor scatters the numbers.
                let n = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let method = ["GET".to_owned(), "POST".to_owned(), format!("M{n:X}")][(n >> 40) as usize % 3].clone();
                heads.push_str(&format!(
                    "{method} /{n:x}/{}?q={n} HTTP/1.1\r\nHost: {n:x}.example\r\nX-{n:x}: y\r\ntraceparent: 00-{n:032x}-{n:016x}-01\r\n\r\n",
                    n % 977
                ));
            }
            stream.write_all(heads.as_bytes()).expect("sent");
            answers(&mut stream);
        }
    }
}

/// Reads the answers of a batch: an empty 404 each.
fn answers(stream: &mut TcpStream) {
    let (mut seen, mut ends, mut buffer) = (Vec::new(), 0, [0; 8 << 10]);
    while ends < BATCH {
        let read = stream.read(&mut buffer).expect("an answer");
        assert!(read > 0, "the service closed the connection");
        seen.extend_from_slice(&buffer[..read]);
        ends = seen.windows(4).filter(|it| it == b"\r\n\r\n").count() as u64;
    }
    assert!(seen.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&seen[..40]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_random_requests_leave_nothing_behind() {
    let service = Service::start(&[("KILTER_LOG", "off")]);
    service.live_bytes().await;
    flood(&service, 0, 3_000);
    let lines = |page: String| page.lines().map(|it| it.rsplit_once(' ').map_or(it, |it| it.0).to_owned()).collect();
    let before: Vec<String> = lines(service.admin("/metrics").await.1);
    let memory = service.live_bytes().await;
    flood(&service, 3_000, 103_000);
    let after: Vec<String> = lines(service.admin("/metrics").await.1);
    assert_eq!(before, after, "the same series as before");
    let grown = service.live_bytes().await - memory;
    // One byte kept of each request would be more.
    assert!(grown < 64 << 10, "{grown} bytes more live after 100,000 random requests");
    let mut counted = 0.0;
    for method in ["GET", "POST", "_OTHER"] {
        let series = format!(
            "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",http_response_status_code=\"404\"}}"
        );
        counted += service.value(&series).await.expect("the series");
    }
    assert!((counted - 103_000.0).abs() < 0.5, "{counted} requests counted");
}

/// Status codes and error types that the service's own code makes up.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_outcomes_is_folded_counted_and_harms_no_known_series() {
    let service = Service::start(&[("KILTER_LOG", "off")]);
    let strange = |n: u64| format!("/status/{}", 200 + n.wrapping_mul(7919) % 799);
    service.pipeline(["/status/200".to_owned(), "/broken".to_owned()].into_iter());
    service.pipeline((0..2_000).map(strange));
    let series = |page: &str| page.lines().filter(|it| it.contains("/status/")).count();
    let before = series(&service.admin("/metrics").await.1);
    let memory = service.live_bytes().await;
    service.pipeline((0..10_000).map(strange));
    let grown = service.live_bytes().await - memory;
    assert!(grown < 64 << 10, "{grown} bytes more live");
    service.pipeline(["/status/200".to_owned(), "/broken".to_owned()].into_iter());
    let (_, page) = service.admin("/metrics").await;
    assert_eq!(series(&page), before, "the same series as before");

    let count = |labels: &str| {
        format!("http_server_request_duration_seconds_count{{http_request_method=\"GET\",http_route={labels}}}")
    };
    let known = count("\"/broken\",http_response_status_code=\"500\",error_type=\"500\"");
    assert_eq!(service.value(&known).await, Some(2.0), "a known route keeps its series");
    let folded = count("\"/status/{status}\",http_response_status_code=\"_OTHER\",error_type=\"_OTHER\"");
    let folded = service.value(&folded).await.expect("the folded series");
    let overflow = "telemetry_series_overflow_total{signal=\"http_server_request_duration_seconds\"}";
    assert_eq!(service.value(overflow).await, Some(folded), "what is folded is told");
    assert!(folded > 10_000.0, "{folded}");
    // `StatusCode` makes 418 of none; every kind was undeclared.
    let undeclared = "telemetry_violations_total{kind=\"undeclared_error_type\"}";
    assert_eq!(service.value(undeclared).await, Some(12_002.0));
    let all: f64 = page
        .lines()
        .filter(|it| it.starts_with("http_server_request_duration_seconds_count") && it.contains("/status/"))
        .map(|it| it.rsplit_once(' ').and_then(|it| it.1.parse::<f64>().ok()).expect("a count"))
        .sum();
    assert!((all - 12_002.0).abs() < 0.5, "each is counted once: {all}");
}
