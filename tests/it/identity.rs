//! The example service `identity` while the platform that it asks is cut off, hangs, and comes back.

use std::time::{Duration, Instant};

use fleet_faults::Relay;
use kilter_harness::{Platform, Service, get, until};

use crate::conformance::page_conforms;

const SOON: Duration = Duration::from_secs(20);
const KNOWN: &str = "/tokens/anonymous";
const NOBODY: &str = "/tokens/0123456789abcdef";

fn value(service: &Service, series: &str) -> f64 {
    let page = service.metrics().expect("the metrics page");
    let line = page.lines().find_map(|it| it.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{page}")).parse().expect("a number")
}

fn answers(service: &Service, source: &str) -> f64 {
    value(service, &format!("identity_answers_total{{source=\"{source}\"}}"))
}

fn open(service: &Service) -> f64 {
    value(service, "circuit_breaker_state{dependency=\"platform\",state=\"open\"}")
}

fn status(service: &Service, path: &str) -> u16 {
    get(&service.at(path)).expect("an answer").status
}

#[test]
fn stale_answers_and_the_breaker_stand_in_for_the_platform() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = Platform::start(folder.path()).expect("the platform starts");
    let relay = Relay::start(platform.address()).expect("a relay");
    let at = relay.address().to_string();
    let variables = [("IDENTITY_FRESH", "50ms"), ("IDENTITY_BREAKER_WAIT", "3s")];
    let service = Service::identity(folder.path(), &at, &variables).expect("it starts");
    let anonymous = get(&service.at(KNOWN)).expect("an answer").json().expect("JSON");
    assert_eq!(anonymous, serde_json::json!({"subject": "anonymous", "read": true, "write": false}));
    assert_eq!((status(&service, KNOWN), status(&service, NOBODY)), (200, 404));
    assert_eq!(status(&service, "/tokens/..%2fadmin"), 400);
    assert!(answers(&service, "platform") >= 2.0);

    // It hangs: every answer waits for the deadline, until the breaker has seen enough.
    relay.hang();
    until("an open breaker", SOON, || {
        assert_eq!((status(&service, KNOWN), status(&service, NOBODY)), (200, 404));
        Ok((open(&service) > 0.0).then_some(()))
    })
    .expect("it opens");
    assert!(answers(&service, "stale") > 0.0);
    let started = Instant::now();
    assert_eq!((status(&service, KNOWN), status(&service, "/tokens/never0seen")), (200, 503));
    assert!(started.elapsed() < Duration::from_millis(400), "nobody waits for a platform that is left alone");
    let rejected = value(&service, "dependency_rejected_total{dependency=\"platform\",reason=\"circuit_open\"}");
    assert!(rejected > 0.0 && answers(&service, "none") >= 1.0);
    let failed = "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/tokens/{token}\",\
                  http_response_status_code=\"503\",error_type=\"platform_left_alone\"}";
    assert!(value(&service, failed) >= 1.0);
    page_conforms(&service.metrics().expect("the metrics page"), "examples/identity");

    relay.pass();
    until("a closed breaker", SOON, || {
        status(&service, KNOWN);
        Ok((open(&service) < 1.0 && answers(&service, "platform") > 3.0).then_some(()))
    })
    .expect("it closes");

    // The same program, configured worse.
    let variables = [("IDENTITY_FRESH", "50ms"), ("IDENTITY_BREAKER", "off"), ("IDENTITY_STALE", "off")];
    let bare = Service::identity(folder.path(), &at, &variables).expect("it starts");
    assert_eq!(status(&bare, KNOWN), 200);
    relay.cut();
    std::thread::sleep(Duration::from_millis(60));
    for _ in 0..8 {
        assert_eq!((status(&bare, KNOWN), status(&service, KNOWN)), (503, 200));
    }
    assert_eq!((open(&bare), answers(&bare, "stale")), (0.0, 0.0));
}
