//! What a request costs, and what is counted of it, beside the peers: `cargo run --release --bin http` prints the tables
//! of `docs/benchmarks.md`.
//!
//! | file | holds |
//! |---|---|
//! | `stack` | the stacks that are compared, each set up as its documentation says |
//! | `service` | the service around which they lie: the same for all |
//! | `calls` | what the handlers of that service call |
//! | `case`, `measure`, `callgrind` | the costs: a child process per case, under valgrind and without |
//! | `rows`, `costs` | the tables of costs |
//! | `outcomes`, `page`, `client` | what is counted: a child process per stack, driven over sockets |
//! | `scrape` | the metrics page of many series, beside metrics-exporter-prometheus |
//! | `memory` | what ten million requests leave behind |
//! | `collector` | takes the spans that Kilter sends |

mod allocations;
mod callgrind;
mod calls;
mod case;
mod child;
mod client;
mod collector;
mod costs;
mod measure;
mod memory;
mod noop;
mod outcomes;
mod page;
mod rows;
mod scrape;
mod service;
mod stack;
mod tables;

use anyhow::{Context, bail};

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    if let Some((part, _)) = tables::Part::ALL.iter().find(|(_, name)| Some(*name) == first.as_deref()) {
        return tables::print(Some(*part), &args.next().unwrap_or_default());
    }
    match first.as_deref() {
        None => tables::print(None, ""),
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
        Some(other) => bail!("`{other}`? Nothing, `costs`, `times`, `calls`, `outcomes`, `scrapes` or `memory`"),
    }
}
