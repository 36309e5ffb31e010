//! How Prometheus reads what a rule recorded: at a moment, over a range, and by a subquery.

use super::sums;
use crate::model::Duration;
use crate::plan::expr::Over;

/// How far back an instant selector looks. Prometheus' default, which the interval of the budget counts on too.
pub(crate) const LOOKBACK: i64 = 300_000;

/// The evaluations of a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) start: i64,
    pub(super) step: i64,
    pub(super) len: usize,
    /// Whether ranges leave out their first moment, as since Prometheus 3.
    pub(super) left_open: bool,
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.millis()).unwrap_or(i64::MAX / 4)
}

impl Clock {
    pub(super) fn new(start: i64, step: Duration, len: usize, left_open: bool) -> Self {
        Self { start, step: millis(step).max(1), len, left_open }
    }

    /// The time of an evaluation.
    pub(super) fn at(&self, index: usize) -> i64 {
        self.start + self.step * i64::try_from(index).unwrap_or(i64::MAX / 4)
    }

    /// The last evaluation at or before a moment that an instant selector finds. One without a value wrote that there is
    /// none, so it hides all before it.
    pub(super) fn index(&self, moment: i64) -> Option<usize> {
        let index = usize::try_from((moment - self.start).div_euclid(self.step)).ok()?.min(self.len.checked_sub(1)?);
        (moment - self.at(index) <= LOOKBACK - i64::from(self.left_open)).then_some(index)
    }

    /// The first multiple of a unit (counted from an origin) that is in a range which begins at a moment.
    fn first(&self, from: i64, origin: i64, unit: i64) -> i64 {
        let after = from - origin;
        if self.left_open { after.div_euclid(unit) + 1 } else { (after + unit - 1).div_euclid(unit) }
    }

    /// Evaluations of a range that ends so long before each evaluation: from and to, as distances back from it.
    fn back(&self, range: i64, offset: i64) -> (usize, usize) {
        let distance = |it: i64| usize::try_from(it).unwrap_or(0);
        (distance(-self.first(-offset - range, 0, self.step)), distance((offset + self.step - 1) / self.step))
    }
}

/// A recorded series: its value at each evaluation (NaN for none), and at each moment that a subquery asks for.
#[derive(Debug)]
pub(super) struct Sampled<'a> {
    clock: &'a Clock,
    pub(super) plain: Vec<f64>,
    present: Vec<usize>,
    /// Number of the first moment of the grid: subqueries ask at multiples of their step, whatever the evaluation.
    first: i64,
    unit: i64,
    grid: Vec<f64>,
    grid_present: Vec<usize>,
}

impl<'a> Sampled<'a> {
    pub(super) fn new(clock: &'a Clock, plain: Vec<f64>, unit: Duration) -> Self {
        let unit = millis(unit).max(1);
        let first = (clock.start + unit - 1).div_euclid(unit);
        let end = if clock.len == 0 { clock.start - 1 } else { clock.at(clock.len - 1) };
        let last = end.div_euclid(unit);
        let grid: Vec<f64> =
            (first..=last).map(|at| clock.index(at * unit).map_or(f64::NAN, |index| plain[index])).collect();
        let there = |it: f64| !it.is_nan();
        let (present, grid_present) = (sums::counts(&plain, there), sums::counts(&grid, there));
        Self { clock, plain, present, first, unit, grid, grid_present }
    }

    /// Its value at an evaluation.
    pub(super) fn has(&self, index: usize) -> bool {
        !self.plain[index].is_nan()
    }

    /// A window at each evaluation.
    pub(super) fn over(&self, over: Over) -> Vec<f64> {
        match over {
            Over::Now => self.plain.clone(),
            Over::Tiles(steps) => self.tiles(steps),
            Over::Range(range) => self.average(range, Duration::ZERO),
            Over::Grid(range) => {
                let window = self.trailing(range);
                let at = |index| {
                    let moment = self.clock.at(index);
                    window.sum(moment) / window.count(moment) as f64
                };
                (0..self.plain.len()).map(at).collect()
            }
        }
    }

    /// `x + (x offset 5m or 0 * x) + ...`.
    fn tiles(&self, steps: u64) -> Vec<f64> {
        let offset = |tile: u64| self.unit * i64::try_from(tile).unwrap_or(i64::MAX / 4);
        let tile = |index: usize, tile: u64| {
            let found = self.clock.index(self.clock.at(index) - offset(tile));
            found.map(|it| self.plain[it]).filter(|it| !it.is_nan()).unwrap_or(0.0)
        };
        let sum = |(index, now): (usize, &f64)| {
            if now.is_nan() { f64::NAN } else { (1..steps).fold(*now, |sum, it| sum + tile(index, it)) }
        };
        self.plain.iter().enumerate().map(sum).collect()
    }

