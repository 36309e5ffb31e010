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

    /// In weeks.
    pub fn weeks(&self) -> f64 {
        self.length() as f64 / 604_800_000.0
    }
}
