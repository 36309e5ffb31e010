//! The primary database and its replicas.

use super::day::{Day, Expected, within};
use super::{LOAD, fleet, options};
use kilter_harness::FleetOptions;

const LAG: &[Expected] = &[];
const UNUSED: &[Expected] = &[];

#[test]
fn a_replica_lags_then_the_primary_is_saturated_because_replicas_go_unused() {
    // A pool that is large enough while replicas take the reads.
    let repositories = vec![("REPOSITORIES_POOL".to_owned(), "2".to_owned())];
    let (_folder, fleet) = fleet(&FleetOptions { postgres: true, repositories, ..options() });

    let mut day = Day::begin(&fleet, "replica-lags", LOAD);
    day.cause(&[LAG], || fleet.databases[1].execute("select pg_wal_replay_pause()"));
    day.told(LAG);
    std::thread::sleep(std::time::Duration::from_secs(45));
    fleet.databases[1].execute("select pg_wal_replay_resume()").expect("mended");
    day.mended(&[LAG]);

    let mut day = Day::begin(&fleet, "replicas-unused", LOAD);
    day.cause(&[UNUSED], || {
        fleet.relays.set("primary", "delay=60ms")?;
        fleet.relays.set("replica-1", "cut")?;
        fleet.relays.set("replica-2", "cut")
    });
    day.told(UNUSED);
    std::thread::sleep(std::time::Duration::from_secs(15));
    for relay in ["primary", "replica-1", "replica-2"] {
        fleet.relays.set(relay, "pass").expect("mended");
    }
    day.mended(&[UNUSED]);
}
