//! Exact decimals: objectives and budgets never pass through a binary float.

use std::fmt;
use std::str::FromStr;

/// A non-negative decimal: `units / 10^scale`, without trailing zeros in the fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    units: u128,
    scale: u32,
}

/// Why a text is no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point.
    #[error("not a decimal number")]
    Syntax,
    /// More digits than are held exactly.
    #[error("more than 18 digits on a side of the point")]
    TooLong,
}

impl Decimal {
    /// `units / 10^scale`.
    pub const fn new(units: u128, scale: u32) -> Self {
        let mut it = Self { units, scale };
        while it.scale > 0 && it.units.is_multiple_of(10) {
            it.units /= 10;
            it.scale -= 1;
        }
        it
    }

    /// Moves the point to the left: `99.9` shifted by 2 is `0.999`.
    #[must_use]
    pub const fn shift_left(self, places: u32) -> Self {
        Self::new(self.units, self.scale + places)
    }

    /// Moves the point to the right: `0.999` shifted by 2 is `99.9`.
    #[must_use]
    pub const fn shift_right(self, places: u32) -> Self {
        if self.scale >= places {
            Self::new(self.units, self.scale - places)
        } else {
            Self::new(self.units * 10u128.pow(places - self.scale), 0)
        }
    }

    /// `1 - self`, for a value in 0..=1.
    pub const fn complement(self) -> Option<Self> {
        match 10u128.pow(self.scale).checked_sub(self.units) {
            Some(units) => Some(Self::new(units, self.scale)),
            None => None,
        }
    }

    /// The product, exactly.
    #[must_use]
    pub const fn times(self, other: Self) -> Self {
        Self::new(self.units * other.units, self.scale + other.scale)
    }

    /// Divided by a whole number, rounded down to three decimals; by zero, it stays.
    #[must_use]
    pub const fn divided_by(self, divisor: u128) -> Self {
        if divisor == 0 {
            return self;
        }
        Self::new(self.units * 1_000 / (divisor * 10u128.pow(self.scale)), 3)
    }

    /// Divided by another decimal, rounded down to three decimals; by zero, it stays.
    #[must_use]
    pub const fn over(self, divisor: Self) -> Self {
        Self::new(self.units * 10u128.pow(divisor.scale), self.scale).divided_by(divisor.units)
    }

    /// The nearest float, for arithmetic that is not printed.
    pub fn to_f64(self) -> f64 {
        self.units as f64 / 10f64.powi(self.scale.cast_signed())
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.units == 0
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let scale = self.scale.max(other.scale);
        (self.units * 10u128.pow(scale - self.scale)).cmp(&(other.units * 10u128.pow(scale - other.scale)))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || (text.contains('.') && fraction.is_empty()) {
            return Err(DecimalError::Syntax);
        }
        if whole.len() > 18 || fraction.len() > 18 {
            return Err(DecimalError::TooLong);
        }
        let units = format!("{whole}{fraction}").parse().map_err(|_| DecimalError::TooLong)?;
        let scale = u32::try_from(fraction.len()).map_err(|_| DecimalError::TooLong)?;
        Ok(Self::new(units, scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        if scale == 0 {
            return write!(f, "{}", self.units);
        }
        let digits = format!("{:0>width$}", self.units, width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        write!(f, "{whole}.{fraction}")
    }
}

/// An objective strictly between 0 and 1, exact; `99.9%` is `0.999`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective(Decimal);

impl Objective {
    /// An objective from its fraction; `None` unless it lies strictly between 0 and 1.
    pub fn new(fraction: Decimal) -> Option<Self> {
        let budget = fraction.complement()?;
        (!fraction.is_zero() && !budget.is_zero()).then_some(Self(fraction))
    }

    /// As a fraction: `0.999`.
    pub fn fraction(self) -> Decimal {
        self.0
    }

    /// One minus the objective: `0.001`.
    pub fn error_budget(self) -> Decimal {
        self.0.complement().unwrap_or(Decimal::new(0, 0))
    }

    /// As people write it: `99.9%`.
    pub fn percent(self) -> String {
        format!("{}%", self.0.shift_right(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_exact_to_the_last_character() {
        for (percent, fraction, budget) in [
            ("99.9", "0.999", "0.001"),
            ("99", "0.99", "0.01"),
            ("99.99999", "0.9999999", "0.0000001"),
            ("95.50", "0.955", "0.045"),
            ("0.5", "0.005", "0.995"),
        ] {
            let objective = Objective::new(percent.parse::<Decimal>().unwrap().shift_left(2)).unwrap();
            assert_eq!(objective.fraction().to_string(), fraction);
            assert_eq!(objective.error_budget().to_string(), budget);
        }
        assert_eq!(Objective::new(Decimal::new(1, 0)), None);
        assert_eq!(Objective::new(Decimal::new(0, 0)), None);
        assert_eq!(Objective::new(Decimal::new(2, 0)), None);
    }

    #[test]
    fn decimals_refuse_what_is_none() {
        for text in ["", ".", "1.", ".5", "1e3", "-1", "1,5", "0x1", "1.2.3"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Syntax), "{text}");
        }
        assert_eq!("1.0000000000000000001".parse::<Decimal>(), Err(DecimalError::TooLong));
    }

    #[test]
    fn decimals_order_and_multiply() {
        let d = |text: &str| text.parse::<Decimal>().unwrap();
        assert!(d("0.5") < d("0.51") && d("2") > d("1.99"));
        assert_eq!(d("14.4").times(d("0.001")).to_string(), "0.0144");
        assert_eq!(d("0.999").shift_right(2).to_string(), "99.9");
        assert_eq!(d("5").shift_right(2).to_string(), "500");
    }
}
