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
