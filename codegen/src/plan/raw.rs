//! An SLO's pair over what was scraped alone: for history from before its rules were there. The same expressions as the
//! rules have, with what they record put in the place of its name, so that nothing is spelled out twice.

use super::context::Context;
use super::maintenance::active;
use super::sli;
use crate::model::{Maintenance, Slo};

/// Expressions that read no recorded series: an SLO as it is measured, before its policies change what counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPair {
    /// All events.
    pub total: String,
    /// Bad events.
    pub error: String,
    /// Has a value while the condition of its maintenance holds, when it has one; a schedule is known without asking.
    pub maintenance: Option<String>,
}

/// The pair of an SLO over what was scraped.
pub fn pair(context: &Context<'_>, slo: &Slo) -> RawPair {
    let pair = sli::raw_pair(context, slo);
    let condition = slo.policy.maintenance.as_ref().and_then(|it| it.promql.clone());
    let maintenance = condition.map(|it| active(context, &Maintenance { promql: Some(it), schedule: Vec::new() }));
    RawPair { total: pair.total, error: pair.error, maintenance }
}
