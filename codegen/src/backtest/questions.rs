//! What is asked of the server: which expressions, over which time, in which pieces, and what that costs it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Period;
use crate::model::{Duration, Estate, Service, Slo};
use crate::plan::context::Context;
use crate::plan::expr::{quote, select};
use crate::plan::{Rule, RuleFile, raw, windows};
use crate::promql::{self, Matcher, Selector};

/// Points of one range query. Prometheus refuses more than 11,000.
const MOST_POINTS: usize = 10_000;
/// Fewer are not worth a query.
pub(super) const FEWEST_POINTS: usize = 100;
/// Values that one query may hold at once: series times points. Prometheus gives up at 50 million (`query.max-samples`).
const MOST_VALUES: usize = 20_000_000;
/// Points of a whole run for one expression, above which the step becomes coarser.
const FINE: i64 = 60_000;

/// One range query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// PromQL.
    pub query: String,
    /// Its first moment.
    pub start: i64,
    /// Its last moment.
    pub end: i64,
    /// Between two moments.
    pub step: Duration,
}

impl Question {
    /// How many moments it asks about.
    pub fn points(&self) -> usize {
        usize::try_from((self.end - self.start) / millis(self.step) + 1).unwrap_or(0)
    }

    /// The same in pieces of at most so many points.
    pub fn pieces(&self, most: usize) -> Vec<Self> {
        let step = millis(self.step);
        let length = step * i64::try_from(most.max(1) - 1).unwrap_or(i64::MAX / step.max(1));
        let (mut all, mut start) = (Vec::new(), self.start);
        while start <= self.end {
            let end = (start + length).min(self.end);
            all.push(Self { query: self.query.clone(), start, end, step: self.step });
            start = end + step;
        }
        all
    }
}

/// How long it is, signed.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.millis()).unwrap_or(i64::MAX / 4)
}

/// The step for a time: that of the rules where this is affordable, else the next that divides the rate window evenly.
pub fn step(estate: &Estate, length: i64) -> Duration {
    let timing = windows::timing().scaled(estate.time_scale);
    let steps = [1, 2, 5, 10].map(|it| timing.interval.times(it));
    let length = length + millis(estate.time_scale.apply(Duration::from_mins(3 * 24 * 60)));
    steps.into_iter().find(|it| length / millis(*it) <= FINE).unwrap_or(timing.rate)
}

/// How far before the judged time an SLO's alerts look, and how far its budget looks.
pub(super) fn memory(estate: &Estate, slo: &Slo) -> (Duration, Duration) {
    let timing = windows::timing().scaled(estate.time_scale);
    let longest = windows::pairs(slo).iter().map(|it| it.long).max().unwrap_or(timing.rate);
    let alerts = estate.time_scale.apply(longest).max(timing.missing_ticket_memory).plus(timing.rate);
    (alerts, estate.time_scale.apply(slo.window))
}

/// What is asked about one SLO: both sides of its pair at the step of the judged time, and before that, for the budget, at
/// the step that the budget reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// All events: fine, then coarse.
    pub total: [Option<Question>; 2],
    /// Bad events.
    pub error: [Option<Question>; 2],
    /// Maintenance, where it has a condition.
    pub maintenance: [Option<Question>; 2],
}

impl Asked {
    /// Every question.
    pub fn all(&self) -> impl Iterator<Item = &Question> {
        self.total.iter().chain(&self.error).chain(&self.maintenance).flatten()
    }
}

/// The questions about an SLO, for every variant of it at once.
pub fn of_slo(context: &Context<'_>, slo: &Slo, memories: &[(Duration, Duration)], period: &Period) -> Asked {
    let rate = millis(context.timing.rate);
    let longest = |of: &dyn Fn(&(Duration, Duration)) -> Duration| memories.iter().map(of).max().map_or(0, millis);
    let floor = |at: i64| at - at.rem_euclid(rate);
    let fine = floor(period.from - longest(&|it| it.0));
    let coarse = floor(period.from - longest(&|it| it.1));
    let ask = |query: &str| {
        let question = |start, end, step| Question { query: query.to_owned(), start, end, step };
        let before = (coarse < fine).then(|| question(coarse, fine - rate, context.timing.rate));
        [Some(question(fine, period.to, period.step)), before]
    };
    let pair = raw::pair(context, slo);
    let maintenance = pair.maintenance.as_deref().map_or([None, None], ask);
    Asked { total: ask(&pair.total), error: ask(&pair.error), maintenance }
}

