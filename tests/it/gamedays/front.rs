//! Git over HTTPS: erroring, slow, gone.

use super::LOAD;
use super::day::{Day, Expected, within};
use kilter_harness::Fleet;

const CLONES: &[Expected] = &[within("scm-pager: ErrorBudgetBurn page git-https clone-availability", 3)];
const CLONES_AFTER: &[Expected] = &[within("scm-tickets: ErrorBudgetBurn ticket git-https clone-availability", 120)];
const SLOW: &[Expected] = &[within("scm-pager: ErrorBudgetBurn page git-https clone-latency", 10)];
const SLOW_AFTER: &[Expected] = &[within("scm-tickets: ErrorBudgetBurn ticket git-https clone-latency", 120)];
const DOWN: &[Expected] = &[within("scm-pager: ServiceDown page git-https", 3)];

pub(super) fn days(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "clones-fail", LOAD);
    day.cause(&[CLONES, CLONES_AFTER], || fleet.git_https.fault("upload-pack-missing", true));
    let page = &day.told(CLONES)[0];
    day.says(page, &["git-https/clone-availability", "99.9%", "Budget left"]);
    day.lasts("git-https", "clone-availability");
    day.shows("git-https", "clone-availability", &["http_server_request_duration_seconds_count"]);
    fleet.git_https.fault("upload-pack-missing", false).expect("mended");
    day.mended(&[CLONES, CLONES_AFTER]);

    let mut day = Day::begin(fleet, "clones-are-slow", LOAD);
    day.cause(&[SLOW, SLOW_AFTER], || fleet.slow_storage(true));
    let page = &day.told(SLOW)[0];
    day.says(page, &["git-https/clone-latency", "99%", "Budget left"]);
    day.lasts("git-https", "clone-latency");
    day.shows("git-https", "clone-latency", &["http_server_request_duration_seconds_bucket"]);
    fleet.slow_storage(false).expect("mended");
    day.mended(&[SLOW, SLOW_AFTER]);

    let mut day = Day::begin(fleet, "killed", LOAD);
    day.cause(&[DOWN], || {
        fleet.git_https.kill();
        Ok(())
    });
    let page = &day.told(DOWN)[0];
    day.says(page, &["git-https is down", "no instance"]);
    day.draws("slo-overview", "", &["sum(up{job=\"git-https\"})"]);
    fleet.git_https.start_again().expect("mended");
    day.mended(&[DOWN]);

    // A rollout whose packs break off: with its first request there is an error that no series has shown before.
    let mut day = Day::begin(fleet, "rollout-breaks-packs", LOAD);
    day.cause(&[CLONES, CLONES_AFTER], || {
        fleet.git_https.deploy(&[])?;
        fleet.git_https.fault("upload-pack-crash", true)
    });
    day.says(&day.told(CLONES)[0], &["git-https/clone-availability"]);
    day.lasts("git-https", "clone-availability");
    day.shows("git-https", "clone-availability", &["http_server_request_duration_seconds_count"]);
    fleet.git_https.fault("upload-pack-crash", false).expect("mended");
    day.mended(&[CLONES, CLONES_AFTER]);
}
