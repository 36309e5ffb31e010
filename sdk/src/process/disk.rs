//! How full a disk is.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::Telemetry;
use crate::resource::{Usage, observe_alone};

/// How long a rendering waits for a disk. One that hangs, as a network's does, must not cost the others their page.
const PATIENCE: Duration = Duration::from_millis(100);

/// Asks for the fill of one disk, on a thread of its own, which sleeps otherwise.
struct Gauge {
    ask: SyncSender<()>,
    answer: Receiver<Option<Usage>>,
    asked: bool,
}

impl Telemetry {
    /// The disk that holds a path, as a resource of the kind `disk`: bytes in use, out of those that a process without
    /// privileges may use. Absent while it cannot be read, and while it does not answer.
    ///
    /// ```
    /// # let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// telemetry.disk("data", "/var");
    /// # assert!(telemetry.value("resource_usage{resource_type=\"disk\",resource_name=\"data\"}").unwrap() > 0.0);
    /// ```
    pub fn disk(&self, name: &str, path: impl Into<PathBuf>) {
        let (ask, asked) = sync_channel(1);
        let (tell, answer) = sync_channel(1);
        let path = path.into();
        let read = move || {
            while asked.recv().is_ok() && tell.send(fill(&path)).is_ok() {}
        };
        if let Err(error) = std::thread::Builder::new().name("kilter-disk".to_owned()).spawn(read) {
            tracing::error!(%error, name, "the disk is not watched");
            return;
        }
        let gauge = Mutex::new(Gauge { ask, answer, asked: false });
        let read = move || gauge.lock().unwrap_or_else(PoisonError::into_inner).read();
        observe_alone(self.core(), ("disk", name), read);
    }
}

impl Gauge {
    /// The fill. A disk that did not answer before is not asked again until it has, nor waited for.
    fn read(&mut self) -> Option<Usage> {
        if self.asked {
            self.answer.try_recv().ok()?;
        }
        self.asked = self.ask.try_send(()).is_ok();
        let answer = self.answer.recv_timeout(PATIENCE).ok()?;
        self.asked = false;
        answer
    }
}

fn fill(path: &std::path::Path) -> Option<Usage> {
    let it = rustix::fs::statvfs(path).ok()?;
    let used = it.f_blocks.saturating_sub(it.f_bfree);
    // As `df` has it: what is reserved for root is neither.
    let bytes = |blocks: u64| blocks as f64 * it.f_frsize as f64;
    Some(Usage::exact(bytes(used), bytes(used + it.f_bavail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_hangs_is_asked_once_and_then_not_waited_for() {
        let (ask, asked) = sync_channel(1);
        let (tell, answer) = sync_channel(1);
        let mut gauge = Gauge { ask, answer, asked: false };
        assert_eq!(gauge.read(), None);
        assert_eq!(gauge.read(), None);
        assert_eq!(asked.try_iter().count(), 1);
        let late = Some(Usage::of(1));
        tell.send(late).unwrap();
        let answers = std::thread::spawn(move || {
            asked.recv().unwrap();
            tell.send(Some(Usage::of(2))).unwrap();
        });
        assert_eq!(gauge.read(), Some(Usage::of(2)), "a late answer is old");
        answers.join().unwrap();
    }
}
