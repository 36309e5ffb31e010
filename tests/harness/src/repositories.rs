//! The example service `examples/repositories`, on whatever database it is given.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};

use crate::git_https::{kept, service, stop};
use crate::{Process, Response, binary, free_port, http};

/// A running repositories service; it ends when dropped.
#[derive(Debug)]
pub struct Repositories {
    folder: PathBuf,
    port: u16,
    admin_port: u16,
    variables: Vec<(String, String)>,
    process: Process,
}

impl Repositories {
    /// Starts it on SQLite in a temporary folder of its own.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[])
    }

    /// Starts it with these variables of the environment, such as `DATABASE_URL`, `DATABASE_REPLICA_URLS` (separated by
    /// commas) and `REPOSITORIES_POOL`, and waits until it is ready.
    pub fn start_with(folder: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (port, admin_port, variables) = (free_port()?, free_port()?, kept(variables));
        let process = launch(folder, port, admin_port, &variables)?;
        Ok(Self { folder: folder.to_owned(), port, admin_port, variables, process })
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Where services ask, `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL, with a path such as `/repositories/acme/site`.
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

    /// Makes a repository.
    pub fn create(&self, workspace: &str, name: &str) -> anyhow::Result<()> {
        let answer = self.post("/repositories", &json!({"workspace": workspace, "name": name}))?;
        ensure!(answer.status == 201, "repository {workspace}/{name}: {} {}", answer.status, answer.text());
        Ok(())
    }

    /// Posts JSON.
    pub fn post(&self, path: &str, body: &Value) -> anyhow::Result<Response> {
        http::post(&self.url(path), "application/json", body.to_string().as_bytes())
    }

    /// Asks it to end in good order and waits until it has.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        stop(&mut self.process)
    }

    /// Starts it again on the same ports, after it was stopped or killed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = launch(&self.folder, self.port, self.admin_port, &self.variables)?;
        Ok(())
    }
}

fn launch(folder: &Path, port: u16, admin_port: u16, variables: &[(String, String)]) -> anyhow::Result<Process> {
    let mut command = Command::new(binary("repositories")?);
    command.args(["--listen", &format!("127.0.0.1:{port}")]);
    for name in ["DATABASE_URL", "DATABASE_REPLICA_URLS", "REPOSITORIES_DATA"] {
        command.env_remove(name);
    }
    service(&mut command, admin_port, variables);
    let mut process = Process::start("repositories", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{admin_port}/readyz"), Duration::from_secs(30))?;
    Ok(process)
}
