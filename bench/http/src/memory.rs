//! What ten million requests that nobody scrapes leave in memory.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, ensure};

use crate::case::Case;
use crate::measure::{self, paths};
use crate::service;
use crate::stack::{Stack, install};
use crate::tables::thousands;

/// Requests after which memory is read first: everything is warm, and no series is new any more.
const FIRST: u32 = 100_000;
const LAST: u32 = 10_000_000;
const MARK: &str = "RESULT ";

const SHOWN: [(&str, Stack); 7] = [
    ("no-op layer", Stack::Noop),
    ("Kilter", Stack::Kilter),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower, metrics only", Stack::OtelTowerMetrics),
    ("tower-otel, metrics only", Stack::TowerOtelMetrics),
    ("autometrics", Stack::Autometrics),
];

/// Resident memory of this process, in bytes.
pub(crate) fn resident() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// The table: a child for each stack.
pub(crate) fn table(collector: SocketAddr) -> anyhow::Result<()> {
    println!("\nResident memory, without a scrape:\n");
    println!("| | after 100,000 requests, kB | after 10,000,000, kB | more, kB | s |\n|---|---:|---:|---:|---:|");
    for (name, stack) in SHOWN {
        eprintln!("{name}: ten million requests");
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["fill", stack.name()]);
        Case::plain(stack).environment(&mut command, collector);
        let out = command.output()?;
        ensure!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        let printed = String::from_utf8_lossy(&out.stdout);
        let line = printed.lines().find_map(|it| it.strip_prefix(MARK)).context("the child gave no result")?;
        let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [first, last, seconds] = numbers[..] else { anyhow::bail!("three numbers: {line}") };
        let kilobytes = |bytes: f64| thousands(bytes / 1024.0);
        println!(
            "| {name} | {} | {} | {} | {seconds:.0} |",
            kilobytes(first),
            kilobytes(last),
            kilobytes(last - first)
        );
    }
    Ok(())
}

/// The child: makes the requests.
pub(crate) fn run(stack: Stack) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let templates = service::templates(1);
    let running = {
        let _inside = runtime.enter();
        install(stack, false, service::routes(1, stack.handlers(false)), &templates)?
    };
    let mut app = running.app.with_state(());
    let started = Instant::now();
    runtime.block_on(measure::drive(&mut app, &paths(&templates), false, FIRST))?;
    let first = resident()?;
    runtime.block_on(measure::drive(&mut app, &paths(&templates), false, LAST - FIRST))?;
    println!("{MARK}{first} {} {}", resident()?, started.elapsed().as_secs_f64());
    Ok(())
}
