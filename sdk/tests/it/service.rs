//! A service in a process of its own: globals exist once per process, so each test that needs `init` starts this test
//! binary again and asks it to be the service.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::Value;
use tracing_subscriber::layer::SubscriberExt as _;

/// Told how many bytes live in this process: its own, not what the system holds back for it.
#[global_allocator]
static ALLOCATOR: cap::Cap<std::alloc::System> = cap::Cap::new(std::alloc::System, usize::MAX);

/// Tells the started binary that it is the service.
const ROLE: &str = "KILTER_TEST_SERVICE";
/// How many threads its runtime has; 0 is a current-thread runtime. One if not told, so that a handler that blocks stops
/// the whole runtime.
pub(crate) const WORKERS: &str = "TEST_SERVICE_WORKERS";
/// Makes it a service that has a subscriber already.
pub(crate) const OWN_SUBSCRIBER: &str = "TEST_SERVICE_OWN_SUBSCRIBER";
/// Makes it a service that owns its globals and takes the parts from `kilter::build`.
pub(crate) const BUILD: &str = "TEST_SERVICE_BUILD";
/// Makes it serve twice: first until somebody asks for `/again`.
pub(crate) const TWICE: &str = "TEST_SERVICE_TWICE";
/// Makes it a service that serves with `axum::serve`, and calls `init` within its runtime.
pub(crate) const OWN_SERVER: &str = "TEST_SERVICE_OWN_SERVER";
/// Begins the line that tells the addresses.
const HELLO: &str = "listening ";
/// Begins the line that tells how it ended.
const GOODBYE: &str = "ended ";

kilter::routes! {
    /// One order, with spans and logs of its own.
    pub ORDER = GET "/orders/{id}";
    /// Fails.
    pub BROKEN = GET "/broken";
    /// Never ends.
    pub ENDLESS = GET "/endless", stream;
    /// Blocks the runtime for the seconds that it is asked for.
    pub BLOCK = GET "/block";
    /// Tells how many bytes live in the process.
    pub LIVE = GET "/live-bytes";
    /// Sends a message.
    pub PLACE = GET "/place/{kind}";
}

#[tracing::instrument(skip_all, fields(db.system = "sqlite", url = "https://user:secret@shop/x?token=secret", password = "secret"))]
async fn load_order() {
    tracing::info!(url = "https://user:secret@shop/x?token=secret", password = "secret", items = 3, "order loaded");
    tokio::time::sleep(Duration::from_millis(2)).await;
    kilter::spawn(in_background()).await.expect("the task ends well");
}

#[tracing::instrument]
async fn in_background() {
    tracing::warn!("in the background");
}

fn routes() -> Router {
    let endless = || async {
        let frames = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"more\n")), ()))
        });
        Body::from_stream(frames)
    };
    let order = || async {
        load_order().await;
        kilter::RequestContext::current().traceparent()
    };
    Router::new()
        .route(ORDER.path(), get(order))
        .route(BROKEN.path(), get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
        .route(ENDLESS.path(), get(endless))
        .route(BLOCK.path(), get(|| async { std::thread::sleep(Duration::from_secs(13)) }))
        .route(PLACE.path(), get(crate::messages::place))
        .route(LIVE.path(), get(|| async { ALLOCATOR.allocated().to_string() }))
        .route("/status/{status}", get(strange))
}

/// A handler that makes up status codes and kinds of errors.
async fn strange(Path(status): Path<u16>) -> Response {
    static KINDS: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| (0..1_000).map(|it| &*Box::leak(format!("kind_{it}").into_boxed_str())).collect());
    let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT).into_response();
    response.extensions_mut().insert(kilter::ErrorType::declared(KINDS[usize::from(status)]));
    response
}

