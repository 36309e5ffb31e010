//! Hooks that run after a clone or fetch, and the two metrics that this service adds to Kilter's own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How many hooks may run at once.
const AT_ONCE: usize = 8;

/// How long a hook may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `hooks/post-upload-pack` of a repository, when there is one, and counts how that went.
#[derive(Debug, Clone)]
pub(crate) struct Hooks {
    slots: Arc<Semaphore>,
}

impl Hooks {
    pub(crate) fn new() -> Self {
        // From the start at zero: a rate cannot see the increment that creates a series.
        adhoc::hook_runs().increment(0);
        adhoc::hook_failures().increment(0);
        Self { slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Runs in the background: the client has its pack already.
    pub(crate) fn after_upload_pack(&self, repository: &Path) {
        let hook = repository.join("hooks/post-upload-pack");
        let (repository, slots) = (repository.to_owned(), Arc::clone(&self.slots));
        kilter::spawn(async move {
            if !hook.is_file() {
                return;
            }
            // The semaphore is never closed.
            let _slot = slots.acquire().await;
            adhoc::hook_runs().increment(1);
            if let Err(error) = run(&hook, repository).await {
                adhoc::hook_failures().increment(1);
                tracing::warn!(hook = %hook.display(), %error, "hook failed");
            }
        });
    }
}

async fn run(hook: &Path, repository: PathBuf) -> anyhow::Result<()> {
    let mut command = Command::new(hook);
    command.env("GIT_DIR", &repository).current_dir(repository).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = timeout(PATIENCE, command.status()).await??;
    anyhow::ensure!(status.success(), "{status}");
    Ok(())
}

/// The one place of this service that may use the `metrics` macros. Signals with a contract are better: these have
/// no declared labels, no documentation page and no checks but those of the recorder.
#[expect(clippy::disallowed_macros, reason = "the one module for metrics without a contract")]
mod adhoc {
    use kilter::metrics::{Counter, counter};

    /// Hooks that were started.
    pub(super) fn hook_runs() -> Counter {
        counter!("hooks_total")
    }

    /// Hooks that failed or took too long.
    pub(super) fn hook_failures() -> Counter {
        counter!("hooks_failed_total")
    }
}
