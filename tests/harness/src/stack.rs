//! The whole loop on one machine: the example service, what the generator makes of its SLO file, Prometheus,
//! Alertmanager, and a webhook that receives the pages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::service::SCRAPE_SECONDS;
use crate::{Alertmanager, GitHttps, Prometheus, PrometheusConfig, Target, Webhook, binary, root, until};

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
    // The order of the fields is the order in which they end: the pages' way is kept until the last.
    /// The service, `examples/git-https`.
    pub service: GitHttps,
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
        let webhook = Webhook::start(&folder.join("estate/rules"))?;
        write_estate(&folder, &options, &webhook)?;
        generate(&folder.join("estate"), options.time_divisor)?;

        let service = GitHttps::start(&folder)?;
        let rules = folder.join("estate/rules");
        let alertmanager = Alertmanager::start(&folder.join("alertmanager"), &rules.join("alertmanager.yaml"))?;
        let config = PrometheusConfig {
            scrape_seconds: SCRAPE_SECONDS,
            rule_files: vec![rules.join("*.rules.yaml")],
            alertmanager: Some(alertmanager.address()),
            targets: vec![Target { job: "git-https".to_owned(), address: service.admin_address() }],
            time_divisor: options.time_divisor,
            features: Vec::new(),
        };
        let prometheus = Prometheus::start(&folder.join("prometheus"), config)?;
        let this = Self { folder, options, service, prometheus, alertmanager, webhook };
        this.scraped(Duration::from_secs(30))?;
        this.prometheus.rules_evaluated(Duration::from_secs(30))?;
        Ok(this)
    }

    /// Where the estate, the generated files, the logs and the data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives the service to another team and generates again; Prometheus has not been told yet.
    pub fn change_team(&mut self, team: &str) -> anyhow::Result<()> {
        team.clone_into(&mut self.options.team);
        write_estate(&self.folder, &self.options, &self.webhook)?;
        generate(&self.folder.join("estate"), self.options.time_divisor)
    }

    /// Waits until Prometheus has scraped the service.
    pub fn scraped(&self, deadline: Duration) -> anyhow::Result<()> {
        until("a successful scrape of the service", deadline, || {
            Ok(self.prometheus.value("max(up{job=\"git-https\"})")?.filter(|up| *up > 0.0).map(|_| ()))
        })
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
    for named in ["docs/mitigations.md", "kilter.contract.json"] {
        fs::copy(example.join(named), estate.join("git-https").join(named))?;
    }
    fs::write(
        estate.join("kilter.yaml"),
        format!(
            "version: 0.1\n\
             services: [git-https/slo.yaml]\n\
             selector: 'job=\"{{{{service}}}}\"'\n\
             links: {{grafana: https://grafana.example, runbooks: \"{}\", prometheus: https://prometheus.example}}\n\
             teams:\n  {}: {{page: page, ticket: ticket, escalation: escalation}}\n\
             alertmanager: {{base: alertmanager.base.yaml}}\n",
            webhook.url("runbooks"),
            options.team,
        ),
    )?;
    let receivers: String = ["default", "watchdog", "page", "ticket", "escalation"]
        .map(|name| format!("  - name: {name}\n    webhook_configs: [{{url: \"{}\"}}]\n", webhook.url(name)))
        .concat();
    fs::write(estate.join("alertmanager.base.yaml"), format!("receivers:\n{receivers}"))?;
    Ok(())
}

/// The real command on an estate's folder.
pub(crate) fn generate(folder: &Path, divisor: u32) -> anyhow::Result<()> {
    let out = Command::new(binary("kilter")?)
        .args(["generate", "--time-scale", &format!("1/{divisor}")])
        .current_dir(folder)
        .output()
        .context("could not start kilter")?;
    ensure!(out.status.success(), "kilter generate: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}
