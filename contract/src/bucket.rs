//! Bucket bounds as exact integers, and the one spelling of an `le` label.

/// Upper bounds of a histogram, rising: nanoseconds of a duration, or whole bytes or things. The `+Inf` bucket is implied.
///
/// Integers keep the hot path free of floats and the `le` text exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buckets {
    bounds: &'static [u64],
    whole: bool,
}

impl Buckets {
    /// Bounds in nanoseconds. Fails to compile (in a `const`) unless they are positive and rise.
    pub const fn from_nanos(nanos: &'static [u64]) -> Self {
        Self { bounds: checked(nanos), whole: false }
    }

    /// Bounds of what comes in whole units, such as bytes. Fails to compile (in a `const`) unless they are positive and rise.
    ///
    /// ```
    /// const SIZES: kilter_contract::Buckets = kilter_contract::Buckets::whole(&[1_024, 65_536, 1_048_576]);
    /// assert_eq!(SIZES.le(), ["1024.0", "65536.0", "1048576.0"]);
    /// ```
    pub const fn whole(bounds: &'static [u64]) -> Self {
        Self { bounds: checked(bounds), whole: true }
    }

    /// Whether the bounds are whole units, not nanoseconds.
    pub const fn is_whole(&self) -> bool {
        self.whole
    }

    /// The bounds in nanoseconds; in units when they are whole.
    pub const fn nanos(&self) -> &'static [u64] {
        self.bounds
    }

    /// The `le` values as they stand on the metrics page, without `+Inf`.
    pub fn le(&self) -> Vec<String> {
        self.bounds.iter().map(|&bound| self.le_of(bound)).collect()
    }

    /// The `le` value of a bound of such a histogram.
    pub fn le_of(&self, bound: u64) -> String {
        if self.whole { format!("{bound}.0") } else { le_text(bound) }
    }

    /// Whether this is one of the bounds.
    pub fn contains(&self, bound: u64) -> bool {
        self.bounds.binary_search(&bound).is_ok()
    }

    /// The bounds next to `nanos`, below and above, for the text of a diagnostic.
    pub fn nearest(&self, nanos: u64) -> (Option<u64>, Option<u64>) {
        let above = self.bounds.partition_point(|&bound| bound < nanos);
        (above.checked_sub(1).map(|i| self.bounds[i]), self.bounds.get(above).copied())
    }
}

const fn checked(bounds: &'static [u64]) -> &'static [u64] {
    assert!(!bounds.is_empty(), "a histogram needs at least one bucket bound");
    assert!(bounds[0] > 0, "bucket bounds must be positive");
    let mut i = 1;
    while i < bounds.len() {
        assert!(bounds[i - 1] < bounds[i], "bucket bounds must rise");
        i += 1;
    }
    bounds
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

/// The bound in nanoseconds that an `le` text stands for: the inverse of [`le_text`]. `None` for `+Inf`, for what is finer
/// than a nanosecond, and for anything else.
pub fn le_nanos(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |it: &str| it.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let seconds: u64 = whole.parse().ok()?;
    let nanos: u64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
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
            assert_eq!(le_nanos(text), Some(nanos));
        }
        assert_eq!((le_nanos("1"), le_nanos("0.1234567891"), le_nanos("+Inf")), (Some(1_000_000_000), None, None));
        assert_eq!((le_nanos(""), le_nanos("-1"), le_nanos("99999999999999999999")), (None, None, None));
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
