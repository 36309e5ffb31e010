//! The whole loop on one machine: the example service, what the generator makes of its SLO file, Prometheus,
//! Alertmanager, and a webhook that receives the pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::git::set_hook;
use crate::{
    Alertmanager, Process, Prometheus, PrometheusConfig, Signal, Target, Webhook, binary, free_port, http,
    make_repository, root, until,
};

/// Seconds between two scrapes.
const SCRAPE_SECONDS: u32 = 1;

/// What differs between two loops.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// Every window and interval is divided by it.
    pub time_divisor: u32,
    /// The team in the SLO file and in the estate.
    pub team: String,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self { time_divisor: 20, team: "source-control".to_owned() }
    }
}

/// Everything, running. Dropping it ends everything; the files stay in the folder that was given.
#[derive(Debug)]
pub struct Loop {
    folder: PathBuf,
    options: LoopOptions,
    port: u16,
    admin_port: u16,
    faults_port: u16,
    repository: PathBuf,
    // The order of the fields is the order in which they end: the pages' way is kept until the last.
    /// The service, `examples/git-https`.
    pub service: Process,
    /// Evaluates the generated rules.
    pub prometheus: Prometheus,
    /// Routes by the generated configuration.
    pub alertmanager: Alertmanager,
    /// Receives what would wake somebody: receivers `page`, `ticket`, `escalation`, `default`, `watchdog`.
    pub webhook: Webhook,
}

impl Loop {
    /// Generates into `folder/estate` and starts everything; each part waits until the one before is ready.
    pub fn start(folder: &Path, options: LoopOptions) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let webhook = Webhook::start()?;
        write_estate(&folder, &options, &webhook)?;
        generate(&folder, options.time_divisor)?;

        let repositories = folder.join("repositories");
        let repository = make_repository(&repositories, "acme/site.git")?;
        let (port, admin_port, faults_port) = (free_port()?, free_port()?, free_port()?);
        let service = start_service(&folder, port, admin_port, faults_port)?;

        let rules = folder.join("estate/rules");
        let alertmanager = Alertmanager::start(&folder.join("alertmanager"), &rules.join("alertmanager.yaml"))?;
        let config = PrometheusConfig {
            scrape_seconds: SCRAPE_SECONDS,
            rule_files: vec![rules.join("*.rules.yaml")],
            alertmanager: Some(alertmanager.address()),
            targets: vec![Target { job: "git-https".to_owned(), address: format!("127.0.0.1:{admin_port}") }],
            time_divisor: options.time_divisor,
        };
        let prometheus = Prometheus::start(&folder.join("prometheus"), config)?;
        let this = Self {
            folder,
            options,
            port,
            admin_port,
            faults_port,
            repository,
            service,
            prometheus,
            alertmanager,
            webhook,
        };
        this.scraped(Duration::from_secs(30))?;
        this.prometheus.rules_evaluated(Duration::from_secs(30))?;
        Ok(this)
    }

    /// Where the estate, the generated files, the logs and the data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The URL that git clients clone.
    pub fn clone_url(&self) -> String {
        format!("http://127.0.0.1:{}/acme/site.git", self.port)
    }

    /// The repository that is served.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// The service's metrics page.
    pub fn metrics_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.admin_port)
    }

    /// Switches a fault of the service on or off, such as `upload-pack-missing`.
    pub fn fault(&self, name: &str, on: bool) -> anyhow::Result<()> {
        let url = format!("http://127.0.0.1:{}/_faults/{name}", self.faults_port);
        let answer = http::request(if on { "POST" } else { "DELETE" }, &url, &[], &[])?;
        ensure!(answer.status == 204, "the service refused the fault {name}: {}", answer.text());
        Ok(())
    }

    /// Makes the hook that runs after each clone fail, or succeed again.
    pub fn hooks_fail(&self, fail: bool) -> anyhow::Result<()> {
        set_hook(&self.repository, if fail { "exit 1" } else { "exit 0" })
    }

    /// Starts the service again on the same ports, after it was ended or killed.
    pub fn start_service(&mut self) -> anyhow::Result<()> {
        self.service = start_service(&self.folder, self.port, self.admin_port, self.faults_port)?;
        Ok(())
    }

    /// Asks the service to end in good order and waits until it has, as a deployment does.
    pub fn stop_service(&mut self) -> anyhow::Result<()> {
        self.service.signal(Signal::Terminate)?;
        let ended = until("the service's end", Duration::from_secs(40), || Ok(self.service.exited()));
        let status = ended.with_context(|| self.service.log_tail())?;
        self.service.end();
        ensure!(status.success(), "the service ended with {status}; {}", self.service.log_tail());
        Ok(())
    }

    /// Gives the service to another team and generates again; Prometheus has not been told yet.
    pub fn change_team(&mut self, team: &str) -> anyhow::Result<()> {
        team.clone_into(&mut self.options.team);
        write_estate(&self.folder, &self.options, &self.webhook)?;
        generate(&self.folder, self.options.time_divisor)
    }

    /// Waits until Prometheus has scraped the service.
    pub fn scraped(&self, deadline: Duration) -> anyhow::Result<()> {
        until("a successful scrape of the service", deadline, || {
            Ok(self.prometheus.value("max(up{job=\"git-https\"})")?.filter(|up| *up > 0.0).map(|_| ()))
        })
        .with_context(|| self.service.log_tail())
    }

    /// A duration of real time at this loop's scale.
    pub fn scaled(&self, real: Duration) -> Duration {
        real / self.options.time_divisor
    }
}

