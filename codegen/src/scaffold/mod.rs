//! A first SLO file for a service: from the contract, from names that its team gives, or from its metrics page.
//!
//! ```text
//! page, names ─▶ contract::interactions, foreign::proposals ─▶ propose ─▶ text
//! ```
//!
//! Objectives and thresholds are proposals. Where the page has seen traffic they are what it meets today, and the
//! comments say the numbers; where it has not they are plain defaults, and the comments say that.

pub mod contract;
pub mod foreign;
mod numbers;
mod propose;
mod text;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::exposition::Histogram;
use crate::model::{Family, Name};

pub use propose::proposals;
pub use text::{Draft, estate, slo_file};

/// Something that the service does, and that an SLO can be about.
#[derive(Debug, Clone, PartialEq)]
pub struct Interaction {
    /// The family of the contract.
    pub family: Family,
    /// Keys of the SLO file with their values; empty for all of the family.
    pub only: BTreeMap<&'static str, Vec<String>>,
    /// What the page has counted; `None` without a page.
    pub seen: Option<Seen>,
}

impl Interaction {
    /// One that a user named.
    pub fn named(family: Family, key: &'static str, value: &str) -> Self {
        Self { family, only: BTreeMap::from([(key, vec![value.to_owned()])]), seen: None }
    }
}

/// What a page has counted since its service started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// All of them.
    pub events: f64,
    /// Those that an availability SLI calls bad.
    pub bad: f64,
    /// Durations of those that a latency SLI counts.
    pub durations: Histogram,
}

impl Seen {
    /// The two counts together.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.events += other.events;
        self.bad += other.bad;
        self.durations = self.durations.plus(&other.durations);
        self
    }
}

/// An SLO of the draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Its name.
    pub name: Name,
    /// One sentence.
    pub description: String,
    /// Such as `99.9%`.
    pub objective: &'static str,
    /// The SLI as it stands in the file.
    pub sli: Value,
    /// What teaches about this kind of SLI; shown once per file.
    pub lesson: &'static str,
    /// Why these numbers.
    pub why: Option<String>,
}

/// Names for SLOs: legal, and each given once.
#[derive(Debug, Default)]
pub struct Names {
    given: std::collections::BTreeSet<String>,
}

impl Names {
    /// The longest name.
    const LONGEST: usize = 40;

    /// A name of these words and this ending; whole words are left out at the end until it fits.
    pub fn name(&mut self, words: &str, ending: &str) -> Option<Name> {
        let words = crate::resolve::suggestion(words).unwrap_or_else(|| "all".to_owned());
        for number in 1_u32.. {
            let ending = if number == 1 { format!("-{ending}") } else { format!("-{number}-{ending}") };
            let room = Self::LONGEST.checked_sub(ending.len())?;
            let mut stem = words.as_str();
            while stem.len() > room {
                stem = stem.rsplit_once('-').map_or(&stem[..room.min(stem.len())], |(start, _)| start);
            }
            let name = format!("{}{ending}", stem.trim_end_matches('-'));
            if self.given.insert(name.clone()) {
                return name.parse().ok();
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_given_once() {
        let mut names = Names::default();
        let mut name = |words: &str| names.name(words, "latency").unwrap().to_string();
        assert_eq!(name("/users/{id}"), "users-id-latency");
        assert_eq!(name("/users/id"), "users-id-2-latency");
        assert_eq!(name("/"), "all-latency");
        assert_eq!(name("/a/very/long/route/with/many/segments/in/it"), "a-very-long-route-with-many-latency");
        let endless = name(&"x".repeat(99));
        assert!(endless.len() == 40 && endless.ends_with("x-latency"), "{endless}");
    }
}
