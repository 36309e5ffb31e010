//! The account of one call that is served, from its request to its status.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;

use axum::extract::ConnectInfo;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body::Body;
use kilter_contract::rpc::{SERVER_CALL_DURATION, SERVER_ERROR_TYPE};
use kilter_contract::{Values, error_type};
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tonic::transport::server::TcpConnectInfo;

use super::message::Messages;
use super::{SYSTEM, full_name, status};
use crate::core::Core;
use crate::error_kind::{as_error, kind_of};
use crate::error_type::ErrorType;
use crate::signal::clock;
use crate::trace::{CallSpan, RequestContext, current_core, enter};

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between its request and its end: whoever drops the account now ends the call.
    Open,
    /// Inside the service or its body: whoever drops the account now is unwinding from a panic.
    Polling,
    /// Its status is known, or there will be none.
    Complete,
    /// It has failed without a status.
    Failed(&'static str),
}

/// One call.
#[derive(Debug)]
pub(super) struct Served {
    core: &'static Core,
    /// A copy of it costs no allocation; the method is its path.
    uri: Uri,
    started: u64,
    first_message: u64,
    messages: Messages,
    /// The service was asked for more after a whole message and had nothing yet.
    paused: bool,
    /// When its caller no longer waits, after how many nanoseconds.
    deadline: Option<u64>,
    http_status: StatusCode,
    status: Option<&'static str>,
    /// The status is one that gRPC gave, none that clients make of an HTTP response.
    told: bool,
    /// What the response says of itself.
    marked: Option<&'static str>,
    phase: Phase,
    /// Where no HTTP layer of ours lies outside, the call is the request that logs and spans belong to.
    own: Option<RequestContext>,
}

/// Statuses that something before the methods may give to any path: they do not show that a method exists. None of them
/// is an error of the server.
const SAY_NOTHING: &[&str] =
    &["UNIMPLEMENTED", "UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "CANCELLED"];

impl Served {
    /// Opens the account of a call.
    pub(super) fn open<B>(core: &'static Core, request: &Request<B>) -> Self {
        let outermost = current_core() != std::ptr::from_ref(core).addr();
        let own = outermost.then(|| {
            let peer = || peer(request.extensions());
            core.tracer.get().map_or(RequestContext::NONE, |tracer| tracer.begin(&core.health, request.headers(), peer))
        });
        Self {
            core,
            uri: request.uri().clone(),
            started: clock::now(),
            first_message: 0,
            messages: Messages::default(),
            paused: false,
            deadline: deadline(request.headers()),
            http_status: StatusCode::OK,
            status: None,
            told: false,
            marked: None,
            phase: Phase::Open,
            own,
        }
    }

    /// Runs the service's code as this call. When it unwinds, the phase stays [`Phase::Polling`].
    pub(super) fn run<T>(&mut self, code: impl FnOnce() -> T) -> T {
        let before = std::mem::replace(&mut self.phase, Phase::Polling);
        let instance = std::ptr::from_ref(self.core).addr();
        let entered = self.own.map(|context| enter(&context, instance, context.open_telemetry().as_ref()));
        let value = code();
        drop(entered);
        self.phase = before;
        value
    }

    /// The response head. True when the call is complete with it.
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> bool {
        self.http_status = response.status();
        self.status = status::in_headers(response.headers());
        self.marked = response.extensions().get::<ErrorType>().map(|it| it.as_str());
        let complete = response.body().is_end_stream();
        if complete {
            self.end(None);
        }
        complete
    }

    /// Bytes of the response.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        if self.first_message == 0 && !bytes.is_empty() {
            self.first_message = clock::now().saturating_sub(self.started);
        }
        self.messages.read(bytes);
    }

    /// The body has nothing yet.
    pub(super) fn pending(&mut self) {
        self.paused |= self.messages.between();
    }

    /// The end, with its trailers.
    pub(super) fn end(&mut self, trailers: Option<&HeaderMap>) {
        let of_http = || status::of_http(self.http_status);
        let told = trailers.and_then(status::in_headers).or(self.status);
        self.told = told.is_some();
        self.status = Some(told.unwrap_or_else(of_http));
        self.phase = Phase::Complete;
    }

    /// The body failed.
    pub(super) fn body_failed(&mut self) {
        self.phase = Phase::Failed(error_type::BODY_ERROR);
    }

    /// The service returned an error: a status, when it is one.
    pub(super) fn service_failed<E: 'static>(&mut self, error: &E) {
        let any: &dyn Any = error;
        let status = as_error(any).and_then(|it| it.downcast_ref::<tonic::Status>());
        self.status = status.map(|it| status::name(it.code()));
        self.told = status.is_some();
        self.phase = if status.is_some() { Phase::Complete } else { Phase::Failed(kind_of(error)) };
    }

    /// Whether the call has run for as long as its caller waits. The caller's clock has begun a network's way earlier, so
    /// the last tenth counts as well.
    fn out_of_time(&self, lived: u64) -> bool {
        self.deadline.is_some_and(|it| lived >= it - it / 10)
    }

    fn error(&self, lived: u64) -> Option<&'static str> {
        let Values::Closed(errors) = SERVER_ERROR_TYPE.values else { return None };
        let by_status = || self.marked.or(self.status.filter(|it| errors.contains(it)));
        match self.phase {
            Phase::Polling => Some(error_type::PANIC),
            Phase::Failed(kind) => Some(kind),
            Phase::Complete => by_status(),
            // The head said it all; nobody waited for the end.
            Phase::Open if self.status.is_some() => by_status(),
            Phase::Open if self.core.shutting_down.load(Ordering::Relaxed) => Some(error_type::SERVER_SHUTDOWN),
            Phase::Open if self.out_of_time(lived) => Some(error_type::TIMEOUT),
            Phase::Open => Some(error_type::CLIENT_DISCONNECT),
        }
    }

    /// Whether the call shows that the server has its method: it sent a message, gave a status of its own, panicked, or
    /// ran into a deadline. What no method answers ends at once.
    fn proves_its_method(&self) -> bool {
        let status = self.status.filter(|_| self.told);
        let given = status.is_some_and(|it| !SAY_NOTHING.contains(&it));
        given || self.messages.any() || self.phase == Phase::Polling || self.marked == Some(error_type::TIMEOUT)
    }

    /// The method, once it is known that the server has it: paths are the client's choice.
    fn method(&self) -> &str {
        let name = full_name(self.uri.path());
        let known = name.and_then(|it| self.core.rpc_methods.find(it));
        let learn = || name.filter(|_| self.proves_its_method()).and_then(|it| self.core.rpc_methods.learn(it));
        known.or_else(learn).unwrap_or(error_type::OTHER)
    }
}

