//! When a fault is noticed at the latest, what that has cost by then, and when its alert is over: the generated rules,
//! evaluated over a constant share of errors that begins after a clean time. Windows are read every five minutes, so it
//! matters when a fault begins between two of these moments: each evaluation is tried, and the latest counts.

use kilter_contract::slo as names;
use rayon::prelude::*;
use serde::Serialize;

use crate::model::{Duration, Estate, Service, Severity, Slo};
use crate::plan::alerting::Condition;
use crate::plan::context::{Context, Layout};
use crate::plan::windows;
use crate::replay::{Pair, Replay, Rules};

/// Multiples of the error budget beside a total outage.
const BURNS: [f64; 3] = [10.0, 3.0, 1.5];

/// Events per second: enough that no guard against little traffic matters.
const TRAFFIC: f64 = 10_000.0;

/// Seconds.
const DAY: f64 = 86_400.0;

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// Share of events that are bad.
    pub ratio: f64,
    /// Multiple of the error budget.
    pub burn: f64,
}

/// What alerts do about a fault that lasts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The fault.
    pub fault: Fault,
    /// The page; `None` when nobody is woken.
    pub page: Option<Noticed>,
    /// The ticket.
    pub ticket: Option<Noticed>,
}

/// An alert that fired.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Noticed {
    /// After the fault began, in seconds, at the latest.
    #[serde(rename = "after_seconds")]
    pub after: f64,
    /// Share of the error budget that is spent by then.
    #[serde(rename = "spent_share")]
    pub spent: f64,
    /// After the fault ended, in seconds; `None` when it was over before, or outlasts what was looked at.
    #[serde(rename = "over_seconds")]
    pub over: Option<f64>,
    /// How long after a moment at which windows are read the fault began.
    #[serde(skip)]
    pub phase: Duration,
}

/// The faults that every SLO is shown with: all events fail, and multiples of its budget that are less than that.
pub fn faults(slo: &Slo) -> Vec<Fault> {
    let budget = slo.objective.error_budget().to_f64();
    let multiples = BURNS.iter().map(|burn| Fault { ratio: burn * budget, burn: *burn }).filter(|it| it.ratio < 1.0);
    std::iter::once(Fault { ratio: 1.0, burn: 1.0 / budget }).chain(multiples).collect()
}

/// The rules of each SLO of a service, as if it had no maintenance: a table has no time of day.
pub fn rules(estate: &Estate, service: &Service, layout: Layout) -> Vec<Rules> {
    let mut service = service.clone();
    service.slos.iter_mut().for_each(|it| it.policy.maintenance = None);
    let mut context = Context::new(estate, &service);
    context.divide(layout);
    Rules::all(&context)
}

/// What the alerts of these SLOs do about these faults. Most SLOs share their rules, and each kind is evaluated once.
pub fn all(estate: &Estate, slos: &[(Rules, Vec<Fault>)]) -> Vec<Vec<Detection>> {
    let mut kinds: Vec<(Rules, Vec<Fault>)> = Vec::new();
    let mut indices = Vec::with_capacity(slos.len());
    for (rules, faults) in slos {
        // What is asked about depends on nothing else of an SLO.
        let mut rules = rules.clone();
        rules.watches.retain(|it| it.condition == Condition::Burn);
        if let Some((first, _)) = kinds.first() {
            rules.slo = first.slo.clone();
        }
        let kind = (rules, faults.clone());
        indices.push(kinds.iter().position(|it| *it == kind).unwrap_or_else(|| {
            kinds.push(kind);
            kinds.len() - 1
        }));
    }
    let step = estate.time_scale.apply(windows::timing().interval);
    let one = |(rules, faults): &(Rules, Vec<Fault>)| -> Vec<Detection> {
        faults.iter().map(|fault| of(rules, *fault, step, longest(estate, rules))).collect()
    };
    let made: Vec<Vec<Detection>> = kinds.par_iter().map(one).collect();
    indices.into_iter().map(|it| made[it].clone()).collect()
}

