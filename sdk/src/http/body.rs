//! The response body until its last byte.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::account::Account;
use super::accounting::Phase;

pin_project! {
    /// A body that closes its request's account when it is complete, fails or is dropped. Size hint and end of stream
    /// are the inner body's: axum computes Content-Length from them.
    #[derive(Debug)]
    pub struct AccountedBody<B> {
        #[pin]
        body: B,
        account: Account,
    }
}

impl<B> AccountedBody<B> {
    pub(super) fn new(body: B, account: Account) -> Self {
        Self { body, account }
    }
}

impl<B: Body> Body for AccountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    #[inline]
    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(pending) = this.account.pending() else { return this.body.poll_frame(context) };
        let running = pending.enter();
        let polled = this.body.as_mut().poll_frame(context);
        running.leave();
        let frame = ready!(polled);
        let done = match &frame {
            None => true,
            Some(Err(_)) => {
                pending.fail(Phase::BodyFailed);
                this.account.close();
                return Poll::Ready(frame);
            }
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                // The body is asked last: most know their size.
                pending.data(bytes) || frame.is_trailers() || this.body.is_end_stream()
            }
        };
        if done {
            pending.complete();
            this.account.close();
        }
        Poll::Ready(frame)
    }

    #[inline]
    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    #[inline]
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
