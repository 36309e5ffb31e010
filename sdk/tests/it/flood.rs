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
    flood(&service, 0, 3_000);
    let lines = |page: String| page.lines().map(|it| it.rsplit_once(' ').map_or(it, |it| it.0).to_owned()).collect();
    let before: Vec<String> = lines(service.admin("/metrics").await.1);
    let memory = service.resident_bytes();
    flood(&service, 3_000, 103_000);
    let after: Vec<String> = lines(service.admin("/metrics").await.1);
    assert_eq!(before, after, "the same series as before");
    let grown = service.resident_bytes().saturating_sub(memory);
    // One remembered path of each request would be more than 4 MB.
    assert!(grown < 2 << 20, "{grown} bytes more after 100,000 random requests");
    let mut counted = 0.0;
    for method in ["GET", "POST", "_OTHER"] {
        let series = format!(
            "http_server_request_duration_seconds_count{{http_request_method=\"{method}\",http_response_status_code=\"404\"}}"
        );
        counted += service.value(&series).await.expect("the series");
    }
    assert!((counted - 103_000.0).abs() < 0.5, "{counted} requests counted");
}
