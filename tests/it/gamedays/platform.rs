//! What is not ours: the shared platform, and the collector of telemetry.

use kilter_harness::Fleet;

use super::LOAD;
use super::day::{Day, Expected, within};

/// The breaker does its work: identity's team hears of it in working hours, and no user notices.
const SHELTERED: &[Expected] = &[
    within("identity-tickets: CircuitBreakerOpen ticket identity platform", 15),
    within("identity-tickets: ErrorBudgetBurn ticket identity platform-dependency", 15),
    within("identity-tickets: ErrorBudgetBurn ticket identity fresh-answers", 15),
];

/// Every service says that its spans are lost; nobody is woken.
const COLLECTOR: &[Expected] = &[
    within("identity-tickets: TelemetryDegraded ticket identity exports_failed", 40),
    within("scm-tickets: TelemetryDegraded ticket git-https exports_failed", 40),
    within("scm-tickets: TelemetryDegraded ticket repositories exports_failed", 40),
    within("ci-tickets: TelemetryDegraded ticket pipelines exports_failed", 40),
];
/// Those whose queue of spans was full by then.
const FULL: &[Expected] = &[
    within("identity-tickets: TelemetryDegraded ticket identity spans_dropped", 0),
    within("scm-tickets: TelemetryDegraded ticket git-https spans_dropped", 0),
    within("scm-tickets: TelemetryDegraded ticket repositories spans_dropped", 0),
    within("ci-tickets: TelemetryDegraded ticket pipelines spans_dropped", 0),
];

pub(super) fn days(fleet: &mut Fleet) {
    let mut day = Day::begin(fleet, "platform-down", LOAD);
    day.cause(&[SHELTERED], || fleet.relays.set("platform", "cut"));
    day.says(&day.told(SHELTERED)[0], &["circuit breaker", "platform"]);
    day.shows("identity", "platform-dependency", &["circuit_breaker_state"]);
    fleet.relays.set("platform", "pass").expect("mended");
    day.mended(&[SHELTERED]);

    let mut day = Day::begin(fleet, "collector-down", LOAD);
    day.cause(&[COLLECTOR, FULL], || fleet.relays.set("collector", "cut"));
    day.says(&day.told(COLLECTOR)[0], &["loses telemetry", "exports_failed"]);
    fleet.relays.set("collector", "pass").expect("mended");
    day.mended(&[COLLECTOR]);
}
