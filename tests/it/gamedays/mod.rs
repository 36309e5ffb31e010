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

use std::thread;

use kilter_harness::{Fleet, FleetOptions};

/// Game days of one kind, on a fleet that has been used before.
type Days = fn(&mut Fleet);

/// Each on a fleet of its own, beside each other: they mostly wait.
const FLEETS: [(&str, &[Days]); 3] = [
    ("front", &[front::days]),
    ("around", &[platform::days, calm::days]),
    ("behind", &[pipelines::days, databases::days]),
];

/// Few users of everything: enough for each promise to have events.
const LOAD: &[&str] =
    &["--clones=1", "--refs=0", "--reads=4", "--writes=1", "--tokens=4", "--builds=2", "--build-seconds=0.1"];

#[test]
fn each_outage_is_told_to_whom_it_concerns_and_to_nobody_else() {
    let only = std::env::var("KILTER_GAMEDAYS").unwrap_or_default();
    let chosen = FLEETS.into_iter().filter(|(name, _)| only.is_empty() || only == *name);
    let running: Vec<_> = chosen
        .map(|(name, days)| (name, thread::Builder::new().name(name.to_owned()).spawn(move || run(days))))
        .collect();
    assert!(!running.is_empty(), "there are no game days `{only}`");
    let failed: Vec<&str> = running
        .into_iter()
        .filter_map(|(name, thread)| thread.expect("a thread").join().is_err().then_some(name))
        .collect();
    assert!(failed.is_empty(), "game days that were not as expected: {failed:?}; why is above");
}

fn run(days: &[Days]) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = FleetOptions { time_divisor: day::DIVISOR, repositories: Vec::new() };
    let mut fleet = Fleet::start(folder.path(), &options).expect("the fleet starts");
    days.iter().for_each(|days| days(&mut fleet));
}
