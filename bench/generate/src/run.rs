//! One run of a program: how long it took, how much of the processors, and its peak of memory.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use kilter_harness::root;
use wait4::Wait4;

/// The version of the peer that is measured.
pub(crate) const SLOKIT: &str = "1.9.0";

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) wall: Duration,
    pub(crate) processors: Duration,
    pub(crate) peak_bytes: u64,
    pub(crate) success: bool,
}

/// What a run wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) rules: usize,
}

/// Runs a program to its end.
pub(crate) fn run(program: &Path, args: &[&OsStr], folder: &Path) -> anyhow::Result<Run> {
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| program.display().to_string())?;
    let ended = child.wait4()?;
    Ok(Run {
        wall: started.elapsed(),
        processors: ended.rusage.utime + ended.rusage.stime,
        peak_bytes: ended.rusage.maxrss,
        success: ended.status.success(),
    })
}

/// The run in the middle by wall time.
pub(crate) fn median(mut runs: Vec<Run>) -> anyhow::Result<Run> {
    ensure!(runs.iter().all(|it| it.success), "a run failed");
    runs.sort_by_key(|it| it.wall);
    runs.get(runs.len() / 2).copied().context("no runs")
}

/// Files, bytes and Prometheus rules below a path.
pub(crate) fn written(path: &Path) -> anyhow::Result<Written> {
    let mut all = Written::default();
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            let below = written(&entry?.path())?;
            all.files += below.files;
            all.bytes += below.bytes;
            all.rules += below.rules;
        }
        return Ok(all);
    }
    let text = fs::read_to_string(path)?;
    let rule = |line: &&str| ["- record:", "- alert:"].iter().any(|it| line.trim_start().starts_with(it));
    let rules = if path.to_string_lossy().contains(".test.") { 0 } else { text.lines().filter(rule).count() };
    Ok(Written { files: 1, bytes: text.len() as u64, rules })
}

/// The command of this tree, as it is shipped.
pub(crate) fn kilter() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["build", "--locked", "--release", "-p", "kilter", "--bin", "kilter"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .context("could not start cargo")?;
    ensure!(out.status.success(), "kilter does not build");
    let messages = String::from_utf8_lossy(&out.stdout).into_owned();
    let built = |line: &str| -> Option<PathBuf> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    };
    messages.lines().filter_map(built).next_back().context("cargo names no program")
}

/// The peer, installed beside what is built here when it is not there yet.
pub(crate) fn slokit() -> anyhow::Result<PathBuf> {
    let peers = root().join("bench/target/peers");
    let program = peers.join("bin/slokit");
    if !program.is_file() {
        eprintln!("cargo install slokit --version {SLOKIT} --locked --root {}", peers.display());
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["install", "slokit", "--version", SLOKIT, "--locked", "--root"])
            .arg(&peers)
            .status()
            .context("could not start cargo")?;
        ensure!(status.success(), "cargo install slokit --version {SLOKIT} --locked failed");
    }
    Ok(program)
}
