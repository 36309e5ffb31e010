//! Sums of windows that slide, each from two parts that were added up: nothing is ever subtracted, so an hour of a
//! million events a second leaves no crumbs in the idle hour behind it.

/// A sum with what its rounding lost, as Prometheus adds up too: a burn rate that just reaches its factor must not exceed
/// it by a rounding.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    rounded: f64,
    lost: f64,
}

impl Sum {
    /// One value more; NaN is left out.
    fn plus(self, value: f64) -> Self {
        if value.is_nan() {
            return self;
        }
        let rounded = self.rounded + value;
        let added = rounded - self.rounded;
        let lost = (self.rounded - (rounded - added)) + (value - added);
        Self { rounded, lost: self.lost + lost }
    }

    fn and(self, other: Self) -> f64 {
        let both = self.plus(other.rounded);
        both.rounded + (both.lost + other.lost)
    }
}

/// The sum of the last `length` values at each place (fewer at the beginning); what is NaN is left out.
pub(super) fn trailing(values: &[f64], length: usize) -> Vec<f64> {
    let length = length.max(1);
    // From a place to the end of its block of `length` values.
    let mut rest = vec![Sum::default(); values.len()];
    let mut sum = Sum::default();
    for (at, value) in values.iter().enumerate().rev() {
        if (at + 1).is_multiple_of(length) {
            sum = Sum::default();
        }
        sum = sum.plus(*value);
        rest[at] = sum;
    }
    // And from the beginning of its block to a place.
    let mut sum = Sum::default();
    let mut all = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        if at.is_multiple_of(length) {
            sum = Sum::default();
        }
        sum = sum.plus(*value);
        let whole_block = at % length == length - 1;
        let before = if whole_block || at < length { Sum::default() } else { rest[at + 1 - length] };
        all.push(before.and(sum));
    }
    all
}

/// How many of the values before each place are there, with one more place at the end.
pub(super) fn counts(values: &[f64], counts: impl Fn(f64) -> bool) -> Vec<usize> {
    let mut all = Vec::with_capacity(values.len() + 1);
    let mut count = 0;
    all.push(0);
    for value in values {
        count += usize::from(counts(*value));
        all.push(count);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_is_summed_up() {
        let values: Vec<f64> =
            (0..50_u32).map(|it| if it % 7 == 3 { f64::NAN } else { f64::from(it * it % 11) }).collect();
        for length in [1, 2, 3, 7, 12, 49, 50, 80] {
            let sums = trailing(&values, length);
            for (at, sum) in sums.iter().enumerate() {
                let window = &values[(at + 1).saturating_sub(length)..=at];
                let plain = window.iter().filter(|it| !it.is_nan()).sum::<f64>();
                assert!((sum - plain).abs() < 1e-9, "{length} at {at}");
            }
        }
    }

    #[test]
    fn nothing_is_left_of_what_was() {
        let values: Vec<f64> = (0..1_000).map(|it| if it < 500 { 1e12 / 3.0 } else { 0.0 }).collect();
        assert!(trailing(&values, 100)[600..].iter().all(|it| *it == 0.0));
    }
}
