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

/// Two versions of a crate that must be one, in the lock file of the workspace above.
#[tokio::test]
async fn two_versions_of_a_telemetry_crate_are_told_at_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("services/shop");
    std::fs::create_dir_all(&package).expect("a folder");
    let two = "[[package]]\nname = \"metrics\"\nversion = \"0.23.0\"\n\n[[package]]\nname = \"metrics\"\nversion = \"0.24.6\"\n";
    std::fs::write(folder.path().join("Cargo.lock"), two).expect("a lock file");
    let service = Service::start(&[("CARGO_MANIFEST_DIR", package.to_str().expect("a path"))]);
    service.logged("serving").await;
    let told: Vec<String> = service.lines().into_iter().filter(|it| it.contains("Cargo.lock")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("metrics 0.23.0 and 0.24.6") && told[0].contains("cargo tree --invert"), "{told:?}");
}
