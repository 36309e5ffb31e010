//! Messages that the service processes, and those that it sends: counted once per attempt, in the trace of their sender.

use std::future::Future;

use kilter_contract::{error_type, messaging};
use opentelemetry::trace::SpanKind;

use crate::Telemetry;
use crate::core::Core;
use crate::measured::{End, measure};
use crate::names::keep;
use crate::trace::{CallSpan, Work, innermost, traceparent};

/// One queue or topic. Copy it to wherever messages are sent or processed; [`Telemetry::messages`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    core: &'static Core,
    system: &'static str,
    destination: &'static str,
    group: Option<&'static str>,
}

/// A message that came with what its sender injected; [`Messages::received`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Received {
    messages: Messages,
    sender: Option<((u64, u64), u64, bool)>,
}

impl Telemetry {
    /// Messages of a system, such as `kafka`, and a destination, such as the name of a topic. Names come from the code or
    /// its configuration, never from a message.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let orders = telemetry.messages("kafka", "orders").group("billing");
    ///
    /// // The sender, wherever it runs: the message carries the trace of the request.
    /// let mut headers: HashMap<&str, String> = HashMap::new();
    /// orders.inject(|key, value| { headers.insert(key, value); });
    ///
    /// // The consumer: one attempt, settled when the future ends. Acknowledge the message within it.
    /// let settle = async { Ok::<_, std::io::Error>("charged") };
    /// orders.received(|key| headers.get(key).map(String::as_str)).process(settle).await.unwrap();
    /// # let count = "messaging_process_duration_seconds_count{messaging_system=\"kafka\",messaging_destination_name=\"orders\",messaging_consumer_group_name=\"billing\"}";
    /// # assert_eq!(telemetry.value(count), Some(1.0));
    /// # }
    /// ```
    pub fn messages(&self, system: &str, destination: &str) -> Messages {
        Messages { core: self.core(), system: keep(system), destination: keep(destination), group: None }
    }
}

impl Messages {
    /// The consumer group that this service reads as. Its series exist from now on, so that the first failure is seen.
    #[must_use = "messages can be copied; this returns those of the group"]
    pub fn group(self, name: &str) -> Self {
        let it = Self { group: Some(keep(name)), ..self };
        it.declare();
        it
    }

    /// Gives a message that is sent now what it needs to belong to the trace of the request that sends it: `set` is called
    /// with the key and the value of each header. Outside of a request there is nothing to give.
    pub fn inject(self, mut set: impl FnMut(&'static str, String)) {
        if let Some(context) = innermost() {
            set(traceparent::KEY, context.traceparent());
        }
    }

    /// A message with the headers that its sender gave it, by key. Its trace goes on here.
    ///
    /// `KILTER_TRACE_TRUST` is about who connects to the service, so it does not count here: whoever may write to the
    /// queue is believed. Of a queue that strangers fill, process the messages without this.
    pub fn received<'m>(self, get: impl FnOnce(&'static str) -> Option<&'m str>) -> Received {
        let sender = get(traceparent::KEY).and_then(|it| traceparent::parse(it.as_bytes()));
        Received { messages: self, sender }
    }

    /// Processes a message without a sender that is known: a trace of its own begins. See [`Received::process`].
    pub fn process<F, T, E>(self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        Received { messages: self, sender: None }.process(future)
    }

    fn declare(self) {
        for error in [None, Some(error_type::OTHER)] {
            self.series(error);
        }
    }

    fn series(self, error: Option<&str>) -> &'static crate::signal::family::Series {
        let labels = [Some(self.system), Some(self.destination), self.group, error];
        self.core.families.of(&messaging::PROCESS_DURATION).series(&labels)
    }
}

impl Received {
    /// Processes it: one attempt, counted once when it is settled, also when it panics (`panic`) or is dropped before
    /// its end (`timeout`). A message that comes again is another attempt.
    ///
    /// Meanwhile [`RequestContext::current`](crate::RequestContext::current) is its context: logs carry its ids, calls out
    /// pass them on. What it waits for when it is dropped is a `timeout` too.
    pub fn process<F, T, E>(self, future: F) -> impl Future<Output = Result<T, E>> + use<F, T, E>
    where
        F: Future<Output = Result<T, E>>,
        E: 'static,
    {
        let Self { messages, sender } = self;
        messages.declare();
        let tracer = messages.core.tracer.get();
        let context = tracer.map(|it| it.continue_or_begin(sender));
        measure(Work::new(future, context), move |end: End<'_, Result<T, E>>, nanos| {
            let error = end.error_type();
            messages.series(error).record(nanos);
            if let Some(context) = context.filter(|it| it.sampled) {
                let span = CallSpan::message(context, messages.system, messages.destination, messages.group);
                span.finish_now(messages.core, SpanKind::Consumer, nanos, error);
            }
        })
    }
}
