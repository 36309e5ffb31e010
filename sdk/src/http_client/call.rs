//! The account of one call, from its start to the last byte of its response.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body::Body;
use kilter_contract::{error_type, http as contract};
use opentelemetry::trace::SpanKind;

use super::HttpClient;
use crate::error_type::ErrorType;
use crate::signal::clock;
use crate::signal::family::Series;
use crate::signal::http::method_index;
use crate::trace::{CallSpan, RequestContext};
use crate::watch::Watch;

pub(crate) use crate::trace::Target;

/// The length of a body that nobody announced.
const UNKNOWN: u64 = u64::MAX;

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    client: HttpClient,
    active: &'static Series,
    method: &'static str,
    pub(super) watch: Watch,
    status: Option<StatusCode>,
    /// What the response says of itself.
    marked: Option<&'static str>,
    outcome: Outcome,
    /// Bytes of the body that are to come; [`UNKNOWN`] when nobody announced them.
    left: u64,
    /// It has no end of its own: whoever reads it decides.
    endless: bool,
    /// Of sampled requests only.
    span: Option<Box<CallSpan>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Open,
    Complete,
    Failed(&'static str),
}

impl Call {
    /// Opens the account of a call; with a context, it is a span too.
    pub(super) fn open(
        client: HttpClient,
        method: &Method,
        context: Option<RequestContext>,
        target: impl FnOnce() -> Target,
    ) -> Self {
        let name = contract::METHODS[method_index(method)];
        let active = client.active(name);
        active.level().shift(1.0);
        let span = context.map(|it| Box::new(CallSpan::http(it, client.dependency, name, method, &target())));
        Self {
            client,
            active,
            method: name,
            watch: Watch::start(),
            status: None,
            marked: None,
            outcome: Outcome::Open,
            left: UNKNOWN,
            endless: false,
            span,
        }
    }

    /// The response head. True when the response is complete with it.
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> bool {
        let status = response.status();
        self.status = Some(status);
        self.marked = response.extensions().get::<ErrorType>().map(|it| it.as_str());
        let tunnel = self.method == "CONNECT" && status.is_success();
        let bodiless =
            self.method == "HEAD" || tunnel || status.is_informational() || matches!(status.as_u16(), 204 | 304);
        self.left = response.body().size_hint().exact().unwrap_or_else(|| {
            let event_stream = |it: &HeaderValue| it.as_bytes().starts_with(b"text/event-stream");
            self.endless = response.headers().get(CONTENT_TYPE).is_some_and(event_stream);
            let announced = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
            announced().unwrap_or(UNKNOWN)
        });
        let complete = bodiless || self.left == 0 || response.body().is_end_stream();
        if complete {
            self.outcome = Outcome::Complete;
        }
        complete
    }

    /// A frame of the body. True when the response is complete with it.
    pub(super) fn data(&mut self, bytes: usize, end: bool) -> bool {
        if self.left != UNKNOWN {
            self.left = self.left.saturating_sub(bytes as u64);
        }
        let complete = end || self.left == 0;
        if complete {
            self.outcome = Outcome::Complete;
        }
        complete
    }

    /// There will be no response, or no rest of it.
    pub(super) fn fail(&mut self, kind: &'static str) {
        self.outcome = Outcome::Failed(kind);
    }

    /// The outcome. A response that was an error stays one whatever became of its body. A body that its reader lets go
    /// is no error: most of those who look at the status only never read it. One that its reader waits for is given up.
    fn error(&self) -> Option<&str> {
        let answered =
            self.marked.or_else(|| self.status.as_ref().filter(|it| it.is_server_error()).map(StatusCode::as_str));
        match self.outcome {
            Outcome::Open if self.watch.is_panicking() => Some(error_type::PANIC),
            Outcome::Failed(kind) => answered.or(Some(kind)),
            Outcome::Open if self.status.is_none() => Some(self.watch.given_up()),
            Outcome::Open if answered.is_none() && self.watch.is_waiting() => {
                let kind = self.watch.given_up();
                Some(kind).filter(|it| !self.endless || *it != error_type::TIMEOUT)
            }
            Outcome::Open | Outcome::Complete => answered,
        }
    }
}

/// The only place that records.
impl Drop for Call {
    fn drop(&mut self) {
        let ended = clock::now();
        let started = self.watch.started();
        let span = self.span.take();
        let error = self.error();
        let status = self.status.as_ref().map(StatusCode::as_str);
        self.client.series(self.method, status, error).record(ended.saturating_sub(started));
        // After the outcome: whoever sees this call ended sees it counted.
        self.active.level().shift(-1.0);
        if let Some(mut span) = span {
            // To a client a status of 400 to 499 is an error of its own, by the conventions for spans; it is none of the
            // dependency's, so metrics do not count it.
            let own = status.filter(|_| self.status.is_some_and(|it| it.is_client_error()));
            span.status_code(self.status);
            span.finish(self.client.core, SpanKind::Client, (started, ended), error.or(own));
        }
    }
}
