//! Names for what axum does not name: `nest_service` and fallback services have no matched path.

use std::task::{Context, Poll};

use http::Request;
use tower_layer::Layer;
use tower_service::Service;

use crate::trace::tag;

/// Names a mounted service's requests: `ServiceBuilder::new().layer(kilter::route("/files/{*rest}")).service(files)`.
///
/// Without it they count as unmatched, and unmatched requests are in no SLO.
pub const fn route(template: &'static str) -> RouteTag {
    RouteTag { template }
}

/// The layer that [`route`] makes.
#[derive(Debug, Clone, Copy)]
pub struct RouteTag {
    template: &'static str,
}

/// A service with a name.
#[derive(Debug, Clone)]
pub struct Tagged<S> {
    inner: S,
    template: &'static str,
}

impl<S> Layer<S> for RouteTag {
    type Service = Tagged<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Tagged { inner, template: self.template }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Tagged<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        tag(self.template);
        self.inner.call(request)
    }
}
