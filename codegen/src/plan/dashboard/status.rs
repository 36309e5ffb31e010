//! How an SLO is, in a word: the same on its service's dashboard and in the overview, in the order of `kilter status`.

use kilter_contract::slo;

use super::super::expr::{equal, select};
use super::super::windows::{self, Severity};
use super::model::{Color, State};
use crate::model::{Duration, Estate};

/// The words, the most urgent last: they are also the order of rows.
pub(super) const STATES: &[State] = &[
    State { value: 0, word: "OK", color: Color::Blue },
    State { value: 1, word: "PAUSED", color: Color::Grey },
    State { value: 2, word: "BURNING", color: Color::Purple },
    State { value: 3, word: "EXHAUSTED", color: Color::Purple },
    State { value: 4, word: "NO DATA", color: Color::Grey },
    State { value: PAGE, word: "PAGE", color: Color::Vermillion },
];
pub(super) const PAGE: u32 = 5;

/// What an alert does.
pub(super) const ALERT_STATES: &[State] = &[
    State { value: 0, word: "quiet", color: Color::Blue },
    State { value: 1, word: "pending", color: Color::Purple },
    State { value: 2, word: "FIRING", color: Color::Vermillion },
];

/// Which SLOs a query is about.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    /// The estate.
    pub(super) estate: &'a Estate,
    /// Matchers of the service, without the SLO.
    pub(super) service: Vec<String>,
    /// Matchers of the SLO.
    pub(super) slo: Vec<String>,
}

impl<'a> Scope<'a> {
    /// Every SLO of the estate.
    pub(super) const fn all(estate: &'a Estate) -> Self {
        Self { estate, service: Vec::new(), slo: Vec::new() }
    }

    /// The chosen SLO of a service.
    pub(super) fn chosen(estate: &'a Estate, service: &str) -> Self {
        Self { estate, service: vec![equal(slo::SERVICE_LABEL, service)], slo: vec!["slo=\"$slo\"".to_owned()] }
    }

    fn identity(&self) -> impl Iterator<Item = String> + '_ {
        self.estate.identity.iter().map(|(key, value)| equal(key, value))
    }

    /// Matchers of anything recorded about the SLO.
    pub(super) fn matchers(&self) -> Vec<String> {
        self.service.iter().chain(&self.slo).cloned().chain(self.identity()).collect()
    }

    /// A recorded series.
    pub(super) fn recorded(&self, series: &str) -> String {
        select(series, &self.matchers())
    }

    /// Firing or pending alerts of the SLO, with more matchers.
    pub(super) fn alerts(&self, state: &str, more: &[String]) -> String {
        let state = vec![equal("alertstate", state)];
        select("ALERTS", &[self.matchers(), state, more.to_vec()].concat())
    }

    /// Alerts of the service as a whole.
    fn of_service(&self, alert: &str) -> String {
        let matchers = self.service.iter().cloned().chain(self.identity());
        let more = [equal("alertname", alert), equal("alertstate", "firing")];
        select("ALERTS", &matchers.chain(more).collect::<Vec<_>>())
    }

    /// The labels that tell one SLO from every other.
    pub(super) fn join(&self) -> String {
        let own = [slo::SERVICE_LABEL, slo::SLO_LABEL].into_iter();
        own.chain(self.estate.identity.keys().map(String::as_str)).collect::<Vec<_>>().join(", ")
    }

    /// What is left of the budget. Its series are evaluated every two minutes: the last value is read.
    pub(super) fn remaining(&self) -> String {
        format!("last_over_time({}[{}])", self.recorded(slo::BUDGET_REMAINING), lookback(self.estate))
    }

    /// The matcher of a severity, by the name that the estate gives it.
    pub(super) fn severity(&self, severity: Severity) -> String {
        equal(slo::SEVERITY_LABEL, self.estate.policy.severities.of(severity))
    }

    /// The status as a number of [`STATES`]: the first that holds.
    pub(super) fn status(&self) -> String {
        let by = self.join();
        let budget = self.recorded(slo::ERROR_BUDGET);
        let service: Vec<&str> =
            [slo::SERVICE_LABEL].into_iter().chain(self.estate.identity.keys().map(String::as_str)).collect();
        let is = |value: u32, what: String| format!("0 * {what} + {value}");
        let pages = |more| self.alerts("firing", &[more]);
        let down = self.of_service(slo::SERVICE_DOWN);
        let paused = self.has_maintenance().then(|| self.recorded(slo::MAINTENANCE));
        let unless = paused.as_ref().map_or(String::new(), |it| format!(" unless on ({by}) ({it} > 0)"));
        let missing = self.alerts("firing", &[equal("alertname", slo::DATA_MISSING)]);
        let mut all = vec![
            is(PAGE, format!("count by ({by}) ({})", pages(self.severity(Severity::Page)))),
            is(PAGE, format!("max by ({by}) ({budget} and on ({}) {down})", service.join(", "))),
            is(4, format!("max by ({by}) ({budget} unless on ({by}) {}{unless})", self.recorded(slo::TOTAL_RATE))),
            is(4, format!("count by ({by}) ({missing})")),
            is(3, format!("(min by ({by}) ({}) < 0)", self.remaining())),
            is(2, format!("count by ({by}) ({})", pages(self.severity(Severity::Ticket)))),
        ];
        all.extend(paused.map(|it| is(1, format!("(max by ({by}) ({it}) > 0)"))));
        all.push(is(0, format!("max by ({by}) ({budget})")));
        all.join("\nor\n")
    }

    /// Whether any SLO in it is ever paused.
    fn has_maintenance(&self) -> bool {
        let about = |name: &str| self.service.is_empty() || self.service.contains(&equal(slo::SERVICE_LABEL, name));
        let services = self.estate.services.iter().filter(|it| about(it.name.as_str()));
        services.flat_map(|it| &it.slos).any(|it| it.policy.maintenance.is_some())
    }
}

/// How far back the budget's series are looked for.
fn lookback(estate: &Estate) -> Duration {
    windows::timing().scaled(estate.time_scale).budget_lookback
}
