//! Labels and the bounds of their values. There is no unbounded kind of label.

use crate::error_type;

/// A label key with its OpenTelemetry attribute and the set that its values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Label {
    /// The key on the metrics page.
    pub key: &'static str,
    /// The OpenTelemetry attribute that it stands for.
    pub attribute: &'static str,
    /// Where values come from, and so how many there can be.
    pub values: Values,
    /// Whether the label can be absent.
    pub optional: bool,
    /// One sentence on meaning and absence.
    pub help: &'static str,
}

/// The set that a label's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
pub enum Values {
    /// Exactly these.
    Closed(&'static [&'static str]),
    /// Route templates written in the service's code, within its series budget; `_OTHER` beyond it.
    RouteTemplate,
    /// A three-digit HTTP status code; `_OTHER` beyond the series budget.
    StatusCode,
    /// A status code of a server error, one of [`error_type::KINDS`], or a kind that the service declares.
    ErrorType,
    /// A name from the service's configuration or code, fixed at start.
    Configured,
}

impl Values {
    /// Whether `value` can occur. Kinds that a service declares are unknown here, so any well-formed `error_type` passes.
    pub fn allows(&self, value: &str) -> bool {
        match self {
            Values::Closed(set) => set.contains(&value),
            Values::RouteTemplate => value.starts_with('/') || value == "*",
            Values::StatusCode => {
                value.len() == 3 && value.parse::<u16>().is_ok_and(|code| (100..1000).contains(&code))
            }
            Values::ErrorType => error_type::is_well_formed(value),
            Values::Configured => !value.is_empty(),
        }
    }
}

impl Label {
    /// A label, as `signals!` and the families use it. Fails to compile (in a `const`) on an illegal key.
    pub const fn new(
        key: &'static str,
        attribute: &'static str,
        values: Values,
        optional: bool,
        help: &'static str,
    ) -> Self {
        assert_key(key);
        Self { key, attribute, values, optional, help }
    }
}

const fn assert_key(key: &str) {
    let bytes = key.as_bytes();
    assert!(!bytes.is_empty() && bytes[0].is_ascii_lowercase(), "a label key starts with a lower-case letter");
    let mut i = 0;
    while i < bytes.len() {
        assert!(
            bytes[i].is_ascii_lowercase() || bytes[i].is_ascii_digit() || bytes[i] == b'_',
            "a label key has a character outside [a-z0-9_]"
        );
        i += 1;
    }
}
