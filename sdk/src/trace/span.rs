//! The request's span, written as data at its end.

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::RequestContext;
use crate::signal::clock;

/// What is known of a request at its end.
#[derive(Debug)]
pub(crate) struct RequestEnd<'a> {
    pub(crate) method: &'static str,
    pub(crate) route: Option<&'a str>,
    pub(crate) path: &'a str,
    pub(crate) status: u16,
    pub(crate) error: Option<&'a str>,
    /// Readings of the monotonic clock.
    pub(crate) started: u64,
    pub(crate) ended: u64,
}

/// Name, kind and attributes by the semantic conventions for HTTP server spans.
pub(crate) fn request_span(context: RequestContext, end: &RequestEnd<'_>, scope: &InstrumentationScope) -> SpanData {
    let name = end.route.map_or_else(|| end.method.to_owned(), |route| format!("{} {route}", end.method));
    let mut attributes =
        vec![KeyValue::new("http.request.method", end.method), KeyValue::new("url.path", end.path.to_owned())];
    attributes.extend(end.route.map(|route| KeyValue::new("http.route", route.to_owned())));
    if end.status != 0 {
        attributes.push(KeyValue::new("http.response.status_code", i64::from(end.status)));
    }
    attributes.extend(end.error.map(|error| KeyValue::new("error.type", error.to_owned())));
    SpanData {
        span_context: context.span_context(),
        parent_span_id: context.parent_id.into(),
        parent_span_is_remote: context.parent_id != 0,
        span_kind: SpanKind::Server,
        name: name.into(),
        start_time: clock::wall(end.started),
        end_time: clock::wall(end.ended),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: end.error.map_or(Status::Unset, |error| Status::error(error.to_owned())),
        instrumentation_scope: scope.clone(),
    }
}
