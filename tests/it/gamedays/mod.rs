//! Game days: the outages that started this, each injected at its cause on the real fleet, and the complete list of what is
//! told of it, to whom, how soon, in which words, and that it ends.
//!
//! The fleet is the examples with their committed SLO files; what watches it is the generator's own output, at a time scale
//! of 1/60: an hour is a minute. A fleet stays for several days, one after the other; what watches it begins each day with
//! an empty past, so that no window remembers the day before. What a service waits for in real time (a database's answer)
//! is not scaled.
//!
//! After a page has resolved, the ticket of the same promise is told: the long windows still burn, and nothing hides it any
//! longer. So it would be in production.

mod calm;
mod databases;
mod day;
mod front;
mod pipelines;
mod platform;
mod queries;

use kilter_harness::{Fleet, FleetOptions};

/// A fleet with a folder of its own.
fn fleet(options: &FleetOptions) -> (tempfile::TempDir, Fleet) {
    let folder = tempfile::tempdir().expect("a folder");
    let fleet = Fleet::start(folder.path(), options).expect("the fleet starts");
    (folder, fleet)
}

/// Few users of everything: enough for each promise to have events.
const LOAD: &[&str] =
    &["--clones=1.5", "--refs=0", "--reads=5", "--writes=1", "--tokens=4", "--builds=2", "--build-seconds=0.1"];

fn options() -> FleetOptions {
    FleetOptions { time_divisor: day::DIVISOR, postgres: false, repositories: Vec::new() }
}
