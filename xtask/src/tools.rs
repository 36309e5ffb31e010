//! The real programs that tests and demo run, from Debian's packages, and a script from npm.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::{root, run};

/// A program and the Debian package that brings it.
const TOOLS: &[(&str, &str)] = &[
    ("promtool", "prometheus"),
    ("prometheus", "prometheus"),
    ("amtool", "prometheus-alertmanager"),
    ("prometheus-alertmanager", "prometheus-alertmanager"),
    ("victoria-metrics", "victoria-metrics"),
    ("vmalert", "victoria-metrics"),
    ("git", "git"),
    ("redis-server", "redis-server"),
    ("initdb", "postgresql"),
    ("pg_basebackup", "postgresql"),
    ("pg_isready", "postgresql"),
    ("valgrind", "valgrind"),
    ("openssl", "openssl"),
    ("chromium", "chromium"),
    ("npm", "npm"),
];

/// The accessibility engine that looks at the report's page: a script, run in Chromium by the tests only.
const AXE: &str = "axe-core@4.14.1";

/// Installs what is missing when that is possible here, and says whether it had to; otherwise an error says exactly
/// what to run.
pub(crate) fn install() -> anyhow::Result<&'static str> {
    let said = packages()?;
    axe()?;
    Ok(said)
}

/// Below `target/`, where the tests look for it; nothing of it is committed.
fn axe() -> anyhow::Result<()> {
    let folder = root().join("target/axe");
    let installed = fs::read_to_string(folder.join("node_modules/axe-core/package.json")).unwrap_or_default();
    let version = AXE.rsplit('@').next().unwrap_or_default();
    if installed.contains(&format!("\"version\": \"{version}\"")) {
        return Ok(());
    }
    println!("tools: installing {AXE}");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("package.json"), r#"{"private": true}"#)?;
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund", AXE]).current_dir(&folder);
    run(install)
}

fn packages() -> anyhow::Result<&'static str> {
    let mut missing: Vec<&str> = TOOLS.iter().filter(|(tool, _)| !found(tool)).map(|(_, package)| *package).collect();
    missing.dedup();
    if missing.is_empty() {
        return Ok("all present");
    }
    let by_hand = format!("sudo apt-get install --no-install-recommends {}", missing.join(" "));
    if !found("apt-get") {
        bail!(
            "missing: {}. They come from Debian's packages of these names; elsewhere from prometheus.io/download",
            missing.join(", ")
        );
    }
    let sudo = match () {
        () if is_root() => None,
        () if quiet("sudo", &["-n", "true"]) => Some("sudo"),
        () => bail!("missing: {}. Run: {by_hand}", missing.join(", ")),
    };
    println!("tools: installing {}", missing.join(" "));
    let _no_services = NoServices::new(is_root());
    if !apt(sudo, &["install", "--yes", "--no-install-recommends"], &missing)? {
        // The package lists may be missing or old; the packages' own output has been shown.
        apt(sudo, &["update"], &[])?;
        if !apt(sudo, &["install", "--yes", "--no-install-recommends"], &missing)? {
            bail!("apt-get could not install {}. Run: {by_hand}", missing.join(" "));
        }
    }
    Ok("installed")
}

fn apt(sudo: Option<&str>, args: &[&str], packages: &[&str]) -> anyhow::Result<bool> {
    let mut command = Command::new(sudo.unwrap_or("env"));
    if sudo.is_some() {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]);
    command.args(args).args(packages).stdout(Stdio::null());
    Ok(command.status().context("could not start apt-get")?.success())
}

/// Debian starts the services of a package it installs; the tests start their own, so this forbids it meanwhile.
struct NoServices {
    path: Option<&'static Path>,
}

impl NoServices {
    fn new(root: bool) -> Self {
        let path = Path::new("/usr/sbin/policy-rc.d");
        if !root || path.exists() {
            return Self { path: None };
        }
        let made = fs::write(path, "#!/bin/sh\nexit 101\n")
            .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(0o755)));
        Self { path: made.ok().map(|()| path) }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.path {
            let _ = fs::remove_file(path);
        }
    }
}

pub(crate) fn found(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has each version of PostgreSQL in a folder of its own.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|it| it.path().join("bin"));
    std::env::split_paths(&path).chain(versions).any(|folder| folder.join(tool).is_file())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0)
}

fn quiet(program: &str, args: &[&str]) -> bool {
    let status = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
