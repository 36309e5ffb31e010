//! One door for developers: `cargo xtask tools`, `test`, `regen`, `demo`, `pictures`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool talks to its user")]

mod demo;
mod grafana;
mod picture;
mod pictures;
mod regen;
mod test;
mod tools;
mod why;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// Everything a developer of Kilter runs.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Shows the whole loop on the example: an injected outage pages, is mended, and resolves. Under five minutes.
    ///
    /// Builds, installs what is missing, generates, starts git-https, real git clients, Prometheus and Alertmanager on
    /// free loopback ports, and prints a timeline. Exit status 0 only if the page arrived and resolved.
    Demo {
        /// Leaves everything running at the end, with its addresses printed, until Ctrl-C.
        #[arg(long)]
        keep: bool,
        /// The whole fleet under load instead, with a menu of faults and a line for each notification, until Enter.
        #[arg(long, conflicts_with = "keep")]
        fleet: bool,
    },
    /// Installs what the tests and the demo run: Prometheus, promtool, Alertmanager, amtool, git (Debian packages).
    Tools,
    /// Runs everything that CI runs, tools first, and ends in one summary with the minutes of each part.
    Test {
        /// Also what takes longer: many more estates by chance, their dashboards against Grafana's published types, and
        /// every mutant of the rules against the proofs.
        #[arg(long)]
        all: bool,
    },
    /// Rewrites every generated file that is committed: rules, dashboards, schemas, reference pages.
    Regen,
    /// Draws the dashboards with the components of Grafana and with Perses, over a service with an incident, into docs/pictures.
    ///
    /// Needs npm's registry, and a gigabyte below target/. CI does not run it.
    Pictures,
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Task::Demo { fleet: true, .. } => demo::fleet::run(),
        Task::Demo { keep, .. } => demo::run(keep),
        Task::Tools => tools::install().map(|done| println!("tools: {done}")),
        Task::Test { all } => test::run(all),
        Task::Regen => regen::run(),
        Task::Pictures => pictures::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Cargo in the workspace's folder: the one that runs this task. Where nobody builds a second time, nothing is kept for it.
fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root());
    if std::env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// Where cargo puts the programs that it builds.
fn programs() -> anyhow::Result<PathBuf> {
    let out = cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]).output();
    let out = out.context("could not start cargo")?;
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).context("cargo metadata is no JSON")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(Path::new(target).join("debug"))
}

/// Runs a command with its output shown; an exit status other than 0 is an error.
fn run(mut command: Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    let status = command.status().with_context(|| format!("could not start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}
