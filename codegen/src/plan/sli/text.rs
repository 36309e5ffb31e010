//! `events`: counters that the user names.

use super::super::expr::sum_by;
use super::{Lowering, Pair};
use crate::model::EventSide;
use crate::promql;

impl Lowering<'_> {
    /// Named counters. `$window` is the rate window; an expression without an outer aggregation is summed.
    pub(super) fn events(&self, side: &EventSide, total: &str) -> Pair {
        let query = |text: &str| {
            let aggregated = promql::is_aggregation(text);
            let text = promql::with_window(text, &self.rate.to_string());
            if aggregated { format!("({text}) >= 0") } else { format!("{} >= 0", sum_by(self.by, &text)) }
        };
        let none = format!("0 * {}", sum_by(self.by, &self.total_series));
        let error = match side {
            EventSide::Errors(errors) => format!("{}\nor {none}", query(errors)),
            EventSide::Good(good) => self.without(&query(total), &format!("({}\nor {none})", query(good))),
        };
        Pair::of(query(total), error)
    }
}
