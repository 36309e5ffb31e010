//! What a connection has read, and how much of it is not answered: tells half a request head from an idle connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that came in.
#[derive(Debug, Default)]
pub(super) struct Activity {
    read: AtomicU64,
    unanswered: AtomicU64,
    asked: AtomicBool,
}

impl Activity {
    /// All bytes that came in.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes that came in since the last response ended.
    pub(super) fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// Whether there was a request.
    pub(super) fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Notes that there was a request.
    pub(super) fn asked(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }
}

pin_project! {
    /// A stream whose reads are noted.
    #[derive(Debug)]
    pub(super) struct Metered<S> {
        #[pin]
        stream: S,
        activity: Arc<Activity>,
    }
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.project();
        let before = buffer.filled().len();
        let polled = this.stream.poll_read(context, buffer);
        let came = (buffer.filled().len() - before) as u64;
        if came > 0 {
            this.activity.read.fetch_add(came, Ordering::Relaxed);
            this.activity.unanswered.fetch_add(came, Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncWrite> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().stream.poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().stream.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Notes the end of a response.
#[derive(Debug)]
struct Ended(Arc<Activity>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.unanswered.store(0, Ordering::Relaxed);
    }
}

pin_project! {
    /// A response body whose end is noted.
    #[derive(Debug)]
    pub(super) struct Answer<B> {
        #[pin]
        body: B,
        ended: Ended,
    }
}

impl<B> Answer<B> {
    pub(super) fn new(body: B, activity: Arc<Activity>) -> Self {
        Self { body, ended: Ended(activity) }
    }
}

impl<B: Body> Body for Answer<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
