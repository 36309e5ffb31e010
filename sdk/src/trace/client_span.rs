//! What a call to a dependency carries out, and its span, written as data at its end like the request's; also those of
//! messages, jobs and database operations.

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use kilter_contract::http as contract;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::RequestContext;
use super::traceparent::TRACEPARENT;
use super::tracer::random;
use crate::core::Core;
use crate::signal::clock;
use crate::signal::http::method_index;

/// Puts the `traceparent` of the current request into the headers of a call, unless the caller has put one there.
/// Returns the context of the call's own span when the request is sampled.
pub(crate) fn outgoing(headers: &mut HeaderMap) -> Option<RequestContext> {
    let request = RequestContext::current();
    if !request.is_some() {
        return None;
    }
    let own = sampled_child();
    if !headers.contains_key(&TRACEPARENT)
        && let Ok(value) = HeaderValue::try_from(own.unwrap_or(request).traceparent())
    {
        headers.insert(&TRACEPARENT, value);
    }
    own
}

/// The context of a span below the current request, when it is sampled: one for what the service waits for.
pub(crate) fn sampled_child() -> Option<RequestContext> {
    let request = RequestContext::current();
    request.sampled.then(|| child_of(request))
}

/// The innermost span of the current request on this thread, as its context: what a message carries on.
pub(crate) fn innermost() -> Option<RequestContext> {
    let request = RequestContext::current();
    let within = if request.sampled { span_within(request) } else { None };
    request.is_some().then(|| RequestContext { span_id: within.unwrap_or(request.span_id), ..request })
}

/// A span below the innermost one of the request on this thread: a `tracing` span of the service's, or the request's.
#[cold]
fn child_of(request: RequestContext) -> RequestContext {
    let parent_id = span_within(request).unwrap_or(request.span_id);
    RequestContext { span_id: random() | 1, parent_id, ..request }
}

/// The `tracing` span of the service's that this thread is in, when it belongs to the request.
fn span_within(request: RequestContext) -> Option<u64> {
    Context::map_current(|it| {
        let span = it.span();
        let ids = span.span_context();
        (ids.trace_id() == TraceId::from(request.trace_id())).then(|| u64::from_be_bytes(ids.span_id().to_bytes()))
    })
}

/// Where a call goes, as far as its span may tell: neither query string nor credentials.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) scheme: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) path: String,
}

impl Target {
    /// That of a request's URI. One without a host goes where its client is bound to.
    pub(crate) fn of_uri(uri: &Uri) -> Self {
        let scheme = uri.scheme_str().map(str::to_owned);
        Self { scheme, host: uri.host().map(str::to_owned), port: uri.port_u16(), path: uri.path().to_owned() }
    }

    fn default_port(&self) -> Option<u16> {
        match self.scheme.as_deref() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        }
    }

    fn server(&self) -> impl Iterator<Item = KeyValue> + use<> {
        // An address, not a part of a URL: without the brackets of IPv6.
        let address = self.host.as_deref().map(|it| it.trim_start_matches('[').trim_end_matches(']').to_owned());
        let port = self.port.or_else(|| self.default_port()).filter(|_| address.is_some());
        let address = address.map(|it| KeyValue::new("server.address", it));
        address.into_iter().chain(port.map(|it| KeyValue::new("server.port", i64::from(it))))
    }

    fn url(&self) -> Option<String> {
        let (scheme, host) = (self.scheme.as_deref()?, self.host.as_deref()?);
        let port = self.port.map(|it| format!(":{it}")).unwrap_or_default();
        Some(format!("{scheme}://{host}{port}{}", self.path))
    }
}

/// The span of a call, of a call that is served, of a message, a job or a database operation. Of what is sampled only.
#[derive(Debug)]
pub(crate) struct CallSpan {
    context: RequestContext,
    pub(crate) name: Cow<'static, str>,
    pub(crate) attributes: Vec<KeyValue>,
}

impl CallSpan {
    /// A span with this name.
    pub(crate) fn new(context: RequestContext, name: Cow<'static, str>, attributes: Vec<KeyValue>) -> Self {
        Self { context, name, attributes }
    }

