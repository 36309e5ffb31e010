//! Dashboards against the types that Grafana and Perses publish: `cargo xtask test --all`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{root, run, tools};

/// What makes a JSON Schema from the types, and holds JSON against it. Nothing of it is committed.
const PACKAGES: &[&str] =
    &["@grafana/schema@13.1.0", "typescript@5.9.3", "ts-json-schema-generator@2.4.0", "ajv@8.20.0"];

/// The same for Perses, whose plugins have types of their own.
const PERSES: &[&str] = &[
    "@perses-dev/core@0.52.0",
    "@perses-dev/prometheus-plugin@0.53.4",
    "@perses-dev/timeseries-chart-plugin@0.10.2",
    "@perses-dev/stat-chart-plugin@0.10.0",
    "@perses-dev/status-history-chart-plugin@0.9.1",
    "@perses-dev/table-plugin@0.8.1",
    "@perses-dev/components@0.52.0",
    "@perses-dev/plugin-system@0.52.0",
    "typescript@5.9.3",
    "ts-json-schema-generator@2.4.0",
    "ajv@8.20.0",
];

/// Installs what is needed below `target/`, and returns the command that checks every Grafana dashboard below these
/// folders.
pub(crate) fn check(folders: &[PathBuf]) -> anyhow::Result<Command> {
    validate("grafana", PACKAGES, "validate.mjs", "dashboards", folders)
}

/// The same for dashboards of Perses.
pub(crate) fn check_perses(folders: &[PathBuf]) -> anyhow::Result<Command> {
    validate("perses", PERSES, "perses.mjs", "perses", folders)
}

fn validate(name: &str, packages: &[&str], script: &str, of: &str, folders: &[PathBuf]) -> anyhow::Result<Command> {
    let folder = root().join("target").join(name);
    install(&folder, packages)?;
    fs::copy(root().join("xtask/grafana").join(script), folder.join(script))?;
    let mut boards = Vec::new();
    for it in folders {
        dashboards(it, of, &mut boards)?;
    }
    boards.sort();
    let mut validate = Command::new("node");
    validate.arg(script).args(boards).current_dir(folder);
    Ok(validate)
}

/// Packages of npm into a folder of their own; nothing of it is committed. Peers of other versions are left alone.
pub(crate) fn install(folder: &Path, packages: &[&str]) -> anyhow::Result<()> {
    for tool in ["node", "npm"] {
        if !tools::found(tool) {
            bail!("missing: {tool}. Run: sudo apt-get install --no-install-recommends nodejs npm");
        }
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("package.json"), r#"{"private": true, "type": "module"}"#)?;
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund", "--legacy-peer-deps"]).args(packages);
    install.current_dir(folder);
    run(install)
}

/// Every `*.json` in a folder of this name.
fn dashboards(folder: &Path, of: &str, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            dashboards(&path, of, found)?;
        } else if path.extension().is_some_and(|it| it == "json") && folder.ends_with(of) {
            found.push(path);
        }
    }
    Ok(())
}
