//! Counters as they are scraped, and their rates as Prometheus 2.42 computes them.

use super::world::{World, millis};
use super::{Scenario, Scrape};
use crate::model::Duration;
use crate::replay::{Pair, Rules};

/// What was scraped of the two counters.
#[derive(Debug)]
pub(super) struct Counters {
    /// Moment, all events and bad events.
    pub(super) samples: Vec<(i64, f64, f64)>,
    /// What counters had lost by each sample, because they began at zero again: all and bad events.
    lost: Vec<(f64, f64)>,
}

/// Moments of scrapes.
fn scrapes(scrape: Scrape, (from, until): (i64, i64)) -> impl Iterator<Item = i64> {
    let every = millis(scrape.interval).max(1);
    let first = from + (millis(scrape.phase) - from).rem_euclid(every);
    (0..).map(move |it| first + it * every).take_while(move |it| *it <= until)
}

impl Counters {
    pub(super) fn scraped(world: &World, scenario: &Scenario, span: (i64, i64)) -> Self {
        let mut it = Self { samples: Vec::new(), lost: Vec::new() };
        let (mut count, mut lost) = (Count::default(), (0.0, 0.0));
        let mut last = None;
        for moment in scrapes(scenario.scrape, span) {
            if let Some(last) = last {
                count.until(world, scenario.traffic.whole, last, moment);
            }
            last = Some(moment);
            if !world.at(moment).seen {
                continue;
            }
            let (all, bad) = (count.all, count.bad);
            if let Some((_, before, before_bad)) = it.samples.last() {
                lost.0 += if all < *before { *before } else { 0.0 };
                lost.1 += if bad < *before_bad { *before_bad } else { 0.0 };
            }
            it.samples.push((moment, all, bad));
            it.lost.push(lost);
        }
        it
    }

    /// The rates of both at each evaluation.
    pub(super) fn pair(&self, rules: &Rules, interval: Duration, (from, until): (i64, i64)) -> Pair {
        let (mut error, mut total) = (Vec::new(), Vec::new());
        let range = millis(rules.rate);
        let (mut first, mut end) = (0, 0);
        let mut now = from;
        while now <= until {
            let begin = now - range + i64::from(rules.left_open);
            first += self.samples[first..].iter().take_while(|it| it.0 < begin).count();
            end = end.max(first);
            end += self.samples[end..].iter().take_while(|it| it.0 <= now).count();
            let rate = |value: fn(&(i64, f64, f64)) -> f64, lost: fn(&(f64, f64)) -> f64| {
                let (a, z) = (self.samples.get(first)?, self.samples.get(end.checked_sub(1)?)?);
                let again = lost(&self.lost[end - 1]) - lost(&self.lost[first]);
                let increase = value(z) - value(a) + again;
                let seen = Window { begin: now - range, end: now, first: a.0, last: z.0, samples: end - first };
                seen.rate(value(a), increase)
            };
            total.push(rate(|it| it.1, |it| it.0));
            error.push(rate(|it| it.2, |it| it.1));
            now += millis(interval).max(1);
        }
        Pair::new(from, interval, error, total)
    }
}

/// A range of a counter.
struct Window {
    begin: i64,
    end: i64,
    first: i64,
    last: i64,
    samples: usize,
}

impl Window {
    /// `rate()`: the increase between the samples, continued to both ends of the range, but not far where there are no
    /// samples, and not to before the counter was zero.
    fn rate(&self, first_value: f64, increase: f64) -> Option<f64> {
        if self.samples < 2 {
            return None;
        }
        let seconds = |it: i64| it as f64 / 1_000.0;
        let sampled = seconds(self.last - self.first);
        let between = sampled / (self.samples - 1) as f64;
        let (mut to_start, to_end) = (seconds(self.first - self.begin), seconds(self.end - self.last));
        if increase > 0.0 && first_value >= 0.0 {
            to_start = to_start.min(sampled * (first_value / increase));
        }
        let near = between * 1.1;
        let continued = |gap: f64| if gap < near { gap } else { between / 2.0 };
        let whole = sampled + continued(to_start) + continued(to_end);
        Some(increase * (whole / sampled / seconds(self.end - self.begin)))
    }
}

/// Both counters of the service, seen or not.
#[derive(Debug, Default)]
struct Count {
    all: f64,
    bad: f64,
    /// Parts of an arrival and of a failure that is not whole yet.
    arriving: f64,
    failing: f64,
}

impl Count {
    /// Counts from one moment to another.
    fn until(&mut self, world: &World, whole: bool, from: i64, until: i64) {
        let mut at = from;
        while at < until {
            let to = world.next_jump(at).min(until);
            if world.deploys.contains(&at) {
                (self.all, self.bad) = (0.0, 0.0);
            }
            let now = world.at(i64::midpoint(at, to));
            let events = now.traffic * (to - at) as f64 / 1_000.0;
            if whole {
                self.arriving += events;
                let arrived = (self.arriving + ROUNDING).floor();
                self.arriving -= arrived;
                self.failing += arrived * now.ratio;
                let failed = (self.failing + ROUNDING).floor().min(arrived);
                self.failing -= failed;
                (self.all, self.bad) = (self.all + arrived, self.bad + failed);
            } else {
                (self.all, self.bad) = (self.all + events, events.mul_add(now.ratio, self.bad));
            }
            at = to;
        }
    }
}

/// Sums of parts that should be whole may miss it by their rounding.
const ROUNDING: f64 = 1e-6;

/// The pair of an SLI that weighs time: the average of what is scraped within the range.
pub(super) fn shares(
    world: &World,
    scrape: Scrape,
    rules: &Rules,
    interval: Duration,
    (from, until): (i64, i64),
) -> Pair {
    let range = millis(rules.rate);
    let samples: Vec<(i64, f64)> = scrapes(scrape, (from - range, until))
        .map(|it| (it, world.at(it)))
        .filter_map(|(it, now)| now.seen.then_some((it, now.ratio)))
        .collect();
    let (mut error, mut total) = (Vec::new(), Vec::new());
    let (mut first, mut end) = (0, 0);
    let mut now = from;
    while now <= until {
        // The range ends a millisecond early: a sample on the edge of two counts once.
        first += samples[first..].iter().take_while(|it| it.0 <= now - range).count();
        end = end.max(first);
        end += samples[end..].iter().take_while(|it| it.0 <= now).count();
        let within = &samples[first..end];
        let some = !within.is_empty();
        error.push(some.then(|| within.iter().map(|it| it.1).sum::<f64>() / within.len() as f64));
        total.push(some.then_some(1.0));
        now += millis(interval).max(1);
    }
    Pair::new(from, interval, error, total)
}
