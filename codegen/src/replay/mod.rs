//! What the generated rules do with a pair, without a Prometheus: burn rates, the budget, and when each alert fires.
//!
//! The rules are those of [`crate::plan`]: windows, factors, holds and conditions are its values, and what is here is how
//! Prometheus 2.42 evaluates them. One pair is one group of an SLO: each value of its `by` labels is replayed by itself.
//!
//! | file | what it knows |
//! |---|---|
//! | `rules` | the rules of one SLO, taken from the plan |
//! | `grid` | instant selectors, ranges and subqueries over what was recorded at each evaluation |
//! | `sums` | sums of windows, without a subtraction: what left a window leaves nothing behind |
//! | `policies` | what is measured becomes what counts: maintenance, and missing data that are bad |
//! | `conditions` | whether the condition of an alert holds at each evaluation |
//! | `state` | pending, firing, kept firing |
//!
//! It leaves out what is not in a pair: `ServiceDown` and the alerts on resources; and how engines differ that read the
//! previous evaluation.

mod conditions;
mod grid;
mod policies;
mod rules;
mod state;
mod sums;

pub(crate) use grid::LOOKBACK;
pub(crate) use policies::minute_of_week;
pub use rules::{Burning, Rules};
pub use state::Firing;

use crate::model::{Duration, Severity};
use grid::{Clock, Sampled};

/// What an SLO's expressions give at each evaluation: `slo:error:rate5m` and `slo:total:rate5m`, before maintenance and
/// `no_data: bad` change them.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The first evaluation, in milliseconds since the epoch of Unix.
    pub start: i64,
    /// Between two evaluations.
    pub step: Duration,
    /// Bad events per second; `None` where the expression has no result.
    pub error: Vec<Option<f64>>,
    /// All events per second.
    pub total: Vec<Option<f64>>,
    /// Whether a condition of the SLO's maintenance holds, as it would be recorded; nowhere when it is empty. What is
    /// scheduled need not be in it.
    pub maintenance: Vec<bool>,
}

impl Pair {
    /// A pair without maintenance but what is scheduled.
    pub const fn new(start: i64, step: Duration, error: Vec<Option<f64>>, total: Vec<Option<f64>>) -> Self {
        Self { start, step, error, total, maintenance: Vec::new() }
    }

