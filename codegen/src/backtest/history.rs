//! Answers become pairs on one grid, a pair for each group; and what is missing in them.

use std::collections::BTreeMap;

use super::Period;
use super::questions::{Asked, Question, millis};
use crate::model::Duration;
use crate::prometheus::{Labels, Series};
use crate::replay::{LOOKBACK, Pair};

/// Shorter times without data are not told of: a rate over five minutes bridges them.
const LEAST_GAP: i64 = 600_000;

/// The answers to [`Asked`], in its order.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// All events: fine, then coarse.
    pub total: [Vec<Series>; 2],
    /// Bad events.
    pub error: [Vec<Series>; 2],
    /// Maintenance.
    pub maintenance: [Vec<Series>; 2],
}

/// One group of an SLO.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its `by` labels.
    pub labels: Labels,
    /// From its first data on: rules that were deployed earlier would have had nothing to read.
    pub pair: Pair,
    /// The range of its rates.
    rate: Duration,
    /// Sums of everything before each evaluation, with one more at the end.
    errors: Vec<f64>,
    totals: Vec<f64>,
    known: Vec<usize>,
}

/// The moments of a run. The coarse part has one value for each step of the budget's grid, which stands for the moments
/// up to the next: only the budget looks so far back, and it asks at those steps.
struct Grid {
    start: i64,
    step: i64,
    len: usize,
    /// Moments that a coarse value stands for.
    stands_for: usize,
}

impl Grid {
    fn of(asked: &Asked, rate: Duration) -> Option<Self> {
        let [fine, coarse] = &asked.total;
        let fine = fine.as_ref()?;
        let (start, step) = (coarse.as_ref().map_or(fine.start, |it| it.start), millis(fine.step));
        let len = usize::try_from((fine.end - start) / step + 1).ok()?;
        Some(Self { start, step, len, stands_for: usize::try_from(millis(rate) / step).unwrap_or(1).max(1) })
    }

    fn place(&self, at: i64) -> Option<usize> {
        usize::try_from((at - self.start).div_euclid(self.step)).ok().filter(|it| *it < self.len)
    }

    fn put(&self, into: &mut [Option<f64>], series: &Series, coarse: bool) {
        for point in &series.points {
            let Some(place) = self.place(point.at) else { continue };
            let end = if coarse { (place + self.stands_for).min(self.len) } else { place + 1 };
            into[place..end].fill(Some(point.value).filter(|it| it.is_finite()));
        }
    }

    fn by_labels(&self, answers: &[Vec<Series>; 2]) -> BTreeMap<Labels, Vec<Option<f64>>> {
        let mut all: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
        // Coarse first: where both know a moment, the fine one is right.
        for (series, coarse) in answers[1].iter().map(|it| (it, true)).chain(answers[0].iter().map(|it| (it, false))) {
            let mut labels = series.labels.clone();
            labels.remove("__name__");
            self.put(all.entry(labels).or_insert_with(|| vec![None; self.len]), series, coarse);
        }
        all
    }
}

/// The groups of an SLO, in order of their labels.
pub fn groups(asked: &Asked, answers: &Answers, rate: Duration) -> Vec<Group> {
    let Some(grid) = Grid::of(asked, rate) else { return Vec::new() };
    let mut totals = grid.by_labels(&answers.total);
    let mut errors = grid.by_labels(&answers.error);
    let active = grid.by_labels(&answers.maintenance).into_values().next();
    let labels: Vec<Labels> =
        totals.keys().chain(errors.keys().filter(|it| !totals.contains_key(*it))).cloned().collect();
    let group = |labels: Labels| {
        let none = || vec![None; grid.len];
        let total = totals.remove(&labels).unwrap_or_else(none);
        let error = errors.remove(&labels).unwrap_or_else(none);
        let first = (0..grid.len).find(|it| total[*it].is_some() || error[*it].is_some())?;
        let start = grid.start + grid.step * i64::try_from(first).ok()?;
        let step = Duration::from_millis(u64::try_from(grid.step).ok()?);
        let mut pair = Pair::new(start, step, error[first..].to_vec(), total[first..].to_vec());
        if let Some(active) = &active {
            pair.maintenance = active[first..].iter().map(Option::is_some).collect();
        }
        Some(Group::new(labels, pair, rate))
    };
    labels.into_iter().filter_map(group).collect()
}

