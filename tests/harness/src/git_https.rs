//! The example service, `examples/git-https`, with a repository to serve.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::git::set_hook;
use crate::service::SCRAPE_SECONDS;
use crate::{Process, Response, Signal, binary, free_port, http, make_repository, until};

/// A running git-https; it ends when dropped.
#[derive(Debug)]
pub struct GitHttps {
    folder: PathBuf,
    port: u16,
    admin_port: u16,
    faults_port: u16,
    repository: PathBuf,
    variables: Vec<(String, String)>,
    process: Process,
}

/// The environment of every service: where its admin page is, who scrapes it, and no collector, because traces are not
/// what the tests that start it show.
pub(crate) fn service(command: &mut Command, admin_port: u16, variables: &[(String, String)]) {
    command
        .env("KILTER_ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
        .env("KILTER_SCRAPE_INTERVAL", format!("{SCRAPE_SECONDS}s"))
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
        .envs(variables.iter().map(|(name, value)| (name, value)));
}

/// Variables of the environment, kept for another start.
pub(crate) fn kept(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Asks a service to end in good order, as a deployment does, and waits until it has.
pub(crate) fn stop(process: &mut Process) -> anyhow::Result<()> {
    process.signal(Signal::Terminate)?;
    let ended = until("the service's end", Duration::from_secs(40), || Ok(process.exited()));
    let status = ended.with_context(|| process.log_tail())?;
    process.end();
    ensure!(status.success(), "the service ended with {status}; {}", process.log_tail());
    Ok(())
}

impl GitHttps {
    /// Makes the repository `acme/site.git` below `folder`, starts the service and waits until it is ready.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(folder, &[])
    }

    /// The same with further variables of the environment.
    pub fn start_with(folder: &Path, variables: &[(&str, &str)]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let repository = make_repository(&folder.join("repositories"), "acme/site.git")?;
        let (port, admin_port, faults_port) = (free_port()?, free_port()?, free_port()?);
        let variables = kept(variables);
        let process = launch(folder, port, admin_port, faults_port, &variables)?;
        Ok(Self { folder: folder.to_owned(), port, admin_port, faults_port, repository, variables, process })
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The URL that git clients clone.
    pub fn clone_url(&self) -> String {
        format!("http://127.0.0.1:{}/acme/site.git", self.port)
    }

    /// The repository that is served.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Where Prometheus scrapes it, `host:port`.
    pub fn admin_address(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }

    /// Its metrics page, in the text format.
    pub fn metrics(&self) -> anyhow::Result<String> {
        Ok(http::get(&format!("http://{}/metrics", self.admin_address()))?.text())
    }

    /// Where a fault is switched: POST for on, DELETE for off.
    pub fn fault_url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/_faults/{name}", self.faults_port)
    }

    /// Switches a fault on or off, such as `upload-pack-missing`.
    pub fn fault(&self, name: &str, on: bool) -> anyhow::Result<()> {
        let answer: Response = http::request(if on { "POST" } else { "DELETE" }, &self.fault_url(name), &[], &[])?;
        ensure!(answer.status == 204, "the service refused the fault {name}: {}", answer.text());
        Ok(())
    }

    /// Makes the hook that runs after each clone fail, or succeed again.
    pub fn hooks_fail(&self, fail: bool) -> anyhow::Result<()> {
        set_hook(&self.repository, if fail { "exit 1" } else { "exit 0" })
    }

    /// Asks it to end in good order and waits until it has, as a deployment does.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        stop(&mut self.process)
    }

    /// Starts it again on the same ports, after it was stopped or killed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = launch(&self.folder, self.port, self.admin_port, self.faults_port, &self.variables)?;
        Ok(())
    }
}

fn launch(
    folder: &Path,
    port: u16,
    admin_port: u16,
    faults_port: u16,
    variables: &[(String, String)],
) -> anyhow::Result<Process> {
    let mut command = Command::new(binary("git-https")?);
    command
        .arg("--repositories")
        .arg(folder.join("repositories"))
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .args(["--faults", &format!("127.0.0.1:{faults_port}")]);
    service(&mut command, admin_port, variables);
    let mut process = Process::start("git-https", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{admin_port}/readyz"), Duration::from_secs(30))?;
    Ok(process)
}
