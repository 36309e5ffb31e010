//! The tables, as Markdown on stdout; progress on stderr.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::net::SocketAddr;
use std::process::Command;

use anyhow::ensure;

use crate::callgrind::{self, PerRequest};
use crate::case::Case;
use crate::collector;
use crate::measure::Run;
use crate::memory;
use crate::outcomes;
use crate::scrape;
use crate::stack::Stack;

/// Part of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Instructions, allocations, time.
    Costs,
    /// What is counted.
    Outcomes,
    /// What a scrape takes.
    Scrapes,
    /// What requests leave in memory.
    Memory,
}

/// Requests of a timed round, and rounds of which the best counts.
const TIMED: (u32, u32) = (50_000, 7);

const PLAIN: [(&str, Case); 12] = [
    ("Kilter, metrics only", Case::plain(Stack::KilterMetrics)),
    ("axum-prometheus", Case::plain(Stack::AxumPrometheus)),
    ("axum-otel-metrics", Case::plain(Stack::AxumOtelMetrics)),
    ("opentelemetry-instrumentation-tower, metrics only", Case::plain(Stack::OtelTowerMetrics)),
    ("tower-otel, metrics only", Case::plain(Stack::TowerOtelMetrics)),
    ("autometrics (counts function calls, knows no requests)", Case::plain(Stack::Autometrics)),
    ("Kilter: metrics, unsampled trace, ids in logs", Case::plain(Stack::Kilter)),
    ("opentelemetry-instrumentation-tower: metrics, unsampled trace", Case::plain(Stack::OtelTower)),
    ("tower-otel: metrics, unsampled trace", Case::plain(Stack::TowerOtel)),
    ("axum-tracing-opentelemetry, unsampled (no metrics)", Case::plain(Stack::AxumTracing)),
    ("— with its request span in the JSON logs too", Case::plain(Stack::AxumTracingInLogs)),
    ("axum-tracing-opentelemetry, unsampled, and axum-prometheus", Case::plain(Stack::AxumTracingAndPrometheus)),
];

