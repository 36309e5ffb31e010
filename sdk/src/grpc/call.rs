//! The account of one call to a dependency, from its request to its status.

use http::{HeaderMap, Response, StatusCode, Uri};
use http_body::Body;
use kilter_contract::error_type;
use opentelemetry::KeyValue;
use opentelemetry::trace::SpanKind;
use tonic::Status;

use super::client::GrpcClient;
use super::message::Messages;
use super::{SYSTEM, full_name, status};
use crate::error_kind::kind_of_cause;
use crate::signal::clock;
use crate::trace::{CallSpan, RequestContext, Target};
use crate::watch::Watch;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    client: GrpcClient,
    /// A copy of it costs no allocation; the method is its path.
    uri: Uri,
    pub(super) watch: Watch,
    first_message: u64,
    messages: Messages,
    http_status: StatusCode,
    status: Option<&'static str>,
    outcome: Outcome,
    /// Of sampled requests only.
    span: Option<Box<CallSpan>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Waiting,
    Head,
    Complete,
    /// There will be no status from the other side.
    Failed(&'static str),
}

impl Call {
    /// Opens the account of a call; with a context, it is a span too.
    pub(super) fn open(client: GrpcClient, uri: Uri, context: Option<RequestContext>) -> Self {
        let method = full_name(uri.path()).unwrap_or(error_type::OTHER);
        let span = context.map(|it| Box::new(CallSpan::rpc(it, client.dependency, method, &Target::of_uri(&uri))));
        Self {
            client,
            uri,
            watch: Watch::start(),
            first_message: 0,
            messages: Messages::default(),
            http_status: StatusCode::OK,
            status: None,
            outcome: Outcome::Waiting,
            span,
        }
    }

    /// The response head. True when the call is complete with it.
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> bool {
        self.http_status = response.status();
        self.status = status::in_headers(response.headers());
        self.outcome = Outcome::Head;
        let complete = response.body().is_end_stream();
        if complete {
            self.end(None);
        }
        complete
    }

    /// Bytes of the response.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        if self.first_message == 0 && !bytes.is_empty() {
            self.first_message = clock::now().saturating_sub(self.watch.started());
        }
        self.messages.read(bytes);
    }

    /// The end, with its trailers.
    pub(super) fn end(&mut self, trailers: Option<&HeaderMap>) {
        let of_http = || status::of_http(self.http_status);
        self.status = Some(trailers.and_then(status::in_headers).or(self.status).unwrap_or_else(of_http));
        self.outcome = Outcome::Complete;
    }

    /// The call failed on its way. Returns the status that tonic makes of it, which is what the caller sees and what is
    /// counted; but a deadline of this side has no status.
    pub(super) fn fail(&mut self, error: BoxError) -> Status {
        let (status, kind, made) = failed(error);
        self.status = status;
        self.outcome = Outcome::Failed(kind);
        made
    }

    /// Any status but OK is an error. A stream that its reader lets go is none: most streams end so.
    fn error(&self) -> Option<&'static str> {
        let by_status = || self.status.filter(|it| *it != "OK");
        match self.outcome {
            Outcome::Failed(kind) => Some(kind),
            Outcome::Complete => by_status(),
            Outcome::Waiting | Outcome::Head if self.watch.is_panicking() => Some(error_type::PANIC),
            Outcome::Waiting => Some(self.watch.given_up()),
            Outcome::Head if self.status.is_some() => by_status(),
            Outcome::Head if self.watch.is_waiting() => {
                Some(self.watch.given_up()).filter(|it| !self.messages.any() || *it != error_type::TIMEOUT)
            }
            Outcome::Head => None,
        }
    }
}

/// The status, kind and tonic's own form of an error on the way.
pub(super) fn failed(error: BoxError) -> (Option<&'static str>, &'static str, Status) {
    let deadline = kind_of_cause(error.as_ref());
    let made = Status::from_error(error);
    let status = status::name(made.code());
    match deadline {
        Some(kind) => (None, kind, made),
        None => (Some(status), status, made),
    }
}

/// The only place that records.
impl Drop for Call {
    fn drop(&mut self) {
        let ended = clock::now();
        let (started, error) = (self.watch.started(), self.error());
        let unfinished = self.outcome == Outcome::Head && self.messages.any();
        let stream = self.messages.many() || unfinished;
        let value = if stream { self.first_message } else { ended.saturating_sub(started) };
        let method = full_name(self.uri.path()).unwrap_or(error_type::OTHER);
        let dependency = Some(self.client.dependency);
        self.client.calls.series(&[SYSTEM, Some(method), dependency, self.status, error]).record(value);
        if let Some(mut span) = self.span.take() {
            span.attributes.extend(self.status.map(|it| KeyValue::new("rpc.response.status_code", it)));
            span.finish(self.client.core, SpanKind::Client, (started, ended), error);
        }
    }
}
