//! A service in a process of its own: globals exist once per process, so each test that needs `init` starts this test
//! binary again and asks it to be the service.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::Value;

/// Tells the started binary that it is the service.
const ROLE: &str = "KILTER_TEST_SERVICE";
/// How many threads its runtime has. One if not told, so that a handler that blocks stops the whole runtime.
pub(crate) const WORKERS: &str = "TEST_SERVICE_WORKERS";
/// Makes it a service that has a subscriber already.
pub(crate) const OWN_SUBSCRIBER: &str = "TEST_SERVICE_OWN_SUBSCRIBER";
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
    pub ENDLESS = GET "/endless";
    /// Blocks the runtime for the seconds that it is asked for.
    pub BLOCK = GET "/block";
    /// Sends a message.
    pub PLACE = GET "/place/{kind}";
}

#[tracing::instrument(skip_all, fields(db.system = "sqlite"))]
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
    let init = kilter::init(service).map_err(|error| error.to_string());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(runtime.spawn(async {
        let telemetry = init?;
        let again = kilter::init(kilter::service!()).expect_err("a second init must be refused").to_string();
        assert!(again.contains("kilter is already installed"), "{again}");
        crate::messages::consume(&telemetry).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|error| error.to_string())?;
        println!("{HELLO}{} {}", listener.local_addr().expect("an address"), telemetry.admin_addr());
        let app = routes().merge(crate::chain::routes(&telemetry));
        telemetry.serve(listener, app).await.map(|report| report.to_string()).map_err(|error| error.to_string())
    }));
    match outcome.expect("the service does not panic") {
        Ok(report) => println!("{GOODBYE}{report}"),
        Err(error) => println!("{GOODBYE}error {error}"),
    }
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

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Resident memory in bytes (Linux).
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("a proc file system");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a resident size");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
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
