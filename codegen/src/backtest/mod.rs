//! What the alerts of SLO files would have done over the history that a Prometheus holds, before any rule is there.
//!
//! The pair of each SLO is asked for over what was scraped ([`crate::plan::raw`]) at the moments at which its rules would be
//! evaluated, and [`crate::replay`] does with it what the rules would have done. Nothing here talks to a server: whoever
//! runs it hands in the one who answers ([`ask::Ask`]).
//!
//! | file | what it knows |
//! |---|---|
//! | `moment` | moments, offsets and nights as people write them |
//! | `incidents` | the list that alerts are judged by |
//! | `variant` | what-ifs, through the model |
//! | `questions` | what is asked, in which pieces, and what it costs the server |
//! | `ask` | asking with few at a time |
//! | `history` | answers become pairs on one grid; what is missing |
//! | `run` | everything in order |
//! | `service` | alerts about a service as a whole |
//! | `judge` | pages against incidents |
//! | `advice` | what the data say about an SLO |
//! | `result` | the outcome, also as JSON |
//! | `words` | the outcome for people |

pub mod advice;
pub mod ask;
pub mod history;
pub mod incidents;
pub mod judge;
pub mod moment;
pub mod questions;
pub mod result;
pub mod run;
mod service;
pub mod variant;
pub mod words;

pub use incidents::Incident;
pub use result::Backtest;
pub use run::{Input, cost, run};
pub use variant::Variant;

use crate::model::Duration;

/// The judged time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub from: i64,
    /// Its last.
    pub to: i64,
    /// Between two evaluations.
    pub step: Duration,
}

impl Period {
    /// So long until a moment, on whole steps.
    pub fn until(to: i64, length: Duration, step: Duration) -> Self {
        let unit = questions::millis(step).max(1);
        let floor = |at: i64| at - at.rem_euclid(unit);
        Self { from: floor(to - questions::millis(length)), to: floor(to), step }
    }

    /// How long it is.
    pub const fn length(&self) -> i64 {
        self.to - self.from
    }

    /// The part of it from the beginning of a history on.
    #[must_use]
    pub fn since(&self, begins: i64) -> Self {
        Self { from: self.from.max(begins).min(self.to), ..*self }
    }

    /// How much of it is left when there is nothing of some times, which do not overlap.
    pub fn without(&self, gaps: &[[i64; 2]]) -> i64 {
        let within = |[from, until]: &[i64; 2]| ((*until).min(self.to) - (*from).max(self.from)).max(0);
        (self.length() - gaps.iter().map(within).sum::<i64>()).max(0)
    }
}

/// How often something happens in a week when it did so many times in a length; less than a day tells nothing of a week.
pub fn per_week(count: usize, length: i64) -> Option<f64> {
    const DAY: i64 = 86_400_000;
    (length >= DAY).then(|| count as f64 * 7.0 * DAY as f64 / length as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_judged_is_what_there_is_history_of() {
        let day = 86_400_000;
        let period = Period { from: 0, to: 30 * day, step: Duration::from_secs(30) };
        let judged = period.since(20 * day);
        assert_eq!((judged.from, judged.length()), (20 * day, 10 * day));
        assert_eq!(period.since(-day), period);
        assert_eq!(period.since(40 * day).length(), 0);
        // The first gap lies before it, the second reaches into it.
        assert_eq!(judged.without(&[[0, day], [19 * day, 23 * day]]), 7 * day);
        assert_eq!([per_week(5, 7 * day), per_week(1, day), per_week(1, day - 1)], [Some(5.0), Some(7.0), None]);
    }
}
