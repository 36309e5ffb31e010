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

    saturated(fleet);
}

/// The core service, and the clones that ask it first.
const SATURATED: &[Expected] = &[
    within("scm-pager: ErrorBudgetBurn page repositories read-availability", 10),
    within("scm-pager: ErrorBudgetBurn page git-https refs-availability", 15),
];
/// Where it comes from.
const CAUSES: &[Expected] = &[
    within("scm-tickets: ResourceSaturated ticket repositories db_pool main", 20),
    within("scm-tickets: ErrorBudgetBurn ticket repositories reads-from-replicas", 25),
    within("scm-tickets: ErrorBudgetBurn ticket repositories primary-database", 25),
    within("scm-tickets: ErrorBudgetBurn ticket git-https repositories-dependency", 30),
];
const SATURATED_AFTER: &[Expected] = &[
    within("scm-tickets: ErrorBudgetBurn ticket repositories read-availability", 120),
    within("scm-tickets: ErrorBudgetBurn ticket git-https refs-availability", 120),
];
/// How many writers and late readers share the fate is a matter of who is first at the pool.
const OTHERS: &[Expected] = &[
    within("scm-tickets: ResourceErrors ticket repositories db_pool main", 0),
    within("scm-pager: ErrorBudgetBurn page repositories read-latency", 0),
    within("scm-pager: ErrorBudgetBurn page repositories write-availability", 0),
    within("scm-pager: ErrorBudgetBurn page repositories write-latency", 0),
    within("scm-pager: ErrorBudgetBurn page git-https clone-availability", 0),
    within("scm-pager: ErrorBudgetBurn page git-https refs-latency", 0),
    within("scm-tickets: ErrorBudgetBurn ticket repositories read-latency", 0),
    within("scm-tickets: ErrorBudgetBurn ticket repositories write-availability", 0),
    within("scm-tickets: ErrorBudgetBurn ticket repositories write-latency", 0),
    within("scm-tickets: ErrorBudgetBurn ticket git-https clone-availability", 0),
    within("scm-tickets: ErrorBudgetBurn ticket git-https refs-latency", 0),
];

/// Replicas are gone, and the primary, which is slow, has all the reads.
fn saturated(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "replicas-unused", LOAD);
    day.cause(&[SATURATED, CAUSES, SATURATED_AFTER, OTHERS], || {
        fleet.relays.set("primary", "delay=100ms")?;
        fleet.relays.set("replica-1", "cut")?;
        fleet.relays.set("replica-2", "cut")
    });
    day.says(&day.told(SATURATED)[0], &["repositories/read-availability", "Budget left"]);
    day.says(&day.told(CAUSES)[0], &["db_pool main"]);
    day.shows("repositories", "read-availability", &["replica_reads_total", "db_client_connection_pending_requests"]);
    for relay in ["primary", "replica-1", "replica-2"] {
        fleet.relays.set(relay, "pass").expect("mended");
    }
    day.mended(&[SATURATED, CAUSES, SATURATED_AFTER]);
}
