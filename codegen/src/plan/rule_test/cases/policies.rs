//! Maintenance, and missing data that count as errors.

use kilter_contract::slo as names;

use super::super::super::windows::Severity;
use super::super::file::{InputSeries, Test, selector};
use super::super::inputs::{Fed, identity};
use super::super::theory;
use super::super::traffic::Flow;
use super::{Draft, HISTORY, MISSING_PAGE, MISSING_TICKET, RATE, STEP, Subject, up_to};
use crate::model::{Duration, NoData};

impl Subject<'_> {
    /// The tests of what this SLO's policy adds.
    pub(super) fn policies(&self) -> Vec<Test> {
        let mut tests = Vec::new();
        // What is fed at its recorded pair is behind the rules that apply policies.
        if self.inputs.fed == Fed::Pair {
            return tests;
        }
        if self.slo.no_data == NoData::Bad {
            tests.push(self.missing_counts());
        }
        if self.slo.policy.maintenance.is_some() {
            tests.push(self.maintained());
            tests.extend(self.missing.map(|severity| self.away_for_longer(severity)));
        }
        tests
    }

    /// From the moment at which no rate is left, all that was expected counts as errors: as early as an outage, and
    /// against the budget.
    fn missing_counts(&self) -> Test {
        let (told, _) = self.loudest();
        let detection = RATE.plus(self.detected(1.0));
        let gone = up_to(detection.plus(RATE.times(3)), RATE);
        let after = Duration::from_mins(10);
        let end = HISTORY.plus(gone).plus(after);
        let timeline = vec![(HISTORY, Flow::Events(0.0)), (gone, Flow::Gone), (after, Flow::Events(0.0))];
        let mut test = self.test("missing data count as errors", &timeline);
        test.asks(&self.alert(told), HISTORY, None);
        test.asks(&self.alert(told), HISTORY.plus(detection), Some(1.0));
        // The last rate lasts for up to five minutes, and the first needs two samples.
        let covered = 1.0 + test.lead.secs_f64() / end.secs_f64();
        let spent = |time: Duration| covered * theory::budget_spent(time, 1.0, self.budget, self.slo.window);
        let left = selector(names::BUDGET_REMAINING, &self.recorded());
        let close = format!("abs(1 - {left} - {}) < bool {}", spent(gone.minus(RATE)), spent(RATE.times(2)));
        test.asks_with(&close, end, &self.recorded(), 1.0);
        for other in self.others() {
            test.asks(&other, HISTORY.plus(gone), None);
        }
        test.done(self)
    }

    /// Everything fails in maintenance, then nothing is there: no alert, and the budget is whole. What the rate still
    /// holds of it afterwards counts for nothing too.
    fn maintained(&self) -> Test {
        let minutes = Duration::from_mins;
        let (failing, away, after) = (minutes(10), minutes(20), minutes(25));
        let timeline = vec![
            (HISTORY, Flow::Events(0.0)),
            (failing, Flow::Events(1.0)),
            (away, Flow::Gone),
            (after, Flow::Events(0.0)),
        ];
        let end = HISTORY.plus(failing).plus(away).plus(after);
        let mut test = self.test("maintenance counts for nothing", &timeline);
        self.active(&mut test, HISTORY, failing.plus(away).plus(RATE));
        test.asks(&self.ever("", end), end, None);
        test.asks(&selector(names::BUDGET_REMAINING, &self.recorded()), end, Some(1.0));
        // It is over: the SLO is measured again.
        test.asks(&format!("count({})", self.series(names::MAINTENANCE)), end, None);
        let measured = format!("count({} > 0) > bool 0", self.series(names::TOTAL_RATE));
        test.asks_with(&measured, end, &super::Labels::new(), 1.0);
        test.done(self)
    }

    /// What is still missing when the maintenance is over is missing.
    fn away_for_longer(&self, severity: Severity) -> Test {
        let minutes = Duration::from_mins;
        let (healthy, maintenance, after) = (minutes(20), minutes(90), minutes(25));
        let over = healthy.plus(maintenance).plus(RATE);
        let timeline = vec![(healthy, Flow::Events(0.0)), (maintenance.plus(RATE).plus(after), Flow::Gone)];
        let mut test = self.test("what does not come back from maintenance is missing", &timeline);
        self.active(&mut test, healthy, maintenance.plus(RATE));
        if self.inputs.fed == Fed::Series {
            test.asks(&self.ever("", over.minus(STEP)), over.minus(STEP), None);
        }
        let paged = over.plus(minutes(3)).plus(STEP.times(2));
        let ticketed = over.plus(minutes(15)).plus(STEP.times(2));
        test.asks(&self.alert(MISSING_PAGE), paged, (severity == Severity::Page).then_some(1.0));
        test.asks(&self.alert(MISSING_TICKET), ticketed, Some(1.0));
        test.done(self)
    }

    /// Feeds the recorded maintenance: whatever begins it, this is what the other rules read.
    fn active(&self, test: &mut Draft, from: Duration, length: Duration) {
        let samples = |of: Duration| of.millis() / test.step.millis();
        let values = format!("_x{} 1+0x{} stale", samples(test.lead.plus(from)), samples(length) - 1);
        test.input.push(InputSeries { series: self.series(names::MAINTENANCE), values });
    }

    /// A series of the whole SLO.
    fn series(&self, name: &str) -> String {
        selector(name, &identity(self.context.estate, self.context.service, self.slo))
    }
}
