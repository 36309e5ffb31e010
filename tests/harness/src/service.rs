//! Any service of the example fleet: a program with an address, an admin address, and perhaps switches for faults.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::{Process, Signal, binary, free_port, http, until};

/// Seconds between two scrapes of whoever watches; services need to know for the birth of series.
pub(crate) const SCRAPE_SECONDS: u32 = 1;

/// What to start.
#[derive(Debug, Clone, Default)]
pub struct ServiceSpec {
    /// Its name, which is the label `job` of its series.
    pub name: String,
    /// The program, when it has another name.
    pub program: Option<String>,
    /// Arguments beside `--listen` and `--faults`.
    pub arguments: Vec<String>,
    /// Variables of the environment.
    pub variables: Vec<(String, String)>,
    /// Whether it has `--faults`.
    pub faults: bool,
}

/// A running service; it ends when dropped.
#[derive(Debug)]
pub struct Service {
    spec: ServiceSpec,
    folder: PathBuf,
    port: u16,
    admin_port: u16,
    faults_port: u16,
    process: Process,
}

impl Service {
    /// Starts it on free ports and waits until it is ready; its log is in the folder, which is made.
    pub fn start(folder: &Path, spec: ServiceSpec) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let (port, admin_port, faults_port) = (free_port()?, free_port()?, free_port()?);
        let process = launch(folder, &spec, port, admin_port, faults_port)?;
        Ok(Self { spec, folder: folder.to_owned(), port, admin_port, faults_port, process })
    }

    /// The label `job` of its series.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Where its users connect, `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The URL of a path, such as `/tokens/anonymous`.
    pub fn at(&self, path: &str) -> String {
        self.url() + path
    }

    /// Where Prometheus scrapes it, `host:port`.
    pub fn admin_address(&self) -> String {
        format!("127.0.0.1:{}", self.admin_port)
    }

    /// Its metrics page, in the text format.
    pub fn metrics(&self) -> anyhow::Result<String> {
        Ok(http::get(&format!("http://{}/metrics", self.admin_address()))?.text())
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its log's end, for the message of an error.
    pub fn log_tail(&self) -> String {
        self.process.log_tail()
    }

    /// Where a fault is switched: POST for on, DELETE for off.
    pub fn fault_url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/_faults/{name}", self.faults_port)
    }

    /// Switches a fault on or off.
    pub fn fault(&self, name: &str, on: bool) -> anyhow::Result<()> {
        let answer = http::request(if on { "POST" } else { "DELETE" }, &self.fault_url(name), &[], &[])?;
        ensure!(answer.status == 204, "{} refused the fault {name}: {}", self.name(), answer.text());
        Ok(())
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks it to end in good order and waits until it has, as a deployment does.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.process.signal(Signal::Terminate)?;
        let ended =
            until(&format!("the end of {}", self.name()), Duration::from_secs(40), || Ok(self.process.exited()));
        let status = ended.with_context(|| self.process.log_tail())?;
        self.process.end();
        ensure!(status.success(), "{} ended with {status}; {}", self.name(), self.process.log_tail());
        Ok(())
    }

    /// Starts it again on the same ports, after it was stopped or killed.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = launch(&self.folder, &self.spec, self.port, self.admin_port, self.faults_port)?;
        Ok(())
    }

    /// A deployment with further variables, which win over those from before: it ends and starts on the same ports.
    pub fn deploy(&mut self, variables: &[(&str, &str)]) -> anyhow::Result<()> {
        self.stop()?;
        self.spec.variables.extend(self::variables(variables));
        self.start_again()
    }
}

/// Variables of the environment, kept for another start.
pub(crate) fn variables<V: AsRef<str>>(all: &[(&str, V)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), value.as_ref().to_owned())).collect()
}

fn launch(folder: &Path, spec: &ServiceSpec, port: u16, admin_port: u16, faults_port: u16) -> anyhow::Result<Process> {
    let program = spec.program.as_deref().unwrap_or(&spec.name);
    let mut command = Command::new(binary(program)?);
    command.args(&spec.arguments).args(["--listen", &format!("127.0.0.1:{port}")]);
    if spec.faults {
        command.args(["--faults", &format!("127.0.0.1:{faults_port}")]);
    }
    command
        .env("KILTER_ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
        .env("KILTER_SCRAPE_INTERVAL", format!("{SCRAPE_SECONDS}s"))
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env_remove("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    // A database that whoever runs the tests has is not theirs.
    for name in ["DATABASE_URL", "DATABASE_REPLICA_URLS", "REPOSITORIES_DATA"] {
        command.env_remove(name);
    }
    command.envs(spec.variables.iter().map(|(name, value)| (name, value)));
    let name = spec.arguments.iter().find_map(|it| it.strip_prefix("--parts=")).unwrap_or(&spec.name);
    let mut process = Process::start(name, command, folder)?;
    process.ready(&format!("http://127.0.0.1:{admin_port}/readyz"), Duration::from_secs(60))?;
    Ok(process)
}
