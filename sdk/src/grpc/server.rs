//! The layer around a gRPC server, with the future and body that carry a call's account: thin.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use kilter_contract::rpc::SERVER_CALL_DURATION;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::SYSTEM;
use super::served::Served;
use crate::Telemetry;
use crate::core::Core;
use crate::measured::poll_to_end;

/// The gRPC server layer; [`Telemetry::grpc_server`] makes one. Making one costs nothing.
#[derive(Debug, Clone, Copy)]
pub struct GrpcServer {
    core: &'static Core,
}

impl Telemetry {
    /// The gRPC server layer, for tonic's own server and for its routes within axum:
    ///
    /// ```no_run
    /// # use kilter::tonic::{server::NamedService, service::Routes};
    /// # async fn with(telemetry: kilter::Telemetry, routes: axum::Router) {
    /// // kilter::tonic::transport::Server::builder().layer(telemetry.grpc_server()).add_service(service)
    /// let app = axum::Router::new().merge(routes.layer(telemetry.grpc_server()));
    /// # }
    /// ```
    ///
    /// A call is counted once, when its status is known, whether it stands in the trailers or in the head; requests that
    /// are not gRPC pass by. A streaming call's value is its time to first message. A method is `_OTHER` until a call of
    /// it has ended with a status that only a method gives, so no client can invent names; see
    /// [`methods`](GrpcServer::methods).
    pub fn grpc_server(&self) -> GrpcServer {
        GrpcServer { core: self.core() }
    }
}

impl GrpcServer {
    /// Methods that the server has, as `package.Service/Method`: their success and INTERNAL series exist from now on, so
    /// that idle is not missing, and a method that fails from its first call on, by a deadline too, is seen under its name.
    #[must_use]
    pub fn methods(self, names: &[&str]) -> Self {
        let calls = self.core.families.of(&SERVER_CALL_DURATION);
        for name in names.iter().filter_map(|it| self.core.rpc_methods.learn(it.trim_start_matches('/'))) {
            for (status, error) in [("OK", None), ("INTERNAL", Some("INTERNAL"))] {
                calls.series(&[SYSTEM, Some(name), Some(status), error]);
            }
        }
        self
    }
}

/// A server whose calls are accounted for.
#[derive(Debug, Clone)]
pub struct GrpcAccounted<S> {
    inner: S,
    core: &'static Core,
}

/// Marks a request whose call has an account, by the address of its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Accounted(usize);

impl<S> Layer<S> for GrpcServer {
    type Service = GrpcAccounted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GrpcAccounted { inner, core: self.core }
    }
}

impl<S, B, R> Service<Request<B>> for GrpcAccounted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    R: Body<Data = Bytes>,
{
    type Response = Response<GrpcBody<R>>;
    type Error = S::Error;
    type Future = GrpcFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if !is_grpc(&request) {
            return GrpcFuture { future: Some(self.inner.call(request)), served: None };
        }
        let mark = Accounted(std::ptr::from_ref(self.core).addr());
        if request.extensions_mut().insert(mark) == Some(mark) {
            self.core.second_layer();
            return GrpcFuture { future: Some(self.inner.call(request)), served: None };
        }
        let mut served = Served::open(self.core, &request);
        let future = served.run(|| self.inner.call(request));
        GrpcFuture { future: Some(future), served: Some(served) }
    }
}

/// `application/grpc`, with or without a format; gRPC-Web is another protocol.
fn is_grpc<B>(request: &Request<B>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    let format = kind.and_then(|it| it.strip_prefix(b"application/grpc"));
    format.is_some_and(|it| it.first().is_none_or(|it| matches!(it, b'+' | b';')))
}

pin_project! {
    /// A response on its way, with the account of its call.
    #[derive(Debug)]
    pub struct GrpcFuture<F> {
        #[pin]
        future: Option<F>,
        served: Option<Served>,
    }
}

impl<F, R, E> Future for GrpcFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
{
    type Output = Result<Response<GrpcBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(served) = this.served.as_mut() else {
            return poll_to_end(this.future, context).map_ok(|it| it.map(|body| GrpcBody { body, served: None }));
        };
        let result = ready!(served.run(|| poll_to_end(this.future, context)));
        let mut served = this.served.take();
        Poll::Ready(match result {
            Ok(response) => {
                if served.as_mut().is_some_and(|it| it.head(&response)) {
                    served = None;
                }
                Ok(response.map(|body| GrpcBody { body, served }))
            }
            Err(error) => {
                if let Some(served) = &mut served {
                    served.service_failed(&error);
                }
                Err(error)
            }
        })
    }
}

pin_project! {
    /// A body that closes its call's account with its trailers, when it fails or is dropped.
    #[derive(Debug)]
    pub struct GrpcBody<B> {
        #[pin]
        body: B,
        served: Option<Served>,
    }
}

impl<B: Body<Data = Bytes>> Body for GrpcBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(served) = this.served.as_mut() else { return this.body.poll_frame(context) };
        let Poll::Ready(frame) = served.run(|| this.body.as_mut().poll_frame(context)) else {
            served.pending();
            return Poll::Pending;
        };
        let done = match &frame {
            None => {
                served.end(None);
                true
            }
            Some(Err(_)) => {
                served.body_failed();
                true
            }
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    served.data(bytes);
                }
                let end = frame.is_trailers() || this.body.is_end_stream();
                if end {
                    served.end(frame.trailers_ref());
                }
                end
            }
        };
        if done {
            *this.served = None;
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
