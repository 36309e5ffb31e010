//! What a build does: a process of its own in the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use kilter::ErrorType;
use serde::Deserialize;
use tokio::process::Command;
use tokio::time::timeout;

use crate::builds::State;

/// As a build tool with a shared cache does it: whoever finds the cache locked waits until it is not, then works and leaves
/// an artifact.
const SCRIPT: &str = r#"
while [ -e cache/lock ]; do sleep 0.1; done
sleep "$1"
echo "build $2" > "artifacts/$2"
exit "$3"
"#;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Request {
    /// How long it takes.
    seconds: f64,
    /// What its process ends with; 0 is success.
    exit: u8,
}

impl Request {
    pub(crate) fn is_sound(self) -> bool {
        (0.0..=3600.0).contains(&self.seconds)
    }
}

/// The folder in which builds work, with a cache and artifacts.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: PathBuf,
}

impl Workspace {
    /// Makes what is not there.
    pub(crate) fn new(folder: &Path) -> anyhow::Result<Self> {
        for inner in ["cache", "artifacts"] {
            let inner = folder.join(inner);
            fs::create_dir_all(&inner).with_context(|| format!("could not make {}", inner.display()))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// What holds the cache while it is there.
    pub(crate) fn lock(&self) -> PathBuf {
        self.folder.join("cache/lock")
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    /// Runs a build to its end. What its own process says is not an error; that it could not be run is.
    pub(crate) async fn run(&self, id: u64, request: Request, limit: Duration) -> Result<State, ErrorType> {
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "build", &request.seconds.to_string(), &id.to_string(), &request.exit.to_string()]);
        command.current_dir(&self.folder).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = match timeout(limit, command.status()).await {
            Ok(Ok(status)) => status,
            Ok(Err(error)) => {
                tracing::error!(build = id, %error, "the build could not be started");
                return Err(ErrorType::declared("build_not_started"));
            }
            Err(_) => {
                tracing::error!(build = id, ?limit, "the build was ended at its limit");
                return Err(ErrorType::declared("build_limit"));
            }
        };
        if !status.success() {
            return Ok(State::Failed);
        }
        if !self.artifacts().join(id.to_string()).exists() {
            tracing::error!(build = id, "the artifact of the build is lost");
            return Err(ErrorType::declared("artifact_lost"));
        }
        Ok(State::Succeeded)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::{Request, Workspace};
    use crate::builds::State;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_build_leaves_an_artifact_and_waits_for_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::new(folder.path()).unwrap();
        assert_eq!(workspace.run(1, Request::default(), LIMIT).await.unwrap(), State::Succeeded);
        assert_eq!(fs::read_to_string(workspace.artifacts().join("1")).unwrap(), "build 1\n");
        let fails = Request { exit: 3, ..Request::default() };
        assert_eq!(workspace.run(2, fails, LIMIT).await.unwrap(), State::Failed);
        fs::write(workspace.lock(), "").unwrap();
        let ended = workspace.run(3, Request::default(), Duration::from_millis(300)).await.unwrap_err();
        assert_eq!(format!("{ended:?}"), format!("{:?}", kilter::ErrorType::declared("build_limit")));
        assert!(!Request { seconds: f64::INFINITY, exit: 0 }.is_sound());
    }
}
