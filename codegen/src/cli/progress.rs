//! What a run is at, on a terminal, when it takes longer than a moment. It never reaches a log.

use std::io::{IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Before this nobody wonders.
const SOON: Duration = Duration::from_millis(400);

const TICK: Duration = Duration::from_millis(100);

/// A line on stderr that follows the work; it is wiped when this is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    line: Option<(Sender<String>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins with this text, unless nobody sees it.
    pub(super) fn start(text: &str, quiet: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|it| it == "dumb");
        if quiet || dumb || !std::io::stderr().is_terminal() {
            return Self { line: None };
        }
        let (says, hears) = mpsc::channel::<String>();
        let (mut text, began) = (text.to_owned(), Instant::now());
        let thread = thread::spawn(move || {
            let (mut wait, mut shown) = (SOON, false);
            loop {
                match hears.recv_timeout(wait) {
                    Ok(new) => text = new,
                    Err(RecvTimeoutError::Timeout) => {
                        wait = TICK;
                        shown = true;
                        eprint!("\r\x1b[2Kkilter: {text} ({} s)", began.elapsed().as_secs());
                        std::io::stderr().flush().unwrap_or_default();
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if shown {
                eprint!("\r\x1b[2K");
            }
        });
        Self { line: Some((says, thread)) }
    }

    /// What is done now.
    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        if let Some((says, _)) = &self.line {
            // The line has ended when its thread has: then nobody listens, and nothing is lost.
            says.send(text()).unwrap_or_default();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((says, thread)) = self.line.take() {
            drop(says);
            thread.join().unwrap_or_default();
        }
    }
}
