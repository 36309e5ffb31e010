//! Dashboards against Grafana's own published types: `cargo xtask test --all`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{root, run, tools};

/// What makes a JSON Schema from the types, and holds JSON against it. Nothing of it is committed.
const PACKAGES: &[&str] =
    &["@grafana/schema@13.1.0", "typescript@5.9.3", "ts-json-schema-generator@2.4.0", "ajv@8.20.0"];

/// Installs what is needed below `target/`, and returns the command that checks every dashboard below these folders.
pub(crate) fn check(folders: &[PathBuf]) -> anyhow::Result<Command> {
    for tool in ["node", "npm"] {
        if !tools::found(tool) {
            bail!("missing: {tool}. Run: sudo apt-get install --no-install-recommends nodejs npm");
        }
    }
    let folder = root().join("target/grafana");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), r#"{"private": true}"#)?;
    fs::copy(root().join("xtask/grafana/validate.mjs"), folder.join("validate.mjs"))?;
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund"]).args(PACKAGES).current_dir(&folder);
    run(install)?;
    let mut boards = Vec::new();
    for it in folders {
        dashboards(it, &mut boards)?;
    }
    boards.sort();
    let mut validate = Command::new("node");
    validate.arg("validate.mjs").args(boards).current_dir(folder);
    Ok(validate)
}

/// Every `*.json` in a folder that is called `dashboards`.
fn dashboards(folder: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            dashboards(&path, found)?;
        } else if path.extension().is_some_and(|it| it == "json") && folder.ends_with("dashboards") {
            found.push(path);
        }
    }
    Ok(())
}
