//! What must stay silent.

use std::time::Duration;

use kilter_harness::Fleet;

use super::LOAD;
use super::day::Day;

pub(super) fn days(fleet: &mut Fleet) {
    // Paths, methods and hosts that nobody has used before: no promise counts them, no series is made of them.
    let day = Day::begin(fleet, "label-flood", &[LOAD, &["--strange=60"]].concat());
    day.nothing_for(Duration::from_secs(15));
    day.draws("git-https", "clone-availability", &["http_server_request_duration_seconds_count"]);
    // They have one series together, and no limit of series was needed for that.
    let value = |query: &str| day.watch.prometheus.value(query).expect("an answer").unwrap_or_default();
    let strangers = "sum(increase(http_server_request_duration_seconds_count{job=\"git-https\",http_route=\"\"}[15s]))";
    assert!(value(strangers) > 100.0, "strangers cannot be seen");
    assert!(value("sum(telemetry_series_overflow_total) or vector(0)") == 0.0, "series were left out");
    assert!(value("count(count by (http_route) ({job=\"git-https\",http_route!=\"\"}))") < 20.0, "routes of strangers");
    day.mended(&[]);

    // Every counter begins at zero again.
    let day = Day::begin(fleet, "rolling-deploy", LOAD);
    fleet.deploy().expect("deployed");
    day.nothing_for(Duration::from_secs(15));
    day.mended(&[]);
}
