//! One SLO through one scenario: what its alerts do, for people, for programs and as a drawing.

mod drawing;
mod words;

pub use drawing::plot;
pub use words::{human, json};

use crate::model::{Duration, NoData, Objective, Slo};
use crate::plan::alerting::Condition;
use crate::plan::context::Context;
use crate::replay::{Pair, Replay, Rules};
use crate::scenario::{BEGIN, Counted, Scenario};

/// What a scenario did to an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// The service.
    pub service: String,
    /// The SLO.
    pub slo: String,
    /// What it promises.
    pub objective: Objective,
    /// Its compliance window.
    pub window: Duration,
    /// Its rules.
    pub rules: Rules,
    /// What happened.
    pub scenario: Scenario,
    /// What was recorded of it.
    pub pair: Pair,
    /// What the rules made of that.
    pub replay: Replay,
    counted: Counted,
}

/// Plays a scenario to an SLO of the context's service; `None` when it is none of them.
pub fn simulate(context: &Context<'_>, slo: &Slo, scenario: &Scenario) -> Option<Simulated> {
    let rules = Rules::of(context, &slo.name)?;
    let pair = scenario.pair(&rules, &slo.sli, context.timing.interval);
    let replay = rules.replay(&pair);
    Some(Simulated {
        service: context.service.name.to_string(),
        slo: slo.name.to_string(),
        objective: slo.objective,
        window: slo.window,
        scenario: scenario.clone(),
        counted: Counted {
            time: slo.sli.is_time_weighted(),
            missing_is_bad: slo.no_data == NoData::Bad,
            left_out: rules.maintenance(),
        },
        rules,
        pair,
        replay,
    })
}

impl Simulated {
    /// The share of the whole budget that is spent since the steps began, by what really happened; `None` before them.
    pub fn spent(&self, moment: i64) -> Option<f64> {
        let window = i64::try_from(self.window.millis()).unwrap_or(i64::MAX / 8);
        let (_, bad) = self.scenario.events(BEGIN, moment, &self.counted);
        let (all, _) = self.scenario.events(moment - window, moment, &self.counted);
        (moment >= BEGIN).then_some(if all > 0.0 { bad / all / self.rules.error_budget } else { 0.0 })
    }

    /// The last moment of the steps.
    pub fn end(&self) -> i64 {
        BEGIN + i64::try_from(self.scenario.length().millis()).unwrap_or(i64::MAX / 8)
    }

    /// The last moment that was evaluated.
    pub fn until(&self) -> i64 {
        let step = i64::try_from(self.pair.step.millis()).unwrap_or(1);
        self.pair.start + step * i64::try_from(self.pair.len().saturating_sub(1)).unwrap_or(0)
    }

    /// What is left of the budget at a moment, as the rules have it.
    pub fn remaining(&self, moment: i64) -> Option<f64> {
        let at = self.replay.budget.partition_point(|it| it.at <= moment);
        self.replay.budget[..at].last()?.remaining
    }

    /// The alerts on the budget's burning, in their order.
    pub(crate) fn burns(&self) -> impl Iterator<Item = &crate::replay::Alert> {
        let all = self.rules.watches.iter().zip(&self.replay.alerts);
        all.filter(|(watch, _)| watch.condition == Condition::Burn).map(|(_, alert)| alert)
    }
}
