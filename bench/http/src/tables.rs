//! The tables, as Markdown on stdout; progress on stderr.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::net::SocketAddr;

use anyhow::ensure;

use crate::case::Case;
use crate::child;
use crate::collector;
use crate::costs;
use crate::memory;
use crate::outcomes;
use crate::scrape;
use crate::stack::Stack;

/// Part of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Instructions and allocations of requests.
    Costs,
    /// Instructions and allocations of calls.
    Calls,
    /// Wall time of requests.
    Times,
    /// What is counted.
    Outcomes,
    /// What a scrape takes.
    Scrapes,
    /// What requests leave in memory.
    Memory,
}

impl Part {
    /// Every part, in the order of the page.
    pub(crate) const ALL: [(Self, &str); 6] = [
        (Self::Costs, "costs"),
        (Self::Times, "times"),
        (Self::Calls, "calls"),
        (Self::Outcomes, "outcomes"),
        (Self::Scrapes, "scrapes"),
        (Self::Memory, "memory"),
    ];
}

const COUNTED: [(&str, Stack); 7] = [
    ("Kilter", Stack::Kilter),
    ("axum-prometheus", Stack::AxumPrometheus),
    ("axum-otel-metrics", Stack::AxumOtelMetrics),
    ("opentelemetry-instrumentation-tower", Stack::OtelTower),
    ("tower-otel", Stack::TowerOtel),
    ("axum-tracing-opentelemetry", Stack::AxumTracing),
    ("autometrics", Stack::Autometrics),
];

/// What could not be measured. A case that fails costs its row, not the others.
#[derive(Debug, Default)]
pub(crate) struct Failures(Vec<String>);

impl Failures {
    /// What was measured, or `None` when it failed.
    pub(crate) fn keep<T>(&mut self, name: &str, measured: anyhow::Result<T>) -> Option<T> {
        let failed = |error| {
            let said = format!("{name}: {error:#}");
            eprintln!("not measured: {said}");
            self.0.push(said);
        };
        measured.map_err(failed).ok()
    }
}

/// Measures and prints: one part or all of them, of the costs those rows whose name contains `word`.
pub(crate) fn print(part: Option<Part>, word: &str) -> anyhow::Result<()> {
    let collector = collector::start()?;
    let mut failures = Failures::default();
    println!("{}", versions());
    for (it, name) in Part::ALL.into_iter().filter(|(it, _)| part.is_none_or(|part| part == *it)) {
        eprintln!("== {name}");
        let measured = match it {
            Part::Costs => costs::requests(collector, word, &mut failures),
            Part::Calls => costs::calls(collector, word, &mut failures),
            Part::Times => {
                costs::times(collector, word, &mut failures);
                Ok(())
            }
            Part::Outcomes => {
                counts(collector, &mut failures);
                Ok(())
            }
            Part::Scrapes => {
                scrape::table(&mut failures);
                Ok(())
            }
            Part::Memory => {
                memory::table(collector, &mut failures);
                Ok(())
            }
        };
        failures.keep(name, measured);
    }
    ensure!(failures.0.is_empty(), "not measured:\n{}", failures.0.join("\n"));
    Ok(())
}

/// What is linked, by the lock file that it was built from.
fn versions() -> String {
    const SHOWN: [&str; 13] = [
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
        "reqwest",
        "tonic",
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

fn counts(collector: SocketAddr, failures: &mut Failures) {
    let mut columns = Vec::new();
    for (name, stack) in COUNTED {
        eprintln!("{name}, over sockets");
        let counted = || {
            let mut command = child::command()?;
            command.args(["drive", stack.name()]);
            Case { sampled: true, ..Case::plain(stack) }.environment(&mut command, collector);
            Ok(outcomes::read(&child::output(command)?))
        };
        columns.extend(failures.keep(name, counted()).map(|rows| (name, rows)));
    }
    println!("\n## What is counted\n\nWhat is counted of five requests of each kind:\n");
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    println!("| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    let Some((_, first)) = columns.first() else { return };
    for (at, (row, _)) in first.iter().enumerate() {
        let cell = |rows: &Vec<(String, String)>| rows.get(at).map_or_else(String::new, |(_, cell)| cell.clone());
        let cells: Vec<String> = columns.iter().map(|(_, rows)| cell(rows)).collect();
        println!("| {row} | {} |", cells.join(" | "));
    }
}
