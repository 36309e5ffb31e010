//! Whose trace a request belongs to, and what is passed on.

use crate::service::Service;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Asks with a sampled and an unsampled caller; whether each trace goes on, and the flags that are passed on.
async fn check(variables: &[(&str, &str)], continued: bool, flags: [&str; 2]) {
    let service = Service::start(variables);
    for (caller, flag) in ["01", "00"].into_iter().zip(flags) {
        let caller = format!("00-{TRACE}-b7ad6b7169203331-{caller}");
        let passed_on = service.get("/orders/7", &[("traceparent", &caller)]).await;
        assert_eq!(&passed_on[3..35] == TRACE, continued, "{passed_on} with {variables:?}");
        assert_ne!(&passed_on[36..52], "b7ad6b7169203331", "the service has a span of its own");
        assert_eq!(&passed_on[53..], flag, "{passed_on} with {variables:?}");
    }
    let untrusted = if continued { 0.0 } else { 2.0 };
    assert_eq!(service.value(&ignored("untrusted")).await, Some(untrusted), "{variables:?}");
}

#[tokio::test]
async fn a_trace_goes_on_when_its_caller_is_trusted() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    check(&[collector], true, ["01", "00"]).await;
    check(&[collector, ("KILTER_TRACE_TRUST", "127.0.0.0/8")], true, ["01", "00"]).await;
    check(&[collector, ("KILTER_TRACE_TRUST", "127.0.0.1")], true, ["01", "00"]).await;
    check(&[collector, ("KILTER_TRACE_TRUST", "10.0.0.0/8")], false, ["01", "01"]).await;
    check(&[collector, ("KILTER_TRACE_TRUST", "none"), ("OTEL_TRACES_SAMPLER", "always_off")], false, ["00", "00"])
        .await;
}

#[tokio::test]
async fn the_sampler_decides_once() {
    let collector = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    check(&[collector, ("OTEL_TRACES_SAMPLER", "always_on")], true, ["01", "01"]).await;
    check(&[collector, ("OTEL_TRACES_SAMPLER", "always_off")], true, ["00", "00"]).await;
    check(&[collector, ("OTEL_TRACES_SAMPLER", "parentbased_always_off")], true, ["01", "00"]).await;
}

/// A service without a collector is a link in other services' traces all the same.
#[tokio::test]
async fn without_a_collector_the_callers_flag_is_passed_on() {
    check(&[], true, ["01", "00"]).await;
}

#[tokio::test]
async fn two_headers_are_as_good_as_none() {
    let service = Service::start(&[]);
    let caller = format!("00-{TRACE}-b7ad6b7169203331-01");
    let passed_on = service.get("/orders/7", &[("traceparent", &caller), ("traceparent", &caller)]).await;
    assert_ne!(&passed_on[3..35], TRACE);
    for malformed in ["", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", &caller.to_uppercase()] {
        let passed_on = service.get("/orders/7", &[("traceparent", malformed)]).await;
        assert_ne!(&passed_on[3..35], TRACE, "{malformed:?}");
    }
    assert_eq!(service.value(&ignored("malformed")).await, Some(5.0));
    assert_eq!(service.value(&ignored("untrusted")).await, Some(0.0));
}

fn ignored(reason: &str) -> String {
    format!("telemetry_traceparents_ignored_total{{reason=\"{reason}\"}}")
}
