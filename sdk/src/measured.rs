//! A future whose outcome is told once: when it is done, when it panics, when it is dropped before it is done.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use kilter_contract::error_type;
use pin_project_lite::pin_project;

use crate::error_kind::kind_of;
use crate::signal::clock;
use crate::trace::current_core;

/// How a future ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End<'a, T> {
    /// With its output.
    Done(&'a T),
    /// It panicked while it was polled.
    Panicked,
    /// Whoever awaited it dropped it before it was done: a deadline around it, or a race that it lost.
    GivenUp,
    /// It was dropped with the request that it belonged to: the client of the service left.
    CallerLeft,
}

impl<T, E: 'static> End<'_, Result<T, E>> {
    /// The `error_type` of an operation that ended so; `None` on success.
    pub(crate) fn error_type(self) -> Option<&'static str> {
        match self {
            End::Done(Ok(_)) => None,
            End::Done(Err(error)) => Some(kind_of(error)),
            End::Panicked => Some(error_type::PANIC),
            End::GivenUp => Some(error_type::TIMEOUT),
            End::CallerLeft => Some(error_type::CLIENT_DISCONNECT),
        }
    }
}

/// Whether this thread runs the code of a request.
pub(crate) fn in_request() -> bool {
    current_core() != 0
}

/// Hears how a future ended, and after how many nanoseconds. Called exactly once.
pub(crate) trait Account<T> {
    /// Settles the account.
    fn settle(&mut self, end: End<'_, T>, nanos: u64);
}

impl<T, F: FnMut(End<'_, T>, u64)> Account<T> for F {
    fn settle(&mut self, end: End<'_, T>, nanos: u64) {
        self(end, nanos);
    }
}

/// Measures a future from now on, not from its first poll: waiting to be polled is time that the caller waits.
pub(crate) fn measure<F: Future, A: Account<F::Output>>(future: F, account: A) -> Measured<F, A> {
    Measured {
        future,
        open: Open {
            started: clock::now(),
            polling: false,
            in_request: in_request(),
            account: Some(account),
            output: std::marker::PhantomData,
        },
    }
}

/// Polls a future and drops it as soon as it is done: what a deadline within has cut off is then dropped as a part of
/// whatever runs, and not later, when it would look like a client that left.
// Inlined, and its output not taken apart: a response would be copied at each return.
#[inline(always)]
#[expect(clippy::inline_always, reason = "copies of a response are a tenth of what a request costs")]
pub(crate) fn poll_to_end<F: Future>(mut future: Pin<&mut Option<F>>, context: &mut Context<'_>) -> Poll<F::Output> {
    let Some(running) = future.as_mut().as_pin_mut() else { return Poll::Pending };
    let polled = running.poll(context);
    if polled.is_ready() {
        future.set(None);
    }
    polled
}

pin_project! {
    /// The measured future.
    pub(crate) struct Measured<F: Future, A: Account<F::Output>> {
        #[pin]
        future: F,
        open: Open<F::Output, A>,
    }
}

/// The account while it is open. Dropped in a poll it is a panic, dropped otherwise the future was.
struct Open<T, A: Account<T>> {
    started: u64,
    polling: bool,
    in_request: bool,
    account: Option<A>,
    output: std::marker::PhantomData<fn() -> T>,
}

impl<T, A: Account<T>> Open<T, A> {
    fn settle(&mut self, end: End<'_, T>) {
        if let Some(mut account) = self.account.take() {
            account.settle(end, clock::now().saturating_sub(self.started));
        }
    }
}

impl<T, A: Account<T>> Drop for Open<T, A> {
    fn drop(&mut self) {
        self.settle(match () {
            () if self.polling => End::Panicked,
            // The request that it belongs to does not run now: the whole of it is being dropped.
            () if self.in_request && !in_request() => End::CallerLeft,
            () => End::GivenUp,
        });
    }
}

impl<F: Future, A: Account<F::Output>> Future for Measured<F, A> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.open.polling = true;
        let polled = this.future.poll(context);
        this.open.polling = false;
        let output = ready!(polled);
        this.open.settle(End::Done(&output));
        Poll::Ready(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::RequestContext;
    use std::sync::{Arc, Mutex};

    #[tokio::test]
    async fn every_end_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let account = || {
            let told = Arc::clone(&told);
            move |end: End<'_, u8>, _| {
                told.lock().unwrap().push(match end {
                    End::Done(value) => format!("done {value}"),
                    End::Panicked => "panicked".to_owned(),
                    End::GivenUp => "given up".to_owned(),
                    End::CallerLeft => "caller left".to_owned(),
                });
            }
        };
        assert_eq!(measure(async { 7 }, account()).await, 7);
        drop(measure(std::future::pending(), account()));
        let request = RequestContext { span_id: 1, trace: (1, 1), ..RequestContext::NONE };
        let within = || crate::trace::enter(&request, 1, None);
        let abandoned = {
            let _entered = within();
            measure(std::future::pending(), account())
        };
        drop(abandoned);
        {
            let _entered = within();
            drop(measure(std::future::pending(), account()));
        }
        let late = measure(std::future::pending(), account());
        assert!(tokio::time::timeout(std::time::Duration::from_millis(5), late).await.is_err());
        let panics = measure(
            async {
                tokio::task::yield_now().await;
                panic!("as tests do")
            },
            account(),
        );
        assert!(tokio::spawn(panics).await.is_err());
        assert_eq!(*told.lock().unwrap(), ["done 7", "given up", "caller left", "given up", "given up", "panicked"]);
    }
}
