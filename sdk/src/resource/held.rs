//! What is in use until it is dropped.

use std::ops::{Deref, DerefMut};

use crate::signal::family::Series;

/// Something of a resource, in use until this is dropped. It dereferences to what was acquired.
#[derive(Debug)]
#[must_use = "in use for as long as this is kept"]
pub struct Held<T> {
    // Given back before it is counted as free.
    value: T,
    _units: Units,
}

/// Units that are in use.
#[derive(Debug)]
struct Units {
    usage: &'static Series,
    n: f64,
}

impl<T> Held<T> {
    pub(super) fn new(value: T, usage: &'static Series, units: usize) -> Self {
        let n = units as f64;
        usage.level().shift(n);
        Self { value, _units: Units { usage, n } }
    }
}

impl Drop for Units {
    fn drop(&mut self) {
        self.usage.level().shift(-self.n);
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Held<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
