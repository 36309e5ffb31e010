//! What watches the fleet: the generator's own output from the committed SLO files, Prometheus, Alertmanager, a webhook.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use super::Fleet;
use crate::stack::generate;
use crate::{Alertmanager, Prometheus, PrometheusConfig, Webhook, root, until};

/// Everything that watches, with an empty past. Dropping it ends it; the fleet stays.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    divisor: u32,
    /// Evaluates the generated rules.
    pub prometheus: Prometheus,
    /// Routes by the generated configuration.
    pub alertmanager: Alertmanager,
    /// Receives what would wake somebody, by the names of the committed receivers, such as `scm-pager`.
    pub webhook: Webhook,
}

impl Watch {
    /// Generates into `folder` at a time scale of one to the divisor, and starts everything.
    pub fn start(fleet: &Fleet, folder: &Path, divisor: u32) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let rules = folder.join("rules");
        let webhook = Webhook::start(&rules)?;
        write_estate(&folder, fleet, &webhook)?;
        generate(&folder, divisor)?;
        let alertmanager = Alertmanager::start(&folder.join("alertmanager"), &rules.join("alertmanager.yaml"))?;
        let config = PrometheusConfig {
            rule_files: vec![rules.join("*.rules.yaml")],
            alertmanager: Some(alertmanager.address()),
            time_divisor: divisor,
            ..PrometheusConfig::new(fleet.targets())
        };
        let prometheus = Prometheus::start(&folder.join("prometheus"), config)?;
        let this = Self { folder, divisor, prometheus, alertmanager, webhook };
        until("a scrape of every service", Duration::from_secs(60), || {
            Ok(this.prometheus.value("count(up == 1) - count(up)")?.filter(|missing| *missing == 0.0))
        })?;
        this.prometheus.rules_evaluated(Duration::from_secs(60))?;
        Ok(this)
    }

    /// Where the estate, the generated files, the logs and the data are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A duration of real time at this scale.
    pub fn scaled(&self, real: Duration) -> Duration {
        real / self.divisor
    }

    /// Notifications but those of the dead-man's switch, one line for each alert in them, with seconds since `zero`.
    pub fn told(&self, zero: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for it in self.webhook.received().iter().filter(|it| it.path != "/watchdog") {
            let at = it.at.saturating_duration_since(zero).as_secs_f64();
            for alert in &it.alerts {
                let words = ["alertname", "severity", "service", "slo"].map(|key| alert.label(key)).join(" ");
                lines.push(format!(
                    "{at:>6.1} s  {} {} {words}: {}",
                    it.path,
                    alert.status,
                    alert.annotation("summary")
                ));
            }
        }
        lines
    }
}

/// The committed estate, with the services of this fleet and all receivers at the webhook.
fn write_estate(folder: &Path, fleet: &Fleet, webhook: &Webhook) -> anyhow::Result<()> {
    let committed = |path: &str| fs::read_to_string(root().join(path)).with_context(|| format!("no {path}"));
    let runbooks = webhook.url("runbooks");
    fs::write(folder.join("kilter.yaml"), committed("kilter.yaml")?.replace("https://runbooks.example", &runbooks))?;
    for service in fleet.watched() {
        let from = root().join("examples").join(service);
        let to = folder.join("examples").join(service);
        fs::create_dir_all(to.join("docs"))?;
        let promised = committed(&format!("examples/{service}/slo.yaml"))?;
        fs::write(to.join("slo.yaml"), patient(&promised))?;
        fs::copy(from.join("kilter.contract.json"), to.join("kilter.contract.json"))?;
        for entry in fs::read_dir(from.join("docs"))? {
            let entry = entry?;
            fs::copy(entry.path(), to.join("docs").join(entry.file_name()))?;
        }
        let bounds = format!("rules/{service}.bounds");
        if root().join(&bounds).exists() {
            fs::create_dir_all(folder.join("rules"))?;
            fs::copy(root().join(&bounds), folder.join(&bounds))?;
        }
    }
    let base = committed("examples/alertmanager.base.yaml")?;
    let names = base.lines().filter_map(|line| line.trim().strip_prefix("- name: ")?.split(' ').next());
    let receivers: String = names
        .map(|name| format!("  - name: {name}\n    webhook_configs: [{{url: \"{}\"}}]\n", webhook.url(name)))
        .collect();
    fs::write(folder.join("examples/alertmanager.base.yaml"), format!("receivers:\n{receivers}"))?;
    Ok(())
}

/// What is a value is not scaled, so two are changed. A latency that is promised within less than a second is promised within
/// one here: a machine that runs several fleets is not the one that the promise was made for. And a replica is not waited
/// for until it is half a minute behind.
fn patient(promised: &str) -> String {
    [("slower_than: 250ms", "slower_than: 1s"), ("slower_than: 500ms", "slower_than: 1s"), ("lag: 30s", "lag: 5s")]
        .iter()
        .fold(promised.to_owned(), |text, (from, to)| text.replace(from, to))
}
