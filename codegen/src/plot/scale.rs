//! Where values and moments lie, and how they are written. Numbers are printed with few digits, always the same.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::{Axis, Scale, Unit};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Distances between ticks that people count in.
const STEPS: [i64; 17] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
];

/// Moments with their names, at most eight.
pub(super) fn moments(axis: Axis, from: i64, until: i64) -> Vec<(i64, String)> {
    let length = (until - from).max(1);
    let step = STEPS.into_iter().find(|step| length / step <= 8).unwrap_or(length / 8 + 1);
    let origin = match axis {
        Axis::Since(zero) => zero,
        Axis::Utc => 0,
    };
    let first = (from - origin).div_euclid(step) + i64::from((from - origin).rem_euclid(step) != 0);
    let all = (first..).map(|it| origin + it * step).take_while(|it| *it <= until);
    all.map(|it| (it, moment(axis, it, step))).collect()
}

fn moment(axis: Axis, at: i64, step: i64) -> String {
    match axis {
        Axis::Since(zero) => elapsed(at - zero),
        Axis::Utc => {
            let (_, month, day) = date(at.div_euclid(DAY));
            let minute = at.rem_euclid(DAY) / MINUTE;
            match (step >= DAY, minute) {
                (true, _) | (_, 0) => format!("{day} {month}"),
                _ => format!("{:02}:{:02}", minute / 60, minute % 60),
            }
        }
    }
}

/// `1d6h`, `-15m`, `90s`.
pub(crate) fn elapsed(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let mut rest = millis.abs() / 1_000;
    let mut text = String::new();
    for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if text.is_empty() { "0".to_owned() } else { format!("{sign}{text}") }
}

/// Year, month and day of a day since the epoch; the epoch's own for one that no calendar has.
fn date(days: i64) -> (i64, &'static str, i64) {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let at = days.checked_mul(DAY).and_then(|it| Timestamp::from_millisecond(it).ok()).unwrap_or_default();
    let date = Offset::UTC.to_datetime(at).date();
    let month = usize::try_from(date.month() - 1).ok().and_then(|it| MONTHS.get(it)).copied().unwrap_or("");
    (i64::from(date.year()), month, i64::from(date.day()))
}

/// Where values lie between the floor (0) and the top (1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    low: f64,
    high: f64,
    /// Between two ticks.
    step: f64,
    scale: Scale,
}

impl Range {
    /// Room for all values.
    pub(super) fn of(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let (low, high) =
            values.filter(|it| it.is_finite()).fold((0.0_f64, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
        let high = if high > low { high } else { low + 1.0 };
        match scale {
            Scale::Linear => {
                let step = step(high - low);
                let round = (high / step).ceil() * step;
                // Where values go far below zero, the next round one would be many times the highest there is.
                let high = if round > 1.5 * high { high } else { round };
                Self { low: (low / step).floor() * step, high, step, scale }
            }
            Scale::Log(floor) => {
                let low = f64::from(floor);
                Self { low, high: high.max(f64::MIN_POSITIVE).log10().ceil().max(low + 1.0), step: 1.0, scale }
            }
        }
    }

    /// Where a value lies.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Log(_) => value.max(f64::MIN_POSITIVE).log10(),
        };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Values with round names, from low to high.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = self.step;
                let count = ((self.high - self.low) / step + 1e-6).floor();
                // Few, and each from its number: sums would end in 0.30000000000000004.
                let number = |it: i32| ((self.low / step).round() + f64::from(it)) * step;
                (0..).map_while(|it| (f64::from(it) <= count).then(|| number(it))).collect()
            }
            Scale::Log(_) => {
                let (mut power, mut all) = (self.low, Vec::new());
                while power <= self.high {
                    all.push(10_f64.powf(power));
                    power += 1.0;
                }
                all
            }
        }
    }
}

/// A distance of about a quarter: 1, 2 or 5 of a power of ten.
fn step(length: f64) -> f64 {
    let power = 10_f64.powf((length / 4.0).log10().floor());
    let times = length / 4.0 / power;
    let nice = [1.0, 2.0, 5.0].into_iter().find(|it| times <= *it).unwrap_or(10.0);
    nice * power
}

/// A value in its unit.
pub(super) fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Share => format!("{}%", short(value * 100.0)),
        Unit::Number(behind) => format!("{}{behind}", short(value)),
    }
}

/// At most three digits behind the point, and none that say nothing; millions where there would be no room.
pub(super) fn short(value: f64) -> String {
    if value.abs() >= 1e7 {
        return format!("{}M", (value / 1e6).round());
    }
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        assert_eq!(date(0), (1970, "Jan", 1));
        assert_eq!(date(-1), (1969, "Dec", 31));
        assert_eq!(date(19_782), (2024, "Feb", 29));
        assert_eq!(date(20_783), (2026, "Nov", 26));
    }

    #[test]
    fn times_are_short() {
        let all = [0, 1_000, 90_000, -900_000, 108_000_000].map(elapsed);
        assert_eq!(all, ["0", "1s", "1m30s", "-15m", "1d6h"]);
    }

    #[test]
    fn ticks_are_round() {
        let names = |range: Range| range.ticks().into_iter().map(short).collect::<Vec<_>>().join(" ");
        assert_eq!(names(Range::of(Scale::Linear, [0.3, -0.1].into_iter())), "-0.1 0 0.1 0.2 0.3");
        assert_eq!(names(Range::of(Scale::Linear, std::iter::empty())), "0 0.5 1");
        // A budget that is spent many times over ends at its top: there is no 5000% of it.
        let spent = Range::of(Scale::Linear, [1.0, -91.0].into_iter());
        assert_eq!((names(spent).as_str(), spent.place(1.0)), ("-100 -50 0", 1.0));
        assert_eq!(names(Range::of(Scale::Linear, [1.0, -3.9].into_iter())), "-4 -2 0");
        assert_eq!(names(Range::of(Scale::Linear, [-2.0].into_iter())), "-2 -1.5 -1 -0.5 0");
        assert_eq!(short(-2e8) + &short(1e6), "-200M1000000");
        assert_eq!(names(Range::of(Scale::Log(-1), [144.0].into_iter())), "0.1 1 10 100 1000");
        let ticks = moments(Axis::Since(0), -3_600_000, 3_600_000);
        let ticks: Vec<&str> = ticks.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(ticks, ["-1h", "-45m", "-30m", "-15m", "0", "15m", "30m", "45m", "1h"]);
        let utc = moments(Axis::Utc, 0, 86_400_000);
        assert_eq!(utc.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>()[..3], ["1 Jan", "03:00", "06:00"]);
    }
}
