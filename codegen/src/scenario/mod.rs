//! What happens to a service, and what a Prometheus scrapes of it: the input of [`crate::replay`] when there is no history.
//!
//! | file | what it knows |
//! |---|---|
//! | `text` | the short form, `100% for 20m then healthy for 1h` |
//! | `read` | the file, whose steps are written in that form |
//! | `world` | traffic and errors at each moment |
//! | `scrape` | counters as they are scraped, and their rates as Prometheus computes them |
//!
//! Nothing is random. Events are counted as their expected values, in parts too, unless they are whole: then the n-th
//! request arrives when the expected number of requests reaches n, and every request that arrives adds the error ratio of
//! its time to a sum, of which each whole unit is a failure. So low traffic has whole failures, as many as expected, and
//! every run has the same.

mod read;
mod scrape;
mod text;
mod world;

pub use read::{inline, read, traffic};
pub use text::FORMS;

use crate::model::{Duration, Sli};
use crate::replay::{Pair, Rules};

/// The moment at which the steps begin: a Monday at noon, in milliseconds since the epoch of Unix. It is on the grid of
/// every window, and outside of most maintenance.
pub const BEGIN: i64 = 1_704_110_400_000;

/// What happens, and how it is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// One after the other, from [`BEGIN`] on.
    pub steps: Vec<Step>,
    /// Events.
    pub traffic: Traffic,
    /// The share of events that is bad when nothing happens.
    pub background: f64,
    /// How counters are scraped.
    pub scrape: Scrape,
    /// Healthy time before the steps; the compliance window when it is `None`.
    pub history: Option<Duration>,
    /// Healthy time behind them; as long as alerts need to resolve when it is `None`.
    pub after: Option<Duration>,
}

/// Something that happens for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// What.
    pub what: What,
    /// For how long; nothing for a deploy, which takes no time.
    pub length: Duration,
}

/// What happens. Shares are of all events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum What {
    /// This share is bad.
    Errors(f64),
    /// It rises or falls evenly.
    Ramp(f64, f64),
    /// It is bad for a while, again and again.
    Flapping {
        /// The share.
        ratio: f64,
        /// For so long.
        bad: Duration,
        /// From one beginning to the next.
        every: Duration,
    },
    /// It goes from the first to the second and back once a day.
    Daily(f64, f64),
    /// Nothing is wrong.
    Healthy,
    /// Series without events.
    NoTraffic,
    /// No series: nothing is scraped.
    NoData,
    /// Every counter begins at zero again.
    Deploy,
}

/// Events over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    /// Events per second: at the beginning of the steps, and half a day later. The same for a constant rate.
    pub per_second: (f64, f64),
    /// Whether events are whole.
    pub whole: bool,
}

impl Default for Traffic {
    fn default() -> Self {
        Self { per_second: (100.0, 100.0), whole: false }
    }
}

/// When counters are scraped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scrape {
    /// How often.
    pub interval: Duration,
    /// How long after a full interval.
    pub phase: Duration,
}

impl Default for Scrape {
    fn default() -> Self {
        Self { interval: Duration::from_secs(15), phase: Duration::ZERO }
    }
}

/// What counts for an SLO.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    /// It weighs time.
    pub time: bool,
    /// What nobody sees counts as errors; else it counts for nothing.
    pub missing_is_bad: bool,
    /// Minutes of the week, from Sunday 00:00 UTC, that count for nothing.
    pub left_out: Vec<(u16, u16)>,
}

impl Scenario {
    /// Steps with everything else as usual.
    pub fn of(steps: Vec<Step>) -> Self {
        Self {
            steps,
            traffic: Traffic::default(),
            background: 0.0,
            scrape: Scrape::default(),
            history: None,
            after: None,
        }
    }

    /// How long the steps take.
    pub fn length(&self) -> Duration {
        self.steps.iter().fold(Duration::ZERO, |sum, it| sum.plus(it.length))
    }

    /// First and last moment of what is replayed.
    pub fn span(&self, rules: &Rules) -> (i64, i64) {
        let millis = |it: Duration| i64::try_from(it.millis()).unwrap_or(i64::MAX / 8);
        let history = self.history.unwrap_or(rules.window);
        let after = self.after.unwrap_or_else(|| rules.longest_reset());
        (BEGIN - millis(history), BEGIN + millis(self.length()) + millis(after))
    }

    /// The recorded pair of an SLO, one value for each evaluation. An SLI that weighs time has a share of each moment that
    /// is bad; any other one has events.
    pub fn pair(&self, rules: &Rules, sli: &Sli, interval: Duration) -> Pair {
        let (from, until) = self.span(rules);
        let world = world::World::new(self);
        if sli.is_time_weighted() {
            scrape::shares(&world, self.scrape, rules, interval, (from, until))
        } else {
            scrape::Counters::scraped(&world, self, (from, until)).pair(rules, interval, (from, until))
        }
    }

    /// The counters of all and of bad events at each scrape, as `(moment, all, bad)`.
    pub fn counters(&self, from: i64, until: i64) -> Vec<(i64, f64, f64)> {
        scrape::Counters::scraped(&world::World::new(self), self, (from, until)).samples
    }

    /// All events and those that are bad between two moments, as expected, by what counts for an SLO.
    pub fn events(&self, from: i64, until: i64, counted: &Counted) -> (f64, f64) {
        world::World::new(self).events(from, until, counted)
    }

    /// The share of events that is bad at a moment; `None` when nothing is measured.
    pub fn error_ratio(&self, moment: i64) -> Option<f64> {
        let now = world::World::new(self).at(moment);
        now.seen.then_some(now.ratio)
    }
}
