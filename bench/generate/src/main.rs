//! How long it takes to make the rules of ten thousand SLOs: `cargo run --release --bin generate` prints the tables of
//! `docs/benchmarks.md`; `-- --services N` does it with another number of services.
//!
//! | file | holds |
//! |---|---|
//! | `estate` | the estate in Sloth's format |
//! | `run` | one run of a program, with its time and memory; the two programs |
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

mod estate;
mod run;

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context, bail, ensure};

use crate::run::{Run, SLOKIT, Written, median, written};

/// Runs of each program; the one in the middle counts.
const ROUNDS: usize = 5;
/// Of everything that Kilter makes, which nothing is compared with.
const ROUNDS_OF_ALL: usize = 3;

fn main() -> anyhow::Result<()> {
    let services = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => 1_000,
        [flag, number] if flag == "--services" => number.parse().context("--services takes a number")?,
        _ => bail!("nothing, or --services NUMBER"),
    };
    let (kilter, slokit) = (run::kilter()?, run::slokit()?);
    let home = tempfile::tempdir()?;
    let specs = home.path().join("estate");
    estate::write(&specs, services)?;
    let slos = services * estate::SLOS;
    println!("{} services with {} SLOs in Sloth's format.\n", thousands(services), thousands(slos));
    rules(&kilter, &slokit, &specs, home.path(), slos)?;
    everything(&kilter, &specs, home.path(), slos)?;
    broken(&kilter, &slokit, home.path())
}

/// The rules alone, beside the peer.
fn rules(kilter: &Path, slokit: &Path, specs: &Path, home: &Path, slos: usize) -> anyhow::Result<()> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut our_output, mut their_output) = (home.to_owned(), home.to_owned());
    for round in 0..ROUNDS {
        // Each run writes to a place of its own: nothing is there before, and nothing is removed meanwhile.
        our_output = home.join(format!("kilter-{round}"));
        ours.push(run::run(kilter, &args(&["generate", "--only", "rules", "--out"], &our_output), specs)?);
        their_output = home.join(format!("slokit-{round}.yaml"));
        theirs.push(run::run(slokit, &args(&["generate", "-i", "specs", "-o"], &their_output), specs)?);
        eprintln!("round {}: {:.2?} and {:.2?}", round + 1, ours[round].wall, theirs[round].wall);
    }
    let (ours, theirs) = (median(ours)?, median(theirs)?);
    println!("Rules alone, the two programs in turns, median of {ROUNDS}:\n");
    println!("| | wall | processors | peak memory | files | bytes | rules | SLOs per second |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    row("Kilter, `generate --only rules`, every query parsed", ours, written(&our_output)?, slos);
    row(&format!("slokit {SLOKIT}, `generate`, no query parsed"), theirs, written(&their_output)?, slos);
    println!("| **slokit / Kilter** | **{:.1}** | | | | | | |\n", theirs.wall.as_secs_f64() / ours.wall.as_secs_f64());
    Ok(())
}

/// Everything that Kilter makes of the estate.
fn everything(kilter: &Path, specs: &Path, home: &Path, slos: usize) -> anyhow::Result<()> {
    let mut runs = Vec::new();
    let mut output = home.to_owned();
    for round in 0..ROUNDS_OF_ALL {
        output = home.join(format!("everything-{round}"));
        runs.push(run::run(kilter, &args(&["generate", "--out"], &output), specs)?);
        eprintln!("round {}: {:.2?}", round + 1, runs[round].wall);
    }
    println!("Everything, median of {ROUNDS_OF_ALL}:\n");
    println!("| | wall | processors | peak memory | files | bytes | rules | SLOs per second |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let name = "Kilter, `generate`: rules, tests, dashboards, runbooks, Alertmanager";
    row(name, median(runs)?, written(&output)?, slos);
    println!();
    Ok(())
}

/// Whether a query with a bracket too many is noticed.
fn broken(kilter: &Path, slokit: &Path, home: &Path) -> anyhow::Result<()> {
    let specs = home.join("broken");
    estate::write_broken(&specs)?;
    let ours = run::run(kilter, &args(&["generate", "--only", "rules", "--out"], &home.join("broken-kilter")), &specs)?;
    let theirs = run::run(slokit, &args(&["generate", "-i", "specs", "-o"], &home.join("broken.yaml")), &specs)?;
    ensure!(!ours.success, "Kilter took a query that is no PromQL: it was not validated");
    let did = |success: bool| if success { "writes its rules" } else { "refuses it" };
    println!("A query with a bracket too many: Kilter {}, slokit {}.", did(ours.success), did(theirs.success));
    Ok(())
}

fn args<'a>(words: &'a [&'a str], path: &'a Path) -> Vec<&'a OsStr> {
    words.iter().map(OsStr::new).chain([path.as_os_str()]).collect()
}

fn row(name: &str, run: Run, written: Written, slos: usize) {
    println!(
        "| {name} | {:.2} s | {:.2} s | {} MB | {} | {:.1} MB | {} | {} |",
        run.wall.as_secs_f64(),
        run.processors.as_secs_f64(),
        run.peak_bytes / 1_000_000,
        thousands(written.files),
        written.bytes as f64 / 1e6,
        thousands(written.rules),
        thousands((slos as f64 / run.wall.as_secs_f64()).round() as usize),
    );
}

/// `12345` as `12,345`.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|it| std::str::from_utf8(it).ok()).collect();
    groups.join(",")
}
