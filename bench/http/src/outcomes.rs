//! The driven process: one stack behind `axum::serve`, and clients on real sockets that behave well or badly.

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Context;
use tower_http::catch_panic::CatchPanicLayer;

use crate::client::{answer, connect, send};
use crate::memory::resident;
use crate::page::Page;
use crate::service;
use crate::stack::{Running, Stack, install};

/// Times that each kind of request is made.
const TIMES: usize = 5;
/// Requests of a flood.
const FLOOD: usize = 1_000;
/// Connections, each of one request.
const CONNECTIONS: u32 = 4_000;
/// How long a server may take to notice.
const SETTLE: Duration = Duration::from_millis(400);
const MARK: &str = "RESULT ";

/// A kind of request: what the table calls it, and how one is made.
type Kind = (&'static str, fn(SocketAddr) -> anyhow::Result<()>);

const KINDS: [Kind; 9] = [
    ("success", |to| whole(to, "GET", "/ok")),
    ("the handler answers 500", |to| whole(to, "GET", "/fail")),
    ("the handler panics; `CatchPanicLayer` outside", |to| whole(to, "GET", "/panic")),
    ("the client leaves before the head", |to| leave(to, "/slow", false)),
    ("the client leaves in the middle of the body", |to| leave(to, "/stream", true)),
    ("the body fails after the head", |to| whole(to, "GET", "/broken")),
    ("the service's own deadline passes: `TimeoutLayer`, 503", |to| whole(to, "GET", "/late")),
    ("`HEAD`", |to| whole(to, "HEAD", "/ok")),
    ("an unknown method, `BREW`", |to| whole(to, "BREW", "/ok")),
];

/// What each row of the table says of this stack.
pub(crate) type Rows = Vec<(String, String)>;

/// From what a child has printed.
pub(crate) fn read(printed: &str) -> Rows {
    let lines = printed.lines().filter_map(|it| it.strip_prefix(MARK));
    lines.filter_map(|it| it.split_once('\t')).map(|(row, cell)| (row.to_owned(), cell.to_owned())).collect()
}

/// Serves the stack, makes every kind of request, and prints what was counted.
pub(crate) fn run(stack: Stack) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let _inside = runtime.enter();
    // Traces of the peers are sampled, so that their spans can be counted.
    let mut running = install(stack, true, &[])?;
    let around = std::mem::replace(&mut running.around, Box::new(|app| app));
    let app = around(service::outcomes(stack.handlers(false))).layer(CatchPanicLayer::new());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let to = listener.local_addr()?;
    runtime.spawn(async move { axum::serve(listener, app).await });
    for (row, make) in KINDS {
        let (before, spans_before) = reading(&running)?;
        for _ in 0..TIMES {
            make(to).with_context(|| row.to_owned())?;
        }
        sleep(SETTLE);
        let (after, spans) = reading(&running)?;
        say(row, &counted(stack, &after.counted_since(&before), &spans_before, &spans));
    }
    let (page, _) = reading(&running)?;
    say("requests in flight when all is quiet", &tells_metrics(stack, &format!("{}", page.active)));
    say("memory that a connection leaves behind", &left_by_connections(to)?);
    flood(stack, &running, "1,000 random paths that no route matches", to, Strange::path)?;
    flood(stack, &running, "1,000 random `Host` headers", to, Strange::host)?;
    flood(stack, &running, "1,000 random methods", to, Strange::method)?;
    Ok(())
}

/// Resident memory before and after many connections of one request each, per connection. What is less than a word for
/// each is noise.
fn left_by_connections(to: SocketAddr) -> anyhow::Result<String> {
    let make = |count: u32| (0..count).try_for_each(|_| whole(to, "GET", "/ok"));
    make(CONNECTIONS / 2)?;
    let before = resident()?;
    make(CONNECTIONS)?;
    sleep(SETTLE);
    let left = resident()?.saturating_sub(before) as f64 / f64::from(CONNECTIONS);
    Ok(if left < 8.0 { "nothing".to_owned() } else { format!("{left:.0} bytes") })
}