/// The service itself. As an ordinary test it has nothing to do.
#[test]
fn be_the_service() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let workers = std::env::var(WORKERS).map_or(1, |it| it.parse().expect("a number"));
    if std::env::var_os(OWN_SUBSCRIBER).is_some() {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("the first subscriber");
    }
    let service = kilter::service!().routes(ROUTES).error_kinds(&["card_declined"]);
    if std::env::var_os(OWN_SERVER).is_some() {
        return serve_otherwise(service, workers, |address, admin| println!("{HELLO}{address} {admin}"));
    }
    // Outside of any runtime: `init` needs none.
    let own = std::env::var_os(BUILD).is_some();
    let init = if own { build(service) } else { kilter::init(service) }.map_err(|error| error.to_string());
    let runtime = match workers {
        0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        some => tokio::runtime::Builder::new_multi_thread().worker_threads(some).enable_all().build(),
    };
    let runtime = runtime.expect("a runtime");
    let outcome = runtime.block_on(runtime.spawn(async move {
        let telemetry = init?;
        if !own {
            let again = kilter::init(kilter::service!()).expect_err("a second init must be refused").to_string();
            assert!(again.contains("kilter is already installed"), "{again}");
        }
        crate::messages::consume(&telemetry).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        println!("{HELLO}{} {}", listener.local_addr().expect("an address"), telemetry.admin_addr());
        let listener = if std::env::var_os(TWICE).is_some() { first(&telemetry, listener).await } else { listener };
        let app = routes().merge(crate::chain::routes(&telemetry));
        telemetry.serve(listener, app).await.map(|report| report.to_string()).map_err(|error| error.to_string())
    }));
    match outcome.expect("the service does not panic") {
        Ok(report) => println!("{GOODBYE}{report}"),
        Err(error) => println!("{GOODBYE}error {error}"),
    }
}

/// What `init` does, by the service itself.
fn build(service: kilter::Service) -> Result<kilter::Telemetry, kilter::InitError> {
    let parts = kilter::build(service)?;
    let subscriber = tracing_subscriber::registry().with(parts.span_layer()).with(parts.log_layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first subscriber");
    metrics::set_global_recorder(parts.recorder).expect("the first recorder");
    Ok(parts.telemetry)
}

/// Serves until somebody asks for `/again`; gives the listener back.
async fn first(telemetry: &kilter::Telemetry, listener: tokio::net::TcpListener) -> tokio::net::TcpListener {
    let listener = listener.into_std().expect("a listener");
    let twin = listener.try_clone().expect("its twin");
    let end = Arc::new(tokio::sync::Notify::new());
    let heard = Arc::clone(&end);
    let routes = routes().route("/again", get(move || async move { heard.notify_one() }));
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let report = telemetry.serve_until(listener, routes, async { end.notified().await }).await;
    report.expect("the first end is in good order");
    tokio::net::TcpListener::from_std(twin).expect("a listener")
}

fn serve_otherwise(service: kilter::Service, workers: usize, hello: fn(SocketAddr, SocketAddr)) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let telemetry = kilter::init(service).expect("init");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        hello(listener.local_addr().expect("an address"), telemetry.admin_addr());
        axum::serve(listener, routes().layer(telemetry.http_server())).await.expect("it serves");
    });
}

