//! What a request costs, and what is counted of it, beside the peers: `cargo run --release --bin http` prints the tables
//! of `docs/benchmarks.md`.
//!
//! | file | holds |
//! |---|---|
//! | `stack` | the stacks that are compared, each set up as its documentation says |
//! | `service` | the service around which they lie: the same for all |
//! | `case`, `measure`, `callgrind` | the costs: a child process per case, under valgrind and without |
//! | `outcomes`, `page`, `client` | what is counted: a child process per stack, driven over sockets |
//! | `collector` | takes the spans that Kilter sends |

mod allocations;
mod callgrind;
mod case;
mod client;
mod collector;
mod measure;
mod noop;
mod outcomes;
mod page;
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
        // Child processes.
        Some("measure") => {
            let case = case::Case::from_args(&mut args)?;
            let mut number = || args.next().context("a number is missing")?.parse().context("not a number");
            measure::run(case, number()?, number()?)
        }
        Some("drive") => outcomes::run(stack::Stack::named(&args.next().context("which stack?")?)?),
        Some(other) => bail!("`{other}`? Nothing, `costs` or `outcomes`"),
    }
}
