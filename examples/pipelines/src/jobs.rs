//! The scheduled job: artifacts of old builds are removed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use kilter::{Job, Telemetry};
use tokio::fs;

use crate::build::Workspace;

/// How old an artifact may become.
const KEPT: Duration = Duration::from_secs(60 * 60);

/// Removes artifacts. Whether it still does is seen by when it last succeeded: a job that no longer runs has no failures.
#[derive(Debug)]
pub(crate) struct Cleanup {
    job: Job,
    workspace: Arc<Workspace>,
}

impl Cleanup {
    pub(crate) fn new(telemetry: &Telemetry, workspace: Arc<Workspace>) -> Self {
        Self { job: telemetry.job("artifact-cleanup"), workspace }
    }

    /// At once, and then at each interval, for ever. A run that fails is logged; the next one tries again.
    pub(crate) async fn every(self, interval: Duration) {
        let mut ticks = tokio::time::interval(interval);
        loop {
            ticks.tick().await;
            match self.job.run(self.once()).await {
                Ok(removed) => tracing::info!(removed, "old artifacts are removed"),
                Err(error) => tracing::error!(%error, "old artifacts could not be removed"),
            }
        }
    }

    async fn once(&self) -> std::io::Result<usize> {
        let oldest = SystemTime::now() - KEPT;
        let mut removed = 0;
        let mut entries = fs::read_dir(self.workspace.artifacts()).await?;
        while let Some(entry) = entries.next_entry().await? {
            // Another process may have removed it.
            let Ok(about) = entry.metadata().await else { continue };
            if about.modified()? < oldest {
                fs::remove_file(entry.path()).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
