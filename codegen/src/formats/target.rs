//! The one table of what foreign files can become in this version, beside `http_server` and `events`.
//!
//! A line with `false` is a key that [`crate::spec`] does not have yet: what needs it is told as not carried, and printed
//! as a comment. A test compares the table with the spec, so the day on which a key arrives is the day of its line.

/// A key of our SLO file that a foreign feature needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// `sli: ratio: {error}` or `{good}`: a ratio as it is.
    Ratio,
    /// `sli: latency: {histogram, slower_than, type}`: any histogram, classic or native.
    Latency,
    /// `sli: uptime: {up}`: a gauge of 0 and 1.
    Uptime,
    /// `sli: slices: {good}`: 1 in a good minute, 0 in a bad one.
    Slices,
    /// `windows: [{severity, share, long, short}]` of an SLO: alert windows of its own.
    Windows,
    /// `labels` of an SLO.
    Labels,
    /// `annotations` of an SLO.
    Annotations,
}

/// Key, where it stands, and whether this version has it.
const TARGETS: &[(Target, &str, Place, bool)] = &[
    (Target::Ratio, "ratio", Place::Sli, true),
    (Target::Latency, "latency", Place::Sli, true),
    (Target::Uptime, "uptime", Place::Sli, true),
    (Target::Slices, "slices", Place::Sli, true),
    (Target::Windows, "windows", Place::Slo, true),
    (Target::Labels, "labels", Place::Slo, true),
    (Target::Annotations, "annotations", Place::Slo, true),
];

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Below `sli`.
    Sli,
    /// Beside it.
    Slo,
}

impl Target {
    fn row(self) -> (&'static str, Place, bool) {
        let row = TARGETS.iter().find(|(target, ..)| *target == self);
        row.map_or(("", Place::Slo, false), |(_, key, place, exists)| (*key, *place, *exists))
    }

    /// The key in our file.
    pub fn key(self) -> &'static str {
        self.row().0
    }

    /// Whether this version has it.
    pub fn exists(self) -> bool {
        self.row().2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Kind, Object, SLO_FILE};

    fn object(of: &'static Object, key: &str) -> &'static Object {
        match of.keys.iter().find(|it| it.name == key).map(|it| it.kind) {
            Some(Kind::Object(object) | Kind::List(&Kind::Object(object))) => object,
            _ => panic!("{key} is no mapping"),
        }
    }

    #[test]
    fn the_table_is_what_the_spec_has() {
        let slo = object(&SLO_FILE, "slos");
        let sli = object(slo, "sli");
        for (target, key, place, exists) in TARGETS {
            let keys = if *place == Place::Sli { sli.keys } else { slo.keys };
            let there = keys.iter().any(|it| it.name == *key);
            assert_eq!(*exists, there, "`{key}`: change the line of {target:?} in formats/target.rs, and its shape");
        }
    }
}
