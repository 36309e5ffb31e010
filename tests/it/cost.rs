//! What a request costs, with a margin: a step backwards is seen here, the figures are made by `bench/`.
//!
//! This code is not optimised, so its instructions are many times those of a service that is shipped; what is added to
//! the path of a request shows in both.

use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use kilter::testing::TestTelemetry;
use tower::Service as _;

kilter::routes! {
    ORDER = GET "/orders/{id}";
}

/// Says to a child of this program what it measures.
const CHILD: &str = "KILTER_TEST_COST";
const WARM_UP: usize = 50;
const MEASURED: usize = 200;

/// Instructions that the layer may add to a request: 15% more than the 17,000 that it does.
const MOST: u64 = 19_500;

/// The same router with the layer, or without.
fn app(layer: bool) -> Router {
    let router = Router::new().route(ORDER.path(), get(|| async { "an order" }));
    let telemetry = TestTelemetry::new(kilter::service!().routes(ROUTES));
    let router = if layer { router.layer(telemetry.http_server()) } else { router };
    router.with_state(())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime")
}

async fn drive(app: &mut Router, requests: usize) {
    for _ in 0..requests {
        let request = Request::get("/orders/7").body(Body::empty()).expect("a request");
        let response = app.call(request).await.expect("a response");
        axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    }
}

/// A function of its own, whose name callgrind is given.
#[inline(never)]
fn measured(runtime: &tokio::runtime::Runtime, app: &mut Router) {
    runtime.block_on(drive(app, MEASURED));
}

#[test]
fn a_request_allocates_once_more() {
    let allocations = |layer| {
        let (runtime, mut app) = (runtime(), app(layer));
        runtime.block_on(drive(&mut app, WARM_UP));
        allocation_counter::measure(|| measured(&runtime, &mut app)).count_total
    };
    let (without, with) = (allocations(false), allocations(true));
    // A layer in the router has its future and its body boxed by axum, whatever it does: three allocations without ours.
    assert_eq!((with - without) / MEASURED as u64, 3, "{without} without the layer, {with} with it");
}

#[test]
fn a_request_takes_no_more_instructions() {
    if let Ok(layer) = std::env::var(CHILD) {
        let (runtime, mut app) = (runtime(), app(layer == "true"));
        runtime.block_on(drive(&mut app, WARM_UP));
        return measured(&runtime, &mut app);
    }
    let (without, with) = (instructions(false), instructions(true));
    let more = (with - without) / MEASURED as u64;
    assert!(more <= MOST, "{more} instructions more per request, at most {MOST} were expected");
    assert!(more > MOST / 2, "{more} instructions per request: it got much cheaper, so tighten the bound of {MOST}");
}

/// Instructions of the measured requests, counted by callgrind in a child.
fn instructions(layer: bool) -> u64 {
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .arg("--toggle-collect=it::cost::measured")
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "cost::a_request_takes_no_more_instructions", "--test-threads=1"])
        .env(CHILD, layer.to_string())
        .output()
        .expect("valgrind; `cargo xtask tools` installs it");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    let collected = said.lines().find_map(|it| it.split_once("Collected : ")?.1.trim().replace(',', "").parse().ok());
    collected.filter(|it| *it > 0).unwrap_or_else(|| panic!("callgrind counted nothing: {said}"))
}
