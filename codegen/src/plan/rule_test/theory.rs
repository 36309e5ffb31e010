//! What the SRE workbook promises, computed without a look at the plan.
//!
//! Source: *The Site Reliability Workbook*, chapter 5, "Alerting on SLOs": table 5-8 (windows and shares of the budget),
//! `burn rate = share of the budget × compliance window / alert window` and
//! `detection time = (1 - SLO) / error ratio × alert window × burn rate`.
//! The generated tests take every expected time from here, so a wrong factor, window or divisor in the plan fails them.

use crate::model::{Duration, Severity, Slo};

/// Two windows that must both burn faster than `burn`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub(super) long: Duration,
    pub(super) short: Duration,
    /// Multiple of the error budget.
    pub(super) burn: f64,
}

/// Long window, short window (minutes), share of the budget (percent).
type Row = (u64, u64, f64);

/// Table 5-8 of the workbook, and the pair 1d/2h that its rule text adds.
const MONTH: ([Row; 2], [Row; 2]) = ([(60, 5, 2.0), (360, 30, 5.0)], [(1_440, 120, 10.0), (4_320, 360, 10.0)]);
/// For compliance windows below four weeks: the shares that Sloth publishes for a week (`examples/windows/7d.yaml`).
const WEEK: ([Row; 2], [Row; 2]) = ([(60, 5, 8.0), (360, 30, 12.5)], [(1_440, 120, 20.0), (4_320, 360, 42.0)]);

fn table(period: Duration) -> ([Row; 2], [Row; 2]) {
    if period >= Duration::from_mins(28 * 1_440) { MONTH } else { WEEK }
}

/// The pairs that page.
pub(super) fn page(slo: &Slo) -> Vec<Pair> {
    pairs(slo, Severity::Page)
}

/// The pairs that ticket.
pub(super) fn ticket(slo: &Slo) -> Vec<Pair> {
    pairs(slo, Severity::Ticket)
}

/// The longest window of a severity.
pub(super) fn longest(slo: &Slo, severity: Severity) -> Option<Duration> {
    pairs(slo, severity).into_iter().map(|pair| pair.long).max()
}

/// Those that the SLO names, or the workbook's.
fn pairs(slo: &Slo, severity: Severity) -> Vec<Pair> {
    let budget = slo.objective.error_budget().to_f64();
    let Some(own) = &slo.policy.windows else {
        let (page, ticket) = table(slo.window);
        let rows = if severity == Severity::Page { page } else { ticket };
        return rows.map(|row| pair(row, slo.window, budget)).to_vec();
    };
    let minutes = |duration: Duration| duration.millis() / 60_000;
    let rows = own.iter().filter(|it| it.severity == severity);
    rows.map(|it| pair((minutes(it.long), minutes(it.short), it.share.to_f64() * 100.0), slo.window, budget)).collect()
}

/// A factor of `1 / budget` and more can never be exceeded (the workbook's remark on low objectives), so it is held at
/// half of that: a total outage always alerts.
fn pair((long, short, percent): Row, period: Duration, budget: f64) -> Pair {
    let (long, short) = (Duration::from_mins(long), Duration::from_mins(short));
    let burn = percent / 100.0 * period.secs_f64() / long.secs_f64();
    Pair { long, short, burn: burn.min(0.5 / budget) }
}

/// How long after its beginning an error ratio alerts, after so much clean history.
pub(super) fn detection(pairs: &[Pair], budget: f64, error_ratio: f64, history: Duration) -> Option<Duration> {
    pairs.iter().filter_map(|pair| detection_of(pair, pairs, budget, error_ratio, history)).min()
}

/// The workbook's detection time of a pair, for a burn that lasts: `(1 - SLO) / error ratio × alert window × burn rate`.
pub(super) fn workbook(pair: &Pair, burn: f64) -> Duration {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    Duration::from_millis((pair.burn / burn * pair.long.secs_f64() * 1_000.0).ceil() as u64)
}

