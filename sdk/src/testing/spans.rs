//! Spans that a test instance kept.

use std::collections::BTreeMap;

use opentelemetry::trace::{SpanId, SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;

/// A span that has ended, as it would go to the collector.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestSpan {
    /// Its name, such as `GET /orders/{id}`.
    pub name: String,
    /// Id of its trace, as logs and headers print it.
    pub trace_id: String,
    /// Its own id.
    pub span_id: String,
    /// Id of its parent; `None` for the first span of a trace.
    pub parent_id: Option<String>,
    /// Whether it is of a request that was served, of a call that was made, or within the service.
    pub kind: SpanKind,
    /// Its attributes, as texts.
    pub attributes: BTreeMap<String, String>,
    /// Why it failed; `None` when it did not.
    pub error: Option<String>,
    /// Names of its events.
    pub events: Vec<String>,
}

impl From<&SpanData> for TestSpan {
    fn from(span: &SpanData) -> Self {
        let attributes = span.attributes.iter().map(|it| (it.key.to_string(), it.value.to_string()));
        Self {
            name: span.name.to_string(),
            trace_id: span.span_context.trace_id().to_string(),
            span_id: span.span_context.span_id().to_string(),
            parent_id: (span.parent_span_id != SpanId::INVALID).then(|| span.parent_span_id.to_string()),
            kind: span.span_kind.clone(),
            attributes: attributes.collect(),
            error: match &span.status {
                Status::Error { description } => Some(description.to_string()),
                _ => None,
            },
            events: span.events.events.iter().map(|it| it.name.to_string()).collect(),
        }
    }
}

impl TestSpan {
    /// Whether its parent is this one.
    pub fn is_child_of(&self, parent: &Self) -> bool {
        self.trace_id == parent.trace_id && self.parent_id.as_ref() == Some(&parent.span_id)
    }
}