/// An alert about the service as a whole: its condition reads nothing that is recorded, so it is asked as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedAlert {
    /// Its name.
    pub name: String,
    /// The value of its severity label.
    pub severity: String,
    /// How long its condition must hold.
    pub hold: Duration,
    /// How long it stays.
    pub keep: Duration,
    /// Its condition.
    pub question: Question,
}

/// Alerts of a service whose conditions can be asked, and the names of those that cannot.
pub fn of_service(rules: &RuleFile, service: &Service, period: &Period) -> (Vec<AskedAlert>, Vec<String>) {
    let (mut all, mut left) = (Vec::new(), BTreeSet::new());
    let about_slos = |name: &str| {
        use kilter_contract::slo as names;
        [names::ERROR_BUDGET_BURN, names::DATA_MISSING, names::TRAFFIC_LOST, names::ERROR_BUDGET_EXHAUSTED]
            .contains(&name)
    };
    for rule in rules.groups.iter().flat_map(|it| &it.rules) {
        let Rule::Alerting { alert, expr, hold, keep_firing_for, labels, .. } = rule else { continue };
        if about_slos(alert) {
            continue;
        }
        if expr.contains("slo:") {
            left.insert(format!("{}/{alert}", service.name));
            continue;
        }
        let (hold, keep) = (hold.unwrap_or(Duration::ZERO), keep_firing_for.unwrap_or(Duration::ZERO));
        let step = millis(period.step);
        // What already held when the judged time began has held for as long as it must.
        let before = millis(hold) + millis(keep) + step;
        let start = period.from - (before + step - 1) / step * step;
        let question = Question { query: expr.clone(), start, end: period.to, step: period.step };
        let severity = labels.get(kilter_contract::slo::SEVERITY_LABEL).cloned().unwrap_or_default();
        all.push(AskedAlert { name: alert.clone(), severity, hold, keep, question });
    }
    (all, left.into_iter().collect())
}

/// The cheap questions that say how many series an expression reads: one for each of its selectors.
pub fn counts(query: &str) -> Vec<String> {
    let Ok(expr) = promql::parse(query) else { return Vec::new() };
    let matcher = |it: &Matcher| format!("{}{}{}", it.label, it.sign(), quote(&it.value));
    let one = |it: Selector| select(&it.metric, &it.matchers.iter().map(matcher).collect::<Vec<_>>());
    let mut all: Vec<String> = promql::selectors(&expr).into_iter().map(|it| format!("count({})", one(it))).collect();
    all.sort();
    all.dedup();
    all
}

/// What a run costs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Range queries.
    pub queries: usize,
    /// Counts that the estimate itself asks for.
    #[serde(default)]
    pub counts: usize,
    /// Points that are evaluated.
    pub points: usize,
    /// The most series that one expression reads.
    pub series: usize,
    /// Samples that are read, at most.
    pub samples: u64,
}

impl Cost {
    /// With one more question, which reads so many series that are scraped so often.
    pub fn add(&mut self, question: &Question, series: usize, scrape: Duration) {
        self.queries += question.pieces(points_at_once(series)).len();
        self.points += question.points();
        self.series = self.series.max(series);
        let length = u64::try_from(question.end - question.start).unwrap_or(0);
        self.samples += series as u64 * (length / scrape.millis().max(1) + 1);
    }
}

/// How many points one query asks for, so that the server can hold what it reads.
pub fn points_at_once(series: usize) -> usize {
    (MOST_VALUES / series.max(1)).clamp(FEWEST_POINTS, MOST_POINTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_in_pieces_asks_about_every_moment_once() {
        let question = Question { query: "x".to_owned(), start: 60_000, end: 660_000, step: Duration::from_secs(30) };
        assert_eq!(question.points(), 21);
        for most in [1, 2, 7, 20, 21, 22, 1_000] {
            let pieces = question.pieces(most);
            assert!(pieces.iter().all(|it| it.points() <= most), "{most}");
            assert_eq!(pieces.iter().map(Question::points).sum::<usize>(), 21, "{most}");
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (60_000, 660_000));
        }
    }

    #[test]
    fn many_series_are_asked_about_in_smaller_pieces() {
        assert_eq!([1, 2_000, 20_000, 10_000_000].map(points_at_once), [10_000, 10_000, 1_000, 100]);
    }
}
