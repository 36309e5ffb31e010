//! The future of a call until its response head.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::CallBody;
use super::call::Call;
use crate::error_kind::kind_of;

pin_project! {
    /// A response on its way, with the account of its call.
    #[derive(Debug)]
    pub struct CallFuture<F> {
        #[pin]
        future: F,
        call: Option<Call>,
    }
}

impl<F> CallFuture<F> {
    pub(super) fn new(future: F, call: Call) -> Self {
        Self { future, call: Some(call) }
    }
}

impl<F, B, E> Future for CallFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
    E: 'static,
{
    type Output = Result<Response<CallBody<B>>, E>;

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
                Ok(response.map(|body| CallBody::new(body, call)))
            }
            Err(error) => {
                if let Some(call) = &mut call {
                    call.fail(kind_of(&error));
                }
                Err(error)
            }
        })
    }
}