    /// Name and attributes by the semantic conventions for HTTP client spans.
    #[cold]
    pub(crate) fn http(
        context: RequestContext,
        dependency: &'static str,
        method: &'static str,
        original: &Method,
        target: &Target,
    ) -> Self {
        let strange = method_index(original) == contract::METHODS.len() - 1;
        let mut attributes =
            vec![KeyValue::new("kilter.dependency", dependency), KeyValue::new("http.request.method", method)];
        if strange {
            attributes.push(KeyValue::new("http.request.method_original", original.as_str().to_owned()));
        }
        attributes.extend(target.server());
        attributes.extend(target.url().map(|it| KeyValue::new("url.full", it)));
        Self::new(context, (if strange { "HTTP" } else { method }).into(), attributes)
    }

    /// Name and attributes by the semantic conventions for RPC client spans.
    #[cfg(feature = "tonic-0-14")]
    #[cold]
    pub(crate) fn rpc(context: RequestContext, dependency: &'static str, method: &str, target: &Target) -> Self {
        let mut attributes = vec![
            KeyValue::new("kilter.dependency", dependency),
            KeyValue::new("rpc.system.name", "grpc"),
            KeyValue::new("rpc.method", method.to_owned()),
        ];
        attributes.extend(target.server());
        Self::new(context, method.to_owned().into(), attributes)
    }

    /// Name and attributes by the semantic conventions for messaging spans: a message that is processed.
    #[cold]
    pub(crate) fn message(
        context: RequestContext,
        system: &'static str,
        destination: &'static str,
        group: Option<&'static str>,
    ) -> Self {
        let mut attributes = vec![
            KeyValue::new("messaging.system", system),
            KeyValue::new("messaging.destination.name", destination),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
        ];
        attributes.extend(group.map(|it| KeyValue::new("messaging.consumer.group.name", it)));
        Self::new(context, format!("process {destination}").into(), attributes)
    }

    /// Name and attributes by the semantic conventions for database spans. The operation has the name that the code gives
    /// it, and no text of a query: that may hold what no trace should.
    #[cold]
    pub(crate) fn db(
        context: RequestContext,
        system: &'static str,
        operation: &'static str,
        namespace: &'static str,
        role: &'static str,
    ) -> Self {
        let attributes = vec![
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.operation.name", operation),
            KeyValue::new("db.namespace", namespace),
            KeyValue::new("kilter.db.role", role),
        ];
        Self::new(context, operation.into(), attributes)
    }

    /// The run of a job. There is no convention for those.
    #[cold]
    pub(crate) fn job(context: RequestContext, name: &'static str) -> Self {
        Self::new(context, format!("run {name}").into(), vec![KeyValue::new("job.name", name)])
    }

    /// The status of an HTTP response.
    pub(crate) fn status_code(&mut self, status: Option<StatusCode>) {
        let code = status.map(|it| KeyValue::new("http.response.status_code", i64::from(it.as_u16())));
        self.attributes.extend(code);
    }

    /// Queues it, as what has just ended after so many nanoseconds.
    pub(crate) fn finish_now(self, core: &Core, kind: SpanKind, nanos: u64, error: Option<&str>) {
        let ended = clock::now();
        self.finish(core, kind, (ended.saturating_sub(nanos), ended), error);
    }

    /// Queues it. `ran` is from when to when, by the monotonic clock.
    pub(crate) fn finish(self, core: &Core, kind: SpanKind, ran: (u64, u64), error: Option<&str>) {
        let Some(tracer) = core.tracer.get() else { return };
        let Some(exporter) = &tracer.exporter else { return };
        let Self { context, name, mut attributes } = self;
        attributes.extend(error.map(|it| KeyValue::new("error.type", it.to_owned())));
        exporter.queue(SpanData {
            span_context: context.span_context(),
            parent_span_id: context.parent_id.into(),
            parent_span_is_remote: matches!(kind, SpanKind::Server | SpanKind::Consumer) && context.parent_id != 0,
            span_kind: kind,
            name,
            start_time: clock::wall(ran.0),
            end_time: clock::wall(ran.1),
            attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: error.map_or(Status::Unset, |it| Status::error(it.to_owned())),
            instrumentation_scope: tracer.scope.clone(),
        });
    }
}