/// The example's own SLO file under an estate whose receivers are the webhook's.
fn write_estate(folder: &Path, options: &LoopOptions, webhook: &Webhook) -> anyhow::Result<()> {
    let estate = folder.join("estate");
    let example = root().join("examples/git-https");
    fs::create_dir_all(estate.join("git-https/docs"))?;
    let slo = fs::read_to_string(example.join("slo.yaml")).context("could not read the example's SLO file")?;
    let team = format!("team: {}", options.team);
    fs::write(estate.join("git-https/slo.yaml"), slo.replace("team: source-control", &team))?;
    fs::copy(example.join("docs/mitigations.md"), estate.join("git-https/docs/mitigations.md"))?;
    let runbooks = estate.join("rules/runbooks");
    fs::write(
        estate.join("kilter.yaml"),
        format!(
            "version: 0.1\n\
             services: [git-https/slo.yaml]\n\
             selector: 'job=\"{{{{service}}}}\"'\n\
             links: {{grafana: https://grafana.example, runbooks: \"file://{}\", prometheus: https://prometheus.example}}\n\
             teams:\n  {}: {{page: page, ticket: ticket, escalation: escalation}}\n\
             alertmanager: {{base: alertmanager.base.yaml}}\n",
            runbooks.display(),
            options.team,
        ),
    )?;
    let receivers: String = ["default", "watchdog", "page", "ticket", "escalation"]
        .map(|name| format!("  - name: {name}\n    webhook_configs: [{{url: \"{}\"}}]\n", webhook.url(name)))
        .concat();
    fs::write(estate.join("alertmanager.base.yaml"), format!("receivers:\n{receivers}"))?;
    Ok(())
}

/// The real command on the real SLO file.
fn generate(folder: &Path, divisor: u32) -> anyhow::Result<()> {
    let out = Command::new(binary("kilter")?)
        .args(["generate", "--time-scale", &format!("1/{divisor}")])
        .current_dir(folder.join("estate"))
        .output()
        .context("could not start kilter")?;
    ensure!(out.status.success(), "kilter generate: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

fn start_service(folder: &Path, port: u16, admin_port: u16, faults_port: u16) -> anyhow::Result<Process> {
    let mut command = Command::new(binary("git-https")?);
    command
        .arg("--repositories")
        .arg(folder.join("repositories"))
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .args(["--faults", &format!("127.0.0.1:{faults_port}")])
        .env("KILTER_ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
        .env("KILTER_SCRAPE_INTERVAL", format!("{SCRAPE_SECONDS}s"))
        // No collector here: traces are not what this loop shows.
        .env("OTEL_TRACES_EXPORTER", "none");
    let mut process = Process::start("git-https", command, folder)?;
    process.ready(&format!("http://127.0.0.1:{admin_port}/readyz"), Duration::from_secs(30))?;
    Ok(process)
}
