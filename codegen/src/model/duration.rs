//! Durations as Prometheus writes them, and the time scale of demos and tests.

use std::fmt;
use std::str::FromStr;

/// A duration in whole milliseconds, the resolution of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    millis: u64,
}

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Not of the form `1h30m`.
    #[error("not a duration such as 250ms, 5m or 30d")]
    Syntax,
    /// Zero, or more than 100 years.
    #[error("not between 1ms and 100y")]
    Range,
}

const UNITS: &[(&str, u64)] = &[
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Duration {
    /// None at all.
    pub const ZERO: Self = Self { millis: 0 };

    /// Reads a duration that may be none: `0`, also with a unit.
    pub fn or_zero(text: &str) -> Result<Self, DurationError> {
        let zero =
            text.strip_prefix('0').is_some_and(|unit| unit.is_empty() || UNITS.iter().any(|(it, _)| *it == unit));
        if zero { Ok(Self::ZERO) } else { text.parse() }
    }

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }
    /// From seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_millis(secs * 1_000)
    }
    /// From minutes.
    pub const fn from_mins(mins: u64) -> Self {
        Self::from_secs(mins * 60)
    }
    /// In milliseconds.
    pub const fn millis(self) -> u64 {
        self.millis
    }
    /// In seconds, for arithmetic.
    pub fn secs_f64(self) -> f64 {
        self.millis as f64 / 1_000.0
    }
    /// The difference; zero when `other` is longer.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self { millis: self.millis.saturating_sub(other.millis) }
    }
    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { millis: self.millis + other.millis }
    }
    /// `n` times as long.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self { millis: self.millis * n }
    }
    /// In seconds as an exact decimal text: `3600`, `1.5`.
    pub fn secs_text(self) -> String {
        super::Decimal::new(u128::from(self.millis), 3).to_string()
    }
}

/// The largest single unit that divides it: `5m`, `355m`, `1500ms`. Weeks and years are printed as days.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS[2..].iter().find(|(_, size)| self.millis.is_multiple_of(*size)).unwrap_or(&("ms", 1));
        write!(f, "{}{unit}", self.millis / size)
    }
}

impl FromStr for Duration {
    type Err = DurationError;

    /// Prometheus' form: units from largest to smallest, each at most once, whole numbers.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let (mut rest, mut millis, mut next_unit) = (text, 0u64, 0);
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| DurationError::Syntax)?;
            let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
            let unit = &rest[digits..digits + letters];
            let index = UNITS.iter().position(|(name, _)| *name == unit).ok_or(DurationError::Syntax)?;
            if index < next_unit {
                return Err(DurationError::Syntax);
            }
            next_unit = index + 1;
            millis = number
                .checked_mul(UNITS[index].1)
                .and_then(|part| millis.checked_add(part))
                .ok_or(DurationError::Range)?;
            rest = &rest[digits + letters..];
        }
        match millis {
            _ if text.is_empty() => Err(DurationError::Syntax),
            1..=3_153_600_000_000 => Ok(Self { millis }),
            _ => Err(DurationError::Range),
        }
    }
}

/// Divides every window and interval: `1/20` turns five minutes into fifteen seconds. Names of series stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeScale {
    divisor: u64,
}

impl Default for TimeScale {
    fn default() -> Self {
        Self::REAL
    }
}

impl TimeScale {
    /// Real time.
    pub const REAL: Self = Self { divisor: 1 };

    /// A scale of `1/divisor`; `None` unless it divides the shortest interval (15 s) into whole milliseconds.
    pub fn one_in(divisor: u64) -> Option<Self> {
        (divisor >= 1 && 15_000_u64.is_multiple_of(divisor)).then_some(Self { divisor })
    }

    /// The divisor.
    pub const fn divisor(self) -> u64 {
        self.divisor
    }

    /// Whether it changes anything.
    pub const fn is_real(self) -> bool {
        self.divisor == 1
    }

    /// The scaled duration, exact for every multiple of 15 s.
    #[must_use]
    pub const fn apply(self, duration: Duration) -> Duration {
        Duration::from_millis(duration.millis / self.divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_and_print() {
        for (text, printed) in
            [("5m", "5m"), ("1h30m", "90m"), ("30d", "30d"), ("4w", "28d"), ("1500ms", "1500ms"), ("90s", "90s")]
        {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), printed);
        }
        for text in ["", "5", "m", "5m1h", "1.5h", "-5m", "5 m", "5m5m", "５m"] {
            assert_eq!(text.parse::<Duration>(), Err(DurationError::Syntax), "{text}");
        }
        assert_eq!("0s".parse::<Duration>(), Err(DurationError::Range));
        for text in ["0", "0ms", "0m", "0d"] {
            assert_eq!(Duration::or_zero(text), Ok(Duration::ZERO), "{text}");
        }
        assert_eq!(Duration::or_zero("15m"), Ok(Duration::from_mins(15)));
        for text in ["", "0x", "0m0", "-0s", "00s"] {
            assert!(Duration::or_zero(text).is_err(), "{text}");
        }
        assert_eq!("99999999999999999y".parse::<Duration>(), Err(DurationError::Range));
    }

    #[test]
    fn a_time_scale_is_exact() {
        let scale = TimeScale::one_in(20).unwrap();
        assert_eq!(scale.apply(Duration::from_secs(30)).to_string(), "1500ms");
        assert_eq!(TimeScale::one_in(7), None);
        assert_eq!(TimeScale::one_in(0), None);
    }
}
