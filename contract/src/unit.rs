//! Units: their UCUM code (OpenTelemetry) and the suffix of a Prometheus name.

/// The unit of a signal's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Unit {
    /// Seconds, as fractions; UCUM `s`, suffix `_seconds`.
    Seconds,
    /// Bytes; UCUM `By`, suffix `_bytes`.
    Bytes,
    /// A count of things, or no unit at all; UCUM `1`, no suffix.
    Count,
}

impl Unit {
    /// The UCUM code that OpenTelemetry uses.
    pub const fn ucum(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Bytes => "By",
            Unit::Count => "1",
        }
    }

    /// The suffix of the Prometheus name, without its underscore; empty when there is none.
    pub const fn suffix(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::Count => "",
        }
    }
}
