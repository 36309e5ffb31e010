//! The example service `examples/identity`, and the foreign platform that it asks.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::service::variables as kept;
use crate::{Process, Service, ServiceSpec, binary_of, free_port};

/// A running platform, which has no metrics; it ends when dropped. It knows the token `ann-token`, which may write.
#[derive(Debug)]
pub struct Platform {
    folder: PathBuf,
    port: u16,
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

impl Service {
    /// Identity, before the platform at this address, `host:port`, which may be that of a relay; with variables of the
    /// environment, such as `IDENTITY_BREAKER` and `IDENTITY_STALE` (`off` switches the protection off).
    pub fn identity(folder: &Path, platform: &str, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        let spec = ServiceSpec {
            name: "identity".to_owned(),
            arguments: vec![format!("--platform=http://{platform}")],
            variables: kept(variables),
            ..ServiceSpec::default()
        };
        Self::start(folder, spec)
    }
}

fn launch_platform(folder: &Path, port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(binary_of("identity", "platform")?);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    let mut process = Process::start("platform", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{port}/tokens/anonymous"), Duration::from_secs(30))?;
    Ok(process)
}
