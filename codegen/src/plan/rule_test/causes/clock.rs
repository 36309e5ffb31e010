//! When things happen in a test, and how promtool's notation writes what a series then shows.

use std::fmt::Display;

use super::super::stage::{Grid, up_to};
use crate::model::Duration;

/// Samples after which a test has ended for sure.
pub(super) const LONG: u64 = 1_500;

/// The samples and the evaluations of a test, and when trouble begins in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) grid: Grid,
    /// Distance of samples.
    pub(super) step: Duration,
    /// Samples before trouble begins.
    pub(super) quiet: u64,
}

impl Clock {
    /// Every second sample is at an evaluation, and so is the beginning of trouble.
    pub(super) const ON: Self = Self { grid: Grid::Fine, step: Grid::Fine.samples(), quiet: 40 };
    /// Trouble begins one second after an evaluation, and samples come at every second of the rules' grid: 23 of 17 s are
    /// 13 evaluations and a second.
    pub(super) const OFF: Self = Self { grid: Grid::Fine, step: Duration::from_secs(17), quiet: 23 };
    /// Hours, evaluated every five minutes.
    pub(super) const HOURS: Self = Self { grid: Grid::Hours, step: Grid::Hours.samples(), quiet: 75 };

    /// When trouble begins.
    pub(super) const fn began(self) -> Duration {
        self.step.times(self.quiet)
    }

    /// Whether everything happens at an evaluation.
    pub(super) const fn is_on(self) -> bool {
        self.began().millis().is_multiple_of(self.eval().millis())
    }

    /// Distance of evaluations.
    pub(super) const fn eval(self) -> Duration {
        self.grid.step()
    }

    /// So many samples cover this time.
    pub(super) const fn samples(self, length: Duration) -> u64 {
        length.millis().div_ceil(self.step.millis())
    }

    /// The first evaluation that is not before this time of trouble.
    pub(super) fn seen(self, after: Duration) -> Duration {
        up_to(self.began().plus(after), self.eval())
    }

    /// The last evaluation before that.
    pub(super) fn before(self, after: Duration) -> Duration {
        self.seen(after).minus(self.eval())
    }
}

/// One value for so many samples, then the next.
pub(super) fn levels<T: Display>(parts: &[(T, u64)]) -> String {
    let some = parts.iter().filter(|(_, samples)| *samples > 0);
    some.map(|(value, samples)| format!("{value}+0x{}", samples - 1)).collect::<Vec<_>>().join(" ")
}

/// No series for so many samples, then this.
pub(super) fn after(samples: u64, values: &str) -> String {
    if samples == 0 { values.to_owned() } else { format!("_x{samples} {values}") }
}

/// A counter that stands still for so many samples, then rises with each of so many, then stands still.
pub(super) fn counter(quiet: u64, rise: f64, rising: u64) -> String {
    let from = if quiet == 0 { String::new() } else { format!("0+0x{} ", quiet - 1) };
    if rising >= LONG {
        return format!("{from}{rise}+{rise}x{rising}");
    }
    format!("{from}{rise}+{rise}x{} {}+0x{LONG}", rising - 1, rise * rising as f64)
}
