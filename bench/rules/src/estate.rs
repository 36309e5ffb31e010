//! One service with one SLO, and the rules that the real command makes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

/// A generated rule file.
#[derive(Debug, Deserialize)]
pub(crate) struct RuleFile {
    pub(crate) groups: Vec<Group>,
}

/// One group.
#[derive(Debug, Deserialize)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    pub(crate) record: Option<String>,
    pub(crate) alert: Option<String>,
    pub(crate) expr: String,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
}

const ESTATE: &str = r#"version: 0.1
services: [slo.yaml]
selector: 'job="{{service}}"'
target: prometheus=2.42
links: {grafana: "https://grafana.example", runbooks: "https://runbooks.example", prometheus: "https://prometheus.example"}
teams:
  shop: {page: shop-pager, ticket: shop-tickets, escalation: engineering-leads}
"#;

const SLO: &str = r#"apiVersion: kilter/v1
service: orders
team: shop
slos:
  - name: availability
    description: Orders can be read.
    objective: 99.9%
    window: 30d
    sli:
      http_server: {routes: ["/orders/{id}"]}
"#;

/// Runs `kilter generate` in `folder` and gives the path of the rules.
pub(crate) fn generate(folder: &Path) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("kilter.yaml"), ESTATE)?;
    fs::write(folder.join("slo.yaml"), SLO)?;
    let kilter = kilter_harness::binary("kilter")?;
    let out = Command::new(kilter).args(["generate", "--only", "rules"]).current_dir(folder).output()?;
    ensure!(out.status.success(), "kilter generate: {}", String::from_utf8_lossy(&out.stderr));
    Ok(folder.join("rules/orders.rules.yaml"))
}

/// Reads the generated file.
pub(crate) fn read(path: &Path) -> anyhow::Result<RuleFile> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_saphyr::from_str(&text).context("the generated rules are no YAML of rules")
}
