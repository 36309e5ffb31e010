//! The response body until its last byte.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::accounting::{Pending, Phase};

pin_project! {
    /// A body that closes its request's account when it is complete, fails or is dropped. Size hint and end of stream
    /// are the inner body's: axum computes Content-Length from them.
    #[derive(Debug)]
    pub struct AccountedBody<B> {
        #[pin]
        body: B,
        pending: Option<Pending>,
    }
}

impl<B> AccountedBody<B> {
    pub(super) fn new(body: B, pending: Option<Pending>) -> Self {
        Self { body, pending }
    }
}

impl<B: Body> Body for AccountedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(pending) = this.pending.as_mut() else { return this.body.poll_frame(context) };
        let frame = ready!(pending.run(|| this.body.as_mut().poll_frame(context)));
        let done = match &frame {
            None => pending.data(0, true),
            Some(Err(_)) => {
                pending.fail(Phase::BodyFailed);
                true
            }
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                pending.data(bytes, frame.is_trailers() || this.body.is_end_stream())
            }
        };
        if done {
            *this.pending = None;
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
