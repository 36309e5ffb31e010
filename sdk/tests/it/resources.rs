//! Resources: usage, limit, pending, waits and errors, over the real things and with every way to end a wait.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use deadpool::unmanaged::Pool;
use kilter::Usage;
use kilter::testing::TestTelemetry;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tower::ServiceExt as _;

/// What the page says of a resource: usage, limit, pending, waits, errors.
fn seen(telemetry: TestTelemetry, kind: &str, name: &str) -> [Option<f64>; 5] {
    ["usage", "limit", "pending", "wait_time_seconds_count", "errors_total"]
        .map(|what| telemetry.value(&format!("resource_{what}{{resource_type=\"{kind}\",resource_name=\"{name}\"}}")))
}

fn all(numbers: [f64; 5]) -> [Option<f64>; 5] {
    numbers.map(Some)
}

async fn settled() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_handle_counts_use_waits_and_every_failure() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let it = telemetry.resource("connection_pool", "ldap");
    let seen = move || seen(telemetry, "connection_pool", "ldap");
    assert_eq!(seen(), [Some(0.0), None, Some(0.0), Some(0.0), Some(0.0)], "nobody said how many there are");
    let it = it.limit(2);

    let held = it.acquire(async { Ok::<_, String>(vec![1]) }).await.unwrap();
    assert_eq!((*held).len(), 1);
    assert_eq!(seen(), all([1.0, 2.0, 0.0, 1.0, 0.0]));

    let waiting = tokio::spawn(it.acquire(std::future::pending::<Result<(), String>>()));
    settled().await;
    assert_eq!(seen(), all([1.0, 2.0, 1.0, 1.0, 0.0]));
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    assert_eq!(seen(), all([1.0, 2.0, 0.0, 1.0, 1.0]), "it gave up");

    assert_eq!(it.acquire(async { Err::<(), _>("closed") }).await.err(), Some("closed"));
    it.refused();
    let panics =
        it.acquire(async move { if seen()[2] == Some(1.0) { panic!("as tests do") } else { Ok::<_, String>(()) } });
    assert!(tokio::spawn(panics).await.unwrap_err().is_panic());
    assert_eq!(seen(), all([1.0, 2.0, 0.0, 1.0, 4.0]));

    let more = it.hold(5);
    assert_eq!(seen()[0], Some(6.0));
    drop((held, more));
    assert_eq!(seen(), all([0.0, 2.0, 0.0, 1.0, 4.0]), "exact at rest");
    assert_eq!(it.limit(0).acquire(async { Ok::<_, String>(()) }).await.map(drop), Ok(()));
    assert_eq!(seen()[1], None);
}

/// A client that leaves while its request waits is no error of the resource; the request's own deadline is.
#[tokio::test]
async fn a_wait_that_ends_with_its_request_is_no_error() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let it = telemetry.resource("semaphore", "checkout");
    let wait = move || it.acquire(std::future::pending::<Result<(), String>>());
    let app = Router::new()
        .route("/waits", get(move || async move { drop(wait().await) }))
        .route("/gives-up", get(move || async move { drop(timeout(Duration::from_millis(5), wait()).await) }))
        .layer(telemetry.http_server());
    let ask = |path: &str| app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
    assert!(timeout(Duration::from_millis(20), ask("/waits")).await.is_err());
    assert_eq!(seen(telemetry, "semaphore", "checkout")[2..], all([0.0, 0.0, 0.0, 0.0, 0.0])[2..]);
    assert_eq!(ask("/gives-up").await.unwrap().status(), 200);
    assert_eq!(seen(telemetry, "semaphore", "checkout")[2..], all([0.0, 0.0, 0.0, 0.0, 1.0])[2..]);
}

#[tokio::test]
async fn a_stranger_kind_is_other_and_names_are_told_apart() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let (one, _two) = (telemetry.resource("queue", "one"), telemetry.resource("queue", "two"));
    telemetry.resource("no such kind", "x").refused();
    one.refused();
    assert_eq!(seen(telemetry, "_OTHER", "x")[4], Some(1.0));
    assert_eq!((seen(telemetry, "queue", "one")[4], seen(telemetry, "queue", "two")[4]), (Some(1.0), Some(0.0)));
}

