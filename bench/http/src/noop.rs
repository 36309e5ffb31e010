//! The layer that does nothing: what any layer costs by being there.

use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

/// Passes everything on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Noop;

/// What [`Noop`] makes.
#[derive(Debug, Clone)]
pub(crate) struct NoopService<S>(S);

impl<S> Layer<S> for Noop {
    type Service = NoopService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NoopService(inner)
    }
}

impl<S: Service<R>, R> Service<R> for NoopService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.0.call(request)
    }
}
