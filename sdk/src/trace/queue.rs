//! Spans on their way to the collector: a bounded queue, and a thread with a runtime of its own.
//!
//! The stock batch processor dies silently with an asynchronous HTTP client, and a refused collector takes its whole
//! shutdown deadline. Here the exporter is built on the thread that uses it, retries are ours, and what was lost adds up.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::Value;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::ExportConfig;
use crate::core::Core;
use crate::log::redacted;

/// Spans that wait at most; further ones are dropped and counted.
const QUEUE: usize = 2_048;
/// Spans of one export at most: OpenTelemetry's default.
const BATCH: usize = 512;
/// How long a batch waits to fill.
const LINGER: Duration = Duration::from_secs(1);
/// What a flush gives to a collector that is known to be down.
const SHORT_TRY: Duration = Duration::from_millis(250);
/// How long the collector's door may take to open at the start.
const KNOCK: Duration = Duration::from_secs(2);
/// Pauses before a batch is tried again; further spans wait in the queue meanwhile.
const RETRIES: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(4)];

/// What is said of a collector that does not answer.
const SILENT: &str = "no answer in time";

/// The sending end, shared by requests and by OpenTelemetry's spans.
#[derive(Debug)]
pub(crate) struct Exporter {
    core: &'static Core,
    spans: mpsc::Sender<SpanData>,
    flushes: mpsc::UnboundedSender<Flush>,
    queued: AtomicU64,
    sent: &'static AtomicU64,
    told: AtomicU64,
    /// There is a whole batch in the queue.
    filled: &'static Notify,
    /// Where spans stay in a test, in place of the queue.
    kept: Option<std::sync::Mutex<Vec<SpanData>>>,
}

/// What a flush did, in spans since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flushed {
    /// Offered to the queue and taken.
    pub queued: u64,
    /// Accepted by the collector.
    pub sent: u64,
    /// The difference: lost.
    pub lost: u64,
}

struct Flush {
    deadline: Instant,
    done: oneshot::Sender<()>,
}

impl Exporter {
    /// Starts the thread.
    pub(crate) fn start(core: &'static Core, config: ExportConfig) -> std::io::Result<Self> {
        let (spans, spans_end) = mpsc::channel(QUEUE);
        let (flushes, flushes_end) = mpsc::unbounded_channel();
        let sent: &'static AtomicU64 = Box::leak(Box::default());
        let filled: &'static Notify = Box::leak(Box::default());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("kilter-export".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let (limit, address) = (config.timeout, config.address());
                match config.build() {
                    Ok(exporter) => {
                        let (spans, flushes) = (spans_end, flushes_end);
                        let worker = Worker {
                            core,
                            exporter,
                            address,
                            spans,
                            flushes,
                            sent,
                            filled,
                            limit,
                            up: true,
                            told_up: true,
                        };
                        worker.run().await;
                    }
                    Err(error) => tracing::error!(%error, "traces are off: the exporter could not be built"),
                }
            });
        })?;
        let (queued, told) = (AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { core, spans, flushes, queued, sent, told, filled, kept: None })
    }

    /// Keeps every span, for tests: no thread, no collector.
    pub(crate) fn keeping(core: &'static Core) -> Self {
        let (spans, flushes) = (mpsc::channel(1).0, mpsc::unbounded_channel().0);
        let (sent, filled) = (Box::leak(Box::default()), Box::leak(Box::default()));
        let (queued, told) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { core, spans, flushes, queued, sent, told, filled, kept: Some(std::sync::Mutex::default()) }
    }

    /// What was kept so far.
    pub(crate) fn kept(&self) -> Vec<SpanData> {
        let kept = |it: &std::sync::Mutex<Vec<SpanData>>| it.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.kept.as_ref().map(kept).unwrap_or_default()
    }

    /// Queues a span, or drops and counts it; whether it was taken. Never blocks.
    pub(crate) fn queue(&self, span: SpanData) -> bool {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(span);
            return true;
        }
        let taken = self.spans.try_send(span).is_ok();
        if taken {
            self.queued.fetch_add(1, Ordering::Relaxed);
            if QUEUE - self.spans.capacity() >= BATCH {
                self.filled.notify_one();
            }
        } else {
            self.core.health.spans_dropped("queue_full", 1);
        }
        taken
    }

    /// Sends what is queued, within the deadline, and tells what was lost.
    pub(crate) async fn flush(&self, limit: Duration) -> Flushed {
        let (done, finished) = oneshot::channel();
        if self.flushes.send(Flush { deadline: Instant::now() + limit, done }).is_ok() {
            // A little longer than the deadline that the thread itself keeps.
            let _ = timeout(limit + SHORT_TRY, finished).await;
        }
        let (queued, sent) = (self.queued.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed));
        let lost = queued.saturating_sub(sent);
        if lost > self.told.swap(lost, Ordering::Relaxed) {
            tracing::warn!(queued, sent, lost, "spans did not reach the collector");
        }
        Flushed { queued, sent, lost }
    }
}

