//! Traffic and errors at each moment.

use super::{BEGIN, Counted, Scenario, Step, Traffic, What};
use crate::model::Duration;
use crate::replay::minute_of_week;

const DAY: f64 = 86_400_000.0;

/// What is so at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Now {
    /// Events per second.
    pub(super) traffic: f64,
    /// The share that is bad.
    pub(super) ratio: f64,
    /// Whether it can be scraped.
    pub(super) seen: bool,
}

/// The steps with their times.
#[derive(Debug)]
pub(super) struct World {
    /// Begin and end of each step; a deploy has none of its own.
    steps: Vec<(i64, i64, What)>,
    /// When counters begin at zero again.
    pub(super) deploys: Vec<i64>,
    traffic: Traffic,
    background: f64,
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.millis()).unwrap_or(i64::MAX / 8)
}

impl World {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let (mut steps, mut deploys, mut at) = (Vec::new(), Vec::new(), BEGIN);
        for Step { what, length } in &scenario.steps {
            if *what == What::Deploy {
                deploys.push(at);
            } else {
                steps.push((at, at + millis(*length), *what));
                at += millis(*length);
            }
        }
        Self { steps, deploys, traffic: scenario.traffic, background: scenario.background }
    }

    pub(super) fn at(&self, moment: i64) -> Now {
        let (low, high) = self.traffic.per_second;
        let usual = Now { traffic: swing(low, high, moment - BEGIN), ratio: self.background, seen: true };
        let after = self.steps.partition_point(|(_, end, _)| *end <= moment);
        let Some((begin, end, what)) = self.steps.get(after).filter(|(begin, ..)| *begin <= moment) else {
            return usual;
        };
        let into = moment - begin;
        let bad = |ratio: f64| Now { ratio, ..usual };
        match *what {
            What::Errors(ratio) => bad(ratio),
            What::Ramp(from, to) => bad((to - from).mul_add(into as f64 / (end - begin) as f64, from)),
            What::Flapping { ratio, bad: on, every } if into.rem_euclid(millis(every)) < millis(on) => bad(ratio),
            What::Daily(low, high) => bad(swing(low, high, into)),
            What::NoTraffic => Now { traffic: 0.0, ..usual },
            What::NoData => Now { seen: false, ..usual },
            What::Flapping { .. } | What::Healthy | What::Deploy => usual,
        }
    }

    /// All events and those that are bad between two moments. What changes smoothly is taken at the middle of pieces, and
    /// what is left out begins and ends with one.
    pub(super) fn events(&self, from: i64, until: i64, counted: &Counted) -> (f64, f64) {
        const PIECE: i64 = 60_000;
        let (mut at, mut all, mut bad) = (from, 0.0, 0.0);
        while at < until {
            let to = self.next_jump(at).min(until).min((at.div_euclid(PIECE) + 1) * PIECE);
            let now = self.at(i64::midpoint(at, to));
            let minute = minute_of_week(at);
            let left_out = counted.left_out.iter().any(|(from, to)| (*from..*to).contains(&minute));
            if (now.seen || counted.missing_is_bad) && !left_out {
                let events = if counted.time { 1.0 } else { now.traffic } * (to - at) as f64 / 1_000.0;
                let ratio = if now.seen { now.ratio } else { 1.0 };
                (all, bad) = (all + events, events.mul_add(ratio, bad));
            }
            at = to;
        }
        (all, bad)
    }

    /// The next moment at which something may jump.
    pub(super) fn next_jump(&self, moment: i64) -> i64 {
        let after = self.steps.partition_point(|(_, end, _)| *end <= moment);
        let step = self.steps.get(after).map_or(i64::MAX, |(begin, end, what)| match *what {
            _ if *begin > moment => *begin,
            What::Flapping { bad, every, .. } => {
                let (every, bad) = (millis(every), millis(bad));
                let into = (moment - begin).rem_euclid(every);
                (moment - into + if into < bad { bad } else { every }).min(*end)
            }
            _ => *end,
        });
        let deploy = self.deploys.iter().copied().find(|it| *it > moment);
        step.min(deploy.unwrap_or(i64::MAX))
    }
}

/// From the first to the second and back once a day.
fn swing(low: f64, high: f64, since: i64) -> f64 {
    if low.to_bits() == high.to_bits() {
        return low;
    }
    let share = (1.0 - (since as f64 / DAY * std::f64::consts::TAU).cos()) / 2.0;
    (high - low).mul_add(share, low)
}
