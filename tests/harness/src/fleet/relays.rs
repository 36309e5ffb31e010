//! The fault switch between services and what they depend on: `fleet-faults`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::{Process, binary, free_port, http};

/// Running relays, by name; they end when dropped.
#[derive(Debug)]
pub struct Relays {
    control: u16,
    ports: BTreeMap<String, u16>,
    // Kept alive.
    _process: Process,
}

impl Relays {
    /// Starts one for each name and `host:port` that it leads to.
    pub fn start(folder: &Path, targets: &[(&str, String)]) -> anyhow::Result<Self> {
        let control = free_port()?;
        let mut command = Command::new(binary("fleet-faults")?);
        command.args(["--control", &format!("127.0.0.1:{control}")]);
        let mut ports = BTreeMap::new();
        for (name, target) in targets {
            let port = free_port()?;
            command.args(["--relay", &format!("{name}=127.0.0.1:{port}={target}")]);
            ports.insert((*name).to_owned(), port);
        }
        let mut process = Process::start("faults", command, folder)?;
        process.ready(&format!("http://127.0.0.1:{control}/"), Duration::from_secs(30))?;
        Ok(Self { control, ports, _process: process })
    }

    /// Where to connect instead of the target.
    pub fn address(&self, name: &str) -> anyhow::Result<String> {
        let port = self.ports.get(name).with_context(|| format!("no relay {name}"))?;
        Ok(format!("127.0.0.1:{port}"))
    }

    /// Where a relay is switched, by POST.
    pub fn url(&self, name: &str, mode: &str) -> String {
        format!("http://127.0.0.1:{}/{name}/{mode}", self.control)
    }

    /// What a relay does from now on: `pass`, `cut`, `hang`, `delay=50ms`, `slow=1000`.
    pub fn set(&self, name: &str, mode: &str) -> anyhow::Result<()> {
        let answer = http::post(&self.url(name, mode), "text/plain", &[])?;
        ensure!(answer.status == 204, "{name}/{mode}: {}", answer.text());
        Ok(())
    }
}