impl Group {
    fn new(labels: Labels, pair: Pair, rate: Duration) -> Self {
        let sums = |values: &[Option<f64>]| {
            let mut sum = 0.0;
            let mut all = vec![0.0];
            all.extend(values.iter().map(|it| {
                sum += it.unwrap_or(0.0);
                sum
            }));
            all
        };
        let mut count = 0;
        let mut known = vec![0];
        known.extend(pair.total.iter().map(|it| {
            count += usize::from(it.is_some());
            count
        }));
        Self { labels, rate, errors: sums(&pair.error), totals: sums(&pair.total), known, pair }
    }

    /// Its first data.
    pub const fn first(&self) -> i64 {
        self.pair.start
    }

    /// Places of the evaluations from one moment up to another, both included.
    fn places(&self, from: i64, to: i64) -> std::ops::Range<usize> {
        let step = millis(self.pair.step).max(1);
        let place = |at: i64| usize::try_from(at).unwrap_or(0).min(self.pair.len());
        let start = place((from - self.pair.start + step - 1).div_euclid(step));
        start..place((to - self.pair.start).div_euclid(step) + 1).max(start)
    }

    /// Whether anything is known between two moments.
    pub fn knows(&self, from: i64, to: i64) -> bool {
        let places = self.places(from, to);
        self.known[places.end] > self.known[places.start]
    }

    /// The share of the judged time for which there are data.
    pub fn coverage(&self, period: &Period) -> f64 {
        let places = self.places(period.from, period.to);
        let all = period.length() / millis(period.step).max(1) + 1;
        (self.known[places.end] - self.known[places.start]) as f64 / all as f64
    }

    /// Times without data after the first.
    pub fn gaps(&self, period: &Period) -> Vec<[i64; 2]> {
        let places = self.places(period.from, period.to);
        let moments = places.map(|it| (self.at(it), self.pair.total[it].is_some()));
        gaps(moments, period, LEAST_GAP)
    }

    fn at(&self, place: usize) -> i64 {
        self.pair.start + millis(self.pair.step) * i64::try_from(place).unwrap_or(0)
    }

    /// Bad and all events between two moments.
    pub fn events(&self, from: i64, to: i64) -> (f64, f64) {
        let (places, step) = (self.places(from, to), self.pair.step.secs_f64());
        let between = |sums: &[f64]| (sums[places.end] - sums[places.start]) * step;
        (between(&self.errors), between(&self.totals))
    }

    /// Events of the median of all windows of a length that begin one after the other, of those that have data for nearly all
    /// of it. `None` without such a window.
    pub fn median_of(&self, window: Duration, period: &Period) -> Option<f64> {
        let length = millis(window).max(1);
        let mut all: Vec<f64> = Vec::new();
        let mut from = period.from;
        while from + length <= period.to + millis(period.step) {
            let places = self.places(from, from + length - 1);
            let known = self.known[places.end] - self.known[places.start];
            // Of what a window asks about, also where it begins before the first data.
            let whole = usize::try_from(length / millis(self.pair.step).max(1)).unwrap_or(usize::MAX).max(1);
            if known as f64 >= 0.9 * whole as f64 {
                all.push(self.events(from, from + length - 1).1);
            }
            from += length;
        }
        all.sort_by(f64::total_cmp);
        all.get(all.len() / 2).copied()
    }

    /// The share of a budget that the errors between two moments spent, by all that counted in the compliance window before
    /// the second; what is not known of the window counts as unspent.
    pub fn spent(&self, (from, to): (i64, i64), window: Duration, error_budget: f64) -> Option<f64> {
        let begins = to - millis(window) + millis(self.pair.step);
        let (_, all) = self.events(begins, to);
        let places = self.places(begins, to);
        let known = (self.known[places.end] - self.known[places.start]) as f64;
        let coverage = (known * self.pair.step.secs_f64() / window.secs_f64()).min(1.0);
        (all > 0.0).then(|| self.errors_between(from, to) / all / error_budget * coverage)
    }

