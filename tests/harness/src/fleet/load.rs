//! Users of the fleet: `fleet-load`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Fleet;
use crate::{Process, binary};

/// Users that come until this is dropped.
#[derive(Debug)]
pub struct Load {
    process: Process,
}

impl Load {
    /// Starts users with these arguments, such as `--clones 2`; kinds that are not named come at their usual rate.
    pub fn start(fleet: &Fleet, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = fleet.folder().join(name);
        fs::create_dir_all(&folder)?;
        let mut command = Command::new(binary("fleet-load")?);
        command
            .args(["--git-https", &fleet.git_https.url()])
            .args(["--repositories", &fleet.repositories.url()])
            .args(["--identity", &fleet.identity.url()])
            .args(["--pipelines", &fleet.pipelines.url()])
            .arg("--folder")
            .arg(&folder)
            .args(arguments);
        Ok(Self { process: Process::start("load", command, &folder)? })
    }

    /// What it has said last.
    pub fn said(&self) -> String {
        said(&self.process.log())
    }

    /// Its log.
    pub fn log(&self) -> &Path {
        self.process.log_path()
    }
}

fn said(log: &str) -> String {
    log.trim_end().rsplit(['\r', '\n']).next().unwrap_or_default().trim().to_owned()
}
