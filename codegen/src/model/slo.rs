//! One SLO, resolved.

use super::{Duration, Name, Objective, Policy, Sli};

/// A service level objective, valid by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slo {
    /// Unique within its service.
    pub name: Name,
    /// One sentence for people.
    pub description: String,
    /// What users lose when it is missed, in a sentence.
    pub impact: Option<String>,
    /// Text of its own mitigations file (Markdown), when it names one.
    pub mitigations: Option<String>,
    /// The promised share of good events.
    pub objective: Objective,
    /// The compliance window, such as 30d.
    pub window: Duration,
    /// What is measured.
    pub sli: Sli,
    /// One SLO per value of these labels.
    pub by: Vec<String>,
    /// Low-traffic guard: fewer expected errors than this in the long window never alert. Default 5.
    pub min_errors: u32,
    /// What missing data means. Default [`NoData::Page`].
    pub no_data: NoData,
    /// How it is watched beyond that.
    pub policy: Policy,
}

/// What to do when an SLO's data vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoData {
    /// Page when data that were there vanish, and ticket.
    Page,
    /// Ticket only.
    Ticket,
    /// Nothing.
    Ignore,
    /// As [`NoData::Page`], and missing data count as errors against the budget.
    Bad,
}
