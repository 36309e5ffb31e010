//! A real breaker before a real server that fails: its state, its changes, its rejections, and what an SLO makes of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use kilter::testing::TestTelemetry;
use kilter::tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower::{Layer as _, Service as _, ServiceExt as _};

use crate::rules_read::RulesRead;

fn value(telemetry: TestTelemetry, series: &str, key: &str, value: &str) -> Option<f64> {
    let labels = format!("dependency=\"identity\",{key}=\"{value}\"");
    telemetry.value(&format!("{series}{{{labels}}}"))
}

fn states(telemetry: TestTelemetry, series: &str) -> [Option<f64>; 3] {
    ["closed", "half_open", "open"].map(|state| value(telemetry, series, "state", state))
}

#[tokio::test]
async fn a_breaker_opens_rejects_tries_and_closes() {
    let healthy = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&healthy);
    let answer = move || async move {
        if state.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(answer))).await });

    let telemetry = TestTelemetry::new(kilter::service!());
    let builder = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(4)
        .minimum_number_of_calls(4)
        .permitted_calls_in_half_open(1)
        .wait_duration_in_open(Duration::from_millis(100));
    let layer = telemetry.breaker("identity").tower_resilience(builder).build().expect("a breaker");
    let client = reqwest::Client::new();
    let mut service = layer.layer(tower::service_fn(move |()| {
        let call = client.get(&url).send();
        async move { call.await?.error_for_status() }
    }));
    assert_eq!(states(telemetry, "circuit_breaker_state"), [Some(1.0), Some(0.0), Some(0.0)]);
    for _ in 0..4 {
        let failed = service.ready().await.expect("ready").call(()).await.expect_err("500");
        assert!(matches!(failed, CircuitBreakerError::Inner(_)));
    }
    assert_eq!(states(telemetry, "circuit_breaker_state"), [Some(0.0), Some(0.0), Some(1.0)]);
    for _ in 0..3 {
        let rejected = service.ready().await.expect("ready").call(()).await.expect_err("open");
        assert!(rejected.is_circuit_open());
    }
    healthy.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_millis(120)).await;
    service.ready().await.expect("ready").call(()).await.expect("it is back");
    assert_eq!(states(telemetry, "circuit_breaker_state"), [Some(1.0), Some(0.0), Some(0.0)]);
    assert_eq!(states(telemetry, "circuit_breaker_transitions_total"), [Some(1.0); 3]);
    assert_eq!(value(telemetry, "dependency_rejected_total", "reason", "circuit_open"), Some(3.0));
    // Calls that were never made are events and errors of the dependency.
    let rules = RulesRead::of(&[("identity", "{http_client: {dependency: identity}}")]);
    assert_eq!(rules.counts("identity", &telemetry.page()), (3.0, 3.0));
}