    /// `avg_over_time(x[range] offset o)` at each evaluation.
    pub(super) fn average(&self, range: Duration, offset: Duration) -> Vec<f64> {
        let (from, to) = self.clock.back(millis(range), millis(offset));
        let sums = sums::trailing(&self.plain, from - to + 1);
        let at = |index: usize| {
            let Some(end) = index.checked_sub(to) else { return f64::NAN };
            let count = self.present[end + 1] - self.present[index.saturating_sub(from)];
            if count == 0 { f64::NAN } else { sums[end] / count as f64 }
        };
        (0..self.plain.len()).map(at).collect()
    }

    /// The last evaluation that had a value within a range, at each evaluation.
    pub(super) fn last_within(&self, range: Duration) -> Vec<Option<f64>> {
        let (from, _) = self.clock.back(millis(range), 0);
        let mut last = None;
        let at = |(index, value): (usize, &f64)| {
            if !value.is_nan() {
                last = Some(index);
            }
            last.filter(|it| index - it <= from).map(|it| self.plain[it])
        };
        self.plain.iter().enumerate().map(at).collect()
    }

    /// A subquery `x[range:step]` that ends at any moment.
    pub(super) fn trailing(&self, range: Duration) -> Trailing<'_> {
        let range = millis(range);
        let fewer = usize::try_from(range / self.unit).unwrap_or(usize::MAX - 1);
        let [fewer_sums, more_sums] = [fewer, fewer + 1].map(|length| sums::trailing(&self.grid, length));
        Trailing { of: self, range, fewer, fewer_sums, more_sums }
    }

    /// Places of the grid within a range that ends at a moment.
    fn within(&self, range: i64, moment: i64) -> std::ops::Range<usize> {
        let place = |number: i64| usize::try_from(number - self.first).unwrap_or(0).min(self.grid.len());
        let from = place(self.clock.first(moment - range, 0, self.unit));
        let to = place(moment.div_euclid(self.unit) + 1);
        from..to.max(from)
    }

    /// The last value that a subquery finds, at each evaluation.
    pub(super) fn last_on_grid(&self, range: Duration) -> Vec<Option<f64>> {
        let mut last = Vec::with_capacity(self.grid.len());
        for (place, value) in self.grid.iter().enumerate() {
            let before = last.last().copied().flatten();
            last.push(if value.is_nan() { before } else { Some(place) });
        }
        let at = |index| {
            let places = self.within(millis(range), self.clock.at(index));
            let found = places.end.checked_sub(1).and_then(|it| last[it]).filter(|it| *it >= places.start);
            found.map(|it| self.grid[it])
        };
        (0..self.plain.len()).map(at).collect()
    }

    /// Whether a subquery finds anything above zero, at each evaluation.
    pub(super) fn any_on_grid(&self, range: Duration) -> Vec<bool> {
        let above = sums::counts(&self.grid, |it| it > 0.0);
        let at = |index| {
            let places = self.within(millis(range), self.clock.at(index));
            above[places.end] > above[places.start]
        };
        (0..self.plain.len()).map(at).collect()
    }
}

/// A subquery over one range.
#[derive(Debug)]
pub(super) struct Trailing<'a> {
    of: &'a Sampled<'a>,
    range: i64,
    /// Points of it; one more where both of its ends are on the grid.
    fewer: usize,
    fewer_sums: Vec<f64>,
    more_sums: Vec<f64>,
}

impl Trailing<'_> {
    /// How many values it finds.
    pub(super) fn count(&self, moment: i64) -> usize {
        let places = self.of.within(self.range, moment);
        self.of.grid_present[places.end] - self.of.grid_present[places.start]
    }

    /// Their sum; NaN when there is none.
    pub(super) fn sum(&self, moment: i64) -> f64 {
        let places = self.of.within(self.range, moment);
        if self.of.grid_present[places.end] == self.of.grid_present[places.start] {
            return f64::NAN;
        }
        // At the beginning of all data both hold everything that there is.
        let sums = if places.len() > self.fewer { &self.more_sums } else { &self.fewer_sums };
        sums[places.end - 1]
    }
}
