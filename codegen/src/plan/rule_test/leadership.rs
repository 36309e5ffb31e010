//! Proofs of what the leadership hears: pages that last, and pages of several teams at once.

use kilter_contract::slo as names;

use super::super::{escalation as rules, windows};
use super::estate::{Proof, STEP, burn_now};
use super::file::{Labels, Test, selector};
use crate::model::{Estate, Leadership, Name};

/// Minutes of what is healthy before and after.
const QUIET: u64 = 20;

/// The tests of what kilter.yaml says under `leadership`.
pub(super) fn tests(estate: &Estate) -> Vec<Test> {
    let Some(leadership) = &estate.leadership else { return Vec::new() };
    let teams: Vec<&str> = rules::paged(estate).into_iter().map(Name::as_str).collect();
    let Some(last) = teams.last() else { return Vec::new() };
    let mut all = vec![lasts(estate, leadership, last)];
    if rules::can_spread(estate, leadership) {
        all.push(spreads(estate, leadership, &teams));
    }
    all
}

/// A page of a team, or its ticket, and how fast its budget burns.
struct Fed<'a> {
    team: &'a str,
    service: &'a str,
    slo: &'a str,
    severity: &'a str,
    /// Minutes.
    fires: std::ops::Range<u64>,
    burn: u64,
}

fn feed(it: &mut Proof<'_>, estate: &Estate, minutes: u64, fed: &Fed<'_>) {
    let steps = |minutes: u64| minutes * 60_000 / STEP.millis();
    let mut labels: Labels = estate.identity.clone();
    for (key, value) in [(names::SERVICE_LABEL, fed.service), (names::SLO_LABEL, fed.slo)] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    it.feed(selector(&burn_now(estate), &labels), format!("{}+0x{}", fed.burn, steps(minutes)));
    for (key, value) in [
        ("alertname", names::ERROR_BUDGET_BURN),
        ("alertstate", "firing"),
        (names::SEVERITY_LABEL, fed.severity),
        (names::TEAM_LABEL, fed.team),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    let (from, until) = (steps(fed.fires.start), steps(fed.fires.end));
    let before = if from == 0 { String::new() } else { format!("_x{from} ") };
    it.feed(selector("ALERTS", &labels), format!("{before}1+0x{} stale", until - from));
}

/// Told once the time is over, and not before; not of what ends in time, is mended, or is a ticket; with the page's team.
fn lasts(estate: &Estate, leadership: &Leadership, team: &str) -> Test {
    let mut it = Proof::new(estate, "a page that lasts is told to the leadership");
    let after = leadership.after.millis().div_ceil(60_000);
    let severities = &estate.policy.severities;
    for (slo, severity, fires, burn) in [
        ("lasts", &severities.page, after + 10, 20),
        ("edge", &severities.page, after + 10, 1),
        ("ends", &severities.page, after - 1, 20),
        ("mended", &severities.page, after + 10, 0),
        ("ticket", &severities.ticket, after + 10, 20),
    ] {
        let fed = Fed { team, service: "any", slo, severity, fires: 0..fires, burn };
        feed(&mut it, estate, after + QUIET, &fed);
    }
    let stranger = Fed {
        team: "nobody-of-ours",
        service: "other",
        slo: "lasts",
        severity: &severities.page,
        fires: 0..after + 10,
        burn: 20,
    };
    feed(&mut it, estate, after + QUIET, &stranger);
    let told = [
        (names::SEVERITY_LABEL, names::LEADERSHIP.to_owned()),
        (names::TEAM_LABEL, team.to_owned()),
        (names::SERVICE_LABEL, "any".to_owned()),
        (names::SLO_LABEL, "lasts".to_owned()),
        (rules::PAGE_LABEL, names::ERROR_BUDGET_BURN.to_owned()),
    ];
    let any = &told[..1];
    it.counts(names::PAGE_UNANSWERED, any, after - 1, 0);
    it.counts(names::PAGE_UNANSWERED, &told, after + 1, 1);
    it.counts(names::PAGE_UNANSWERED, any, after + 1, 1);
    // It stays for as long as a page is kept, and no longer.
    let kept = windows::timing().page_keep_firing.millis() / 60_000;
    it.counts(names::PAGE_UNANSWERED, any, after + 10 + kept - 1, 1);
    it.counts(names::PAGE_UNANSWERED, any, after + 10 + kept + 1, 0);
    it.test
}

/// Told when so many teams are paged at once and for long enough: not of fewer teams with more services, nor of pages of
/// which one is mended, nor of a moment.
fn spreads(estate: &Estate, leadership: &Leadership, teams: &[&str]) -> Test {
    let mut it = Proof::new(estate, "pages of several teams at once are told to the leadership");
    let wanted = leadership.teams as usize;
    let hold = windows::timing().widespread_hold.millis().div_ceil(60_000);
    let kept = windows::timing().page_keep_firing.millis().div_ceil(60_000);
    let page = estate.policy.severities.page.as_str();
    // One team less at first, with two services; then a moment of all; then all.
    let (alone, moment, all) = (0, hold + 10, 2 * hold + 20);
    let end = all + hold + 10;
    for (number, team) in teams.iter().take(wanted).enumerate() {
        let last = number + 1 == wanted;
        let service = format!("of-{team}");
        let spans = [if last { moment..moment + hold - 1 } else { alone..end }, all..end];
        for (span, fires) in spans.into_iter().take(1 + usize::from(last)).enumerate() {
            let slo = format!("slo-{span}");
            feed(
                &mut it,
                estate,
                end + QUIET,
                &Fed { team, service: &service, slo: &slo, severity: page, fires, burn: 20 },
            );
        }
    }
    let first = teams[0];
    feed(
        &mut it,
        estate,
        end + QUIET,
        &Fed { team: first, service: "second", slo: "slo", severity: page, fires: 0..end, burn: 20 },
    );
    let last = teams[wanted - 1];
    for (slo, severity, burn) in [("mended", page, 1), ("ticket", estate.policy.severities.ticket.as_str(), 20)] {
        let fed = Fed { team: last, service: "quiet", slo, severity, fires: 0..moment, burn };
        feed(&mut it, estate, end + QUIET, &fed);
    }
    let told = [(names::SEVERITY_LABEL, names::LEADERSHIP.to_owned())];
    for (minutes, count) in [
        (hold + 5, 0),
        (moment + hold + 1, 0),
        (all + hold - 1, 0),
        (all + hold + 1, 1),
        (end - 1, 1),
        (end + kept - 1, 1),
        (end + kept + 1, 0),
    ] {
        it.counts(names::OUTAGE_WIDESPREAD, &told, minutes, count);
    }
    it.test
}
