//! sqlx on a real PostgreSQL and a real SQLite: what is counted, as what, and what the rules read of it.

use std::time::Duration;

use kilter::testing::TestTelemetry;
use kilter_harness::Postgres;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{PgPool, query, raw_sql};

use crate::rules_read::RulesRead;

/// How long an acquisition may take.
const PATIENCE: Duration = Duration::from_secs(1);

fn operations(telemetry: TestTelemetry, system: &str, name: &str, error: &str) -> Option<f64> {
    let error = if error.is_empty() { String::new() } else { format!(",error_type=\"{error}\"") };
    telemetry.value(&format!(
        "db_client_operation_duration_seconds_count{{db_system_name=\"{system}\",db_operation_name=\"{name}\",\
         db_namespace=\"main\",db_role=\"primary\"{error}}}"
    ))
}

fn pool(telemetry: TestTelemetry, series: &str, state: &str) -> Option<f64> {
    let state = if state.is_empty() { String::new() } else { format!(",db_client_connection_state=\"{state}\"") };
    let labels = format!("db_client_connection_pool_name=\"main\"{state}");
    telemetry.value(&format!("db_client_connection_{series}{{{labels}}}"))
}

fn connections(telemetry: TestTelemetry) -> [Option<f64>; 3] {
    [pool(telemetry, "count", "used"), pool(telemetry, "count", "idle"), pool(telemetry, "max", "")]
}

