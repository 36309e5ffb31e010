//! Settings that are wrong are refused, all at once, and say what is allowed.

use crate::service::{Service, refused};

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