/// The longest window that decides, scaled.
pub(super) fn longest(estate: &Estate, rules: &Rules) -> Duration {
    let longs = rules.pairs.iter().map(|it| estate.time_scale.apply(it.long));
    longs.max().unwrap_or(rules.rate)
}

/// A fault as long as the longest window: after that, nothing new can happen. Before it every window is clean. One that
/// begins at another moment is played until its alerts have fired.
fn of(rules: &Rules, fault: Fault, step: Duration, longest: Duration) -> Detection {
    let lasts = longest.plus(rules.rate);
    let played = |phase: Duration, lasts: Duration, behind: Duration| {
        let steady = Steady { ratio: fault.ratio, clean: longest.plus(rules.rate).plus(phase), lasts, behind };
        let replay = rules.replay(&steady.pair(rules, step));
        [Severity::Page, Severity::Ticket].map(|it| noticed(&replay, it, &steady, phase, fault, rules))
    };
    let [mut page, mut ticket] = played(Duration::ZERO, lasts, rules.longest_reset());
    // Minutes are not told of days.
    let told = |it: &Option<Noticed>| it.is_some_and(|it| it.after < DAY);
    let fired = [page, ticket].into_iter().filter(told).flatten().map(|it| it.after).fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a window")]
    let until = Duration::from_millis((fired * 1_000.0) as u64).plus(rules.rate.times(2));
    let phases = 1..rules.rate.millis().div_ceil(step.millis().max(1));
    for number in phases.filter(|_| fired > 0.0) {
        let [other_page, other_ticket] = played(step.times(number), until.min(lasts), Duration::ZERO);
        for (one, other) in [(&mut page, other_page), (&mut ticket, other_ticket)] {
            if told(one) {
                *one = later(*one, other);
            }
        }
    }
    Detection { fault, page, ticket }
}

/// What is noticed later, and over as the first is; nothing where one of them is not noticed at all.
fn later(one: Option<Noticed>, other: Option<Noticed>) -> Option<Noticed> {
    let (one, other) = (one?, other?);
    Some(Noticed { over: one.over, ..if other.after > one.after { other } else { one } })
}

/// A share of bad events that begins, lasts and ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steady {
    pub(super) ratio: f64,
    /// Without errors before it.
    pub(super) clean: Duration,
    /// How long it goes on.
    pub(super) lasts: Duration,
    /// Without errors behind it.
    pub(super) behind: Duration,
}

impl Steady {
    /// As the rules record it. A rate over five minutes sees what begins or ends little by little.
    pub(super) fn pair(&self, rules: &Rules, step: Duration) -> Pair {
        let steps = |duration: Duration| usize::try_from(duration.millis() / step.millis().max(1)).unwrap_or(0);
        let (clean, lasts, rate) = (steps(self.clean), steps(self.lasts), steps(rules.rate).max(1));
        let seen = |index: usize| {
            let since = |from: usize| index.saturating_sub(from).min(rate) as f64 / rate as f64;
            TRAFFIC * self.ratio * (since(clean) - since(clean + lasts))
        };
        let length = clean + lasts + steps(self.behind) + 1;
        let error = (0..length).map(|it| Some(seen(it))).collect();
        Pair::new(0, step, error, vec![Some(TRAFFIC); length])
    }
}

fn noticed(
    replay: &Replay,
    severity: Severity,
    steady: &Steady,
    phase: Duration,
    fault: Fault,
    rules: &Rules,
) -> Option<Noticed> {
    let alert = replay.alerts.iter().find(|it| it.name == names::ERROR_BUDGET_BURN && it.severity == severity)?;
    let (first, last) = (alert.firings.first()?, alert.firings.last()?);
    let seconds = |millis: i64| millis as f64 / 1_000.0;
    let begin = steady.clean.secs_f64();
    let after = seconds(first.from) - begin;
    let over = last.until.map(|it| seconds(it) - begin - steady.lasts.secs_f64()).filter(|it| *it >= 0.0);
    let burn = fault.ratio / rules.error_budget;
    Some(Noticed { after, spent: burn * after / rules.window.secs_f64(), over, phase })
}