/// A connection comes back to its pool in a task of its own, so a moment may pass.
async fn settled(telemetry: TestTelemetry, expected: [Option<f64>; 3]) {
    let reached = async {
        while connections(telemetry) != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(10), reached).await.is_ok();
    assert!(in_time, "{:?} is not {expected:?}", connections(telemetry));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_queries_waits_and_outages_are_counted_once() {
    let mut server = Postgres::start().expect("PostgreSQL starts");
    let options = PgPoolOptions::new().max_connections(2).acquire_timeout(PATIENCE);
    let connected: PgPool = options.connect(&server.url()).await.expect("a pool");
    let telemetry = TestTelemetry::new(kilter::service!());
    telemetry.pool("main", &connected);
    let db = telemetry.db("main");
    settled(telemetry, [Some(0.0), Some(1.0), Some(2.0)]).await;
    raw_sql("create table users (name text primary key)").execute(&connected).await.expect("a table");

    // What the database answers, whatever it answers, is a success of it.
    let add = || db.run("add_user", query("insert into users values ('ann')").execute(&connected));
    assert_eq!(add().await.expect("a row").rows_affected(), 1);
    assert!(add().await.expect_err("a second Ann").as_database_error().expect("its word").is_unique_violation());
    let nobody = query("select * from users where name = 'bob'").fetch_one(&connected);
    assert!(matches!(db.run("find_user", nobody).await, Err(sqlx::Error::RowNotFound)));
    assert_eq!(operations(telemetry, "postgresql", "add_user", ""), Some(2.0));
    assert_eq!(operations(telemetry, "postgresql", "find_user", ""), Some(1.0));
    assert_eq!(operations(telemetry, "postgresql", "find_user", "_OTHER"), Some(0.0), "born before its first failure");

    // What it does not do is an error.
    db.run("broken", query("select * from no_such_table").execute(&connected)).await.expect_err("no table");
    let slow = raw_sql("set statement_timeout = 50; select pg_sleep(5)").execute(&connected);
    db.run("report", slow).await.expect_err("a statement that takes too long");
    let cancelled = db.run("report", query("select pg_sleep(0.2)").execute(&connected));
    assert!(tokio::time::timeout(Duration::from_millis(50), cancelled).await.is_err());
    assert_eq!(operations(telemetry, "postgresql", "broken", "_OTHER"), Some(1.0));
    assert_eq!(operations(telemetry, "postgresql", "report", "timeout"), Some(2.0));
    assert_eq!(operations(telemetry, "postgresql", "report", ""), Some(0.0));

    // A service's own error type, which says itself what is the database's fault.
    let own = db.run_judged("judged", async { Err::<(), _>(404) }, |status| {
        (*status >= 500).then_some(kilter::ErrorType::TIMEOUT)
    });
    assert_eq!(own.await, Err(404));
    assert_eq!(operations(telemetry, "postgresql", "judged", ""), Some(1.0));

    // A saturated pool: two have a connection, two wait in vain, one loses patience before.
    let held = [db.acquire(connected.acquire()).await, db.acquire(connected.acquire()).await];
    assert!(held.iter().all(Result::is_ok));
    settled(telemetry, [Some(2.0), Some(0.0), Some(2.0)]).await;
    assert_eq!(pool(telemetry, "pending_requests", ""), Some(0.0));
    let wait = || {
        let (db, connected) = (db, connected.clone());
        tokio::spawn(async move { db.acquire(connected.acquire()).await.map(drop) })
    };
    let waiting = [wait(), wait(), wait()];
    let three = async {
        while pool(telemetry, "pending_requests", "") != Some(3.0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, three).await.expect("three wait");
    let [first, second, third] = waiting;
    third.abort();
    for waited in [first, second] {
        assert!(matches!(waited.await.expect("no panic"), Err(sqlx::Error::PoolTimedOut)));
    }
    assert!(third.await.expect_err("aborted").is_cancelled());
    assert_eq!(pool(telemetry, "pending_requests", ""), Some(0.0));
    assert_eq!(pool(telemetry, "timeouts_total", ""), Some(3.0));
    assert_eq!(pool(telemetry, "wait_time_seconds_count", ""), Some(2.0));
    assert_eq!(operations(telemetry, "postgresql", "acquire", "timeout"), Some(3.0));
    drop(held);

    // A server that is gone, and comes back.
    server.kill().expect("killed");
    let load = || db.run("load", query("select 1").execute(&connected));
    load().await.expect_err("no server");
    db.acquire(connected.acquire()).await.expect_err("no server");
    let failed = ["timeout", "_OTHER"].map(|it| operations(telemetry, "postgresql", "load", it));
    assert!([[Some(1.0), Some(0.0)], [None, Some(1.0)]].contains(&failed), "{failed:?}");
    server.restart().expect("it starts again");
    load().await.expect("the pool finds it again");
    assert_eq!(operations(telemetry, "postgresql", "load", ""), Some(1.0));

    // What the rules read: add_user 2, find_user 1, broken 1, report 2, judged 1, acquire 4, load 2.
    let rules = RulesRead::of(&[
        ("all", "{db: {namespace: main, role: primary}}"),
        ("reports", "{db: {namespace: main, role: primary, operations: [report]}}"),
        ("replicas", "{db: {namespace: main, role: replica}}"),
        ("users", "{db: {namespace: main, operations: [add_user, find_user]}}"),
    ]);
    let page = telemetry.page();
    assert_eq!(rules.counts("all", &page), (8.0, 13.0), "{page}");
    assert_eq!(rules.counts("reports", &page), (2.0, 2.0));
    assert_eq!(rules.counts("replicas", &page), (0.0, 0.0));
    assert_eq!(rules.counts("users", &page), (0.0, 3.0));

    connected.close().await;
    assert_eq!(connections(telemetry), [None; 3], "a closed pool is shown no longer");
}

#[tokio::test]
async fn sqlite_answers_and_its_locks_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = SqliteConnectOptions::new().filename(folder.path().join("main.db")).create_if_missing(true);
    let options = SqlitePoolOptions::new().max_connections(2);
    let connected = options.connect_with(file.busy_timeout(Duration::from_millis(50))).await.expect("a pool");
    let telemetry = TestTelemetry::new(kilter::service!());
    let db = telemetry.db("main");
    // The handle is older than the pool, and knows the system all the same.
    telemetry.pool("main", &connected);
    db.run("create", query("create table t (id integer primary key)").execute(&connected)).await.expect("a table");
    let insert = || db.run("insert", query("insert into t values (1)").execute(&connected));
    insert().await.expect("a row");
    insert().await.expect_err("a second row 1");
    let mut writer = connected.begin_with("begin immediate").await.expect("a transaction");
    query("insert into t values (2)").execute(&mut *writer).await.expect("a row");
    insert().await.expect_err("locked");
    writer.rollback().await.expect("an end");
    assert_eq!(operations(telemetry, "sqlite", "insert", ""), Some(2.0));
    assert_eq!(operations(telemetry, "sqlite", "insert", "timeout"), Some(1.0));
    assert_eq!(pool(telemetry, "max", ""), Some(2.0));
}
