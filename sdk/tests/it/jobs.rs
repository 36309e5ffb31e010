//! Background jobs: what each run was, overlap, and the last success.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilter::ErrorType;
use kilter::testing::TestTelemetry;
use tokio::sync::oneshot;

const LAST: &str = "job_last_success_timestamp_seconds{job_name=\"reindex\"}";
const ACTIVE: &str = "job_active_runs{job_name=\"reindex\"}";

fn runs(telemetry: TestTelemetry, error: &str) -> Option<f64> {
    let error = if error.is_empty() { String::new() } else { format!(",error_type=\"{error}\"") };
    telemetry.value(&format!("job_run_duration_seconds_count{{job_name=\"reindex\"{error}}}"))
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[tokio::test]
async fn every_run_is_counted_once_and_the_last_success_stays() {
    let telemetry = TestTelemetry::new(kilter::service!().error_kinds(&["no_space"]));
    let job = telemetry.job("reindex");
    assert_eq!(
        (runs(telemetry, ""), runs(telemetry, "_OTHER"), telemetry.value(ACTIVE)),
        (Some(0.0), Some(0.0), Some(0.0))
    );
    assert_eq!(telemetry.value(LAST), None, "a zero would say 1970");

    let before = now();
    job.run(async { Ok::<_, String>(()) }).await.unwrap();
    let succeeded = telemetry.value(LAST).unwrap();
    assert!(before <= succeeded && succeeded <= now(), "{succeeded}");

    job.run(async { Err::<(), _>("failed") }).await.unwrap_err();
    job.run(async { Err::<(), _>(ErrorType::declared("no_space")) }).await.unwrap_err();
    let panics = async move { if succeeded > 0.0 { panic!("as tests do") } else { Ok::<(), String>(()) } };
    assert!(tokio::spawn(job.run(panics)).await.unwrap_err().is_panic());
    let never = || job.run(std::future::pending::<Result<(), String>>());
    assert!(tokio::time::timeout(Duration::from_millis(5), never()).await.is_err());
    let aborted = tokio::spawn(never());
    tokio::task::yield_now().await;
    aborted.abort();
    assert!(aborted.await.unwrap_err().is_cancelled());
    drop(never());
    for (error, count) in [("", 1.0), ("_OTHER", 1.0), ("no_space", 1.0), ("panic", 1.0), ("timeout", 3.0)] {
        assert_eq!(runs(telemetry, error), Some(count), "{error}");
    }
    assert_eq!(telemetry.value(LAST), Some(succeeded), "what fails takes no success away");
    assert_eq!(telemetry.value(ACTIVE), Some(0.0), "exact at rest");
}

/// Two runs at once are seen as such, and another handle of the same name is the same job.
#[tokio::test]
async fn overlap_is_visible() {
    let telemetry = TestTelemetry::new(kilter::service!());
    let (job, again) = (telemetry.job("reindex"), telemetry.job("reindex"));
    let (end_first, first) = oneshot::channel::<()>();
    let (end_second, second) = oneshot::channel::<()>();
    let (first, second) = (tokio::spawn(job.run(first)), tokio::spawn(again.run(second)));
    tokio::task::yield_now().await;
    assert_eq!(telemetry.value(ACTIVE), Some(2.0));
    end_second.send(()).unwrap();
    second.await.unwrap().unwrap();
    assert_eq!((telemetry.value(ACTIVE), runs(telemetry, "")), (Some(1.0), Some(1.0)));
    drop(end_first);
    first.await.unwrap().unwrap_err();
    assert_eq!((telemetry.value(ACTIVE), runs(telemetry, "_OTHER")), (Some(0.0), Some(1.0)));
}
