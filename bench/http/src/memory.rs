//! What ten million requests that nobody scrapes leave in memory.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::net::SocketAddr;

use anyhow::Context;

use crate::case::Case;
use crate::child;
use crate::measure::{self, paths};
use crate::service;
use crate::stack::{Stack, install};
use crate::tables::{Failures, thousands};

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

/// The table: a child for each stack, two at a time, as what they hold does not depend on how long they take.
pub(crate) fn table(collector: SocketAddr, failures: &mut Failures) {
    println!("\n## What requests leave in memory\n\nResident memory without a scrape:\n");
    println!("| | after 100,000 requests, kB | after 10,000,000, kB | more, kB |\n|---|---:|---:|---:|");
    for pair in SHOWN.chunks(2) {
        let measured: Vec<_> = std::thread::scope(|scope| {
            let children = pair.iter().map(|(name, stack)| {
                eprintln!("{name}: ten million requests");
                scope.spawn(move || filled(*stack, collector))
            });
            let children: Vec<_> = children.collect();
            children.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for ((name, _), measured) in pair.iter().zip(measured) {
            let measured = measured.unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked")));
            let Some([first, last]) = failures.keep(name, measured) else { continue };
            let kilobytes = |bytes: f64| thousands(bytes / 1024.0);
            println!("| {name} | {} | {} | {} |", kilobytes(first), kilobytes(last), kilobytes(last - first));
        }
    }
}

/// Resident memory after the first requests and after the last.
fn filled(stack: Stack, collector: SocketAddr) -> anyhow::Result<[f64; 2]> {
    let mut command = child::command()?;
    command.args(["fill", stack.name()]);
    Case::plain(stack).environment(&mut command, collector);
    let printed = child::output(command)?;
    let line = printed.lines().find_map(|it| it.strip_prefix(MARK)).context("the child gave no result")?;
    let numbers: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
    let [first, last] = numbers[..] else { anyhow::bail!("two numbers: {line}") };
    Ok([first, last])
}

/// The child: makes the requests.
pub(crate) fn run(stack: Stack) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let templates = service::templates(1);
    let running = {
        let _inside = runtime.enter();
        install(stack, false, &templates)?
    };
    let mut app = (running.around)(service::routes(1, stack.handlers(false))).with_state(());
    runtime.block_on(measure::drive(&mut app, &paths(&templates), false, FIRST))?;
    let first = resident()?;
    runtime.block_on(measure::drive(&mut app, &paths(&templates), false, LAST - FIRST))?;
    println!("{MARK}{first} {}", resident()?);
    Ok(())
}
