//! A deadline whose misses count as `timeout`. A timeout layer that Kilter does not know looks like a client that left
//! (outside ours), or like a success (inside ours, with status 408).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Sleep;
use tower_layer::Layer;
use tower_service::Service;

use crate::ErrorType;

/// Answers 503 when the service has not answered within `limit`; the request counts as `timeout`.
///
/// 503 rather than 408 or 504: the client was not slow, and no gateway is involved (RFC 9110, sections 15.5.9, 15.6.4).
pub const fn timeout(limit: Duration) -> Deadline {
    Deadline { limit }
}

/// The layer that [`timeout`] makes.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    limit: Duration,
}

/// A service with a deadline.
#[derive(Debug, Clone)]
pub struct Timeout<S> {
    inner: S,
    limit: Duration,
}

impl<S> Layer<S> for Deadline {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Timeout { inner, limit: self.limit }
    }
}

impl<S, B, R> Service<Request<B>> for Timeout<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = TimeoutFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        TimeoutFuture { future: self.inner.call(request), sleep: tokio::time::sleep(self.limit) }
    }
}

pin_project! {
    /// A response, or the deadline.
    #[derive(Debug)]
    pub struct TimeoutFuture<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Sleep,
    }
}

impl<F, R, E> Future for TimeoutFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Default,
{
    type Output = Result<Response<R>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(done) = this.future.poll(context) {
            return Poll::Ready(done);
        }
        this.sleep.poll(context).map(|()| {
            let mut response = Response::new(R::default());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response.extensions_mut().insert(ErrorType::TIMEOUT);
            Ok(response)
        })
    }
}