    /// Evaluations.
    pub fn len(&self) -> usize {
        self.error.len().min(self.total.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What the rules recorded and which alerts fired.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The first evaluation, in milliseconds since the epoch of Unix.
    pub start: i64,
    /// Between two evaluations.
    pub step: Duration,
    /// The burn rate of each alert window, shortest first.
    pub burn: Vec<BurnRate>,
    /// The budget at each evaluation of its group.
    pub budget: Vec<Budget>,
    /// Every alert that the rules have, in their order, whether it fired or not.
    pub alerts: Vec<Alert>,
}

/// A recorded burn rate.
#[derive(Debug, Clone, PartialEq)]
pub struct BurnRate {
    /// The alert window, as its series is named.
    pub window: Duration,
    values: Vec<f64>,
}

impl BurnRate {
    /// The burn rate at an evaluation, if there is one.
    pub fn at(&self, evaluation: usize) -> Option<f64> {
        self.values.get(evaluation).copied().filter(|it| !it.is_nan())
    }

    /// At every evaluation.
    pub fn values(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.values.iter().map(|it| Some(*it).filter(|it| !it.is_nan()))
    }
}

/// The budget of the compliance window at one evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// When, in milliseconds since the epoch of Unix.
    pub at: i64,
    /// What is left, as a share of it; below zero when more was spent.
    pub remaining: Option<f64>,
    /// The share of the compliance window for which there are data.
    pub coverage: Option<f64>,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Its name.
    pub name: &'static str,
    /// How it is delivered.
    pub severity: Severity,
    /// When it fired, in order.
    pub firings: Vec<Firing>,
}

impl Alert {
    /// Firings that a moment is in, and all later ones.
    pub fn since(&self, moment: i64) -> impl Iterator<Item = &Firing> {
        self.firings.iter().filter(move |it| it.until.is_none_or(|until| until > moment))
    }
}

impl Rules {
    /// Evaluates the rules over a pair.
    pub fn replay(&self, pair: &Pair) -> Replay {
        let clock = Clock::new(pair.start, pair.step, pair.len(), self.left_open);
        let given = |values: &[Option<f64>]| -> Vec<f64> {
            values[..clock.len].iter().map(|it| it.filter(|it| !it.is_nan()).unwrap_or(f64::NAN)).collect()
        };
        let counted = policies::counted(self, &clock, given(&pair.error), given(&pair.total), &pair.maintenance);
        let error = Sampled::new(&clock, counted.error, self.rate);
        let total = Sampled::new(&clock, counted.total, self.rate);
        let burn = self.windows.iter().map(|(window, over)| {
            let values =
                error.over(*over).into_iter().zip(total.over(*over)).map(|(error, total)| self.burn(error, total));
            BurnRate { window: *window, values: values.collect() }
        });
        let burn: Vec<BurnRate> = burn.collect();
        let budget = self.budget(&clock, &error, &total, counted.active.as_ref());
        let seen = conditions::Seen {
            rules: self,
            clock: &clock,
            error: &error,
            total: &total,
            measured: counted.measured.as_ref().unwrap_or(&total),
            active: counted.active.as_ref(),
            burn: &burn,
        };
        let alerts = self.watches.iter().map(|watch| {
            let firings = if let Some(held) = seen.held(*watch) {
                state::firings((0..clock.len).map(|i| (clock.at(i), held[i])), watch.hold, watch.keep)
            } else {
                let spent = budget.iter().map(|it| (it.at, u32::from(it.remaining.is_some_and(|it| it < 0.0))));
                state::firings(spent, watch.hold, watch.keep)
            };
            let firings = firings.into_iter().map(|it| self.named(*watch, it)).collect();
            Alert { name: watch.name, severity: watch.severity, firings }
        });
        Replay { start: pair.start, step: pair.step, alerts: alerts.collect(), burn, budget }
    }

    /// `error / (total > 0) / budget`.
    fn burn(&self, error: f64, total: f64) -> f64 {
        if total > 0.0 { error / total / self.error_budget } else { f64::NAN }
    }

    /// The budget's group, which has its own interval.
    fn budget(
        &self,
        clock: &Clock,
        error: &Sampled<'_>,
        total: &Sampled<'_>,
        active: Option<&Sampled<'_>>,
    ) -> Vec<Budget> {
        let every = i64::try_from(self.budget_interval.millis()).unwrap_or(i64::MAX).max(1);
        let (errors, totals) = (error.trailing(self.window), total.trailing(self.window));
        let active = active.map(|it| it.trailing(self.window));
        let mut budget = Vec::new();
        let mut at = clock.start;
        while clock.len > 0 && at <= clock.at(clock.len - 1) {
            let burn = self.burn(errors.sum(at), totals.sum(at));
            let counted = totals.count(at) + active.as_ref().map_or(0, |it| it.count(at));
            let coverage = (totals.count(at) > 0).then(|| counted as f64 / self.period_points as f64);
            let remaining = coverage.filter(|_| !burn.is_nan()).map(|it| 1.0 - burn * it.min(1.0));
            budget.push(Budget { at, remaining, coverage });
            at += every;
        }
        budget
    }
}

/// When an alert fires whose condition holds or not at these evaluations; for alerts that read no pair.
pub fn firings(evaluations: impl Iterator<Item = (i64, bool)>, hold: Duration, keep: Duration) -> Vec<Firing> {
    let all = state::firings(evaluations.map(|(at, held)| (at, u32::from(held))), Some(hold), Some(keep));
    all.into_iter().map(|it| Firing { active: it.active, from: it.from, until: it.until, pair: None }).collect()
}
