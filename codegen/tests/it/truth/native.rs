//! A metrics page with a native histogram, in the protobuf form that alone carries one.
//!
//! Source of the numbers of fields: `io/prometheus/client/metrics.proto` of prometheus/client_model.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};

/// Schema 3 has eight buckets for each power of two: 0.1 s lies in bucket -26, 1 s is the bound of bucket 0, and the
/// threshold of 0.25 s is the bound of bucket -16.
const SCHEMA: i64 = 3;
const FAST: i64 = -26;
const SLOW: i64 = 0;

/// Serves the page on a free port for as long as the test runs: each scrape sees 300 more fast values and 100 slow ones.
pub(super) fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        let scrapes = AtomicU64::new(0);
        for stream in listener.incoming().flatten() {
            let _ = answer(stream, scrapes.fetch_add(1, Ordering::Relaxed) + 1);
        }
    });
    address
}

fn answer(mut stream: TcpStream, scrape: u64) -> std::io::Result<()> {
    let (mut request, mut part) = (Vec::new(), [0; 1024]);
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        match stream.read(&mut part)? {
            0 => return Ok(()),
            read => request.extend_from_slice(&part[..read]),
        }
    }
    let body = page(300 * scrape, 100 * scrape);
    let kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}

/// One family, its length in front.
fn page(fast: u64, slow: u64) -> Vec<u8> {
    let mut histogram = Message::default();
    histogram.number(1, fast + slow);
    histogram.double(2, 0.1 * fast as f64 + slow as f64);
    histogram.number(5, zigzag(SCHEMA));
    histogram.double(6, 1e-9);
    histogram.number(7, 0);
    // Gaps are counted from the end of the span before; counts are told as differences.
    for offset in [FAST, SLOW - FAST - 1] {
        let mut span = Message::default();
        span.number(1, zigzag(offset));
        span.number(2, 1);
        histogram.message(12, &span);
    }
    histogram.number(13, zigzag(fast.cast_signed()));
    histogram.number(13, zigzag(slow.cast_signed() - fast.cast_signed()));
    let mut metric = Message::default();
    metric.message(7, &histogram);
    let mut family = Message::default();
    family.bytes(1, b"native_seconds");
    family.bytes(2, b"A native histogram.");
    family.number(3, 4);
    family.message(4, &metric);
    let mut page = Message::default();
    page.varint(family.0.len() as u64);
    page.0.extend(family.0);
    page.0
}

/// A protobuf message.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                return self.0.push(low);
            }
            self.0.push(low | 0x80);
        }
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn message(&mut self, field: u64, value: &Self) {
        self.bytes(field, &value.0);
    }
}

/// Signed numbers as protobuf's `sint` has them.
const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