const SAMPLED: [(&str, Stack); 5] = [
    ("Kilter, sampled", Stack::Kilter),
    ("opentelemetry-instrumentation-tower, sampled", Stack::OtelTower),
    ("tower-otel, sampled", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, sampled (no metrics)", Stack::AxumTracing),
    ("axum-tracing-opentelemetry, sampled, and axum-prometheus", Stack::AxumTracingAndPrometheus),
];

const TRACEPARENT: [(&str, Stack); 5] = [
    ("Kilter, unsampled, with `traceparent`", Stack::Kilter),
    ("opentelemetry-instrumentation-tower, unsampled, with `traceparent`", Stack::OtelTower),
    ("tower-otel, unsampled, with `traceparent`", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, unsampled, with `traceparent` (no metrics)", Stack::AxumTracing),
    ("axum-tracing-opentelemetry, unsampled, with `traceparent`, and axum-prometheus", Stack::AxumTracingAndPrometheus),
];

const INNER: [(&str, Stack); 3] = [
    ("Kilter, unsampled, two inner spans", Stack::Kilter),
    ("tower-otel, unsampled, two inner spans", Stack::TowerOtel),
    ("axum-tracing-opentelemetry, unsampled, two inner spans (no metrics)", Stack::AxumTracing),
];

const MANY: [(&str, Stack); 6] = [
    ("Kilter, metrics only", Stack::KilterMetrics),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower, metrics only", Stack::OtelTowerMetrics),
    ("tower-otel, metrics only", Stack::TowerOtelMetrics),
    ("autometrics", Stack::Autometrics),
];

const COUNTED: [(&str, Stack); 7] = [
    ("Kilter", Stack::Kilter),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower", Stack::OtelTower),
    ("tower-otel", Stack::TowerOtel),
    ("axum-tracing-opentelemetry", Stack::AxumTracing),
    ("autometrics", Stack::Autometrics),
];

const HEAD: &str = "| | instructions | elsewhere | allocations | bytes | ns | ns, 2 threads | clock reads |
|---|---:|---:|---:|---:|---:|---:|---:|";

/// Measures and prints.
pub(crate) fn print(part: Option<Part>) -> anyhow::Result<()> {
    let collector = collector::start()?;
    println!("{}\n", versions());
    let wanted = |it| part.is_none_or(|part| part == it);
    if wanted(Part::Costs) {
        costs(collector)?;
    }
    if wanted(Part::Outcomes) {
        counts(collector)?;
    }
    if wanted(Part::Scrapes) {
        scrape::table()?;
    }
    if wanted(Part::Memory) {
        memory::table(collector)?;
    }
    Ok(())
}

/// One measured row.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    counted: PerRequest,
    timed: Run,
}

fn cost(name: &str, case: Case, collector: SocketAddr) -> anyhow::Result<Cost> {
    eprintln!("{name} ({} routes)", case.routes);
    let counted = callgrind::measure(case, collector)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("measure").args(case.args()).args([TIMED.0.to_string(), TIMED.1.to_string()]);
    case.environment(&mut command, collector);
    let out = command.output()?;
    ensure!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
    Ok(Cost { counted, timed: Run::read(&String::from_utf8_lossy(&out.stdout))? })
}

fn costs(collector: SocketAddr) -> anyhow::Result<()> {
    let valgrind = callgrind::require()?;
    let traceparent = |stack| Case { traceparent: true, ..Case::plain(stack) };
    let many = |stack| Case { routes: 50, ..Case::plain(stack) };
    let bare = cost("bare", Case::plain(Stack::Bare), collector)?;
    let noop = cost("no-op", Case::plain(Stack::Noop), collector)?;
    println!("One request through a router with one route; {valgrind}.\n");
    println!(
        "| | instructions | allocations | bytes | ns | ns, 2 threads | clock reads |\n|---|---:|---:|---:|---:|---:|---:|"
    );
    for (name, it) in [("bare router", bare), ("with a no-op layer", noop)] {
        println!(
            "| {name} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
            thousands(it.counted.instructions),
            it.timed.allocations,
            it.timed.bytes,
            it.timed.nanos,
            it.timed.nanos_of_two,
            it.counted.clock_reads
        );
    }
    println!("\nWhat a stack adds to the no-op layer:\n");
    println!("{HEAD}");
    let mut plain = Vec::new();
    for (name, case) in PLAIN {
        let cost = cost(name, case, collector)?;
        // autometrics is no layer.
        row(name, cost, if case.stack == Stack::Autometrics { bare } else { noop });
        plain.push((case.stack, cost));
    }
    let with_parent = cost("no-op, `traceparent`", traceparent(Stack::Noop), collector)?;
    for (name, stack) in TRACEPARENT {
        row(name, cost(name, traceparent(stack), collector)?, with_parent);
    }
    for (name, stack) in SAMPLED {
        row(name, cost(name, Case { sampled: true, ..Case::plain(stack) }, collector)?, noop);
    }
    for (name, stack) in INNER {
        let inner = cost(name, Case { spans: true, ..Case::plain(stack) }, collector)?;
        row(name, inner, noop);
        if let Some((_, without)) = plain.iter().find(|(it, _)| *it == stack) {
            row("— of that, the two spans", inner, *without);
        }
    }
    let bare = cost("bare", many(Stack::Bare), collector)?;
    let noop = cost("no-op", many(Stack::Noop), collector)?;
    println!("\nThe same with 50 routes in turn:\n");
    println!("{HEAD}");
    for (name, stack) in MANY {
        let base = if stack == Stack::Autometrics { bare } else { noop };
        row(name, cost(name, many(stack), collector)?, base);
    }
    Ok(())
}

fn row(name: &str, it: Cost, base: Cost) {
    println!(
        "| {name} | {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} |",
        thousands(it.counted.instructions - base.counted.instructions),
        thousands(it.counted.elsewhere - base.counted.elsewhere),
        it.timed.allocations - base.timed.allocations,
        it.timed.bytes - base.timed.bytes,
        it.timed.nanos - base.timed.nanos,
        it.timed.nanos_of_two - base.timed.nanos_of_two,
        it.counted.clock_reads - base.counted.clock_reads
    );
}

/// What is linked, by the lock file that it was built from.
fn versions() -> String {
    const SHOWN: [&str; 11] = [
        "axum",
        "axum-prometheus",
        "axum-otel-metrics",
        "tower-otel",
        "autometrics",
        "metrics-exporter-prometheus",
        "opentelemetry-instrumentation-tower",
        "axum-tracing-opentelemetry",
        "tracing-opentelemetry",
        "opentelemetry_sdk",
        "kilter-sdk",
    ];
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let entry = lock.split("[[package]]").filter(|it| it.contains(&format!("name = \"{name}\"\n")));
        // The newest, where there are several.
        entry.last().and_then(|it| it.split("version = \"").nth(1)?.split('"').next()).unwrap_or("?")
    };
    let all: Vec<String> = SHOWN.iter().map(|name| format!("{name} {}", version(name))).collect();
    format!("Versions: {}.", all.join(", "))
}

/// `12345` as `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|it| std::str::from_utf8(it).ok()).collect();
    format!("{}{}", if number < -0.5 { "-" } else { "" }, groups.join(","))
}

fn counts(collector: SocketAddr) -> anyhow::Result<()> {
    let mut columns = Vec::new();
    for (name, stack) in COUNTED {
        eprintln!("{name}, over sockets");
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["drive", stack.name()]);
        Case { sampled: true, ..Case::plain(stack) }.environment(&mut command, collector);
        let out = command.output()?;
        ensure!(out.status.success(), "{name}: {}", String::from_utf8_lossy(&out.stderr));
        columns.push(outcomes::read(&String::from_utf8_lossy(&out.stdout)));
    }
    println!("\nWhat is counted of five requests of each kind:\n");
    let names: Vec<&str> = COUNTED.iter().map(|(name, _)| *name).collect();
    println!("| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    let rows = columns.first().map_or(0, Vec::len);
    for at in 0..rows {
        let name = columns[0][at].0.clone();
        let cells: Vec<&str> = columns.iter().map(|rows| rows.get(at).map_or("", |(_, cell)| cell.as_str())).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    Ok(())
}
