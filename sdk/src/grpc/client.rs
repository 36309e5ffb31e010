//! The layer around a gRPC channel, with the future and body that carry a call's account: thin.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use kilter_contract::error_type;
use kilter_contract::rpc::CLIENT_CALL_DURATION;
use pin_project_lite::pin_project;
use tonic::Status;
use tower_layer::Layer;
use tower_service::Service;

use super::SYSTEM;
use super::call::{Call, failed};
use crate::Telemetry;
use crate::core::Core;
use crate::signal::family::Family;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A gRPC dependency. Copy it to wherever it is called; [`Telemetry::grpc_client`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct GrpcClient {
    pub(super) core: &'static Core,
    pub(super) calls: &'static Family,
    pub(super) dependency: &'static str,
}

impl Telemetry {
    /// The gRPC dependency of this name, as a layer for tonic's channels:
    ///
    /// ```no_run
    /// use kilter::tonic::transport::Channel;
    /// use tower::ServiceBuilder;
    ///
    /// # async fn connect(telemetry: kilter::Telemetry) -> Result<(), Box<dyn std::error::Error>> {
    /// let channel = Channel::from_static("http://identity:50051").connect_lazy();
    /// let channel = ServiceBuilder::new().layer(telemetry.grpc_client("identity")).service(channel);
    /// // let users = UsersClient::new(channel);
    /// # let _ = channel; Ok(()) }
    /// ```
    ///
    /// A call is counted once, when its outcome is known, with the status that its caller sees: any but OK is an error,
    /// and a connection that is refused is UNAVAILABLE. A deadline of this side is `timeout`, without a status. A streaming
    /// call's value is its time to first message, and letting a stream go is no error.
    pub fn grpc_client(&self, dependency: &'static str) -> GrpcClient {
        let core = self.core();
        let client = GrpcClient { core, calls: core.families.of(&CLIENT_CALL_DURATION), dependency };
        // Idle is not missing.
        client.calls.series(&[SYSTEM, Some(error_type::OTHER), Some(dependency), Some("OK"), None]);
        client
    }
}

impl GrpcClient {
    /// Methods that are called, as `package.Service/Method`: their success and UNAVAILABLE series exist from now on, so
    /// that the first refused connection is seen at once.
    #[must_use]
    pub fn methods(self, names: &[&str]) -> Self {
        for name in names.iter().map(|it| it.trim_start_matches('/')) {
            for (status, error) in [("OK", None), ("UNAVAILABLE", Some("UNAVAILABLE"))] {
                self.calls.series(&[SYSTEM, Some(name), Some(self.dependency), Some(status), error]);
            }
        }
        self
    }
}

/// A channel whose calls are accounted for.
#[derive(Debug, Clone)]
pub struct GrpcCalling<S> {
    inner: S,
    client: GrpcClient,
}

impl<S> Layer<S> for GrpcClient {
    type Service = GrpcCalling<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GrpcCalling { inner, client: *self }
    }
}

impl<S, B, R> Service<Request<B>> for GrpcCalling<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Response = Response<GrpcCallBody<R>>;
    type Error = Status;
    type Future = GrpcCallFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.inner.poll_ready(context).map_err(|error| {
            let (status, kind, made) = failed(error.into());
            let (method, dependency) = (Some(error_type::OTHER), Some(self.client.dependency));
            self.client.calls.series(&[SYSTEM, method, dependency, status, Some(kind)]).record(0);
            made
        })
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let context = crate::trace::outgoing(request.headers_mut());
        let mut call = Call::open(self.client, request.uri().clone(), context);
        let future = call.watch.run(|| self.inner.call(request));
        GrpcCallFuture { future, call: Some(call) }
    }
}

pin_project! {
    /// A response on its way, with the account of its call.
    #[derive(Debug)]
    pub struct GrpcCallFuture<F> {
        #[pin]
        future: F,
        call: Option<Call>,
    }
}

impl<F, R, E> Future for GrpcCallFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: Into<BoxError>,
{
    type Output = Result<Response<GrpcCallBody<R>>, Status>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = match this.call.as_mut() {
            Some(call) => ready!(call.watch.poll(|| this.future.poll(context))),
            None => ready!(this.future.poll(context)),
        };
        let mut call = this.call.take();
        Poll::Ready(match result {
            Ok(response) => {
                if call.as_mut().is_some_and(|it| it.head(&response)) {
                    call = None;
                }
                Ok(response.map(|body| GrpcCallBody { body, call }))
            }
            Err(error) => Err(match &mut call {
                Some(call) => call.fail(error.into()),
                None => Status::from_error(error.into()),
            }),
        })
    }
}

pin_project! {
    /// A body that closes its call's account with its trailers, when it fails or is dropped.
    #[derive(Debug)]
    pub struct GrpcCallBody<B> {
        #[pin]
        body: B,
        call: Option<Call>,
    }
}

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for GrpcCallBody<B> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut this = self.project();
        let Some(call) = this.call.as_mut() else {
            return this.body.poll_frame(context).map_err(|error| Status::from_error(error.into()));
        };
        let (frame, done) = match ready!(call.watch.poll(|| this.body.as_mut().poll_frame(context))) {
            None => {
                call.end(None);
                (None, true)
            }
            Some(Err(error)) => (Some(Err(call.fail(error.into()))), true),
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    call.data(bytes);
                }
                let end = frame.is_trailers() || this.body.is_end_stream();
                if end {
                    call.end(frame.trailers_ref());
                }
                (Some(Ok(frame)), end)
            }
        };
        if done {
            *this.call = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
