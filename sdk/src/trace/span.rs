//! The request's span, written as data at its end.

use http::Request;
use http::uri::Scheme;
use kilter_contract::http as contract;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::RequestContext;
use crate::signal::clock;
use crate::signal::http::method_index;

/// What is known of a request at its end.
#[derive(Debug)]
pub(crate) struct RequestEnd<'a> {
    pub(crate) method: &'static str,
    pub(crate) name: &'static str,
    pub(crate) route: Option<&'static str>,
    pub(crate) facts: SpanFacts,
    pub(crate) status: u16,
    pub(crate) error: Option<&'a str>,
    /// Readings of the monotonic clock.
    pub(crate) started: u64,
    pub(crate) ended: u64,
}

/// What a span tells of its request beside what metrics know. None of it is ever a label.
#[derive(Debug)]
pub(crate) struct SpanFacts {
    /// Without the query string, which may hold secrets.
    path: String,
    scheme: &'static str,
    /// A method that is none of the contract's.
    strange_method: Option<Box<str>>,
}

impl SpanFacts {
    /// Those of this request.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let strange = method_index(request.method()) == contract::METHODS.len() - 1;
        Self {
            path: request.uri().path().into(),
            // HTTP/1.1 does not say; `serve` speaks without TLS.
            scheme: if request.uri().scheme() == Some(&Scheme::HTTPS) { "https" } else { "http" },
            strange_method: strange.then(|| request.method().as_str().into()),
        }
    }
}

/// The name of a request's span. A method that is not known is not in the name either, so that names stay few.
pub(crate) fn span_name(method_index: usize, route: Option<&str>) -> String {
    let verb = if method_index == contract::METHODS.len() - 1 { "HTTP" } else { contract::METHODS[method_index] };
    route.map_or_else(|| verb.to_owned(), |route| format!("{verb} {route}"))
}

/// Kind and attributes by the semantic conventions for HTTP server spans.
pub(crate) fn request_span(context: RequestContext, end: RequestEnd<'_>, scope: &InstrumentationScope) -> SpanData {
    let facts = end.facts;
    // Room for all that there can be: it is one allocation.
    let mut attributes = Vec::with_capacity(7);
    attributes.extend([
        KeyValue::new("http.request.method", end.method),
        KeyValue::new("url.path", facts.path),
        KeyValue::new("url.scheme", facts.scheme),
    ]);
    attributes.extend(facts.strange_method.map(|it| KeyValue::new("http.request.method_original", it.into_string())));
    attributes.extend(end.route.map(|route| KeyValue::new("http.route", route)));
    if end.status != 0 {
        attributes.push(KeyValue::new("http.response.status_code", i64::from(end.status)));
    }
    attributes.extend(end.error.map(|error| KeyValue::new("error.type", error.to_owned())));
    SpanData {
        span_context: context.span_context(),
        parent_span_id: context.parent_id.into(),
        parent_span_is_remote: context.parent_id != 0,
        span_kind: SpanKind::Server,
        name: end.name.into(),
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
