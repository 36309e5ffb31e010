//! The tables of what requests and calls cost: instructions, allocations, and time.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::net::SocketAddr;

use crate::callgrind::{self, PerRequest};
use crate::case::Case;
use crate::child;
use crate::measure::Run;
use crate::rows::{self, Row};
use crate::stack::Stack;
use crate::tables::{Failures, thousands};

/// Requests of a timed round, and rounds of which the best counts.
const TIMED: (u32, u32) = (20_000, 7);

const HEAD: &str = "| | instructions | elsewhere | allocations | bytes | clock reads |\n|---|---:|---:|---:|---:|---:|";

/// Instructions and allocations of requests. Of the rows, those whose name contains `word`.
pub(crate) fn requests(collector: SocketAddr, word: &str, failures: &mut Failures) -> anyhow::Result<()> {
    let valgrind = callgrind::require()?;
    let mut counted = Counted { collector, seen: Vec::new() };
    println!("\n## What a request costs\n\nOne request through a router with one route; {valgrind}.\n");
    println!("| | instructions | allocations | bytes | clock reads |\n|---|---:|---:|---:|---:|");
    for (name, stack) in [("bare router", Stack::Bare), ("with a no-op layer", Stack::Noop)] {
        if let Some(it) = failures.keep(name, counted.of(Case::plain(stack))) {
            let PerRequest { allocations, bytes, clock_reads, .. } = it;
            println!("| {name} | {} | {allocations:.0} | {bytes:.0} | {clock_reads:.0} |", thousands(it.instructions));
        }
    }
    println!("\nWhat a stack adds to the no-op layer:\n\n{HEAD}");
    for row in rows::of_one_route().iter().filter(|it| it.name.contains(word)) {
        counted.print(row, failures);
    }
    println!("\nThe same with 50 routes in turn:\n\n{HEAD}");
    for row in rows::of_fifty_routes().iter().filter(|it| it.name.contains(word)) {
        counted.print(row, failures);
    }
    Ok(())
}

/// Instructions and allocations of calls that a handler makes.
pub(crate) fn calls(collector: SocketAddr, word: &str, failures: &mut Failures) -> anyhow::Result<()> {
    let valgrind = callgrind::require()?;
    let mut counted = Counted { collector, seen: Vec::new() };
    println!("\n## What a call costs\n\nOne call in a handler, over the bare call; {valgrind}.\n");
    println!("| | instructions | allocations | bytes | clock reads |\n|---|---:|---:|---:|---:|");
    for row in rows::of_calls().iter().filter(|it| it.name.contains(word)) {
        let without = |case| Case { call: None, ..case };
        let mut measured = || {
            let of_call = counted.of(row.case)?.less(counted.of(without(row.case))?);
            anyhow::Ok(of_call.less(counted.of(row.base)?.less(counted.of(without(row.base))?)))
        };
        if let Some(it) = failures.keep(row.name, measured()) {
            println!(
                "| {} | {} | {:.0} | {:.0} | {:.0} |",
                row.name,
                thousands(it.instructions),
                it.allocations,
                it.bytes,
                it.clock_reads
            );
        }
    }
    Ok(())
}

/// Wall time of the same requests.
pub(crate) fn times(collector: SocketAddr, word: &str, failures: &mut Failures) {
    println!(
        "\n### Wall time\n\nWhat a stack adds to the no-op layer, in nanoseconds; the best of {} rounds:\n",
        TIMED.1
    );
    println!("| | one thread | two threads |\n|---|---:|---:|");
    let mut seen: Vec<(Case, Run)> = Vec::new();
    let mut of = |case| match seen.iter().find(|(it, _)| *it == case) {
        Some((_, run)) => Ok(*run),
        None => {
            let run = timed(case, collector)?;
            seen.push((case, run));
            anyhow::Ok(run)
        }
    };
    if let Some(it) = failures.keep("no-op", of(Case::plain(Stack::Noop))) {
        println!(
            "| the router with the no-op layer itself | {} | {} |",
            thousands(it.nanos),
            thousands(it.nanos_of_two)
        );
    }
    for row in rows::of_one_route().iter().filter(|it| it.name.contains(word)) {
        eprintln!("{}: time", row.name);
        let both = of(row.case).and_then(|it| Ok((it, of(row.base)?)));
        if let Some((it, base)) = failures.keep(row.name, both) {
            let (one, two) = (it.nanos - base.nanos, it.nanos_of_two - base.nanos_of_two);
            println!("| {} | {} | {} |", row.name, thousands(one), thousands(two));
        }
    }
}

fn timed(case: Case, collector: SocketAddr) -> anyhow::Result<Run> {
    let mut command = child::command()?;
    command.arg("measure").args(case.args()).args([TIMED.0.to_string(), TIMED.1.to_string()]);
    case.environment(&mut command, collector);
    Run::read(&child::output(command)?)
}

/// What was counted so far: a base has many rows.
struct Counted {
    collector: SocketAddr,
    seen: Vec<(Case, PerRequest)>,
}

impl Counted {
    fn of(&mut self, case: Case) -> anyhow::Result<PerRequest> {
        if let Some((_, counted)) = self.seen.iter().find(|(it, _)| *it == case) {
            return Ok(*counted);
        }
        eprintln!("{}", case.args().join(" "));
        let counted = callgrind::measure(case, self.collector)?;
        self.seen.push((case, counted));
        Ok(counted)
    }

    fn print(&mut self, row: &Row, failures: &mut Failures) {
        let measured = self.of(row.case).and_then(|it| Ok(it.less(self.of(row.base)?)));
        if let Some(it) = failures.keep(row.name, measured) {
            println!(
                "| {} | {} | {} | {:.0} | {:.0} | {:.0} |",
                row.name,
                thousands(it.instructions),
                thousands(it.elsewhere),
                it.allocations,
                it.bytes,
                it.clock_reads
            );
        }
    }
}
