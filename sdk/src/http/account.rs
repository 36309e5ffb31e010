//! The handle of an open account, and the memory of closed ones.
//!
//! A request's future and body are moved several times before they rest in a box of axum's. The account lies in a box of
//! its own, so that a move is one word, and boxes are used again, so that none is allocated per request.

use std::cell::RefCell;

use http::Request;

use super::accounting::{Pending, Running};
use crate::core::Core;

/// Accounts that a thread keeps for its next requests.
const KEPT: usize = 64;

/// Boxes that are taken out and put back whole: what is in them is not moved.
type Closed = Vec<Box<Pending>>;

thread_local! {
    static CLOSED: RefCell<Closed> = const { RefCell::new(Vec::new()) };
}

/// The account of a request until it is dropped; or none, where another layer accounts for it or it is closed.
#[derive(Debug)]
pub(crate) struct Account(Option<Box<Pending>>);

impl Account {
    /// For a request that is accounted for elsewhere.
    pub(super) const NONE: Self = Self(None);

    /// Opens the account of a request.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per request, in one place")]
    pub(super) fn open<B>(core: &'static Core, request: &Request<B>) -> Self {
        let used = CLOSED.try_with(|it| it.borrow_mut().pop()).ok().flatten();
        Self(Some(match used {
            Some(mut used) => {
                *used = Pending::open(core, request);
                used
            }
            None => boxed(core, request),
        }))
    }

    /// The service's code runs as the request whose account was opened just now.
    #[inline]
    pub(super) fn enter(&mut self) -> Running<'_> {
        match &mut self.0 {
            Some(pending) => pending.enter(),
            None => unreachable!("it was opened just now"),
        }
    }

    /// The account, while it is open.
    #[inline]
    pub(super) fn pending(&mut self) -> Option<&mut Pending> {
        self.0.as_deref_mut()
    }

    /// Closes it as it stands.
    #[inline]
    pub(super) fn close(&mut self) {
        if let Some(pending) = self.0.take() {
            close(pending);
        }
    }
}

/// Closes an account and keeps its box.
fn close(mut pending: Box<Pending>) {
    pending.close();
    // A thread that ends keeps nothing.
    let _ = CLOSED.try_with(|it| {
        let mut closed = it.borrow_mut();
        if closed.len() < KEPT {
            closed.push(pending);
        }
    });
}

#[cold]
fn boxed<B>(core: &'static Core, request: &Request<B>) -> Box<Pending> {
    Box::new(Pending::open(core, request))
}

impl Drop for Account {
    // Most are closed by now, so what is left of this is one comparison.
    #[inline]
    fn drop(&mut self) {
        if let Some(pending) = self.0.take() {
            dropped(pending);
        }
    }
}

#[cold]
fn dropped(pending: Box<Pending>) {
    close(pending);
}
