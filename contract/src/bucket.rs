//! Bucket bounds as exact integers, and the one spelling of an `le` label.

/// Upper bounds of a duration histogram, in nanoseconds, rising. The `+Inf` bucket is implied.
///
/// Integers keep the hot path free of floats and the `le` text exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    nanos: &'static [u64],
}

impl Buckets {
    /// Bounds in nanoseconds. Fails to compile (in a `const`) unless they are positive and rise.
    pub const fn from_nanos(nanos: &'static [u64]) -> Self {
        assert!(!nanos.is_empty(), "a histogram needs at least one bucket bound");
        assert!(nanos[0] > 0, "bucket bounds must be positive");
        let mut i = 1;
        while i < nanos.len() {
            assert!(nanos[i - 1] < nanos[i], "bucket bounds must rise");
            i += 1;
        }
        Self { nanos }
    }

    /// The bounds in nanoseconds.
    pub const fn nanos(&self) -> &'static [u64] {
        self.nanos
    }

    /// The `le` values as they stand on the metrics page, without `+Inf`.
    pub fn le(&self) -> Vec<String> {
        self.nanos.iter().map(|&nanos| le_text(nanos)).collect()
    }

    /// Whether `nanos` is one of the bounds.
    pub fn contains(&self, nanos: u64) -> bool {
        self.nanos.binary_search(&nanos).is_ok()
    }

    /// The bounds next to `nanos`, below and above, for the text of a diagnostic.
    pub fn nearest(&self, nanos: u64) -> (Option<u64>, Option<u64>) {
        let above = self.nanos.partition_point(|&bound| bound < nanos);
        (above.checked_sub(1).map(|i| self.nanos[i]), self.nanos.get(above).copied())
    }
}

/// The text of an `le` label for a bound in nanoseconds: seconds in OpenMetrics' canonical form (`0.25`, `1.0`).
///
/// Both page formats print this text, so a change of format never renames a series.
pub fn le_text(nanos: u64) -> String {
    let whole = nanos / 1_000_000_000;
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    format!("{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

#[cfg(feature = "serde")]
impl serde::Serialize for Buckets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.le())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn le_text_is_canonical() {
        for (nanos, text) in
            [(5_000_000, "0.005"), (250_000_000, "0.25"), (1_000_000_000, "1.0"), (7_500_000_000, "7.5")]
        {
            assert_eq!(le_text(nanos), text);
        }
    }

    #[test]
    fn nearest_names_the_neighbours() {
        const B: Buckets = Buckets::from_nanos(&[10, 20, 30]);
        assert_eq!(B.nearest(15), (Some(10), Some(20)));
        assert_eq!(B.nearest(5), (None, Some(10)));
        assert_eq!(B.nearest(31), (Some(30), None));
        assert!(B.contains(20) && !B.contains(21));
    }
}
