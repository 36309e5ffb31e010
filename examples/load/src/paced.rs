//! One kind of user at a rate.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::kind::{Kind, Users};

/// How many of a kind may be unanswered.
const AT_ONCE: usize = 64;

/// A kind of user that comes again and again, until it is dropped.
#[derive(Debug)]
pub(crate) struct Paced {
    kind: Kind,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    succeeded: AtomicU64,
    failed: AtomicU64,
    held_back: AtomicU64,
}

impl Paced {
    pub(crate) fn start(kind: Kind, rate: f64, url: &str, users: &Arc<Users>) -> Self {
        let counts = Arc::new(Counts::default());
        let (url, users, counting) = (url.trim_end_matches('/').to_owned(), Arc::clone(users), Arc::clone(&counts));
        let task = tokio::spawn(async move {
            let slots = Arc::new(Semaphore::new(AT_ONCE));
            let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
            // After a pause they do not all come at once.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for number in 0.. {
                ticks.tick().await;
                let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
                    counting.held_back.fetch_add(1, Ordering::Relaxed);
                    continue;
                };
                let (url, users, counting) = (url.clone(), Arc::clone(&users), Arc::clone(&counting));
                tokio::spawn(async move {
                    let done = users.send(kind, &url, number).await;
                    if done { &counting.succeeded } else { &counting.failed }.fetch_add(1, Ordering::Relaxed);
                    drop(slot);
                });
            }
        });
        Self { kind, counts, task }
    }
}

impl fmt::Display for Paced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [succeeded, failed, held_back] = [&self.counts.succeeded, &self.counts.failed, &self.counts.held_back]
            .map(|count| count.load(Ordering::Relaxed));
        write!(f, "{}: {succeeded} ok, {failed} failed", self.kind.name())?;
        if held_back > 0 {
            write!(f, ", {held_back} held back")?;
        }
        Ok(())
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        self.task.abort();
    }
}
