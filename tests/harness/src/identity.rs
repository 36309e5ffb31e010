//! The example service `examples/identity`, and the foreign platform that it asks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::git_https::{kept, service, stop};
use crate::{Process, binary, binary_of, free_port, http};

/// A running platform, which has no metrics; it ends when dropped. It knows the token `ann-token`, which may write.
#[derive(Debug)]
pub struct Platform {
    folder: PathBuf,
    port: u16,
    process: Process,
}

/// A running identity service; it ends when dropped.
#[derive(Debug)]
pub struct Identity {
    folder: PathBuf,
    port: u16,
    admin_port: u16,
    platform: String,
    variables: Vec<(String, String)>,
    process: Process,
}

impl Platform {
    /// Starts it and waits until it answers.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let port = free_port()?;
        let process = launch_platform(folder, port)?;
        Ok(Self { folder: folder.to_owned(), port, process })
    }

    /// Where it answers, `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again on its port, after it was killed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = launch_platform(&self.folder, self.port)?;
        Ok(())
    }
}

impl Identity {
    /// Starts it before the platform at this address, `host:port`, which may be that of a relay.
    pub fn start(folder: &Path, platform: &str) -> anyhow::Result<Self> {
        Self::start_with(folder, platform, &[])
    }

    /// The same with variables of the environment, such as `IDENTITY_BREAKER` and `IDENTITY_STALE` (`off` switches the
    /// protection off).
    pub fn start_with(folder: &Path, platform: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (port, admin_port, variables) = (free_port()?, free_port()?, kept(variables));
        let process = launch(folder, port, admin_port, platform, &variables)?;
        let (folder, platform) = (folder.to_owned(), platform.to_owned());
        Ok(Self { folder, port, admin_port, platform, variables, process })
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where services ask, `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL, with a path such as `/tokens/anonymous`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Where Prometheus scrapes it, `host:port`.
    pub fn admin_address(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }

    /// Its metrics page, in the text format.
    pub fn metrics(&self) -> anyhow::Result<String> {
        Ok(http::get(&format!("http://{}/metrics", self.admin_address()))?.text())
    }

    /// Asks it to end in good order and waits until it has.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        stop(&mut self.process)
    }

    /// Starts it again on the same ports, after it was stopped or killed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = launch(&self.folder, self.port, self.admin_port, &self.platform, &self.variables)?;
        Ok(())
    }
}

fn launch_platform(folder: &Path, port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(binary_of("identity", "platform")?);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    let mut process = Process::start("platform", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{port}/tokens/anonymous"), Duration::from_secs(30))?;
    Ok(process)
}

fn launch(
    folder: &Path,
    port: u16,
    admin_port: u16,
    platform: &str,
    variables: &[(String, String)],
) -> anyhow::Result<Process> {
    let mut command = Command::new(binary("identity")?);
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--platform", &format!("http://{platform}")]);
    service(&mut command, admin_port, variables);
    let mut process = Process::start("identity", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{admin_port}/readyz"), Duration::from_secs(30))?;
    Ok(process)
}
