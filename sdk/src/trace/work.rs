//! Work that has a trace of its own and no client who could leave: the run of a job, the processing of a message.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::NO_INSTANCE;
use super::{Entered, RequestContext, current_core, enter};
use crate::measured::{in_request, poll_to_end};

pin_project! {
    /// A future that runs as this work.
    ///
    /// Where it is dropped before its end, what it waits for is dropped within it: that was given up with the work, and
    /// is a `timeout` of the dependency. But work that is a part of a request ends with it when its client leaves.
    #[derive(Debug)]
    pub(crate) struct Work<F> {
        #[pin]
        future: Option<F>,
        place: Place,
        in_request: bool,
    }

    impl<F> PinnedDrop for Work<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let client_left = *this.in_request && !in_request();
            if this.future.is_some() && !client_left {
                let _entered = this.place.enter();
                this.future.set(None);
            }
        }
    }
}

/// What is current while it runs.
#[derive(Debug)]
struct Place {
    /// None in an instance without traces.
    context: RequestContext,
    open_telemetry: Option<opentelemetry::Context>,
    /// Who accounts for the request around it.
    core: usize,
}

impl Place {
    fn enter(&self) -> Entered {
        enter(&self.context, self.core, self.open_telemetry.as_ref())
    }
}

impl<F> Work<F> {
    /// Work in this context; without one it is what it is a part of.
    pub(crate) fn new(future: F, context: Option<RequestContext>) -> Self {
        let open_telemetry = context.and_then(RequestContext::open_telemetry);
        let core = match current_core() {
            0 if context.is_some() => NO_INSTANCE,
            around => around,
        };
        let place = Place { context: context.unwrap_or(RequestContext::NONE), open_telemetry, core };
        Self { future: Some(future), place, in_request: in_request() }
    }
}

impl<F: Future> Future for Work<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = this.place.enter();
        poll_to_end(this.future, context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use super::*;
    use crate::measured::{End, measure};

    /// What a call within some work was, when the work is dropped while it waits.
    async fn dropped(within: Option<RequestContext>, own: Option<RequestContext>) -> &'static str {
        let told = OnceLock::new();
        let call = async {
            measure(std::future::pending::<()>(), |end: End<'_, ()>, _| {
                let text = match end {
                    End::GivenUp => "given up",
                    End::CallerLeft => "caller left",
                    End::Done(()) | End::Panicked => "something else",
                };
                told.set(text).expect("it is told once");
            })
            .await;
        };
        let mut work = {
            let _request = within.map(|it| enter(&it, 1, None));
            let mut work = Box::pin(Work::new(call, own));
            assert!(futures_util::poll!(&mut work).is_pending());
            work
        };
        assert!(work.as_mut().project().future.is_some());
        drop(work);
        told.get().copied().unwrap_or("nothing")
    }

    #[tokio::test]
    async fn what_is_given_up_with_the_work_is_no_client_that_left() {
        let context = |id| Some(RequestContext { span_id: id, trace: (id, id), ..RequestContext::NONE });
        assert_eq!(dropped(None, context(1)).await, "given up");
        assert_eq!(dropped(None, None).await, "given up");
        assert_eq!(dropped(context(1), context(2)).await, "caller left");
        assert_eq!(dropped(context(1), None).await, "caller left");
    }
}
