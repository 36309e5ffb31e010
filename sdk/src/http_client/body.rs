//! The response body of a call until its last byte.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use kilter_contract::error_type;
use pin_project_lite::pin_project;

use super::call::Call;
use crate::error_kind::kind_of;

pin_project! {
    /// A body that closes its call's account when it is complete, fails or is dropped. Size hint and end of stream are
    /// the inner body's.
    #[derive(Debug)]
    pub struct CallBody<B> {
        #[pin]
        body: B,
        call: Option<Call>,
    }
}

impl<B> CallBody<B> {
    pub(super) fn new(body: B, call: Option<Call>) -> Self {
        Self { body, call }
    }
}

impl<B: Body<Error: 'static>> Body for CallBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(call) = this.call.as_mut() else { return this.body.poll_frame(context) };
        let frame = ready!(call.watch.poll(|| this.body.as_mut().poll_frame(context)));
        let done = match &frame {
            None => call.data(0, true),
            Some(Err(error)) => {
                let kind = kind_of(error);
                call.fail(if kind == error_type::OTHER { error_type::BODY_ERROR } else { kind });
                true
            }
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, bytes::Buf::remaining);
                call.data(bytes, frame.is_trailers() || this.body.is_end_stream())
            }
        };
        if done {
            *this.call = None;
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