/// The only place that records.
impl Drop for Served {
    fn drop(&mut self) {
        let ended = clock::now();
        let lived = ended.saturating_sub(self.started);
        let (error, method) = (self.error(lived), self.method());
        let unfinished = self.phase == Phase::Open && self.messages.any();
        let stream = self.messages.many() || self.paused || unfinished;
        let calls = self.core.families.of(&SERVER_CALL_DURATION);
        calls.series(&[SYSTEM, Some(method), self.status, error]).record(if stream {
            self.first_message
        } else {
            lived
        });
        if let Some(context) = self.own.filter(|it| it.sampled) {
            let mut attributes =
                vec![KeyValue::new("rpc.system.name", "grpc"), KeyValue::new("rpc.method", method.to_owned())];
            attributes.extend(self.status.map(|it| KeyValue::new("rpc.response.status_code", it)));
            let name = if method == error_type::OTHER { "grpc".into() } else { method.to_owned().into() };
            let span = CallSpan::new(context, name, attributes);
            span.finish(self.core, SpanKind::Server, (self.started, ended), error);
        }
    }
}

/// Who calls, as tonic's server and ours say.
fn peer(extensions: &http::Extensions) -> Option<IpAddr> {
    let tonic = || extensions.get::<TcpConnectInfo>()?.remote_addr();
    extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0).or_else(tonic).map(|it| it.ip())
}

/// The deadline of a call in nanoseconds: at most eight digits and a unit.
/// Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
fn deadline(headers: &HeaderMap) -> Option<u64> {
    let (unit, digits) = headers.get("grpc-timeout")?.as_bytes().split_last()?;
    let nanos = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => return None,
    };
    let digits = std::str::from_utf8(digits).ok().filter(|it| it.len() <= 8)?;
    digits.parse::<u64>().ok()?.checked_mul(nanos)
}
