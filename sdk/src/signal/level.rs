//! Gauges: a float that goes up and down, or is absent.

use std::sync::atomic::{AtomicU64, Ordering};

/// A float in an atomic. Whole numbers are exact up to 2^53.
#[derive(Debug)]
pub(crate) struct Level(AtomicU64);

impl Default for Level {
    fn default() -> Self {
        Self::new()
    }
}

impl Level {
    /// Zero.
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// The value; NaN is "absent": such a series is not shown.
    pub(crate) fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Acquire))
    }

    /// Sets it. Whoever may be given values that are not finite checks them before.
    pub(crate) fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Release);
    }

    /// Shows it no longer.
    pub(crate) fn clear(&self) {
        self.set(f64::NAN);
    }

    /// Moves it by `by`; from zero when it was absent.
    pub(crate) fn shift(&self, by: f64) {
        self.update(|it| if it.is_nan() { by } else { it + by });
    }

    /// Sets it unless it is larger already.
    pub(crate) fn raise(&self, to: f64) {
        self.update(|it| it.max(to));
    }

    fn update(&self, to: impl Fn(f64) -> f64) {
        let bits = |it| Some(to(f64::from_bits(it)).to_bits());
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, bits);
    }
}
