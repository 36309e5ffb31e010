//! `kilter::build()` in a service that owns its subscriber and its recorder: a process of its own, because both are global.

#![expect(clippy::disallowed_macros, reason = "the service's own recorder is what this is about")]

use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use kilter::AdHocRecorder;
use kilter::tracing_subscriber::layer::{Context, SubscriberExt as _};
use kilter::tracing_subscriber::{Layer, registry};
use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use opentelemetry_proto::tonic::trace::v1::Span;

use crate::receiver::{Receiver, hex};

const ROLE: &str = "KILTER_TEST_OWNER";

/// The service's own layer: it keeps the messages of events.
struct Messages(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Messages {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut said = String::new();
        event
            .record(&mut |_: &tracing::field::Field, value: &dyn std::fmt::Debug| said.push_str(&format!("{value:?}")));
        self.0.lock().expect("messages").push(said);
    }
}

/// The service's own recorder: it counts what is counted, and fans out to Kilter's.
struct Own {
    seen: Arc<AtomicU64>,
    kilter: AdHocRecorder,
}

struct Both(Arc<AtomicU64>, Counter);

impl CounterFn for Both {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
        self.1.increment(value);
    }
    fn absolute(&self, value: u64) {
        self.1.absolute(value);
    }
}

impl Recorder for Own {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Both(Arc::clone(&self.seen), self.kilter.register_counter(key, metadata))))
    }
    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.kilter.register_gauge(key, metadata)
    }
    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.kilter.register_histogram(key, metadata)
    }
}

/// The service itself. As an ordinary test it has nothing to do.
#[tokio::test]
async fn be_the_owner() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let (messages, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
    let parts = kilter::build(kilter::service!()).expect("the parts");
    let subscriber = registry().with(Messages(Arc::clone(&messages))).with(parts.span_layer()).with(parts.log_layer());
    tracing::subscriber::set_global_default(subscriber).expect("kilter::build installs no subscriber");
    let own = Own { seen: Arc::clone(&seen), kilter: parts.recorder };
    metrics::set_global_recorder(own).map_err(|it| it.to_string()).expect("kilter::build installs no recorder");
    let telemetry = parts.telemetry;

    let handler = || async {
        metrics::counter!("hooks_total").increment(3);
        tracing::info_span!("inner").in_scope(|| tracing::info!("within"));
        "done"
    };
    let app = Router::new().route("/work", get(handler)).layer(telemetry.http_server());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    let body = reqwest::get(format!("http://{address}/work")).await.expect("an answer").text().await.expect("a body");
    assert_eq!((body.as_str(), seen.load(Ordering::Relaxed)), ("done", 3), "the service's recorder sees its metrics");
    assert!(messages.lock().expect("messages").iter().any(|it| it.contains("within")), "and its subscriber its events");
    let flushed = telemetry.flush().await;
    assert_eq!((flushed.queued, flushed.lost), (2, 0));
    let page = reqwest::get(format!("http://{}/metrics", telemetry.admin_addr())).await.expect("a page").text().await;
    let page = page.expect("a text");
    assert!(page.contains("hooks_total 3\n") && page.contains("http_route=\"/work\""), "{page}");
    // `init` is for services without a subscriber, and says so.
    let refused = kilter::init(kilter::service!()).expect_err("a subscriber is there").to_string();
    assert!(
        refused.contains("a tracing subscriber is already installed") && refused.contains("kilter::build"),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_owns_its_subscriber_and_recorder_takes_the_parts() {
    let (receiver, address) = Receiver::grpc().await;
    let out = tokio::task::spawn_blocking({
        let endpoint = format!("http://{address}");
        move || {
            let mut command = Command::new(std::env::current_exe().expect("the test binary has a path"));
            command.args(["--exact", "parts::be_the_owner", "--nocapture"]).env(ROLE, "1");
            command.env("KILTER_ADMIN_ADDR", "127.0.0.1:0").env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
            command.output().expect("the test binary starts")
        }
    })
    .await
    .expect("it was waited for");
    let said = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}");
    let line =
        said.lines().find(|it| it.contains("\"message\":\"within\"")).unwrap_or_else(|| panic!("no log line: {said}"));
    let spans: Vec<Span> = receiver.spans();
    let named = |name: &str| spans.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name}: {spans:?}"));
    let (request, inner) = (named("GET /work"), named("inner"));
    assert_eq!((&inner.parent_span_id, &inner.trace_id), (&request.span_id, &request.trace_id));
    assert!(line.contains(&hex(&request.trace_id)), "logs carry the ids of their request: {line}");
}
