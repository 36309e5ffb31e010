//! The context of a request, and which one is current on this thread.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use pin_project_lite::pin_project;

use crate::measured::poll_to_end;

/// Ids of a request and whether it is sampled. Copy it wherever the request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestContext {
    /// Trace id, its high and its low half: two words need less room than a `u128`, whose alignment is 16 bytes.
    pub(crate) trace: (u64, u64),
    /// Id of the request's span.
    pub span_id: u64,
    /// Id of the caller's span; zero when there is none.
    pub parent_id: u64,
    /// Whether spans are recorded here.
    pub sampled: bool,
    /// The flag that is passed on: a caller may sample a trace whose spans this service does not export.
    pub(crate) pass_on: bool,
}

/// What a thread works on.
struct Current {
    /// Who accounts for the request: the address of an instance, or [`NO_INSTANCE`]; zero outside of any request, and
    /// then the rest means nothing. So what a request leaves behind is one word.
    core: Cell<usize>,
    context: Cell<RequestContext>,
    /// The name that a [`route`](crate::route) gave to the current request.
    tag: Cell<Option<&'static str>>,
}

thread_local! {
    static CURRENT: Current = const {
        Current { core: Cell::new(0), context: Cell::new(RequestContext::NONE), tag: Cell::new(None) }
    };
}

/// In the place of an instance's address: the code belongs to a request, but is not the request.
pub(super) const NO_INSTANCE: usize = 1;

/// Restores what was current before.
#[derive(Debug)]
pub(crate) struct Entered {
    /// Nothing, for nearly all: a request within a request is rare. Boxed, or each guard would make room for it.
    before: Option<Box<Before>>,
    _open_telemetry: Option<opentelemetry::ContextGuard>,
}

/// What the thread worked on when a request within it was entered.
#[derive(Debug)]
struct Before {
    context: RequestContext,
    core: usize,
    tag: Option<&'static str>,
}

/// Makes a request current until the guard is dropped. Without a context the thread keeps the one that it has: an
/// instance without traces knows none.
// Inlined, with its drop: three times per request the guard is made where it stays.
#[inline]
pub(crate) fn enter(context: &RequestContext, core: usize, open_telemetry: Option<&opentelemetry::Context>) -> Entered {
    CURRENT.with(|current| {
        let before = match current.core.get() {
            0 => {
                current.context.set(*context);
                None
            }
            _ => Some(current.within(context)),
        };
        current.core.set(core);
        Entered { before, _open_telemetry: open_telemetry.map(attach) }
    })
}

impl Current {
    /// Makes another context current within a request.
    #[cold]
    #[expect(clippy::unnecessary_box_returns, reason = "the guard holds it in its box")]
    fn within(&self, context: &RequestContext) -> Box<Before> {
        let before = Before { context: self.context.get(), core: self.core.get(), tag: self.tag.take() };
        if context.is_some() {
            self.context.set(*context);
        }
        Box::new(before)
    }

    #[cold]
    fn restore(&self, before: &Before) {
        self.context.set(before.context);
        self.core.set(before.core);
        self.tag.set(before.tag);
    }
}

/// For a sampled request: the parent of OpenTelemetry's spans on this thread.
#[cold]
fn attach(context: &opentelemetry::Context) -> opentelemetry::ContextGuard {
    context.clone().attach()
}

/// Address of the instance that accounts for the current request.
#[inline]
pub(crate) fn current_core() -> usize {
    CURRENT.with(|it| it.core.get())
}

/// Names the current request, if there is one.
pub(crate) fn tag(template: &'static str) {
    CURRENT.with(|it| it.tag.set((it.core.get() != 0).then_some(template)));
}

impl Entered {
    /// The name that the request has got meanwhile.
    #[inline]
    #[expect(clippy::unused_self, reason = "only meaningful while entered")]
    pub(crate) fn tag(&self) -> Option<&'static str> {
        CURRENT.with(|it| it.tag.get())
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        CURRENT.with(|current| {
            if current.tag.get().is_some() {
                current.tag.set(None);
            }
            match self.before.take() {
                None => current.core.set(0),
                Some(before) => current.restore(&before),
            }
        });
    }
}

impl RequestContext {
    /// Outside of any request.
    pub const NONE: Self = Self { trace: (0, 0), span_id: 0, parent_id: 0, sampled: false, pass_on: false };

    /// The context of the request that this thread works on.
    pub fn current() -> Self {
        CURRENT.with(|it| if it.core.get() == 0 { Self::NONE } else { it.context.get() })
    }

    /// The trace id; zero outside of any request.
    pub const fn trace_id(self) -> u128 {
        (self.trace.0 as u128) << 64 | self.trace.1 as u128
    }

    /// Whether there is a request.
    pub const fn is_some(self) -> bool {
        self.trace.0 | self.trace.1 != 0
    }

    /// The trace id as logs and headers print it.
    pub fn trace_id_hex(self) -> String {
        format!("{:032x}", self.trace_id())
    }

    /// The span id as logs and headers print it.
    pub fn span_id_hex(self) -> String {
        format!("{:016x}", self.span_id)
    }

    /// The header that carries it to the next service (W3C Trace Context, level 1).
    pub fn traceparent(self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id(), self.span_id, u8::from(self.pass_on))
    }

    /// The context in which OpenTelemetry's spans are its children; `None` when it is not sampled.
    #[inline]
    pub(crate) fn open_telemetry(self) -> Option<opentelemetry::Context> {
        self.sampled.then(|| self.parent_of_spans())
    }

    #[cold]
    fn parent_of_spans(self) -> opentelemetry::Context {
        opentelemetry::Context::current().with_remote_span_context(self.span_context())
    }

    /// The same for OpenTelemetry. Not remote: its children live in this process.
    pub(crate) fn span_context(self) -> SpanContext {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        SpanContext::new(
            TraceId::from(self.trace_id()),
            SpanId::from(self.span_id),
            flags,
            false,
            TraceState::default(),
        )
    }
}

/// Spawns a task that belongs to the current request: `tokio::spawn` alone loses its ids.
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(WithRequestContext::new(future, RequestContext::current()))
}

pin_project! {
    /// A future that belongs to a request wherever it runs.
    #[derive(Debug)]
    pub struct WithRequestContext<F> {
        #[pin]
        future: Option<F>,
        context: RequestContext,
        open_telemetry: Option<opentelemetry::Context>,
    }
}

impl<F> WithRequestContext<F> {
    pub(crate) fn new(future: F, context: RequestContext) -> Self {
        Self { future: Some(future), context, open_telemetry: context.open_telemetry() }
    }
}

impl<F: Future> Future for WithRequestContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // Outside of any request too, when that is where it came from.
        let core = if this.context.is_some() { NO_INSTANCE } else { 0 };
        let _entered = enter(this.context, core, this.open_telemetry.as_ref());
        poll_to_end(this.future, context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::measured::{End, measure};

    /// What a deadline within cuts off was given up; it did not end with its request.
    #[tokio::test]
    async fn what_a_deadline_cuts_off_ends_within_its_request() {
        let given_up = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&given_up);
        let context = RequestContext { span_id: 1, trace: (1, 1), ..RequestContext::NONE };
        let call = {
            let _entered = enter(&context, NO_INSTANCE, None);
            measure(std::future::pending::<()>(), move |end: End<'_, ()>, _| {
                told.store(matches!(end, End::GivenUp), Ordering::Relaxed);
            })
        };
        let limited = tokio::time::timeout(Duration::from_millis(1), call);
        assert!(WithRequestContext::new(limited, context).await.is_err());
        assert!(given_up.load(Ordering::Relaxed));
    }
}
