//! What rules run on.

use std::fmt;
use std::str::FromStr;

/// A version of Prometheus: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dialect {
    /// Major.
    pub major: u32,
    /// Minor; the largest there is for `3.x`.
    pub minor: u32,
}

impl Dialect {
    /// The version that Kilter's own rules are written for.
    pub const OLDEST: Self = Self { major: 2, minor: 42 };
    /// Ranges are left-open, bounds are floats.
    pub const THREE: Self = Self { major: 3, minor: 0 };
}

impl FromStr for Dialect {
    type Err = String;

    /// `prometheus=3.5`, or `prometheus=3.x` for the newest of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let version = text.strip_prefix("prometheus=").and_then(|it| it.split_once('.'));
        let minor = |it: &str| if it == "x" { Some(u32::MAX) } else { it.parse().ok() };
        let read = version.and_then(|(major, rest)| Some(Self { major: major.parse().ok()?, minor: minor(rest)? }));
        read.filter(|it| *it >= Self { major: 2, minor: 0 })
            .ok_or_else(|| "a target is prometheus=MAJOR.MINOR, such as prometheus=2.42 or prometheus=3.x".to_owned())
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minor {
            u32::MAX => write!(f, "Prometheus {}.x", self.major),
            minor => write!(f, "Prometheus {}.{minor}", self.major),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!("prometheus=2.42".parse(), Ok(Dialect::OLDEST));
        assert!("prometheus=3.x".parse::<Dialect>().unwrap() > Dialect::THREE);
        for text in ["3.0", "prometheus=3", "prometheus=1.8", "mimir", "prometheus=a.b"] {
            assert!(text.parse::<Dialect>().is_err(), "{text}");
        }
    }
}
