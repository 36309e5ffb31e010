//! What the SRE workbook promises, computed without a look at the plan.
//!
//! Source: *The Site Reliability Workbook*, chapter 5, "Alerting on SLOs": table 5-8 (windows and shares of the budget),
//! `burn rate = share of the budget × compliance window / alert window` and
//! `detection time = (1 - SLO) / error ratio × alert window × burn rate`.
//! The generated tests take every expected time from here, so a wrong factor, window or divisor in the plan fails them.

use crate::model::Duration;

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
pub(super) fn page(period: Duration, budget: f64) -> [Pair; 2] {
    table(period).0.map(|row| pair(row, period, budget))
}

/// The pairs that ticket.
pub(super) fn ticket(period: Duration, budget: f64) -> [Pair; 2] {
    table(period).1.map(|row| pair(row, period, budget))
}

/// A factor of `1 / budget` and more can never be exceeded (the workbook's remark on low objectives), so it is held at
/// half of that: a total outage always alerts.
fn pair((long, short, percent): Row, period: Duration, budget: f64) -> Pair {
    let (long, short) = (Duration::from_mins(long), Duration::from_mins(short));
    let burn = percent / 100.0 * period.secs_f64() / long.secs_f64();
    Pair { long, short, burn: burn.min(0.5 / budget) }
}

/// How long after its beginning an error ratio alerts, after at least a long window of clean history.
pub(super) fn detection(pairs: &[Pair], budget: f64, error_ratio: f64) -> Option<Duration> {
    pairs
        .iter()
        .filter(|pair| error_ratio > pair.burn * budget)
        .map(|pair| {
            let seconds = budget / error_ratio * pair.long.secs_f64() * pair.burn;
            // A float to a whole number of milliseconds, always far below 2^53.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
            Duration::from_millis((seconds * 1_000.0).ceil() as u64)
        })
        .min()
}

/// The slowest reset: errors that ended longer ago than this are in no short window.
pub(super) fn reset(pairs: &[Pair]) -> Duration {
    pairs.iter().map(|pair| pair.short).max().unwrap_or(Duration::from_secs(0))
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

    #[test]
    fn the_workbooks_own_numbers() {
        let burns = [page(MONTH, 0.001), ticket(MONTH, 0.001)].concat();
        let burns: Vec<String> = burns.iter().map(|pair| format!("{:.3}", pair.burn)).collect();
        assert_eq!(burns, ["14.400", "6.000", "3.000", "1.000"]);
        for (ratio, page_seconds, ticket_seconds) in [
            (1.0, Some(51.84), Some(259.2)),
            (0.15, Some(345.6), Some(1_728.0)),
            (0.01, Some(12_960.0), Some(25_920.0)),
            (0.005, None, Some(51_840.0)),
            (0.0015, None, Some(172_800.0)),
            (0.001, None, None),
        ] {
            let seconds =
                |pairs: &[Pair]| detection(pairs, 0.001, ratio).map(|it| (it.secs_f64() * 100.0).round() / 100.0);
            let both = (seconds(&page(MONTH, 0.001)), seconds(&ticket(MONTH, 0.001)));
            assert_eq!(both, (page_seconds, ticket_seconds), "{ratio}");
        }
    }

    #[test]
    fn a_total_outage_always_pages() {
        for budget in [0.05, 0.1, 0.2, 0.9] {
            assert!(detection(&page(MONTH, budget), budget, 1.0) <= Some(Duration::from_mins(30)), "{budget}");
        }
    }
}
