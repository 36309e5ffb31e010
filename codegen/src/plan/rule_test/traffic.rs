//! Traffic over time, as promtool's notation writes it.

use crate::model::{Decimal, Duration};

/// What happens for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Flow {
    /// Events, this share of them bad.
    Events(f64),
    /// So many times as many good events: the history of a window within minutes. Time cannot be pressed: for a share of
    /// time it is good time.
    Crowd(f64),
    /// Series without events.
    Idle,
    /// No series.
    Gone,
}

/// What happens, one thing after the other.
pub(super) type Timeline = Vec<(Duration, Flow)>;

/// Distance of samples in seconds of real time.
pub(super) const SAMPLE_SECONDS: u64 = 15;

/// Events of one sample interval, in millionths: exact sums, whatever the objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Volume(u128);

impl Volume {
    /// 100 events per second at samples of 15 s, or ten times more as often as needed until an hour at the budget's own
    /// pace holds 20 times `min_errors`: the low-traffic guard must not decide these tests.
    pub(super) fn for_objective(budget: f64, min_errors: u32) -> Self {
        let mut events = 1_500u128;
        while events < 1_000_000_000 && (events * 240) as f64 * budget < 20.0 * f64::from(min_errors) {
            events *= 10;
        }
        Self(events * 1_000_000)
    }

    /// A share of time: one event a second.
    pub(super) const fn of_time(step: Duration) -> Self {
        Self(step.millis() as u128 * 1_000)
    }

    /// The part of each of `n` series.
    pub(super) const fn share(self, n: u64) -> Self {
        Self(self.0 / n as u128)
    }

    /// So many times as many.
    pub(super) const fn times(self, n: u64) -> Self {
        Self(self.0 * n as u128)
    }

    /// At least as much, and so much more than those together that they are no more than this share of it; `None` when that
    /// is more than counters hold with all their digits.
    pub(super) fn above(self, others: &[Self], share: f64) -> Option<Self> {
        let sum: u128 = others.iter().map(|it| it.0).sum();
        let mut wanted = self;
        while (wanted.0 as f64) * share < sum as f64 {
            wanted.0 *= 10;
        }
        (wanted.0 <= 1_000_000_000_000 * 1_000_000).then_some(wanted)
    }

    /// The same traffic between samples of another distance.
    pub(super) const fn every(self, step: Duration) -> Self {
        Self(self.0 * step.millis() as u128 / (SAMPLE_SECONDS as u128 * 1_000))
    }

    /// Good and bad events of one interval, in millionths.
    fn split(self, error_ratio: f64) -> (u128, u128) {
        let bad = self.part(error_ratio.clamp(0.0, 1.0)).min(self.0);
        (self.0 - bad, bad)
    }

    /// Such a part of it.
    fn part(self, factor: f64) -> u128 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the volume")]
        let part = (self.0 as f64 * factor).round() as u128;
        part
    }
}

/// Which events a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: bool,
    pub(super) bad: bool,
}

/// The samples of a counter that starts at zero: `0 1500+1500x239`.
pub(super) fn counter(timeline: &[(Duration, Flow)], step: Duration, volume: Volume, counts: Counts) -> String {
    counted_from(0, timeline, step, volume, counts)
}

/// The samples of a counter that appears with what it counted before anybody looked: a thousand steps of everything.
pub(super) fn joined(timeline: &[(Duration, Flow)], step: Duration, volume: Volume, counts: Counts) -> String {
    counted_from(volume.0 * 1_000, timeline, step, volume, counts)
}

fn counted_from(start: u128, timeline: &[(Duration, Flow)], step: Duration, volume: Volume, counts: Counts) -> String {
    let mut parts = vec![text(start)];
    let mut value = start;
    for (length, flow) in timeline {
        let samples = length.millis() / step.millis();
        let Some(repeats) = samples.checked_sub(1) else { continue };
        let per_step = match flow {
            Flow::Events(ratio) => {
                let (good, bad) = volume.split(*ratio);
                good * u128::from(counts.good) + bad * u128::from(counts.bad)
            }
            Flow::Crowd(times) => volume.part(*times) * u128::from(counts.good),
            Flow::Idle => 0,
            Flow::Gone => {
                parts.push(format!("_x{samples}"));
                continue;
            }
        };
        parts.push(format!("{}+{}x{repeats}", text(value + per_step), text(per_step)));
        value += per_step * u128::from(samples);
    }
    while parts.last().is_some_and(|part| part.starts_with('_')) {
        parts.pop();
    }
    parts.join(" ")
}

/// The samples of a recorded rate: `100+0x119 stale _x19`.
pub(super) fn rate(timeline: &[(Duration, Flow)], step: Duration, volume: Volume, counts: Counts) -> String {
    let mut parts = Vec::new();
    for (at, (length, flow)) in timeline.iter().enumerate() {
        // The first sample stands at the very beginning; but what is pressed together counts in whole steps.
        let early = at == 0 && !matches!(flow, Flow::Crowd(_));
        parts.extend((at == 0 && !early).then(|| "_".to_owned()));
        let samples = length.millis() / step.millis() + u64::from(early);
        let Some(repeats) = samples.checked_sub(1) else { continue };
        let (good, bad) = match flow {
            Flow::Events(ratio) => volume.split(*ratio),
            Flow::Crowd(times) => (volume.part(*times), 0),
            Flow::Idle => (0, 0),
            // Nobody wrote a stale marker for what another tool recorded, so it is written here.
            Flow::Gone => {
                parts.push("stale".to_owned());
                parts.extend((repeats > 0).then(|| format!("_x{repeats}")));
                continue;
            }
        };
        let events = good * u128::from(counts.good) + bad * u128::from(counts.bad);
        parts.push(format!("{}+0x{repeats}", text(events * 1_000 / u128::from(step.millis()))));
    }
    parts.join(" ")
}

/// The samples of a gauge that shows the good share: `1+0x119 0.23+0x59`.
pub(super) fn up(timeline: &[(Duration, Flow)], step: Duration) -> String {
    let whole = Volume::of_time(step);
    rate(timeline, step, whole, Counts { good: true, bad: false })
}

fn text(millionths: u128) -> String {
    Decimal::new(millionths, 6).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_rise_as_the_traffic_says() {
        let minutes = Duration::from_mins;
        let timeline = vec![
            (minutes(10), Flow::Events(0.0)),
            (minutes(5), Flow::Events(0.25)),
            (minutes(5), Flow::Gone),
            (minutes(5), Flow::Idle),
            (minutes(5), Flow::Gone),
        ];
        let step = Duration::from_secs(15);
        let volume = Volume::for_objective(0.001, 5);
        let text = |good, bad| counter(&timeline, step, volume, Counts { good, bad });
        assert_eq!(text(true, true), "0 1500+1500x39 61500+1500x19 _x20 90000+0x19");
        assert_eq!(text(false, true), "0 0+0x39 375+375x19 _x20 7500+0x19");
        assert_eq!(text(true, false), "0 1500+1500x39 61125+1125x19 _x20 82500+0x19");
    }

    #[test]
    fn tight_objectives_get_more_traffic() {
        assert_eq!(Volume::for_objective(0.001, 5).split(0.000_9), (1_498_650_000, 1_350_000));
        let tight = Volume::for_objective(0.000_000_1, 5);
        assert!(tight.split(0.000_000_09).1 * 240 >= 20 * 5 * 1_000_000 * 9 / 10);
    }
}
