//! The primary database and its replicas.

use kilter_harness::Fleet;

use super::LOAD;
use super::day::{Day, Expected, within};

const LAG: &[Expected] = &[within("scm-tickets: ReplicaLagging ticket repositories replica-1", 30)];

/// API clients who read, and nobody else, so that whoever notices is the core service's own promise.
const READERS: &[&str] =
    &["--clones=0", "--refs=0", "--reads=10", "--writes=0", "--tokens=4", "--builds=2", "--build-seconds=0.1"];
const SATURATED: &[Expected] = &[within("scm-pager: ErrorBudgetBurn page repositories read-availability", 10)];
/// Whether some reads succeed slowly, or hardly any succeeds, is the luck of the pool: whoever's time is up while a connection
/// is tried takes it along, and whoever is next in line has as little time left to make another.
const SLOW: &[Expected] = &[
    within("scm-pager: ErrorBudgetBurn page repositories read-latency", 0),
    within("scm-tickets: ErrorBudgetBurn ticket repositories read-latency", 0),
    within("engineering-leads: PageUnanswered escalation repositories read-latency", 0),
];
/// Where it comes from.
const CAUSES: &[Expected] = &[
    within("scm-tickets: ResourceSaturated ticket repositories db_pool main", 20),
    within("scm-tickets: ResourceErrors ticket repositories db_pool main", 30),
    within("scm-tickets: ErrorBudgetBurn ticket repositories reads-from-replicas", 25),
    within("scm-tickets: ErrorBudgetBurn ticket repositories primary-database", 25),
];
const SATURATED_AFTER: &[Expected] =
    &[within("scm-tickets: ErrorBudgetBurn ticket repositories read-availability", 120)];
/// When it takes long enough until somebody mends it.
const LONG: &[Expected] = &[
    within("scm-tickets: ResourceNearLimit ticket repositories db_pool main", 0),
    within("engineering-leads: PageUnanswered escalation repositories read-availability", 0),
    within("scm-tickets: ErrorBudgetExhausted ticket repositories read-availability", 0),
];
/// The primary has next to nothing to do once replicas take the reads again: so most of what it was asked has failed, and the
/// longer that is so, the more of the budget is gone. After an hour it is all of it; this day lasts about that long.
const SPENT: &[Expected] = &[within("scm-tickets: ErrorBudgetExhausted ticket repositories primary-database", 0)];

pub(super) fn days(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "replica-lags", LOAD);
    day.cause(&[LAG], || fleet.databases[1].execute("select pg_wal_replay_pause()"));
    day.says(&day.told(LAG)[0], &["replica-1", "behind"]);
    day.shows("repositories", "read-availability", &["replica_lag_seconds"]);
    fleet.databases[1].execute("select pg_wal_replay_resume()").expect("mended");
    day.mended(&[LAG]);

    // A pool that is large enough while replicas take the reads.
    fleet.repositories.deploy(&[("REPOSITORIES_POOL", "2")]).expect("a deployment");
    // Replicas cannot be reached, and the primary, which is slow, has all the reads.
    let mut day = Day::begin(fleet, "replicas-unused", READERS);
    day.cause(&[SATURATED, SLOW, CAUSES, SATURATED_AFTER, LONG, SPENT], || {
        fleet.relays.set("primary", "delay=100ms")?;
        fleet.relays.set("replica-1", "cut")?;
        fleet.relays.set("replica-2", "cut")
    });
    day.says(&day.told(SATURATED)[0], &["repositories/read-availability", "Budget left"]);
    day.says(&day.told(CAUSES)[0], &["db_pool main"]);
    day.lasts("repositories", "read-availability");
    day.shows("repositories", "read-availability", &["replica_reads_total", "db_client_connection_pending_requests"]);
    for relay in ["primary", "replica-1", "replica-2"] {
        fleet.relays.set(relay, "pass").expect("mended");
    }
    day.mended(&[SATURATED, CAUSES, SATURATED_AFTER]);
}