/// When one of the pairs alerts: in a window that is longer than all history the errors weigh more.
pub(super) fn detection_of(
    pair: &Pair,
    pairs: &[Pair],
    budget: f64,
    error_ratio: f64,
    history: Duration,
) -> Option<Duration> {
    let threshold = pair.burn * budget;
    if error_ratio <= threshold {
        return None;
    }
    let (long, clean) = (pair.long.secs_f64(), history.secs_f64());
    let whole = threshold / error_ratio * long;
    let seconds = if whole + clean >= long { whole } else { threshold * clean / (error_ratio - threshold) };
    // A float to a whole number of milliseconds, always far below 2^53.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    Some(Duration::from_millis((seconds * 1_000.0).ceil() as u64).plus(lag(pair, pairs)))
}

/// What `docs/policies.md` says about longer windows: they are averages of five-minute rates, so they see what began a
/// moment ago late. Only an hour and less, of the first pair, is summed up from its tiles.
fn lag(pair: &Pair, pairs: &[Pair]) -> Duration {
    let minutes = pair.long.millis() / 60_000;
    match minutes {
        0..=60 if pairs.first() == Some(pair) => Duration::ZERO,
        0..=120 => Duration::from_mins(5),
        _ => Duration::from_mins(10),
    }
}

/// The slowest reset: errors that ended longer ago than this are in no short window.
pub(super) fn reset(pairs: &[Pair]) -> Duration {
    pairs.iter().map(|pair| pair.short).max().unwrap_or(Duration::ZERO)
}

/// The lowest burn rate that alerts.
pub(super) fn lowest(pairs: &[Pair]) -> f64 {
    pairs.iter().map(|pair| pair.burn).fold(f64::INFINITY, f64::min)
}

/// Share of the error budget that an outage spends.
pub(super) fn budget_spent(outage: Duration, error_ratio: f64, budget: f64, period: Duration) -> f64 {
    outage.secs_f64() * error_ratio / (period.secs_f64() * budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONTH: Duration = Duration::from_mins(30 * 1_440);

    fn both(budget: f64) -> [Vec<Pair>; 2] {
        let (page, ticket) = table(MONTH);
        [page, ticket].map(|rows| rows.map(|row| pair(row, MONTH, budget)).to_vec())
    }

    #[test]
    fn the_workbooks_own_numbers() {
        let [page, ticket] = both(0.001);
        let burns: Vec<String> = page.iter().chain(&ticket).map(|pair| format!("{:.3}", pair.burn)).collect();
        assert_eq!(burns, ["14.400", "6.000", "3.000", "1.000"]);
        // Its table has no lag: what our longer windows add is taken off again.
        for (ratio, page_seconds, ticket_seconds) in [
            (1.0, Some(51.84), Some(259.2)),
            (0.15, Some(345.6), Some(1_728.0)),
            (0.01, Some(12_960.0), Some(25_920.0)),
            (0.005, None, Some(51_840.0)),
            (0.0015, None, Some(172_800.0)),
            (0.001, None, None),
        ] {
            let seconds = |pairs: &[Pair]| {
                let each = pairs.iter().filter_map(|it| {
                    let found = detection(std::slice::from_ref(it), 0.001, ratio, MONTH)?;
                    Some(found.minus(lag(it, std::slice::from_ref(it))))
                });
                each.min().map(|it| (it.secs_f64() * 100.0).round() / 100.0)
            };
            assert_eq!((seconds(&page), seconds(&ticket)), (page_seconds, ticket_seconds), "{ratio}");
        }
    }

    #[test]
    fn a_total_outage_always_pages() {
        for budget in [0.05, 0.1, 0.2, 0.9] {
            let [page, _] = both(budget);
            assert!(detection(&page, budget, 1.0, MONTH) <= Some(Duration::from_mins(30)), "{budget}");
        }
    }

    #[test]
    fn errors_weigh_more_in_a_young_history() {
        let [page, _] = both(0.2);
        // 2.5 times the budget of 20% is half of all events: after an hour of clean history, an hour.
        let young = detection(&page[1..], 0.2, 1.0, Duration::from_mins(60)).unwrap();
        assert_eq!(young, Duration::from_mins(60 + 10));
    }
}
