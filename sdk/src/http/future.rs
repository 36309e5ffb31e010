//! The future of a request until its response head.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::accounting::{Pending, Phase};
use super::body::AccountedBody;
use crate::measured::poll_to_end;

pin_project! {
    /// A response on its way, with the account of its request.
    #[derive(Debug)]
    pub struct AccountedFuture<F> {
        #[pin]
        future: Option<F>,
        pending: Option<Pending>,
    }
}

impl<F> AccountedFuture<F> {
    pub(super) fn new(future: F, pending: Option<Pending>) -> Self {
        Self { future: Some(future), pending }
    }
}

impl<F, B, E> Future for AccountedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<AccountedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(pending) = this.pending.as_mut() else {
            return poll_to_end(this.future, context)
                .map_ok(|response| response.map(|body| AccountedBody::new(body, None)));
        };
        let result = ready!(pending.run(|| poll_to_end(this.future, context)));
        let mut pending = this.pending.take();
        Poll::Ready(match result {
            Ok(response) => {
                if pending.as_mut().is_some_and(|it| it.head(&response)) {
                    pending = None;
                }
                Ok(response.map(|body| AccountedBody::new(body, pending)))
            }
            Err(error) => {
                if let Some(pending) = &mut pending {
                    pending.fail(Phase::ServiceFailed);
                }
                Err(error)
            }
        })
    }
}
