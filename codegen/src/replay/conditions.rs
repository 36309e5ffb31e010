//! Whether the condition of an alert holds at each evaluation.

use super::grid::{Clock, Sampled};
use super::rules::Burning;
use super::{BurnRate, Rules};
use crate::model::{Duration, NoData};
use crate::plan::alerting::{self, Condition, Watch};

/// What the conditions read.
pub(super) struct Seen<'a> {
    pub(super) rules: &'a Rules,
    pub(super) clock: &'a Clock,
    pub(super) error: &'a Sampled<'a>,
    pub(super) total: &'a Sampled<'a>,
    pub(super) measured: &'a Sampled<'a>,
    pub(super) active: Option<&'a Sampled<'a>>,
    pub(super) burn: &'a [BurnRate],
}

impl Seen<'_> {
    /// At each evaluation a bit for each part of the condition that holds; of a burning budget each pair of windows.
    /// `None` for what the budget's group evaluates.
    pub(super) fn held(&self, watch: Watch) -> Option<Vec<u32>> {
        let simple = |all: Vec<bool>| Some(all.into_iter().map(u32::from).collect());
        match watch.condition {
            Condition::Burn => {
                let mut held = vec![0; self.clock.len];
                for (number, pair) in self.rules.pairs_of(watch.severity).enumerate().take(32) {
                    self.pair(pair, 1 << number, &mut held);
                }
                Some(held)
            }
            Condition::Vanished => simple(self.vanished()),
            Condition::Missing => simple(self.missing()),
            Condition::TrafficLost => simple(self.traffic_lost()),
            Condition::Exhausted => None,
        }
    }

    fn pair(&self, pair: &Burning, bit: u32, held: &mut [u32]) {
        let of = |window: Duration| self.burn.iter().find(|it| it.window == window);
        let (Some(long), Some(short)) = (of(pair.long), of(pair.short)) else { return };
        let factor = pair.factor.to_f64();
        let guard = pair.guard.map(|it| self.errors(it));
        for (index, held) in held.iter_mut().enumerate() {
            let enough = || guard.as_ref().is_none_or(|it| it[index] >= f64::from(self.rules.min_errors));
            if long.values[index] > factor && short.values[index] > factor && enough() {
                *held |= bit;
            }
        }
    }

    /// Errors that a long window saw, at each evaluation.
    fn errors(&self, seen: alerting::Seen) -> Vec<f64> {
        let seconds = self.rules.rate.secs_f64();
        let at = |index| self.clock.at(index);
        match seen {
            alerting::Seen::Sum(range) => {
                let window = self.error.trailing(range);
                (0..self.clock.len).map(|it| window.sum(at(it)) * seconds).collect()
            }
            alerting::Seen::Counted(over, range) => {
                let window = self.error.trailing(range);
                let counted = |(index, rate): (usize, f64)| match window.count(at(index)) {
                    0 => f64::NAN,
                    count => rate * count as f64 * seconds,
                };
                self.error.over(over).into_iter().enumerate().map(counted).collect()
            }
        }
    }

    fn in_maintenance(&self, index: usize) -> bool {
        self.active.is_some_and(|it| it.has(index))
    }

    /// Was there within the hour; after maintenance, within a day.
    fn vanished(&self) -> Vec<bool> {
        let (rules, measured) = (self.rules, self.measured);
        let hour = measured.last_within(rules.page_memory);
        let after =
            self.active.map(|it| (it.last_within(rules.page_memory), measured.any_on_grid(rules.ticket_memory)));
        let was = |index: usize| {
            hour[index].is_some_and(|it| it > 0.0)
                || after.as_ref().is_some_and(|(recent, day)| recent[index].is_some() && day[index])
        };
        (0..self.clock.len).map(|it| !measured.has(it) && was(it) && !self.in_maintenance(it)).collect()
    }

    /// Never came; was there within a day, per group; or one side of the pair without the other.
    fn missing(&self) -> Vec<bool> {
        let day = self.measured.last_on_grid(self.rules.ticket_memory);
        let missing = |index: usize| match (self.measured.has(index), self.error.has(index)) {
            (false, error) => {
                let one_side = error && self.rules.no_data != NoData::Bad;
                !self.rules.grouped || day[index].is_some() || one_side
            }
            (true, error) => !error,
        };
        (0..self.clock.len).map(|it| missing(it) && !self.in_maintenance(it)).collect()
    }

    /// No traffic now, although the last hour makes some certain.
    fn traffic_lost(&self) -> Vec<bool> {
        let rules = self.rules;
        let before = self.total.average(rules.traffic_memory, rules.rate);
        let expected = f64::from(rules.traffic_expected);
        let lost =
            |(index, before): (usize, f64)| self.total.plain[index] == 0.0 && before * rules.rate.secs_f64() > expected;
        before.into_iter().enumerate().map(lost).collect()
    }
}
