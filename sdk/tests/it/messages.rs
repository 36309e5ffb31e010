//! Messages over a real broker: Redis streams with a consumer group, which delivers again what was not acknowledged.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use axum::extract;
use kilter::testing::TestTelemetry;
use kilter::{ErrorType, Messages, RequestContext, Telemetry};
use redis::AsyncCommands as _;
use redis::streams::{StreamId, StreamReadOptions, StreamReadReply};

use crate::receiver::{Receiver, attributes, hex};
use crate::service::Service;

const STREAM: &str = "orders";
const GROUP: &str = "billing";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// Where the broker of the service listens, a path.
pub(crate) const BROKER: &str = "TEST_SERVICE_BROKER";

/// A broker without files and ports.
struct Broker {
    process: Child,
    folder: tempfile::TempDir,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.path().join("socket"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; `cargo xtask tools` installs it");
        Self { process, folder }
    }

    fn socket(&self) -> String {
        self.folder.path().join("socket").display().to_string()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The sender's side of the service.
static SENDER: OnceLock<(redis::Client, Messages)> = OnceLock::new();

/// Starts the service's consumer, when there is a broker.
pub(crate) async fn consume(telemetry: &Telemetry) {
    let Ok(socket) = std::env::var(BROKER) else { return };
    let orders = telemetry.messages("redis", STREAM).group(GROUP);
    let client = redis::Client::open(format!("redis+unix://{socket}")).expect("an address");
    let mut tries = 0..500;
    let mut broker = loop {
        match client.get_multiplexed_async_connection().await {
            Ok(broker) => break broker,
            // It is starting.
            Err(_) if tries.next().is_some() => tokio::time::sleep(Duration::from_millis(10)).await,
            Err(error) => panic!("no connection to the broker: {error}"),
        }
    };
    let () = broker.xgroup_create_mkstream(STREAM, GROUP, "$").await.expect("a group");
    SENDER.set((client, orders)).expect("one consumer");
    tokio::spawn(async move {
        loop {
            // What is new, then what was delivered before and not acknowledged.
            for from in [">", "0"] {
                let options = StreamReadOptions::default().group(GROUP, "it").count(1).block(20);
                let read = broker.xread_options(&[STREAM], &[from], &options).await;
                let read: Option<StreamReadReply> = read.expect("an answer");
                for message in read.into_iter().flat_map(|it| it.keys).flat_map(|it| it.ids) {
                    attempt(orders, broker.clone(), message, from == "0").await;
                }
            }
        }
    });
}

/// One attempt at a message. Settled means acknowledged; what panics or hangs is given up after it.
async fn attempt(orders: Messages, mut broker: redis::aio::MultiplexedConnection, message: StreamId, again: bool) {
    let headers: HashMap<String, String> =
        message.map.keys().filter_map(|it| Some((it.clone(), message.get(it)?))).collect();
    let (kind, id) = (headers["kind"].clone(), message.id.clone());
    let received = orders.received(|key| headers.get(key).map(String::as_str));
    let mut settling = broker.clone();
    let processed = tokio::spawn(tokio::time::timeout(
        Duration::from_millis(500),
        received.process(async move {
            tracing::info!(kind, "order received");
            tokio::task::yield_now().await;
            match kind.as_str() {
                "declined" if !again => return Err(ErrorType::declared("card_declined")),
                "panics" => panic!("as tests do"),
                "hangs" => std::future::pending().await,
                _ => {}
            }
            let () = settling.xack(STREAM, GROUP, &[id]).await.expect("an acknowledgement");
            Ok(())
        }),
    ));
    if !matches!(processed.await, Ok(Ok(_))) {
        let () = broker.xack(STREAM, GROUP, &[message.id]).await.expect("an acknowledgement");
    }
}

/// Sends one order from within a request, and a span of the service's own.
#[tracing::instrument(skip_all)]
pub(crate) async fn place(extract::Path(kind): extract::Path<String>) -> String {
    let (client, orders) = SENDER.get().expect("a broker");
    let mut fields = vec![("kind", kind)];
    orders.inject(|key, value| fields.push((key, value)));
    let mut broker = client.get_multiplexed_async_connection().await.expect("a connection");
    let _: String = broker.xadd(STREAM, "*", &fields).await.expect("sent");
    RequestContext::current().traceparent()
}

fn processed(error: &str) -> String {
    let error = if error.is_empty() { String::new() } else { format!(",error_type=\"{error}\"") };
    format!(
        "messaging_process_duration_seconds_count{{messaging_system=\"redis\",messaging_destination_name=\"orders\",\
         messaging_consumer_group_name=\"billing\"{error}}}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_counted_once_and_belongs_to_the_trace_of_its_sender() {
    let (collector, address) = Receiver::grpc().await;
    let broker = Broker::start();
    let endpoint = format!("http://{address}");
    let service = Service::start(&[(BROKER, &broker.socket()), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    assert_eq!(service.value(&processed("_OTHER")).await, Some(0.0), "the first failure will be seen");
    let caller = format!("00-{TRACE}-b7ad6b7169203331-01");
    let sender = service.get("/place/paid", &[("traceparent", &caller)]).await;
    for kind in ["declined", "panics", "hangs"] {
        service.get(&format!("/place/{kind}"), &[]).await;
    }
    // The declined one comes again, and is another attempt.
    let expected = [("", 2.0), ("card_declined", 1.0), ("panic", 1.0), ("timeout", 1.0), ("_OTHER", 0.0)];
    let mut seen = Vec::new();
    for _ in 0..500 {
        let (_, page) = service.admin("/metrics").await;
        let value =
            |series: String| page.lines().find_map(|it| it.strip_prefix(&series)?.strip_prefix(' ')?.parse().ok());
        seen = expected.iter().map(|(error, _)| (*error, value(processed(error)).unwrap_or(0.0))).collect();
        if seen == expected {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(seen, expected);

    let lines = service.logged("order received").await;
    let line = lines.iter().find(|it| it["kind"] == "paid").expect("its log line");
    assert_eq!(line["trace_id"], TRACE);
    let span = collector.span("process orders").await;
    collector.span("place").await;
    let spans = collector.spans();
    let own: Vec<_> = spans.iter().filter(|it| it.name == "process orders" && hex(&it.trace_id) == TRACE).collect();
    assert_eq!(own.len(), 1, "{span:?}");
    // The innermost span of the sender's is its parent: not the request's, but the one of the function that sends.
    let within = collector.spans().into_iter().find(|it| it.span_id == own[0].parent_span_id).expect("its parent");
    assert_eq!((within.name.as_str(), hex(&within.parent_span_id)), ("place", sender[36..52].to_owned()));
    assert_eq!(line["span_id"], hex(&own[0].span_id));
    assert_eq!(own[0].kind, 5, "a consumer");
    let told = attributes(&own[0].attributes);
    assert_eq!(
        (told["messaging.system"].as_str(), told["messaging.consumer.group.name"].as_str()),
        ("redis", "billing")
    );
    assert!(!told.contains_key("error.type"));
}

/// Without a sender there is a trace all the same; without a group there is no such label.
#[tokio::test]
async fn without_group_and_sender() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let mails = telemetry.messages("nats", "mails");
    mails.inject(|key, _| panic!("{key} outside of a request"));
    mails.process(async { Ok::<_, String>(()) }).await.unwrap();
    mails.received(|_| Some("00-nonsense")).process(async { Err::<(), _>("bad") }).await.unwrap_err();
    drop(mails.process(std::future::pending::<Result<(), String>>()));
    let count = |error: &str| {
        telemetry.value(&format!(
            "messaging_process_duration_seconds_count{{messaging_system=\"nats\",messaging_destination_name=\"mails\"{error}}}"
        ))
    };
    let counts = ["", ",error_type=\"_OTHER\"", ",error_type=\"timeout\""].map(count);
    assert_eq!(counts, [Some(1.0), Some(1.0), Some(1.0)]);
}
