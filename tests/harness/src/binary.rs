//! The programs of this workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, ensure};

/// Set by `cargo xtask test` after it has built the whole workspace: the folder with fresh programs. Without it each
/// one is built on first use. (A build of one package may resolve other features than a build of all, and would then
/// compile half of the dependencies a second time.)
pub const BUILT: &str = "KILTER_BIN_DIR";

/// The folder that [`use_built`] named.
static FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);

/// What was built in this process, so that each program is built once.
static BUILDS: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());

/// From now on this process takes programs from this folder: whoever calls this has just built them there.
pub fn use_built(folder: PathBuf) {
    *FOLDER.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(folder);
}

/// A fresh program of this workspace, such as `kilter` or `git-https`, of the package of the same name.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    binary_of(name, name)
}

/// A fresh program of a package that has another name.
pub fn binary_of(package: &str, name: &str) -> anyhow::Result<PathBuf> {
    let named = FOLDER.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    if let Some(folder) = named.or_else(|| std::env::var_os(BUILT).map(PathBuf::from)) {
        let path = folder.join(name);
        ensure!(path.is_file(), "{} is missing, although it was said to be built", path.display());
        return Ok(path);
    }
    let mut builds = BUILDS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(path) = builds.get(name) {
        return Ok(path.clone());
    }
    let path = build(package, name)?;
    builds.insert(name.to_owned(), path.clone());
    Ok(path)
}

fn build(package: &str, name: &str) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args([
            "build",
            "--locked",
            "--quiet",
            "-p",
            package,
            "--bin",
            name,
            "--message-format=json-render-diagnostics",
        ])
        .current_dir(root())
        .output()
        .context("could not start cargo")?;
    ensure!(out.status.success(), "cargo build -p {package} --bin {name}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .with_context(|| format!("cargo did not say where it built {name}"))
}

/// The folder of the workspace.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}
