//! Settings that are wrong are refused, all at once, and say what is allowed.

use crate::service::{OWN_SUBSCRIBER, Service, refused};

#[test]
fn everything_wrong_is_told_at_once() {
    let told = refused(&[
        ("KILTER_DRAIN", "soon"),
        ("KILTER_ADMIN_ADDR", "9464"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("KILTER_LOG", "a=b=c"),
    ]);
    for part in ["KILTER_DRAIN", "soon", "KILTER_ADMIN_ADDR", "9464", "sometimes", "always_off", "a=b=c"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
}

#[tokio::test]
async fn an_admin_port_in_use_names_the_variable() {
    let first = Service::start(&[]);
    let told = refused(&[("KILTER_ADMIN_ADDR", &first.admin.to_string())]);
    assert!(told.contains("KILTER_ADMIN_ADDR") && told.contains(&first.admin.to_string()), "{told}");
}

/// A service that has a subscriber hears of the way without globals, and nothing of the SDK runs on.
#[test]
fn a_subscriber_that_is_there_already_is_named_with_the_way_out() {
    let told = refused(&[(OWN_SUBSCRIBER, "1")]);
    assert!(told.contains("a tracing subscriber is already installed") && told.contains("kilter::build"), "{told}");
}

#[tokio::test]
async fn a_misspelt_variable_is_told_with_the_one_that_is_meant() {
    let service = Service::start(&[("KILTER_DRIAN", "1s"), ("KILTER_PORT", "tcp://10.0.0.1:80")]);
    let told = service.logged("a variable of the environment counts for nothing; is another one meant?").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((told[0]["name"].as_str(), told[0]["meant"].as_str()), (Some("KILTER_DRIAN"), Some("KILTER_DRAIN")));
}
