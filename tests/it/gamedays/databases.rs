//! The primary database and its replicas.

use kilter_harness::Fleet;

use super::LOAD;
use super::day::{Day, Expected, within};

const LAG: &[Expected] = &[within("scm-tickets: ReplicaLagging ticket repositories replica-1", 30)];

pub(super) fn days(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "replica-lags", LOAD);
    day.cause(&[LAG], || fleet.databases[1].execute("select pg_wal_replay_pause()"));
    day.says(&day.told(LAG)[0], &["replica-1", "behind"]);
    day.shows("repositories", "read-availability", &["replica_lag_seconds"]);
    fleet.databases[1].execute("select pg_wal_replay_resume()").expect("mended");
    day.mended(&[LAG]);
}

const UNUSED: &[Expected] = &[];
const UNUSED_AFTER: &[Expected] = &[];

/// The primary could do its part while replicas took the reads.
pub(super) fn unused(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "replicas-unused", LOAD);
    day.cause(&[UNUSED, UNUSED_AFTER], || {
        fleet.relays.set("primary", "delay=100ms")?;
        fleet.relays.set("replica-1", "cut")?;
        fleet.relays.set("replica-2", "cut")
    });
    day.told(UNUSED);
    std::thread::sleep(std::time::Duration::from_secs(20));
    day.shows("repositories", "read-availability", &["replica_reads_total", "db_client_connection_pending_requests"]);
    for relay in ["primary", "replica-1", "replica-2"] {
        fleet.relays.set(relay, "pass").expect("mended");
    }
    day.mended(&[UNUSED, UNUSED_AFTER]);
}