fn tells_metrics(stack: Stack, text: &str) -> String {
    if stack == Stack::AxumTracing { "no metrics".to_owned() } else { text.to_owned() }
}

fn counted(stack: Stack, said: &str, before: &BTreeMap<String, usize>, spans: &BTreeMap<String, usize>) -> String {
    let more = spans.iter().map(|(end, count)| (end, count - before.get(end).copied().unwrap_or(0)));
    let more: Vec<String> =
        more.filter(|(_, count)| *count > 0).map(|(end, count)| format!("{count} spans: {end}")).collect();
    match (stack, more.is_empty()) {
        (Stack::AxumTracing, true) => "**no span**".to_owned(),
        (Stack::AxumTracing, false) => more.join("; "),
        (_, true) => said.to_owned(),
        (_, false) => format!("{said} ({})", more.join("; ")),
    }
}

fn reading(running: &Running) -> anyhow::Result<(Page, BTreeMap<String, usize>)> {
    // Batches of spans leave every five seconds, or when asked.
    if let Some(provider) = &running.provider {
        provider.force_flush()?;
    }
    Ok((Page::read(&(running.page)()?), running.spans.ended()))
}

#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn say(row: &str, cell: &str) {
    println!("{MARK}{row}\t{cell}");
}

/// Sends a request and reads to the end of the connection.
fn whole(to: SocketAddr, method: &str, path: &str) -> anyhow::Result<()> {
    let mut stream = connect(to)?;
    send(&mut stream, method, path, "orders.example", true)?;
    // A body that fails ends the connection; whatever came is read.
    let _ = stream.read_to_end(&mut Vec::new());
    Ok(())
}

/// Sends a request and leaves: at once after a while, or after the first bytes of the answer.
fn leave(to: SocketAddr, path: &str, reads: bool) -> anyhow::Result<()> {
    let mut stream = connect(to)?;
    send(&mut stream, "GET", path, "orders.example", false)?;
    if reads {
        // The head and a piece of the body.
        let mut seen = Vec::new();
        let mut some = [0; 512];
        while !String::from_utf8_lossy(&seen).contains("a chunk") {
            let count = stream.read(&mut some)?;
            anyhow::ensure!(count > 0, "the server left first");
            seen.extend_from_slice(&some[..count]);
        }
    } else {
        sleep(Duration::from_millis(100));
    }
    Ok(())
}

/// What a scanner sends.
struct Strange {
    method: String,
    path: String,
    host: String,
}

impl Strange {
    fn path(n: usize) -> Self {
        Self { method: "GET".to_owned(), path: format!("/{}", noise(n)), host: "orders.example".to_owned() }
    }

    fn host(n: usize) -> Self {
        Self { method: "GET".to_owned(), path: "/ok".to_owned(), host: format!("{}.example", noise(n)) }
    }

    fn method(n: usize) -> Self {
        Self { method: noise(n).to_uppercase(), path: "/ok".to_owned(), host: "orders.example".to_owned() }
    }
}

/// Sixteen letters, other ones for each number.
fn noise(n: usize) -> String {
    let mixed = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (0..16).map(|at| char::from(b'a' + u8::try_from(mixed >> (at * 4) & 0xf).unwrap_or(0))).collect()
}

fn flood(stack: Stack, running: &Running, row: &str, to: SocketAddr, of: fn(usize) -> Strange) -> anyhow::Result<()> {
    let (before, _) = reading(running)?;
    let mut stream = BufReader::new(connect(to)?);
    for n in 0..FLOOD {
        let it = of(n);
        send(stream.get_mut(), &it.method, &it.path, &it.host, false)?;
        answer(&mut stream).with_context(|| format!("{} {}", it.method, it.path))?;
    }
    sleep(SETTLE);
    let (after, _) = reading(running)?;
    let (sets, samples) = (after.label_sets() - before.label_sets(), after.samples - before.samples);
    say(
        row,
        &tells_metrics(
            stack,
            &format!("{sets} new label set{}, {samples} new series", if sets == 1 { "" } else { "s" }),
        ),
    );
    Ok(())
}
