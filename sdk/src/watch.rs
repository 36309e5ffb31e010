//! What tells why a call that was dropped before its end was dropped.

use std::task::Poll;

use kilter_contract::error_type;

use crate::measured::in_request;
use crate::signal::clock;

/// A call to a dependency, while it runs.
#[derive(Debug)]
pub(crate) struct Watch {
    started: u64,
    /// Inside the library that calls: whoever drops the call now is unwinding from a panic.
    polling: bool,
    /// Whoever calls was last told to wait.
    waiting: bool,
    in_request: bool,
}

impl Watch {
    /// From now on.
    pub(crate) fn start() -> Self {
        Self { started: clock::now(), polling: false, waiting: false, in_request: in_request() }
    }

    /// When it began, by the monotonic clock.
    pub(crate) fn started(&self) -> u64 {
        self.started
    }

    /// Runs the library's code. When it unwinds, the call stays within it.
    pub(crate) fn run<T>(&mut self, code: impl FnOnce() -> T) -> T {
        self.polling = true;
        let value = code();
        self.polling = false;
        value
    }

    /// Polls the library's future or body.
    pub(crate) fn poll<T>(&mut self, code: impl FnOnce() -> Poll<T>) -> Poll<T> {
        let polled = self.run(code);
        self.waiting = polled.is_pending();
        polled
    }

    /// Whether a panic goes through it.
    pub(crate) fn is_panicking(&self) -> bool {
        self.polling
    }

    /// Whether whoever calls was last told to wait: dropped now, it is given up rather than done with.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The `error_type` of a call that is dropped while it is awaited.
    pub(crate) fn given_up(&self) -> &'static str {
        // The request that it belongs to does not run now: the whole of it is being dropped.
        if self.in_request && !in_request() { error_type::CLIENT_DISCONNECT } else { error_type::TIMEOUT }
    }
}
