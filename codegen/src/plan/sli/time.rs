//! SLIs that weigh time and not events: every moment is one event, bad by a share of it.
//!
//! Their total is made of the same expression as their errors and nothing is filled with zeros, so they can go missing.
//! Ranges end a millisecond early: Prometheus 2 reads both ends of a range, and a sample on the edge of two windows must
//! not count in both.

use kilter_contract::{job, slo};

use super::super::expr::{equal, select};
use super::{Lowering, Pair};
use crate::model::{Duration, EventSide, Slo};
use crate::promql;

/// A slice: one minute.
pub(crate) const SLICE: Duration = Duration::from_mins(1);

impl Lowering<'_> {
    pub(super) fn ratio(&self, side: &EventSide) -> Pair {
        let share = self.grouped("avg", &promql::with_window(side.text(), &self.rate.to_string()));
        match side {
            EventSide::Errors(_) => weighted(&share),
            EventSide::Good(_) => weighted(&format!("1 - {share}")),
        }
    }

    /// The average of the gauge over the rate window. A selector is read sample by sample, an expression at each
    /// evaluation.
    pub(super) fn uptime(&self, up: &str) -> Pair {
        let up = promql::with_window(up, &self.rate.to_string());
        let range = self.until_edge();
        let average = if promql::parse(&up).is_ok_and(|it| promql::is_plain_selector(&it)) {
            self.grouped("avg", &format!("avg_over_time({up}[{range}])"))
        } else {
            format!("avg_over_time({}[{range}:{}])", self.grouped("avg", &up), self.context.timing.interval)
        };
        weighted(&format!("1 - {average}"))
    }

    /// The share of the rate window's five minutes that were good. Subqueries ask at whole minutes, so every window asks
    /// about the same ones, and each is asked about once.
    pub(super) fn slices(&self, good: &str) -> Pair {
        let slice = self.context.estate.time_scale.apply(SLICE);
        let good = self.grouped("min", &promql::with_window(good, &slice.to_string()));
        weighted(&format!("1 - avg_over_time({good}[{}:{slice}])", self.until_edge()))
    }

    /// The last success is recorded from its own past too: a process that restarts forgets it, a rule does not. Where
    /// nothing is recorded it is looked for in the whole compliance window.
    pub(super) fn freshness(&self, of: &Slo, name: &str, within: Duration) -> Pair {
        let memory = self.context.timing.success_memory;
        let recorded = self.context.recorded(slo::LAST_SUCCESS, &[of.name.as_str()]);
        let mut matchers = self.context.raw_matchers();
        matchers.push(equal(job::NAME.key, name));
        let reported = select(job::LAST_SUCCESS.name, &matchers);
        let latest = |of: &str| max_by(self.by, of);
        let within = self.context.estate.time_scale.apply(within).secs_text();
        let (memory, known) = if self.raw {
            let window = self.context.estate.time_scale.apply(of.window);
            let past = format!("max_over_time(({reported} > 0)[{window}:{}])", self.rate);
            (None, latest(&format!("{reported} > 0\n  or {past}")))
        } else {
            let past = format!("last_over_time({recorded}[{memory}])");
            (Some(latest(&format!("{reported} > 0\n  or {past}"))), latest(&recorded))
        };
        let (total, error) = (format!("0 * {known} + 1"), format!("time() - {known} > bool {within}"));
        Pair { memory, total, error }
    }

    /// The rate window, without its end in the past.
    fn until_edge(&self) -> Duration {
        self.rate.minus(Duration::from_millis(1))
    }

    /// One value per group: the expression itself when it has just the SLO's labels.
    fn grouped(&self, operator: &str, of: &str) -> String {
        let mut by = self.by.to_vec();
        by.sort();
        let kept = promql::parse(of).ok().and_then(|it| promql::kept_labels(&it)).map(|mut kept| {
            kept.sort();
            kept
        });
        match (kept == Some(by), self.by.is_empty()) {
            (true, _) => format!("({of})"),
            (false, true) => format!("{operator}({of})"),
            (false, false) => format!("{operator} by ({}) ({of})", self.by.join(", ")),
        }
    }
}

/// `R` is the share of a moment that was bad. NaN and what is below zero are dropped, so that they are missing.
fn weighted(bad: &str) -> Pair {
    Pair::of(format!("0 * (({bad}) >= 0) + 1"), format!("clamp_max(({bad}) >= 0, 1)"))
}

fn max_by(by: &[String], of: &str) -> String {
    if by.is_empty() { format!("max({of})") } else { format!("max by ({}) ({of})", by.join(", ")) }
}
