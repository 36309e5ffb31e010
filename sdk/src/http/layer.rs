//! The layer. Making one costs nothing and does nothing: axum makes one per connection.

use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::account::Account;
use super::body::AccountedBody;
use super::future::AccountedFuture;
use crate::core::Core;
use crate::trace::current_core;

/// The HTTP server layer. [`Telemetry::serve`](crate::Telemetry::serve) puts it outermost; for other servers, add it
/// last: `router.layer(telemetry.http_server())`.
#[derive(Debug, Clone, Copy)]
pub struct HttpServer {
    core: &'static Core,
}

/// A service whose requests are accounted for.
#[derive(Debug, Clone)]
pub struct Accounted<S> {
    inner: S,
    core: &'static Core,
}

impl HttpServer {
    pub(crate) const fn new(core: &'static Core) -> Self {
        Self { core }
    }
}

impl<S> Layer<S> for HttpServer {
    type Service = Accounted<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Accounted { inner, core: self.core }
    }
}

impl<S, B, R> Service<Request<B>> for Accounted<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<AccountedBody<R>>;
    type Error = S::Error;
    type Future = AccountedFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    // Not inlined: its caller would then move what it returns once more, and the future of an axum route is 320 bytes.
    #[inline(never)]
    fn call(&mut self, request: Request<B>) -> Self::Future {
        if current_core() == std::ptr::from_ref(self.core).addr() {
            return self.pass_on(request);
        }
        let mut account = Account::open(self.core, &request);
        let running = account.enter();
        let future = self.inner.call(request);
        running.leave();
        AccountedFuture::new(future, account)
    }
}

impl<S> Accounted<S> {
    /// For a request that this instance accounts for already.
    #[cold]
    fn pass_on<B>(&mut self, request: Request<B>) -> AccountedFuture<S::Future>
    where
        S: Service<Request<B>>,
    {
        self.core.second_layer();
        AccountedFuture::new(self.inner.call(request), Account::NONE)
    }
}
