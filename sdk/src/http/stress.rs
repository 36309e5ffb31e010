//! Requests that end in every way at once, on several threads, with readers beside them: nothing is lost, nothing is counted
//! twice, and what is in flight is never negative.

use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::HttpServer;
use crate::core::{Core, CoreConfig};

/// How long it goes on.
const STRESS: Duration = Duration::from_secs(2);

/// A generator that needs no crate: `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 27)) % bound
    }
}

/// A handler that does what its query says: yields some times, then ends.
async fn act(request: Request<Body>) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let (end, yields) = query.split_once('.').expect("an end and a number");
    for _ in 0..yields.parse::<u64>().expect("a number") {
        tokio::task::yield_now().await;
    }
    let frames = |bad: bool| {
        let last = move |n: u64| if bad && n == 3 { Err(std::io::Error::other("torn")) } else { Ok("frame") };
        Body::from_stream(stream::iter(0..4).then(move |n| async move {
            tokio::task::yield_now().await;
            last(n)
        }))
    };
    match end {
        "fine" => "fine".into_response(),
        "error" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        // Without the hook, which would print thousands of times.
        "panic" => std::panic::resume_unwind(Box::new("a handler panics")),
        "stream" => Response::new(frames(false)),
        "torn" => Response::new(frames(true)),
        "hang" => std::future::pending().await,
        other => unreachable!("{other}"),
    }
}

/// One request, cancelled at random, its body read to its end or not.
async fn one(app: Router, random: &mut Random) {
    let ends = ["fine", "fine", "error", "panic", "stream", "torn", "hang"];
    let end = ends[usize::try_from(random.below(7)).expect("small")];
    let uri = format!(
        "/{}?{end}.{}",
        ["a", "b", "c", "unmatched"][usize::try_from(random.below(4)).expect("small")],
        random.below(4)
    );
    let request = Request::get(uri).body(Body::empty()).expect("a request");
    let call = std::panic::AssertUnwindSafe(app.oneshot(request)).catch_unwind();
    let polls = if end == "hang" { 5 } else { random.below(40) };
    let Some(Ok(Ok(response))) = within(polls, call).await else { return };
    let mut body = response.into_body();
    for _ in 0..random.below(7) {
        match body.frame().await {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break,
        }
    }
    if random.below(3) == 0 {
        // Dropped on another thread.
        tokio::task::spawn_blocking(move || drop(body)).await.expect("it is dropped");
    }
}

/// Polls so many times at most, then drops what is left.
async fn within<F: Future>(polls: u64, future: F) -> Option<F::Output> {
    tokio::pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// Requests in flight by route and method, `ended` read first; the difference must not need the renderer's clamp.
fn in_flight(core: &Core) -> HashMap<(Option<Box<str>>, &'static str), u64> {
    let mut all = HashMap::new();
    for route in core.routes.all() {
        for (name, method) in route.methods() {
            let ended = method.ended.get();
            let counted: u64 = method.outcomes().iter().map(|(_, _, it)| it.duration.histogram.read().count()).sum();
            assert!(counted >= ended, "whoever is seen to have ended is counted: {counted} of {ended}");
            let active = method.started.get().checked_sub(ended);
            all.insert((route.template.clone(), name), active.expect("never negative"));
        }
    }
    all
}

#[test]
fn whatever_happens_each_request_is_counted_once() {
    let seed = RandomState::new().hash_one(1);
    let core = Core::leak(CoreConfig::default());
    let app = Router::new()
        .route("/a", get(act))
        .route("/b", get(act))
        .route("/c", get(act))
        .layer(HttpServer::new(core))
        .with_state::<()>(());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime");
    let (asked, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let reads = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reads = 0_u64;
                    while !over.load(Ordering::Relaxed) {
                        in_flight(core);
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let start = Instant::now();
        runtime.block_on(async {
            let tasks: Vec<_> = (0..64)
                .map(|task| {
                    let app = app.clone();
                    tokio::spawn(async move {
                        let mut random = Random(seed ^ task);
                        let mut asked = 0_u64;
                        while start.elapsed() < STRESS {
                            one(app.clone(), &mut random).await;
                            asked += 1;
                        }
                        asked
                    })
                })
                .collect();
            for task in tasks {
                asked.fetch_add(task.await.expect("a task ends"), Ordering::Relaxed);
            }
        });
        over.store(true, Ordering::Relaxed);
        readers.into_iter().map(|it| it.join().expect("never negative")).sum::<u64>()
    });
    let asked = asked.into_inner();
    assert!(asked > 5_000 && reads > 1_000, "{asked} requests, {reads} reads");
    let at_rest: u64 = in_flight(core).values().sum();
    assert_eq!(at_rest, 0, "seed {seed}");
    let (mut ended, mut counted, mut kinds) = (0, 0, std::collections::BTreeSet::new());
    for route in core.routes.all() {
        for (_, method) in route.methods() {
            ended += method.ended.get();
            for (key, _, outcome) in method.outcomes() {
                let (status, error) = key.expect("few outcomes");
                counted += outcome.duration.histogram.read().count();
                kinds.insert(core.error_text(status, error));
            }
        }
    }
    assert_eq!((ended, counted), (asked, asked), "seed {seed}");
    let kinds: Vec<&str> = kinds.iter().map(|it| it.as_deref().unwrap_or("-")).collect();
    assert_eq!(kinds, ["-", "500", "body_error", "client_disconnect", "panic"], "seed {seed}");
}