struct Worker {
    core: &'static Core,
    exporter: opentelemetry_otlp::SpanExporter,
    /// Host and port of the collector.
    address: (String, u16),
    spans: mpsc::Receiver<SpanData>,
    flushes: mpsc::UnboundedReceiver<Flush>,
    sent: &'static AtomicU64,
    filled: &'static Notify,
    limit: Duration,
    /// Whether the last export went through.
    up: bool,
    /// What the log said last.
    told_up: bool,
}

impl Worker {
    async fn run(mut self) {
        let knock = knock(self.address.clone(), self.limit.min(KNOCK));
        tokio::pin!(knock);
        let mut knocking = true;
        loop {
            let mut batch = Vec::new();
            let mut flush = tokio::select! {
                knocked = &mut knock, if knocking => {
                    knocking = false;
                    // It may still be starting: the first batch is tried again all the same.
                    if self.sent.load(Ordering::Relaxed) == 0 {
                        self.say(knocked.as_ref().copied().map_err(String::as_str));
                    }
                    continue;
                }
                flush = self.flushes.recv() => match flush {
                    Some(flush) => Some(flush),
                    None => return,
                },
                taken = self.spans.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    None
                }
            };
            if flush.is_none() {
                flush = self.linger(&mut batch).await;
            }
            if flush.is_none() {
                flush = self.deliver(batch).await;
                batch = Vec::new();
            }
            if let Some(flush) = flush {
                self.drain(batch, flush.deadline).await;
                let _ = flush.done.send(());
            }
        }
    }

    /// Lets a batch fill; returns early for a flush. The spans stay in the queue meanwhile: nobody waits for the next one
    /// there, so no request has to wake this thread.
    async fn linger(&mut self, batch: &mut Vec<SpanData>) -> Option<Flush> {
        let mut flush = None;
        if batch.len() < BATCH {
            tokio::select! {
                () = tokio::time::sleep(LINGER) => {}
                () = self.filled.notified() => {}
                came = self.flushes.recv() => flush = came,
            }
        }
        while batch.len() < BATCH {
            match self.spans.try_recv() {
                Ok(span) => batch.push(span),
                Err(_) => break,
            }
        }
        flush
    }

    /// Exports a batch and tries again while the collector was up a moment ago: one that restarts loses nothing. A flush
    /// that comes meanwhile bounds the export and is handed back.
    async fn deliver(&mut self, batch: Vec<SpanData>) -> Option<Flush> {
        let count = batch.len() as u64;
        let mut again = self.up.then(|| batch.clone());
        let (mut done, mut flush) = self.attempt(batch).await;
        for (tried, pause) in RETRIES.into_iter().enumerate() {
            if done.is_ok() || flush.is_some() {
                break;
            }
            let last = tried + 1 == RETRIES.len();
            let Some(batch) = (if last { again.take() } else { again.clone() }) else { break };
            self.core.health.export_failures.add(1);
            if tried > 0 {
                self.tell(&done);
            }
            flush = tokio::select! {
                () = tokio::time::sleep(pause) => None,
                came = self.flushes.recv() => came,
            };
            (done, flush) = match flush {
                Some(came) => (self.bounded(batch, came.deadline).await, Some(came)),
                None => self.attempt(batch).await,
            };
        }
        self.settle(&done, count);
        flush
    }

    /// One export.
    async fn attempt(&mut self, batch: Vec<SpanData>) -> (Result<(), String>, Option<Flush>) {
        let export = self.exporter.export(batch);
        tokio::pin!(export);
        tokio::select! {
            done = timeout(self.limit, &mut export) => (outcome(done), None),
            Some(came) = self.flushes.recv() => {
                let done = timeout(self.share(came.deadline), export).await;
                (outcome(done), Some(came))
            }
        }
    }

    /// One export within a flush.
    async fn bounded(&mut self, batch: Vec<SpanData>, deadline: Instant) -> Result<(), String> {
        outcome(timeout(self.share(deadline), self.exporter.export(batch)).await)
    }

    /// How long an export may take within a flush: not long when the collector is known to be down.
    fn share(&self, deadline: Instant) -> Duration {
        let left = deadline.saturating_duration_since(Instant::now());
        if self.up { left } else { left.min(SHORT_TRY) }
    }

    /// Sends everything that is queued until the deadline.
    async fn drain(&mut self, mut batch: Vec<SpanData>, deadline: Instant) {
        loop {
            while batch.len() < BATCH {
                match self.spans.try_recv() {
                    Ok(span) => batch.push(span),
                    Err(_) => break,
                }
            }
            if batch.is_empty() {
                return;
            }
            let count = batch.len() as u64;
            let done = self.bounded(std::mem::take(&mut batch), deadline).await;
            let failed = done.is_err();
            self.settle(&done, count);
            if failed {
                // Nothing more will get through in what is left.
                let rest = std::iter::from_fn(|| self.spans.try_recv().ok()).count() as u64;
                self.core.health.spans_dropped("shutdown", rest);
                return;
            }
        }
    }

    /// Counts, and tells a change of state.
    fn settle(&mut self, done: &Result<(), String>, count: u64) {
        if done.is_ok() {
            self.sent.fetch_add(count, Ordering::Relaxed);
        } else {
            self.core.health.export_failures.add(1);
            self.core.health.spans_dropped("export_failed", count);
        }
        self.tell(done);
    }

    /// Tells once that the collector went away or came back.
    fn tell(&mut self, done: &Result<(), String>) {
        self.up = done.is_ok();
        self.say(done.as_ref().copied().map_err(String::as_str));
    }

    /// One line per change.
    fn say(&mut self, state: Result<(), &str>) {
        if state.is_ok() == self.told_up {
            return;
        }
        self.told_up = state.is_ok();
        match state {
            Ok(()) => tracing::info!("the trace collector is back"),
            Err(error) => {
                let collector = format!("{}:{}", self.address.0, self.address.1);
                let next =
                    "start the collector, or set OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_PROTOCOL to it";
                let text = "the trace collector does not take spans; they are dropped and counted until it does";
                tracing::warn!(collector, error, next, "{text}");
            }
        }
    }
}

/// Looks whether the collector is there, so that a wrong address is told at the start and not with the first span.
async fn knock(address: (String, u16), limit: Duration) -> Result<(), String> {
    match timeout(limit, tokio::net::TcpStream::connect(address)).await {
        Ok(opened) => opened.map(drop).map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}

/// How an export ended, with the reason for people.
fn outcome(done: Result<OTelSdkResult, tokio::time::error::Elapsed>) -> Result<(), String> {
    match done {
        Ok(exported) => exported.map_err(|error| error.to_string()),
        Err(_) => Err(SILENT.to_owned()),
    }
}

/// Hands the spans of the service's own `tracing` to the same queue.
#[derive(Debug)]
pub(crate) struct QueueProcessor(pub(crate) &'static Core);

impl SpanProcessor for QueueProcessor {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, mut span: SpanData) {
        if let Some(exporter) = self.0.tracer.get().and_then(|it| it.exporter.as_ref()) {
            for attribute in &mut span.attributes {
                if let Value::String(text) = &attribute.value {
                    let plain = redacted(attribute.key.as_str(), text.as_str());
                    if plain != text.as_str() {
                        attribute.value = plain.into();
                    }
                }
            }
            exporter.queue(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
