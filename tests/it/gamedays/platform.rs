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

/// Without a breaker and stale answers the same outage is one of users, and of two teams; so leadership hears of it too.
const BARE: &[Expected] = &[
    within("identity-pager: ErrorBudgetBurn page identity token-availability", 5),
    within("scm-pager: ErrorBudgetBurn page git-https refs-availability", 10),
    within("leadership: OutageWidespread leadership", 20),
];
const BARE_AFTER: &[Expected] = &[
    within("identity-tickets: ErrorBudgetBurn ticket identity platform-dependency", 60),
    within("identity-tickets: ErrorBudgetBurn ticket identity fresh-answers", 60),
    within("scm-tickets: ErrorBudgetBurn ticket git-https identity-dependency", 60),
    within("identity-tickets: ErrorBudgetBurn ticket identity token-availability", 120),
    within("scm-tickets: ErrorBudgetBurn ticket git-https refs-availability", 120),
];
/// Leadership hears of it after a quarter of an hour. On a machine that others use it may take longer until it is mended:
/// 22 minutes are the whole budget of a month, and half an hour after a page somebody else hears of it.
const BARE_LONG: &[Expected] = &[
    within("identity-tickets: ErrorBudgetExhausted ticket identity token-availability", 0),
    within("engineering-leads: PageUnanswered escalation identity token-availability", 0),
    within("engineering-leads: PageUnanswered escalation git-https refs-availability", 0),
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

    // Nothing stands in for an answer that is late on a machine that others use too, so it may take longer.
    let bare = [("IDENTITY_BREAKER", "off"), ("IDENTITY_STALE", "off"), ("IDENTITY_TIMEOUT", "2s")];
    fleet.identity.deploy(&bare).expect("a deployment");
    let mut day = Day::begin(fleet, "platform-down-without-breaker", LOAD);
    day.cause(&[BARE, BARE_AFTER, BARE_LONG], || fleet.relays.set("platform", "cut"));
    let told = day.told(BARE);
    day.says(&told[0], &["identity/token-availability", "Budget left"]);
    let text = format!("{} {}", told[2].annotation("summary"), told[2].annotation("description"));
    assert!(["2 teams", "git-https", "identity"].iter().all(|it| text.contains(it)), "{text}");
    for (service, slo) in [("identity", "token-availability"), ("git-https", "refs-availability")] {
        day.lasts(service, slo);
    }
    day.shows("identity", "token-availability", &["http_client_request_duration_seconds_count"]);
    fleet.relays.set("platform", "pass").expect("mended");
    day.mended(&[BARE, BARE_AFTER]);
    let sheltered = [("IDENTITY_BREAKER", "on"), ("IDENTITY_STALE", "1h"), ("IDENTITY_TIMEOUT", "250ms")];
    fleet.identity.deploy(&sheltered).expect("a deployment");

    let mut day = Day::begin(fleet, "collector-down", LOAD);
    day.cause(&[COLLECTOR, FULL], || fleet.relays.set("collector", "cut"));
    day.says(&day.told(COLLECTOR)[0], &["loses telemetry", "exports_failed"]);
    for service in fleet.watched() {
        day.draws(service, "", &["telemetry_export_failures_total"]);
    }
    fleet.relays.set("collector", "pass").expect("mended");
    day.mended(&[COLLECTOR]);
}
