//! What an SLO file says of a resource. Every resource is watched without a word; these are the exceptions.

use super::{Decimal, Duration};

/// Types of resources that an SLO file can name: those of the contract, database pools, and replicas.
pub const TYPES: &[&str] = &[
    "semaphore",
    "queue",
    "thread_pool",
    "connection_pool",
    "disk",
    "memory",
    "cpu",
    "file_descriptors",
    "_OTHER",
    "db_pool",
    "replica",
];

/// One way in which a resource can be in trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Requests wait for it.
    Saturated,
    /// It is used nearly up to its limit.
    NearLimit,
    /// Requests for it fail.
    Erroring,
    /// It will be full soon.
    Filling,
    /// A replica is behind its primary.
    Lagging,
}

/// A resource that is watched otherwise than by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// One of [`TYPES`].
    pub kind: String,
    /// Its configured name.
    pub name: String,
    /// How long requests must have waited.
    pub saturated_for: Option<Duration>,
    /// Share of its limit, between 0 and 1.
    pub near_limit: Option<Decimal>,
    /// How far ahead it is predicted.
    pub fills_within: Option<Duration>,
    /// The lag of a replica that is too long.
    pub lag: Option<Duration>,
    /// What is not watched.
    pub off: Vec<Check>,
}

impl Check {
    /// Every check with its word in the SLO file.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("saturated", Self::Saturated),
        ("near_limit", Self::NearLimit),
        ("erroring", Self::Erroring),
        ("filling", Self::Filling),
        ("lagging", Self::Lagging),
    ];

    /// Whether a type of resource can be in this trouble at all. A semaphore or a pool is used up and freed again all
    /// day, so a straight line through its usage says nothing.
    pub fn concerns(self, kind: &str) -> bool {
        match self {
            Self::Lagging => kind == "replica",
            Self::Filling => ["disk", "memory", "queue", "file_descriptors", "_OTHER"].contains(&kind),
            Self::Saturated | Self::NearLimit | Self::Erroring => kind != "replica",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_contract_can_be_named() {
        assert!(kilter_contract::resource::TYPES.iter().all(|it| TYPES.contains(it)));
    }
}