#[tokio::test]
async fn an_unchanged_semaphore_is_read_and_its_waits_are_measured() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let semaphore = Arc::new(Semaphore::new(3));
    let checkout = telemetry.semaphore("checkout", &semaphore);
    let seen = || seen(telemetry, "semaphore", "checkout");
    // Some that go past the measured way are seen all the same.
    let two = semaphore.clone().acquire_many_owned(2).await.unwrap();
    let one = checkout.acquire(semaphore.acquire()).await.unwrap();
    assert_eq!(seen(), all([3.0, 3.0, 0.0, 1.0, 0.0]));

    let late = checkout.acquire(semaphore.acquire());
    assert!(timeout(Duration::from_millis(5), late).await.is_err());
    assert_eq!(seen(), all([3.0, 3.0, 0.0, 1.0, 1.0]), "a deadline around the wait");
    let next = tokio::spawn(checkout.acquire(semaphore.clone().acquire_owned()));
    settled().await;
    assert_eq!(seen(), all([3.0, 3.0, 1.0, 1.0, 1.0]));
    drop(one);
    drop(next.await.unwrap().unwrap());
    assert_eq!(seen(), all([2.0, 3.0, 0.0, 2.0, 1.0]));
    drop(two);
    semaphore.add_permits(2);
    assert_eq!(seen()[..2], [Some(0.0), Some(5.0)]);
    semaphore.close();
    assert!(checkout.acquire(semaphore.acquire()).await.is_err());
    drop(semaphore);
    assert_eq!(seen(), [None, None, Some(0.0), Some(2.0), Some(2.0)], "what is gone is absent");
}

#[tokio::test]
async fn channels_and_the_workers_that_they_feed() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let (sender, mut receiver) = mpsc::channel::<oneshot::Receiver<()>>(2);
    let outbox = telemetry.channel("outbox", &sender);
    let workers = telemetry.workers("mailers", 4).queue(&sender);
    let (queue, pool) =
        (|| seen(telemetry, "queue", "outbox"), || seen(telemetry, "thread_pool", "mailers")[..3].to_vec());
    let (ends, work): (Vec<_>, Vec<_>) = (0..3).map(|_| oneshot::channel()).unzip();
    let mut work = work.into_iter();
    for _ in 0..2 {
        outbox.acquire(sender.send(work.next().unwrap())).await.unwrap();
    }
    let third = tokio::spawn({
        let (sender, message) = (sender.clone(), work.next().unwrap());
        outbox.acquire(async move { sender.send(message).await })
    });
    settled().await;
    assert_eq!(queue(), all([2.0, 2.0, 1.0, 2.0, 0.0]), "the third waits for a slot");
    assert_eq!(pool(), [Some(0.0), Some(4.0), Some(2.0)]);

    let worker = |message: oneshot::Receiver<()>| tokio::spawn(workers.busy(message));
    let (first, second) = (worker(receiver.recv().await.unwrap()), worker(receiver.recv().await.unwrap()));
    third.await.unwrap().unwrap();
    settled().await;
    assert_eq!(queue(), all([1.0, 2.0, 0.0, 3.0, 0.0]));
    assert_eq!(pool(), [Some(2.0), Some(4.0), Some(1.0)]);
    first.abort();
    drop(ends);
    assert!(first.await.unwrap_err().is_cancelled() && second.await.unwrap().is_err());
    receiver.close();
    assert!(outbox.acquire(sender.send(oneshot::channel().1)).await.is_err());
    assert_eq!(queue()[4], Some(1.0), "nobody reads any more");
    drop((sender, receiver));
    assert_eq!(queue()[..3], [None, None, Some(0.0)]);
    assert_eq!(pool(), [Some(0.0), Some(4.0), Some(0.0)]);
}

