//! Reads that go to a PostgreSQL that really streams from another: close enough, too far behind, gone.

use std::time::{Duration, Instant};

use kilter::testing::TestTelemetry;
use kilter::{POSTGRES_LAG, Replicas, RoutedRead};
use kilter_harness::Postgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query, query_scalar};

use crate::rules_read::RulesRead;

async fn connect(server: &Postgres) -> PgPool {
    let options = PgPoolOptions::new().max_connections(3).acquire_timeout(Duration::from_secs(1));
    options.connect(&server.url()).await.expect("a pool")
}

fn reads(telemetry: TestTelemetry, role: &str, reason: &str) -> Option<f64> {
    let labels = format!("db_namespace=\"main\",db_role=\"{role}\",reason=\"{reason}\"");
    telemetry.value(&format!("replica_reads_total{{{labels}}}"))
}

fn lag(telemetry: TestTelemetry) -> Option<f64> {
    telemetry.value("replica_lag_seconds{db_namespace=\"main\",replica=\"eu-1\"}")
}

/// Looks until it is so.
async fn within(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !look().await {
        assert!(started.elapsed() < Duration::from_secs(20), "waited for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Reads until one goes where it should.
async fn read_until(reads: &Replicas<PgPool>, replica: Option<&'static str>) -> RoutedRead<PgPool> {
    let mut at = reads.read();
    within(&format!("a read from {replica:?}"), async || {
        at = reads.read();
        at.replica() == replica
    })
    .await;
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_go_to_a_replica_while_it_is_known_to_be_close() {
    let primary = Postgres::start().expect("PostgreSQL starts");
    let mut replica = primary.replica().expect("a replica starts");
    let (writes, copy) = (connect(&primary).await, connect(&replica).await);
    query("create table t (id integer)").execute(&writes).await.expect("a table");
    // What it has replayed nothing of, it cannot date.
    within("the table on the replica", async || query("select * from t").execute(&copy).await.is_ok()).await;
    let telemetry = TestTelemetry::new(kilter::service!());
    telemetry.pool("main", &writes);
    let routed = telemetry
        .db("main")
        .replicas(writes.clone())
        .replica("eu-1", copy.clone(), |pool| async move { query_scalar(POSTGRES_LAG).fetch_one(&pool).await })
        .max_lag(Duration::from_millis(500))
        .every(Duration::from_millis(500))
        .build();
    // Nobody has asked it yet: what is not known is not zero, and is not read from.
    assert!(lag(telemetry).is_none() || reads(telemetry, "replica", "preferred") == Some(0.0));
    let at = read_until(&routed, Some("eu-1")).await;
    assert!(lag(telemetry).is_some_and(|it| it < 0.5));
    let follows = query_scalar::<_, bool>("select pg_is_in_recovery()").fetch_one(at.pool());
    assert!(at.run("where", follows).await.expect("an answer"));
    let latest = routed.read_latest();
    assert!(latest.replica().is_none());
    let follows = query_scalar::<_, bool>("select pg_is_in_recovery()").fetch_one(latest.pool());
    assert!(!latest.run("where", follows).await.expect("an answer"));
    assert_eq!(reads(telemetry, "primary", "consistency"), Some(1.0));

    // It falls behind: it has received what it does not replay.
    query("select pg_wal_replay_pause()").execute(&copy).await.expect("paused");
    query("insert into t values (1)").execute(&writes).await.expect("a row");
    within("a read that goes elsewhere for its lag", async || {
        read_until(&routed, None).await;
        reads(telemetry, "primary", "lag") > Some(0.0)
    })
    .await;
    assert!(lag(telemetry).is_some_and(|it| it > 0.5));
    query("select pg_wal_replay_resume()").execute(&copy).await.expect("resumed");
    let at = read_until(&routed, Some("eu-1")).await;

    // It dies: the read that finds out fails, the next ones go elsewhere, and its lag is not known.
    let before = reads(telemetry, "primary", "unavailable");
    replica.kill().expect("killed");
    at.run("where", query("select 1").execute(at.pool())).await.expect_err("no server");
    read_until(&routed, None).await;
    assert_eq!(lag(telemetry), None);
    assert!(reads(telemetry, "primary", "unavailable") > before);

    let rules = RulesRead::of(&[
        ("primary", "{db: {namespace: main, role: primary}}"),
        ("replica", "{db: {namespace: main, role: replica}}"),
    ]);
    let page = telemetry.page();
    assert_eq!(rules.counts("primary", &page), (0.0, 1.0), "{page}");
    assert_eq!(rules.counts("replica", &page), (1.0, 2.0), "{page}");
}
