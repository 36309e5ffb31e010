//! `cargo xtask test`: everything that CI runs, with one summary.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{cargo, programs, tools};

/// What one part did.
struct Done {
    name: &'static str,
    took: Duration,
    passed: u64,
    failed: u64,
    ok: bool,
}

/// Runs each part, also after a failure, so that one run tells everything.
pub(crate) fn run() -> anyhow::Result<()> {
    let started = Instant::now();
    println!("tools: {}", tools::install()?);
    let parts: [(&'static str, Vec<&str>); 5] = [
        ("format", vec!["fmt", "--all", "--check"]),
        ("lints", vec!["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ("build", vec!["build", "--locked", "--workspace", "--all-targets"]),
        ("tests", vec!["test", "--locked", "--workspace", "--no-fail-fast"]),
        ("docs", vec!["doc", "--quiet", "--locked", "--workspace", "--no-deps"]),
    ];
    let mut done = Vec::new();
    for (name, args) in parts {
        println!("\n== {name}: cargo {}", args.join(" "));
        let mut command = cargo(&args);
        match name {
            "docs" => command.env("RUSTDOCFLAGS", "-D warnings"),
            // The part before has built them: no test builds them again.
            _ => command.env(kilter_harness::BUILT, programs()?),
        };
        done.push(part(name, command)?);
    }
    summary(&done, started.elapsed())
}

/// Runs one part, shows its output, and adds up the counts that the test runner prints.
fn part(name: &'static str, mut command: Command) -> anyhow::Result<Done> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start {name}"))?;
    let (mut passed, mut failed) = (0, 0);
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        if let Some(result) = line.strip_prefix("test result:") {
            passed += count(result, " passed");
            failed += count(result, " failed");
        }
        // A line per passing test is noise; the ones that matter stand out.
        let passing = line.starts_with("test ") && line.ends_with(" ok");
        if !passing && !line.trim().is_empty() {
            println!("{line}");
        }
    }
    let ok = child.wait()?.success();
    Ok(Done { name, took: started.elapsed(), passed, failed, ok })
}

/// The number before `word` in a line such as ` ok. 5 passed; 0 failed;`.
fn count(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    before.rsplit([' ', ';']).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn summary(done: &[Done], took: Duration) -> anyhow::Result<()> {
    let minutes = |took: Duration| took.as_secs_f64() / 60.0;
    println!("\n{:<10} {:>8} {:>8} {:>8}", "part", "minutes", "passed", "failed");
    for it in done {
        let verdict = if it.ok { "" } else { "  FAILED" };
        println!("{:<10} {:>8.1} {:>8} {:>8}{verdict}", it.name, minutes(it.took), it.passed, it.failed);
    }
    println!("{:<10} {:>8.1}\n", "all", minutes(took));
    let broken = done.iter().filter(|it| !it.ok && it.failed == 0).count() as u64;
    let (passed, failed) =
        (done.iter().map(|it| it.passed).sum::<u64>(), done.iter().map(|it| it.failed).sum::<u64>() + broken);
    println!("{passed} passed, {failed} failed");
    if done.iter().any(|it| !it.ok) {
        let names: Vec<&str> = done.iter().filter(|it| !it.ok).map(|it| it.name).collect();
        bail!("failed: {}", names.join(", "));
    }
    Ok(())
}