/// The threads of Tokio's blocking pool: one that is busy, one piece of work that waits, one that is thrown away.
#[test]
fn work_for_threads_waits_runs_and_is_thrown_away() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let hashing = telemetry.resource("thread_pool", "hashing").limit(1);
    let seen = || seen(telemetry, "thread_pool", "hashing");
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let first = runtime.spawn_blocking(hashing.task(move || {
        tell.send(()).unwrap();
        wait.recv()
    }));
    let second = runtime.spawn_blocking(hashing.task(|| 2));
    drop(hashing.task(|| 3));
    told.recv().unwrap();
    assert_eq!(seen(), all([1.0, 1.0, 1.0, 1.0, 1.0]));
    go.send(()).unwrap();
    runtime.block_on(first).unwrap().unwrap();
    assert_eq!(runtime.block_on(second).unwrap(), 2);
    let panics = runtime.spawn_blocking(hashing.task(|| panic!("as tests do")));
    assert!(runtime.block_on(panics).is_err());
    assert_eq!(seen(), all([0.0, 1.0, 0.0, 3.0, 1.0]));
}

/// A pool that knows itself, from a library that knows nothing of us.
#[tokio::test]
async fn any_pool_is_read_and_its_waits_are_measured() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let pool = Pool::from(vec!["one", "two"]);
    let read = {
        let pool = pool.clone();
        move || {
            let status = pool.status();
            Usage::of(status.size - status.available).limit(status.max_size)
        }
    };
    let connections = telemetry.resource("connection_pool", "search").observe(read);
    let seen = || seen(telemetry, "connection_pool", "search");
    let first = connections.acquire(pool.get()).await.unwrap();
    let second = connections.acquire(pool.get()).await.unwrap();
    assert!(["one", "two"].contains(&*first) && *second != *first);
    let third = tokio::spawn({
        let pool = pool.clone();
        connections.acquire(async move { pool.get().await })
    });
    settled().await;
    assert_eq!(seen(), all([2.0, 2.0, 1.0, 2.0, 0.0]));
    drop(first);
    drop(third.await.unwrap().unwrap());
    let refused = pool.timeout_get(Some(Duration::ZERO)).await;
    drop((refused.unwrap(), second));
    pool.close();
    assert!(connections.acquire(pool.get()).await.is_err());
    assert_eq!(seen()[2..], [Some(0.0), Some(3.0), Some(1.0)]);
}

/// A pool that counts its waiters itself is believed, also when nobody measures the waits.
#[test]
fn what_a_resource_says_of_itself_is_taken_back_when_it_is_gone() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let says = Arc::new(std::sync::Mutex::new(Some(Usage::of(3).limit(4).pending(7))));
    let read = Arc::clone(&says);
    telemetry.resource("_OTHER", "licences").observe(move || *read.lock().unwrap());
    let seen = || seen(telemetry, "_OTHER", "licences")[..3].to_vec();
    assert_eq!(seen(), [Some(3.0), Some(4.0), Some(7.0)]);
    *says.lock().unwrap() = Some(Usage::of(1));
    assert_eq!(seen(), [Some(1.0), None, Some(0.0)]);
    *says.lock().unwrap() = None;
    assert_eq!(seen(), [None, None, Some(0.0)]);
}

/// A disk is what `df` says; one that is not there is absent, and costs nobody the page.
#[test]
fn disks() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let folder = tempfile::tempdir().unwrap();
    telemetry.disk("data", folder.path());
    telemetry.disk("nowhere", "/no/such/path");
    let out =
        std::process::Command::new("df").args(["--block-size=1", "--output=used,avail"]).arg(folder.path()).output();
    let out = String::from_utf8(out.unwrap().stdout).unwrap();
    let df: Vec<f64> = out.lines().nth(1).unwrap().split_whitespace().map(|it| it.parse().unwrap()).collect();
    let [usage, limit, pending, ..] = seen(telemetry, "disk", "data");
    // Others write meanwhile.
    let near = |one: f64, other: f64| (one - other).abs() < 1e9;
    assert!(near(usage.unwrap(), df[0]) && near(limit.unwrap(), df[0] + df[1]), "{usage:?} {limit:?} {df:?}");
    assert_eq!((pending, seen(telemetry, "disk", "nowhere")), (None, [None; 5]));
}
