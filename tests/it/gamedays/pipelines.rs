//! Builds that wait while every request succeeds, and a worker that dies silently.

use kilter_harness::Fleet;

use super::LOAD;
use super::day::{Day, Expected, within};

const STUCK: &[Expected] = &[within("ci-pager: ErrorBudgetBurn page pipelines build-wait", 10)];
const SATURATED: &[Expected] = &[within("ci-tickets: ResourceSaturated ticket pipelines thread_pool workers", 20)];
const STUCK_AFTER: &[Expected] = &[within("ci-tickets: ErrorBudgetBurn ticket pipelines build-wait", 120)];
/// When it takes long enough until somebody mends it.
const LONG: &[Expected] = &[
    within("ci-tickets: ResourceNearLimit ticket pipelines thread_pool workers", 0),
    within("engineering-leads: PageUnanswered escalation pipelines build-wait", 0),
];

/// The job's own series are gone at once; that artifacts are no longer removed matters later, and then it pages.
const GONE: &[Expected] = &[within("ci-tickets: SLODataMissing ticket pipelines cleanup-success", 25)];
const STALE: &[Expected] = &[within("ci-pager: ErrorBudgetBurn page pipelines cleanup-freshness", 60)];
const STALE_AFTER: &[Expected] = &[within("ci-tickets: ErrorBudgetBurn ticket pipelines cleanup-freshness", 180)];

pub(super) fn days(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "builds-wait", LOAD);
    day.cause(&[STUCK, SATURATED, STUCK_AFTER, LONG], || fleet.pipelines.fault("stale-lock", true));
    day.says(&day.told(STUCK)[0], &["pipelines/build-wait", "Budget left"]);
    day.says(&day.told(SATURATED)[0], &["thread_pool workers"]);
    day.lasts("pipelines", "build-wait");
    day.shows("pipelines", "build-wait", &["resource_pending", "resource_usage"]);
    fleet.pipelines.fault("stale-lock", false).expect("mended");
    day.mended(&[STUCK, SATURATED, STUCK_AFTER]);

    let mut day = Day::begin(fleet, "silent-death", LOAD);
    day.cause(&[GONE, STALE, STALE_AFTER], || {
        fleet.maintenance.kill();
        Ok(())
    });
    day.says(&day.told(GONE)[0], &["pipelines/cleanup-success", "data are missing"]);
    day.says(&day.told(STALE)[0], &["pipelines/cleanup-freshness"]);
    day.draws("pipelines", "cleanup-freshness", &["slo:last_success:timestamp"]);
    fleet.maintenance.start_again().expect("mended");
    day.mended(&[GONE, STALE, STALE_AFTER]);
}