/// The started service.
pub(crate) struct Service {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// Starts it with these variables, and waits until it tells how it ended; for settings that are refused.
pub(crate) fn refused(variables: &[(&str, &str)]) -> String {
    let out = command(variables).output().expect("the test binary starts");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test binary has a path"));
    command.args(["--exact", "service::be_the_service", "--nocapture"]).env(ROLE, "1");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("OTEL_") || name.starts_with("KILTER_") && name != ROLE || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command.env("KILTER_ADMIN_ADDR", "127.0.0.1:0").env("KILTER_LOG_FORMAT", "json");
    // It panics because tests want it to.
    command.env("RUST_BACKTRACE", "0");
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    command
}

impl Service {
    /// Starts it with these variables and waits until it listens.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        let mut process = command(variables).spawn().expect("the test binary starts");
        let stdout = process.stdout.take().expect("its output is piped");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (hello, heard) = std::sync::mpsc::channel();
        let kept = Arc::clone(&lines);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The test runner writes its own words before the first line.
                if let Some(at) = line.find(HELLO).filter(|_| !line.starts_with('{')) {
                    let _ = hello.send(line[at + HELLO.len()..].to_owned());
                }
                kept.lock().expect("lines").push(line);
            }
        });
        let addresses = heard.recv_timeout(Duration::from_secs(30)).expect("the service listens");
        let (address, admin) = addresses.split_once(' ').expect("two addresses");
        let parse = |text: &str| text.parse().expect("an address");
        Self { process, lines, reader: Some(reader), address: parse(address), admin: parse(admin) }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&'static str, &str)]) -> String {
        let mut request = reqwest::Client::new().get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("the service answers").text().await.expect("a whole body")
    }

    /// Status and text of a page of the admin server.
    pub(crate) async fn admin(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("http://{}{path}", self.admin)).await.expect("the admin server answers");
        (response.status().as_u16(), response.text().await.expect("a whole body"))
    }

    /// Bytes that live in the service, by its own allocator.
    pub(crate) async fn live_bytes(&self) -> i64 {
        self.get(LIVE.path(), &[]).await.parse().expect("a number")
    }

    /// Sends GETs over one connection, many before their answers are read, and reads all answers.
    pub(crate) fn pipeline(&self, paths: impl Iterator<Item = String>) {
        let mut stream = std::net::TcpStream::connect(self.address).expect("a connection");
        let paths: Vec<String> = paths.collect();
        for batch in paths.chunks(100) {
            let heads: String = batch
                .iter()
                .map(|path| format!("GET {path} HTTP/1.1\r\nHost: it\r\nContent-Length: 0\r\n\r\n"))
                .collect();
            stream.write_all(heads.as_bytes()).expect("sent");
            let (mut seen, mut buffer) = (Vec::new(), [0; 8 << 10]);
            while seen.windows(9).filter(|it| it == b"HTTP/1.1 ").count() < batch.len() || !seen.ends_with(b"\r\n\r\n")
            {
                let read = stream.read(&mut buffer).expect("an answer");
                assert!(read > 0, "the service closed the connection");
                seen.extend_from_slice(&buffer[..read]);
            }
        }
    }

    /// The value of a series as Prometheus sees it, births held.
    pub(crate) async fn scraped(&self, series: &str) -> Option<f64> {
        let asked = reqwest::Client::new().get(format!("http://{}/metrics", self.admin));
        let answer = asked.header("x-prometheus-scrape-timeout-seconds", "10").send().await.expect("an answer");
        let page = answer.text().await.expect("a page");
        page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The value of a series on the metrics page.
    pub(crate) async fn value(&self, series: &str) -> Option<f64> {
        let (_, page) = self.admin("/metrics").await;
        page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// SIGTERM, without waiting.
    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        assert!(killed.expect("kill runs").success());
    }

    /// Waits until it has ended; how long that took, and its report.
    pub(crate) fn ended(&mut self) -> (Duration, String) {
        let start = Instant::now();
        let status = self.process.wait().expect("the service ends");
        let took = start.elapsed();
        if let Some(reader) = self.reader.take() {
            reader.join().expect("its output is read");
        }
        assert!(status.success(), "{:#?}", self.lines());
        let lines = self.lines();
        let report = lines.iter().find_map(|line| line.strip_prefix(GOODBYE)).expect("a report").to_owned();
        (took, report)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("lines").clone()
    }

    /// The log lines with this message, once there is one.
    pub(crate) async fn logged(&self, message: &str) -> Vec<Value> {
        for _ in 0..100 {
            let lines = self.lines();
            let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let found: Vec<Value> = parsed.filter(|line| line["message"] == message).collect();
            if !found.is_empty() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("`{message}` was never logged: {:#?}", self.lines());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
