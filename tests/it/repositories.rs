//! The example service `repositories`: where its reads go, on a PostgreSQL with replicas that really stream, and SQLite.

use std::path::Path;
use std::time::Duration;

use fleet_faults::Relay;
use kilter_harness::{Postgres, Service, get, request, until};
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use sqlx::query;

use crate::conformance::page_conforms;

const SOON: Duration = Duration::from_secs(20);
const SITE: &str = "/repositories/acme/site";

/// The samples whose lines contain all of this, added up.
fn sum(page: &str, parts: &[&str]) -> f64 {
    let lines = page.lines().filter(|line| parts.iter().all(|it| line.contains(it)));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Reads from where, for which reason.
fn reads(service: &Service, role: &str, reason: &str) -> f64 {
    let page = service.metrics().expect("the metrics page");
    let (role, reason) = (format!("db_role=\"{role}\""), format!("reason=\"{reason}\""));
    sum(&page, &["replica_reads_total{", &role, &reason])
}

/// Reads until the number of reads of this kind grows.
fn read_until(service: &Service, role: &str, reason: &str) {
    let before = reads(service, role, reason);
    until(&format!("a read from the {role} because of {reason}"), SOON, || {
        assert_eq!(get(&service.at(SITE))?.status, 200);
        Ok((reads(service, role, reason) > before).then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", service.metrics().unwrap_or_default()));
}

fn push(service: &Service, head: &str) -> Option<String> {
    let answer = service.post(&format!("{SITE}/pushes"), &json!({"head": head})).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-position").map(str::to_owned)
}

fn head(answer: &Value) -> &str {
    answer["head"].as_str().expect("a head")
}

fn start(folder: &Path, primary: &str, replicas: &str) -> Service {
    let variables = [
        ("DATABASE_URL", primary),
        ("DATABASE_REPLICA_URLS", replicas),
        ("REPOSITORIES_POOL", "2"),
        ("REPOSITORIES_ACQUIRE_TIMEOUT", "300ms"),
        ("REPOSITORIES_MAX_LAG", "500ms"),
        ("REPOSITORIES_LAG_EVERY", "200ms"),
    ];
    Service::repositories(folder, &variables).expect("the service starts")
}

/// One story, because a primary with two replicas takes seconds to start.
#[test]
fn reads_go_to_replicas_unless_they_would_be_stale() {
    let folder = tempfile::tempdir().expect("a folder");
    let primary = Postgres::start().expect("PostgreSQL starts");
    let (one, two) = (primary.replica().expect("a replica"), primary.replica().expect("a replica"));
    let relay = Relay::start(primary.address()).expect("a relay");
    let through = primary.url_through(&relay.address().to_string());
    let service = start(folder.path(), &through, &format!("{},{}", one.url(), two.url()));
    service.create("acme", "site").expect("a repository");
    assert_eq!(service.post("/repositories", &json!({"workspace": "acme", "name": "site"})).expect("it").status, 409);
    push(&service, "aa");
    read_until(&service, "replica", "preferred");

    // Both replicas stop replaying: who has just pushed reads the push all the same, from the primary.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let replicas_do = |text: &'static str| {
        runtime.block_on(async {
            for replica in [&one, &two] {
                let pool = PgPoolOptions::new().max_connections(1).connect(&replica.url()).await.expect("a pool");
                query(text).execute(&pool).await.expect("it is done");
                pool.close().await;
            }
        });
    };
    replicas_do("select pg_wal_replay_pause()");
    for number in 0..20 {
        let pushed = format!("{number:02x}");
        let position = push(&service, &pushed).expect("a position");
        let header = [("x-position", position.as_str())];
        for headers in [&header[..], &[]] {
            let answer = request("GET", &service.at(SITE), headers, &[]).expect("an answer").json().expect("JSON");
            assert_eq!(head(&answer), pushed, "older than what its reader has just written");
        }
    }
    // Whatever was not written just now leaves them too, once they are known to be behind.
    read_until(&service, "primary", "lag");
    assert!(sum(&service.metrics().expect("a page"), &["replica_lag_seconds{"]) > 0.5);
    // Those that the first write of the pause left before that.
    assert!(reads(&service, "primary", "consistency") > 0.0);
    replicas_do("select pg_wal_replay_resume()");
    read_until(&service, "replica", "preferred");
    until("the last push on the replicas", SOON, || {
        let answer = get(&service.at(SITE))?.json()?;
        Ok((head(&answer) == "13").then_some(()))
    })
    .expect("it");

    // The primary hangs: reads do not need it, and writes say what was missing.
    relay.hang();
    let before = reads(&service, "replica", "preferred");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(get(&service.at(SITE)).expect("an answer").status, 200);
    assert!(reads(&service, "replica", "preferred") > before);
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let write = || service.post(&format!("{SITE}/pushes"), &json!({"head": "ff"})).expect("an answer").status;
        let all: Vec<_> = (0..4).map(|_| scope.spawn(write)).collect();
        all.into_iter().map(|it| it.join().expect("no panic")).collect()
    });
    assert_eq!(answers, [503; 4]);
    let page = service.metrics().expect("the metrics page");
    let pushes = "http_route=\"/repositories/{workspace}/{repo}/pushes\"";
    let failed = sum(&page, &["http_server_request_duration_seconds_count{", pushes, "error_type=\"no_connection\""]);
    assert!(failed >= 4.0, "{failed}\n{page}");
    let main = "db_client_connection_pool_name=\"main\"";
    assert!(sum(&page, &["db_client_connection_timeouts_total{", main]) > 0.0, "{page}");
    relay.pass();
    until("writes again", SOON, || {
        Ok((service.post(&format!("{SITE}/pushes"), &json!({"head": "ee"}))?.status == 200).then_some(()))
    })
    .expect("they are");

    // The replicas die: everything goes to the primary.
    drop((one, two));
    until("reads from the primary", SOON, || {
        let answered = get(&service.at(SITE))?.status == 200;
        Ok((answered && reads(&service, "primary", "unavailable") > 0.0).then_some(()))
    })
    .expect("they are");
    page_conforms(&service.metrics().expect("the metrics page"), "examples/repositories");
}

#[test]
fn without_a_database_it_is_sqlite_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let data = data.to_str().expect("a path");
    let mut service = Service::repositories(folder.path(), &[("REPOSITORIES_DATA", data)]).expect("it starts");
    assert!(service.process().log().contains("SQLite"), "{}", service.process().log());
    assert_eq!(get(&service.at(SITE)).expect("an answer").status, 404);
    service.create("acme", "site").expect("a repository");
    assert_eq!(push(&service, "ab"), None, "it has no positions");
    for (path, body, status) in [
        ("/repositories", json!({"workspace": "acme", "name": "site"}), 409),
        ("/repositories", json!({"workspace": "..", "name": "site"}), 422),
        ("/repositories/acme/site/pushes", json!({"head": "no commit"}), 422),
        ("/repositories/acme/none/pushes", json!({"head": "ab"}), 404),
    ] {
        assert_eq!(service.post(path, &body).expect("an answer").status, status, "{path} {body}");
    }
    service.stop().expect("a good end");
    service.start_again().expect("it starts again");
    let site = get(&service.at(SITE)).expect("an answer").json().expect("JSON");
    assert_eq!(site, json!({"workspace": "acme", "name": "site", "pushes": 1, "head": "ab"}));
    let page = service.metrics().expect("the metrics page");
    assert!(!page.contains("replica_reads_total{"), "there is no choice to count:\n{page}");
    assert!(sum(&page, &["db_client_operation_duration_seconds_count{", "sqlite", "find_repository"]) > 0.0, "{page}");
}
