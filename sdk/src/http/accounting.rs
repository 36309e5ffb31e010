//! The account of one request, from its start to its last byte.
//!
//! A drop alone tells little: hyper drops the bodies of HEAD, 304 and Content-Length responses without polling them to
//! their end, and a panic that a layer further out catches is dropped after its unwinding. So the account keeps its
//! phase, and knows itself when a response is complete.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, MatchedPath};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, Response};
use http_body::Body;
use kilter_contract::{error_type, http as contract};

use crate::core::Core;
use crate::error_type::ErrorType;
use crate::signal::clock;
use crate::signal::http::{CONNECT, ErrorId, HEAD, MethodSeries, NONE, RouteSeries, STATUS, Timed, method_index};
use crate::trace::{Entered, RequestContext, RequestEnd, SpanFacts, enter, span_name};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepted; no response head yet.
    Waiting,
    /// Inside the service or its body: whoever drops the account now is unwinding from a panic.
    Polling,
    /// The head was handed over; its body is not complete.
    Streaming,
    /// Complete.
    Complete,
    /// The body failed after the head.
    BodyFailed,
    /// The service returned an error instead of a response.
    ServiceFailed,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Pending {
    core: &'static Core,
    route: &'static RouteSeries,
    method: &'static MethodSeries,
    /// Small, so that the account is.
    method_index: u8,
    started: u64,
    first_byte: u64,
    /// Bytes of the body that are to come; [`UNKNOWN`] when nobody announced them.
    left: u64,
    status: u16,
    error: ErrorId,
    phase: Phase,
    stream: bool,
    context: RequestContext,
    sampled: Option<Box<Sampled>>,
}

/// What is kept of sampled requests only.
#[derive(Debug)]
struct Sampled {
    facts: SpanFacts,
    /// The parent of the spans that the service's code makes.
    parent: opentelemetry::Context,
}

/// The length of a body that nobody announced.
const UNKNOWN: u64 = u64::MAX;

