//! A real Alertmanager on a free port.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::{Process, free_port, tools};

/// A running Alertmanager; it ends when dropped.
#[derive(Debug)]
pub struct Alertmanager {
    process: Process,
    port: u16,
}

impl Alertmanager {
    /// Starts it with this configuration file, its data and log in `folder`, and waits until it is ready.
    pub fn start(folder: &Path, config: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let port = free_port()?;
        let mut command = Command::new(tools::require("alertmanager")?);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            // Alone: without a peer there is nothing to gossip with, nor a second port to take.
            .arg("--cluster.listen-address=");
        let mut process = Process::start("alertmanager", command, folder)?;
        process.ready(&format!("http://127.0.0.1:{port}/-/ready"), Duration::from_secs(60))?;
        Ok(Self { process, port })
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its page in a browser.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The process behind it.
    pub fn process(&self) -> &Process {
        &self.process
    }
}