    /// Bad events between two moments, as disjoint rates back from the second: what has just failed counts in whole, where a
    /// sum of all evaluations would see it grow for the length of the rate.
    fn errors_between(&self, from: i64, to: i64) -> f64 {
        let rate = millis(self.rate).max(1);
        let mut sum = 0.0;
        let mut at = to;
        while at > from {
            let places = self.places(at, at);
            sum += self.pair.error.get(places.start).copied().flatten().unwrap_or(0.0).max(0.0) * self.rate.secs_f64();
            at -= rate;
        }
        sum
    }
}

/// Times in which nothing is known, of a length that is told.
fn gaps(moments: impl Iterator<Item = (i64, bool)>, period: &Period, least: i64) -> Vec<[i64; 2]> {
    let mut all: Vec<[i64; 2]> = Vec::new();
    let mut since = None;
    for (at, known) in moments.chain([(period.to + millis(period.step), true)]) {
        match (known, since) {
            (false, None) => since = Some(at),
            (true, Some(from)) => {
                if at - from >= least.min(period.length() / 20) {
                    all.push([from, at.min(period.to.max(from))]);
                }
                since = None;
            }
            _ => {}
        }
    }
    all
}

/// What the server recorded last of its scrapes, as a value: a moment after the last is known only by that.
pub const ALIVE: &str = "max(timestamp(up))";

/// Times in which a server that is otherwise known to record recorded nothing at all, from its last scrape on, by the answer
/// to [`ALIVE`]. None when it never says anything.
#[expect(clippy::cast_possible_truncation, reason = "a time that the server knows")]
pub fn silent(asked: &Question, answer: &[Series], period: &Period) -> Vec<[i64; 2]> {
    let step = millis(asked.step).max(1);
    let points = answer.iter().flat_map(|it| &it.points).filter(|it| it.value.is_finite());
    let scraped: BTreeMap<i64, i64> = points.map(|it| (it.at, (it.value * 1_000.0).round() as i64)).collect();
    let Some(first) = scraped.keys().next().copied() else { return Vec::new() };
    let moments = (0..=(asked.end - first) / step).map(|it| first + it * step);
    let seen = moments.map(|at| (at, scraped.contains_key(&at)));
    let shown = gaps(seen, period, LEAST_GAP - LOOKBACK).into_iter();
    let scrape = |at: Option<(&i64, &i64)>, gap: [i64; 2]| at.map(|(_, it)| *it).filter(|it| *it <= gap[1]);
    shown
        .map(|gap| {
            let last = scrape(scraped.range(..gap[0]).next_back(), gap).unwrap_or(gap[0]);
            let next = scrape(scraped.get_key_value(&gap[1]), gap).filter(|it| *it > last).unwrap_or(gap[1]);
            [last.min(gap[0]), next]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prometheus::Point;

    const MINUTE: i64 = 60_000;

    fn period(minutes: i64) -> Period {
        Period { from: 0, to: minutes * MINUTE, step: Duration::from_mins(1) }
    }

    #[test]
    fn a_server_is_silent_from_its_last_scrape_on() {
        let period = period(400);
        let asked = Question { query: ALIVE.to_owned(), start: 0, end: period.to, step: period.step };
        // Scraped at each minute but for those of 101 to 139, and seen for five minutes longer.
        let at = |minute: i64| {
            (!(106..140).contains(&minute))
                .then_some((minute, minute.min(100).max(minute * i64::from(minute >= 140 || minute <= 100))))
        };
        let points = (0..=400).filter_map(at);
        let points = points.map(|(at, scraped)| Point { at: at * MINUTE, value: (scraped * 60) as f64 });
        let answer = [Series { labels: Labels::new(), points: points.collect() }];
        assert_eq!(silent(&asked, &answer, &period), [[100 * MINUTE, 140 * MINUTE]]);
        assert!(silent(&asked, &[], &period).is_empty());
    }

    #[test]
    fn a_median_is_of_whole_windows() {
        let minutes = |all: usize| vec![Some(1.0); all];
        let pair = Pair::new(0, Duration::from_mins(1), minutes(100), minutes(100));
        let group = Group::new(Labels::new(), pair, Duration::from_mins(5));
        let hour = Duration::from_mins(60);
        assert_eq!(group.median_of(hour, &period(50)), None);
        assert_eq!(group.median_of(hour, &period(100)), Some(3_600.0));
        // The second hour has data for two thirds of it.
        assert_eq!(group.median_of(hour, &period(120)), Some(3_600.0));
    }
}
