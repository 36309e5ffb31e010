//! Builds that wait while every request succeeds, and a worker that dies silently.

use super::day::{Day, Expected, within};
use super::{LOAD, fleet, options};

const STUCK: &[Expected] = &[within("ci-pager: ErrorBudgetBurn page pipelines build-wait", 10)];
const SILENT: &[Expected] = &[];

#[test]
fn builds_wait_while_every_request_succeeds_then_a_worker_dies_silently() {
    let (_folder, mut fleet) = fleet(&options());

    let mut day = Day::begin(&fleet, "builds-wait", LOAD);
    day.cause(&[STUCK], || fleet.pipelines.fault("stale-lock", true));
    day.told(STUCK);
    day.shows("pipelines", "build-wait", &["resource_pending", "resource_usage"]);
    std::thread::sleep(std::time::Duration::from_secs(45));
    fleet.pipelines.fault("stale-lock", false).expect("mended");
    day.mended(&[STUCK]);

    let mut day = Day::begin(&fleet, "silent-death", LOAD);
    day.cause(&[SILENT], || {
        fleet.maintenance.kill();
        Ok(())
    });
    std::thread::sleep(std::time::Duration::from_secs(60));
    fleet.maintenance.start_again().expect("mended");
    day.mended(&[SILENT]);
}