impl Pending {
    /// Opens the account of a request.
    // Inlined, so that it is written where it stays.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a copy of it is a tenth of what a request costs")]
    pub(super) fn open<B>(core: &'static Core, request: &Request<B>) -> Self {
        let started = clock::now();
        let template = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        let (route, folded) = core.routes.find(template);
        if folded {
            core.health.overflow(contract::SERVER_REQUEST_DURATION.name);
        }
        let index = method_index(request.method());
        let method = route.method(index);
        method.started.add(1);
        let peer = || request.extensions().get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip());
        let context = match core.tracer.get() {
            Some(tracer) => tracer.begin(&core.health, request.headers(), peer),
            None => RequestContext::NONE,
        };
        let sampled =
            context.open_telemetry().map(|parent| Box::new(Sampled { facts: SpanFacts::of(request), parent }));
        Self {
            core,
            route,
            method,
            method_index: u8::try_from(index).unwrap_or(u8::MAX),
            started,
            first_byte: 0,
            left: UNKNOWN,
            status: 0,
            error: NONE,
            phase: Phase::Waiting,
            stream: route.stream,
            context,
            sampled,
        }
    }

    /// The service's code runs as this request until the guard is left. When it unwinds instead, the phase stays
    /// [`Phase::Polling`].
    #[inline]
    pub(super) fn enter(&mut self) -> Running<'_> {
        let before = std::mem::replace(&mut self.phase, Phase::Polling);
        let parent = self.sampled.as_ref().map(|it| &it.parent);
        let entered = enter(&self.context, std::ptr::from_ref(self.core).addr(), parent);
        Running { pending: self, before, entered }
    }

    /// The response head. True when the response is complete with it.
    #[inline]
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> bool {
        self.first_byte = clock::now().saturating_sub(self.started);
        self.method.first_byte.histogram.record(self.first_byte);
        self.status = response.status().as_u16();
        self.phase = Phase::Streaming;
        if let Some(kind) = response.extensions().get::<ErrorType>() {
            self.error = self.core.error_id(kind.as_str());
        } else if self.status >= 400 && self.status == self.core.config.timeout_status {
            self.error = self.core.error_id(error_type::TIMEOUT);
        } else if (500..600).contains(&self.status) {
            self.error = STATUS;
        }
        let method = usize::from(self.method_index);
        let tunnel = method == CONNECT && (200..300).contains(&self.status);
        let bodiless = method == HEAD || tunnel || self.status < 200 || matches!(self.status, 204 | 304);
        // A body of known size is at hand and no stream: most responses need no look at their headers.
        self.left = response.body().size_hint().exact().unwrap_or_else(|| {
            // The responses of gRPC are streams too, also those of one message.
            let streams = [&b"text/event-stream"[..], b"application/grpc"];
            let streamed = |it: &http::HeaderValue| streams.iter().any(|kind| it.as_bytes().starts_with(kind));
            self.stream |= response.headers().get(CONTENT_TYPE).is_some_and(streamed);
            let announced = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
            announced().unwrap_or(UNKNOWN)
        });
        let complete = bodiless || self.left == 0 || response.body().is_end_stream();
        if complete {
            self.complete();
        }
        complete
    }

    /// Bytes of the body. True when the response is complete with them.
    #[inline]
    pub(super) fn data(&mut self, bytes: usize) -> bool {
        if self.left != UNKNOWN {
            self.left = self.left.saturating_sub(bytes as u64);
        }
        self.left == 0
    }

    /// The response was handed over to its last byte.
    #[inline]
    pub(super) fn complete(&mut self) {
        self.phase = Phase::Complete;
    }

    /// The body failed, or the service did.
    pub(crate) fn fail(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Takes the name that a [`route`](crate::route) inside has given to a request without a matched path.
    #[cold]
    fn take_name(&mut self, tag: &'static str) {
        if self.route.template.is_none() {
            let (route, folded) = self.core.routes.find(Some(tag));
            if folded {
                self.core.health.overflow(contract::SERVER_REQUEST_DURATION.name);
            }
            let named = route.method(usize::from(self.method_index));
            // It is in flight under its name from now on.
            named.started.add(1);
            self.method.ended.add(1);
            (self.route, self.method) = (route, named);
            self.stream |= route.stream;
        }
    }

    /// Writes the span of a sampled request; whether it is on its way.
    #[cold]
    fn finish_span(&self, facts: SpanFacts, ended: u64, error: ErrorId) -> bool {
        let Some(tracer) = self.core.tracer.get() else { return false };
        let error = self.core.error_text(self.status, error);
        let route = self.route.template.as_deref();
        let end = RequestEnd {
            method: contract::METHODS[usize::from(self.method_index)],
            name: self.method.span_name.get_or_init(|| span_name(usize::from(self.method_index), route)),
            route,
            facts,
            status: self.status,
            error: error.as_deref(),
            started: self.started,
            ended,
        };
        tracer.finish(self.context, end)
    }

    /// The outcome. A response that was an error stays one when its body is not read to the end: the service had
    /// failed before the client left, and an impatient client must not hide that.
    fn error(&self) -> ErrorId {
        let kind = match self.phase {
            Phase::Polling => error_type::PANIC,
            Phase::Complete => return self.error,
            Phase::Streaming | Phase::BodyFailed if self.error != NONE => return self.error,
            Phase::BodyFailed => error_type::BODY_ERROR,
            Phase::ServiceFailed => error_type::OTHER,
            Phase::Waiting | Phase::Streaming if self.core.shutting_down.load(Ordering::Relaxed) => {
                error_type::SERVER_SHUTDOWN
            }
            Phase::Waiting | Phase::Streaming => error_type::CLIENT_DISCONNECT,
        };
        self.core.error_id(kind)
    }

    /// Records the request; nothing else does. Called once, when its account is dropped.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "in one place")]
    pub(super) fn close(&mut self) {
        let ended = clock::now();
        let lived = ended.saturating_sub(self.started);
        let error = self.error();
        let (outcome, folded) = self.method.outcome(self.status, error);
        if folded {
            self.core.health.overflow(contract::SERVER_REQUEST_DURATION.name);
        }
        let streamed = self.stream && self.first_byte > 0;
        outcome.duration.histogram.record(if streamed { self.first_byte } else { lived });
        if streamed {
            outcome.stream().histogram.record(lived);
        }
        // After the outcome: whoever sees this request ended sees it counted.
        self.method.ended.add(1);
        if let Some(sampled) = self.sampled.take()
            && self.finish_span(sampled.facts, ended, error)
        {
            // Its span is on its way, so the histograms may point to it.
            let point = |series: &Timed, nanos: u64| series.histogram.exemplify(nanos, ended, self.context);
            point(&outcome.duration, if streamed { self.first_byte } else { lived });
            if streamed {
                point(outcome.stream(), lived);
            }
            if self.first_byte > 0 {
                point(&self.method.first_byte, self.first_byte);
            }
        }
    }
}

/// The service's code runs. Its drop takes over the name that the code gave to the request, also in unwinding.
pub(super) struct Running<'a> {
    pending: &'a mut Pending,
    before: Phase,
    entered: Entered,
}

impl Running<'_> {
    /// The code has returned.
    #[inline]
    pub(super) fn leave(self) {
        self.pending.phase = self.before;
    }
}

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(tag) = self.entered.tag() {
            self.pending.take_name(tag);
        }
    }
}
