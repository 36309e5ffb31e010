//! `cargo xtask test`: everything that CI runs, with one summary.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::why::Why;
use crate::{cargo, grafana, programs, root, tools};

/// What one part did.
struct Done {
    name: &'static str,
    took: Duration,
    ran: Ran,
}

/// The tests that compute all the time. All others wait for real programs, clocks and sockets most of theirs.
const COMPUTING: &str = "kilter";

/// Estates by chance with `--all`, and scenarios that promtool evaluates too.
const CASES: &str = "1000";
const INCIDENTS: &str = "300";

/// Runs each part, also after a failure, so that one run tells everything.
pub(crate) fn run(all: bool) -> anyhow::Result<()> {
    let started = Instant::now();
    println!("tools: {}", tools::install()?);
    let mut done = Vec::new();
    for (name, args) in [
        ("format", vec!["fmt", "--all", "--check"]),
        ("lints", vec!["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        ("build", vec!["build", "--locked", "--workspace", "--all-targets"]),
    ] {
        done.push(part(name, cargo(&args))?);
    }
    done.push(tests()?);
    done.push(part("examples", cargo(&["test", "--quiet", "--locked", "--workspace", "--doc", "--no-fail-fast"]))?);
    let mut docs = cargo(&["doc", "--quiet", "--locked", "--workspace", "--no-deps"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    done.push(part("docs", docs)?);
    if all {
        let kept = root().join("target/property");
        let _ = std::fs::remove_dir_all(&kept);
        let mut chances = cargo(&[
            "test",
            "--quiet",
            "--locked",
            "-p",
            "kilter",
            "--test",
            "it",
            "--",
            "property",
            "no_change_of_a_good",
        ]);
        chances.env("KILTER_CASES", CASES).env("KILTER_SEED", "1000").env("KILTER_KEEP", &kept);
        done.push(part("chance", chances)?);
        let mut incidents =
            cargo(&["test", "--quiet", "--locked", "-p", "kilter", "--test", "it", "--", "simulate::promtool"]);
        incidents.env("KILTER_CASES", INCIDENTS).env("KILTER_SEED", "1000");
        done.push(part("incidents", incidents)?);
        let mut mutants = cargo(&["test", "--quiet", "--locked", "-p", "kilter", "--test", "it", "--", "mutants"]);
        mutants.env("KILTER_MUTANTS", "all");
        done.push(part("mutants", mutants)?);
        done.push(part("grafana", grafana::check(&[root().join("dashboards"), kept])?)?);
        done.push(part("perses", grafana::check_perses(&[root().join("perses")])?)?);
    }
    summary(&done, started.elapsed())
}

/// Runs one command, shows its output, and adds up the counts that the test runner prints.
fn part(name: &'static str, command: Command) -> anyhow::Result<Done> {
    println!("\n== {name}: {}", shown(&command));
    let started = Instant::now();
    let ran = ran(command, |line| println!("{line}"))?;
    Ok(Done { name, took: started.elapsed(), ran })
}

/// Every test program that the build has made. Cargo runs them one after the other; here those that wait run, one after
/// the other, beside those that compute, which get what the first leave: game days have clocks that run sixty times as fast.
fn tests() -> anyhow::Result<Done> {
    println!("\n== tests: the programs of cargo test --locked --workspace");
    let started = Instant::now();
    let (computing, waiting): (Vec<_>, Vec<_>) =
        programs_of_tests()?.into_iter().partition(|it| it.package == COMPUTING);
    anyhow::ensure!(!waiting.is_empty() && !computing.is_empty(), "the programs of the tests are not as expected");
    let beside = std::thread::spawn(move || -> anyhow::Result<(Vec<String>, Vec<Ran>)> {
        let (mut lines, mut all) = (Vec::new(), Vec::new());
        for it in waiting {
            lines.push(format!("-- {}", it.package));
            all.push(ran(it.command(&[])?, |line| lines.push(line))?);
        }
        Ok((lines, all))
    });
    let mut all = Vec::new();
    let idle = idle();
    for it in computing {
        println!("-- {}", it.package);
        all.push(ran(it.command(idle)?, |line| println!("{line}"))?);
    }
    let (lines, more) = beside.join().map_err(|_| anyhow::anyhow!("a thread ended early"))??;
    lines.iter().for_each(|line| println!("{line}"));
    all.extend(more);
    let ran = Ran {
        passed: all.iter().map(|it| it.passed).sum(),
        failed: all.iter().map(|it| it.failed).sum(),
        ok: all.iter().all(|it| it.ok),
        why: all.into_iter().flat_map(|it| it.why).collect(),
    };
    Ok(Done { name: "tests", took: started.elapsed(), ran })
}

/// A program that the test runner has made.
struct TestProgram {
    package: String,
    folder: PathBuf,
    path: PathBuf,
}

impl TestProgram {
    /// In the folder in which cargo would run it, with the programs of the workspace at hand.
    fn command(&self, through: &[&str]) -> anyhow::Result<Command> {
        let path = self.path.display().to_string();
        let words = [through, &[path.as_str()]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).current_dir(&self.folder);
        command.env(kilter_harness::BUILT, programs()?).env("CARGO_MANIFEST_DIR", &self.folder);
        Ok(command)
    }
}

/// What runs a program only while nothing else wants to: Linux has a class for that; elsewhere it is nice, at least.
fn idle() -> &'static [&'static str] {
    let class = &["chrt", "--idle", "0"];
    let works = Command::new(class[0]).args(&class[1..]).arg("true").status().is_ok_and(|it| it.success());
    if works { class } else { &["nice", "-n10"] }
}

fn programs_of_tests() -> anyhow::Result<Vec<TestProgram>> {
    let args = ["test", "--locked", "--workspace", "--no-run", "--message-format=json-render-diagnostics"];
    let out = cargo(&args).stderr(Stdio::inherit()).output().context("could not start cargo")?;
    anyhow::ensure!(out.status.success(), "cargo test --no-run failed");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let program = |it: serde_json::Value| {
        let folder = PathBuf::from(it["manifest_path"].as_str()?).parent()?.to_path_buf();
        // `path+file:///../codegen#kilter@0.1.0`; where the folder has the package's name, `path+file:///../faults#0.1.0`.
        let (path, named) = it["package_id"].as_str()?.split_once('#')?;
        let name = named.split_once('@').map_or_else(|| path.rsplit('/').next(), |(name, _)| Some(name))?.to_owned();
        let tests = it["profile"]["test"] == true;
        tests.then_some(())?;
        Some(TestProgram { package: name, folder, path: it["executable"].as_str()?.into() })
    };
    Ok(messages.filter_map(program).collect())
}

/// What a command did.
struct Ran {
    passed: u64,
    failed: u64,
    ok: bool,
    /// What its failing tests said.
    why: Vec<String>,
}

/// Runs it, and hands over each line that matters.
fn ran(mut command: Command, mut line_of: impl FnMut(String)) -> anyhow::Result<Ran> {
    let said = shown(&command);
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("could not start {said}"))?;
    let (mut passed, mut failed, mut why) = (0, 0, Why::default());
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = line?;
        if let Some(result) = line.strip_prefix("test result:") {
            passed += count(result, " passed");
            failed += count(result, " failed");
        }
        why.read(&line);
        // A line per passing test is noise; the ones that matter stand out.
        let passing = line.starts_with("test ") && line.ends_with(" ok");
        if !passing && !line.trim().is_empty() {
            line_of(line);
        }
    }
    Ok(Ran { passed, failed, ok: child.wait()?.success(), why: why.said })
}

/// The command as a person would type it, as far as a person reads.
fn shown(command: &Command) -> String {
    const WORDS: usize = 20;
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> = std::iter::once(program).chain(command.get_args()).map(|it| it.to_string_lossy()).collect();
    let more = if words.len() > WORDS { format!(" and {} more", words.len() - WORDS) } else { String::new() };
    words[..words.len().min(WORDS)].join(" ") + &more
}

/// The number before `word` in a line such as ` ok. 5 passed; 0 failed;`.
fn count(line: &str, word: &str) -> u64 {
    let before = line.split(word).next().unwrap_or_default();
    before.rsplit([' ', ';']).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn summary(done: &[Done], took: Duration) -> anyhow::Result<()> {
    let minutes = |took: Duration| took.as_secs_f64() / 60.0;
    let why: Vec<&String> = done.iter().flat_map(|it| &it.ran.why).collect();
    if !why.is_empty() {
        println!("\n== what failed said");
        why.iter().for_each(|line| println!("{line}"));
    }
    println!("\n{:<10} {:>8} {:>8} {:>8}", "part", "minutes", "passed", "failed");
    for it in done {
        let verdict = if it.ran.ok { "" } else { "  FAILED" };
        println!("{:<10} {:>8.1} {:>8} {:>8}{verdict}", it.name, minutes(it.took), it.ran.passed, it.ran.failed);
    }
    println!("{:<10} {:>8.1}\n", "all", minutes(took));
    let broken = done.iter().filter(|it| !it.ran.ok && it.ran.failed == 0).count() as u64;
    let (passed, failed) =
        (done.iter().map(|it| it.ran.passed).sum::<u64>(), done.iter().map(|it| it.ran.failed).sum::<u64>() + broken);
    println!("{passed} passed, {failed} failed");
    if done.iter().any(|it| !it.ran.ok) {
        let names: Vec<&str> = done.iter().filter(|it| !it.ran.ok).map(|it| it.name).collect();
        bail!("failed: {}", names.join(", "));
    }
    Ok(())
}
