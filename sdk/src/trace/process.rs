//! The span of a message that was processed, written as data at its end.

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::RequestContext;
use crate::signal::clock;

/// What is known of an attempt to process a message at its end.
#[derive(Debug)]
pub(crate) struct ProcessEnd {
    pub(crate) system: &'static str,
    pub(crate) destination: &'static str,
    pub(crate) group: Option<&'static str>,
    pub(crate) error: Option<&'static str>,
    /// Readings of the monotonic clock.
    pub(crate) started: u64,
    pub(crate) ended: u64,
}

/// Name, kind and attributes by the semantic conventions for messaging spans.
pub(super) fn process_span(context: RequestContext, end: &ProcessEnd, scope: &InstrumentationScope) -> SpanData {
    let mut attributes = vec![
        KeyValue::new("messaging.system", end.system),
        KeyValue::new("messaging.destination.name", end.destination),
        KeyValue::new("messaging.operation.name", "process"),
        KeyValue::new("messaging.operation.type", "process"),
    ];
    attributes.extend(end.group.map(|it| KeyValue::new("messaging.consumer.group.name", it)));
    attributes.extend(end.error.map(|it| KeyValue::new("error.type", it)));
    SpanData {
        span_context: context.span_context(),
        parent_span_id: context.parent_id.into(),
        parent_span_is_remote: context.parent_id != 0,
        span_kind: SpanKind::Consumer,
        name: format!("process {}", end.destination).into(),
        start_time: clock::wall(end.started),
        end_time: clock::wall(end.ended),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: end.error.map_or(Status::Unset, Status::error),
        instrumentation_scope: scope.clone(),
    }
}
