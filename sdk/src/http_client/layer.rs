//! The layer around any tower client. Making one costs nothing.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::HttpClient;
use super::body::CallBody;
use super::call::{Call, Target};
use super::future::CallFuture;
use crate::error_kind::kind_of;

/// A client whose calls are accounted for.
#[derive(Debug, Clone)]
pub struct Calling<S> {
    inner: S,
    client: HttpClient,
}

impl<S> Layer<S> for HttpClient {
    type Service = Calling<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Calling { inner, client: *self }
    }
}

impl<S, B, R> Service<Request<B>> for Calling<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    R: Body<Error: 'static>,
{
    type Response = Response<CallBody<R>>;
    type Error = S::Error;
    type Future = CallFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context).map_err(|error| {
            self.client.refused(kind_of(&error));
            error
        })
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let context = crate::trace::outgoing(request.headers_mut());
        let target = || Target::of_uri(request.uri());
        let mut call = Call::open(self.client, request.method(), context, target);
        let future = call.watch.run(|| self.inner.call(request));
        CallFuture::new(future, call)
    }
}
