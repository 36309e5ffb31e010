//! Log lines with the ids of their request, as JSON or for people.
//!
//! A layer of our own: the stock one formats the fields of every span, for lines that might show them, and ours show the
//! request's ids instead. So spans cost logs nothing, unless a directive of the filter names one.

mod filter;
mod line;
mod redact;

use std::cell::RefCell;
use std::io::Write as _;

use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::core::Core;
pub(crate) use filter::{EventsOnly, Gate};
pub(crate) use redact::redacted;

/// Prints one line per event, to stdout.
pub(crate) struct Lines {
    pub(crate) json: bool,
    pub(crate) core: &'static Core,
}

/// A line larger than this is not worth the memory that its thread would keep.
const KEPT: usize = 16 << 10;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local!(static LINE: RefCell<String> = const { RefCell::new(String::new()) });
        let write = |text: &mut String| {
            text.clear();
            if self.json {
                line::json(text, event, &self.core.config.identity.service);
            } else {
                line::pretty(text, event);
            }
            // Nobody could be told that the log cannot be written.
            let _ = std::io::stdout().lock().write_all(text.as_bytes());
            if text.capacity() > KEPT {
                *text = String::new();
            }
        };
        // A `Debug` that logs, or a thread that ends, has no buffer: it gets one of its own.
        let shared = LINE.try_with(|it| it.try_borrow_mut().map(|mut text| write(&mut text)).is_ok());
        if shared != Ok(true) {
            write(&mut String::new());
        }
    }
}
