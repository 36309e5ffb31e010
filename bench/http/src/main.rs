//! What a request costs, and what is counted of it, beside the peers: `cargo run --release --bin http` prints the tables
//! of `docs/benchmarks.md`.
//!
//! | file | holds |
//! |---|---|
//! | `stack` | the stacks that are compared, each set up as its documentation says |
//! | `service` | the service around which they lie: the same for all |
//! | `case`, `measure`, `callgrind` | the costs: a child process per case, under valgrind and without |
//! | `outcomes`, `page`, `client` | what is counted: a child process per stack, driven over sockets |
//! | `scrape` | the metrics page of many series, beside metrics-exporter-prometheus |
//! | `memory` | what ten million requests leave behind |
//! | `collector` | takes the spans that Kilter sends |

mod allocations;
mod callgrind;
mod case;
mod client;
mod collector;
mod measure;
mod memory;
mod noop;
mod outcomes;
mod page;
mod scrape;
mod service;
mod stack;
mod tables;

use anyhow::{Context, bail};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    match args.next().as_deref() {
        None => tables::print(None),
        Some("costs") => tables::print(Some(tables::Part::Costs)),
        Some("outcomes") => tables::print(Some(tables::Part::Outcomes)),
        Some("scrapes") => tables::print(Some(tables::Part::Scrapes)),
        Some("memory") => tables::print(Some(tables::Part::Memory)),
        // Child processes.
        Some("measure") => {
            let case = case::Case::from_args(&mut args)?;
            let mut number = || args.next().context("a number is missing")?.parse().context("not a number");
            measure::run(case, number()?, number()?)
        }
        Some("fill") => memory::run(stack::Stack::named(&args.next().context("which stack?")?)?),
        Some("render") => {
            let renderer = args.next().context("which renderer?")?;
            scrape::run(&renderer, args.next().context("how many series?")?.parse()?)
        }
        Some("drive") => outcomes::run(stack::Stack::named(&args.next().context("which stack?")?)?),
        Some(other) => bail!("`{other}`? Nothing, `costs`, `outcomes`, `scrapes` or `memory`"),
    }
}
