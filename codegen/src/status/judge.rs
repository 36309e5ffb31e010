//! From answers to a report: what each number means, and what is urgent.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;

use super::observed::{Key, Observed};
use super::{Alert, Budget, Burn, Data, Report, Row, ServiceRow, State};
use crate::model::{Duration, Estate, NoData, Service, Slo};
use crate::plan::maintenance::has_measured;
use crate::plan::windows;

/// The report about some services.
pub fn report(estate: &Estate, services: &[&Service], observed: &Observed, prometheus: &str) -> Report {
    let rows = |service: &&Service| {
        let service = *service;
        let slos = service.slos.iter();
        slos.flat_map(move |slo| Judge { estate, service, slo, observed }.rows()).collect::<Vec<_>>()
    };
    let mut slos: Vec<Row> = services.iter().flat_map(rows).collect();
    slos.sort_by(|a, b| urgency(a).partial_cmp(&urgency(b)).unwrap_or(std::cmp::Ordering::Equal));
    let of_services = observed.services().filter(|(name, _)| services.iter().any(|it| it.name.as_str() == *name));
    let mut of_services: Vec<ServiceRow> = of_services
        .map(|(service, alerts)| ServiceRow {
            service: service.clone(),
            state: of_alerts(estate, alerts).unwrap_or(State::Fine),
            alerts: alerts.clone(),
        })
        .collect();
    of_services.sort_by(|a, b| (a.state, &a.service).cmp(&(b.state, &b.service)));
    Report { prometheus: prometheus.to_owned(), at: observed.at, slos, services: of_services, warnings: Vec::new() }
}

/// The most urgent first; names last, so that the order never changes by itself.
fn urgency(row: &Row) -> (State, f64, f64, String) {
    let left = row.budget.map_or(0.0, |it| it.left);
    (row.state, row.exhausted_in_seconds.unwrap_or(f64::INFINITY), left, row.name())
}

/// What the worst alert makes of it.
fn of_alerts(estate: &Estate, alerts: &[Alert]) -> Option<State> {
    let state = |it: &Alert| match it.severity.as_str() {
        _ if !it.firing => State::Pending,
        it if it == estate.policy.severities.page || it == slo::ESCALATION => State::Page,
        _ => State::Ticket,
    };
    alerts.iter().map(state).min()
}

struct Judge<'a> {
    estate: &'a Estate,
    service: &'a Service,
    slo: &'a Slo,
    observed: &'a Observed,
}

impl Judge<'_> {
    fn rows(&self) -> Vec<Row> {
        let groups = self.observed.groups(self.service.name.as_str(), self.slo);
        let any_measured = groups.iter().any(|it| self.measured(it).is_some());
        groups.into_iter().map(|key| self.row(key, any_measured)).collect()
    }

    fn row(&self, key: Key, any_measured: bool) -> Row {
        let slo = self.slo;
        let data = self.data(&key, any_measured);
        let own = slo.objective.error_budget().to_f64();
        let served = self.served_budget();
        // Recorded burn rates are those of the objective by which the server judges.
        let scale = served.map_or(1.0, |it| it / own);
        let period = self.observed.value(&key, slo::PERIOD_BURN_RATE).map(|it| it * scale);
        let coverage = self.observed.value(&key, slo::PERIOD_COVERAGE);
        let budget = self.budget(&key, period, coverage, own);
        let burn_rates = self.burn_rates(&key, scale);
        let alerts = self.observed.alerts(&key);
        let served_objective = served.filter(|it| (it - own).abs() > 1e-9 * own).map(|it| promised(1.0 - it));
        // What the server judges by another objective need not alert by this one.
        let silent = served_objective.is_none() && !alerts.iter().any(|it| it.name == slo::ERROR_BUDGET_BURN);
        let burn = self.nearest(&burn_rates, silent);
        let state = self.state(&data, budget, &alerts);
        let window = self.window().secs_f64();
        let exhausted_in_seconds = match (budget, &burn) {
            (Some(it), _) if it.left <= 0.0 => Some(0.0),
            (Some(it), Some(burn)) if burn.rate > 0.0 => Some(it.left * window / burn.rate).filter(|it| *it < window),
            _ => None,
        };
        Row {
            service: key.0,
            slo: key.1,
            group: key.2,
            team: self.service.team.to_string(),
            state,
            data,
            objective: slo.objective.percent(),
            served_objective,
            by: slo.by.clone(),
            served_by: self.served_by(),
            window: slo.window.to_string(),
            sli: period.map(|it| 1.0 - it * own),
            budget,
            coverage,
            burn,
            burn_rates,
            exhausted_in_seconds,
            alerts,
        }
    }

    /// The compliance window, scaled as the rules are.
    fn window(&self) -> Duration {
        self.estate.time_scale.apply(self.slo.window)
    }

    fn plain(&self) -> Key {
        (self.service.name.to_string(), self.slo.name.to_string(), BTreeMap::new())
    }

    /// The error budget by which the server judges; `None` when it does not know the SLO.
    fn served_budget(&self) -> Option<f64> {
        self.observed.value(&self.plain(), slo::ERROR_BUDGET).filter(|it| *it > 0.0)
    }

    /// By what the server divides it, when the file does otherwise.
    fn served_by(&self) -> Option<Vec<String>> {
        let served = self.observed.divided(self.service.name.as_str(), self.slo.name.as_str())?;
        let own: BTreeSet<&String> = self.slo.by.iter().collect();
        (served.iter().collect::<BTreeSet<_>>() != own).then(|| served.iter().cloned().collect())
    }

    /// What is measured now: where missing data count as errors, what counts would hide that they are missing.
    fn measured(&self, key: &Key) -> Option<f64> {
        self.observed.value(key, measured_series(self.slo))
    }

    fn data(&self, key: &Key, any_measured: bool) -> Data {
        let service = self.service.name.as_str();
        if self.served_budget().is_none() {
            return match self.observed.last(&self.plain(), slo::ERROR_BUDGET) {
                _ if self.observed.runs(service) => Data::NoSuchSlo,
                None if self.observed.is_empty() && self.observed.scraped == Some(false) => Data::EmptyServer,
                until => Data::NotDeployed { until },
            };
        }
        let coverage = self.observed.value(key, slo::PERIOD_COVERAGE);
        if self.measured(key).is_some() {
            let idle = coverage.is_some() && self.observed.value(key, slo::PERIOD_BURN_RATE).is_none();
            return if idle { Data::Idle } else { Data::Recorded };
        }
        if self.observed.value(&self.plain(), slo::MAINTENANCE).is_some_and(|it| it > 0.0) {
            return Data::Maintenance;
        }
        let since = self.observed.last(key, measured_series(self.slo));
        if since.is_none() && coverage.is_none() {
            return Data::Never;
        }
        // As long as the alert remembers: a group that was taken away is missed for a day.
        let memory = self.estate.time_scale.apply(windows::timing().missing_ticket_memory).millis();
        let long_ago = since.is_none_or(|it| self.observed.at - it > i64::try_from(memory).unwrap_or(i64::MAX));
        if any_measured && long_ago { Data::Retired { since } } else { Data::Gone { since } }
    }

    /// As the rules have it: a young history has spent its share of the budget only.
    fn budget(&self, key: &Key, period: Option<f64>, coverage: Option<f64>, own: f64) -> Option<Budget> {
        let spent = match (period, coverage) {
            (Some(period), covered) => period * covered.unwrap_or(1.0).min(1.0),
            // Nothing happened, so nothing failed.
            (None, Some(_)) => 0.0,
            (None, None) => return None,
        };
        let left = 1.0 - spent;
        let events = (!self.slo.sli.is_time_weighted()).then(|| self.observed.events(key, self.slo.window)).flatten();
        let whole = coverage.unwrap_or(1.0).min(1.0);
        Some(Budget {
            left,
            outage_minutes: left * own * self.window().secs_f64() / 60.0,
            events: events.filter(|_| whole > 0.0).map(|it| left * own * it / whole),
        })
    }

    fn burn_rates(&self, key: &Key, scale: f64) -> BTreeMap<String, f64> {
        let windows = windows::pairs(self.slo).iter().flat_map(|it| [it.long, it.short]);
        let rate = |window: Duration| {
            let window = window.to_string();
            let rate = self.observed.value(key, &slo::burn_rate(&window))? * scale;
            Some((window, rate))
        };
        windows.filter_map(rate).collect()
    }

    /// The long window whose burn rate is nearest to its threshold, or the farthest above it.
    fn nearest(&self, rates: &BTreeMap<String, f64>, silent: bool) -> Option<Burn> {
        let burns = windows::pairs(self.slo).iter().filter_map(|pair| {
            let window = pair.long.to_string();
            let threshold = pair.factor(self.slo.window, self.slo.objective).to_f64();
            let rate = *rates.get(&window)?;
            let both = rate > threshold && rates.get(&pair.short.to_string()).is_some_and(|it| *it > threshold);
            Some(Burn { rate, window, threshold, held_back: both && silent && self.slo.min_errors > 0 })
        });
        let reached = |it: &Burn| it.rate / it.threshold;
        // Of equals the first: pages stand first.
        burns.reduce(|best, it| if reached(&it) > reached(&best) { it } else { best })
    }

    fn state(&self, data: &Data, budget: Option<Budget>, alerts: &[Alert]) -> State {
        let missing = match data {
            // Its rules are not there: that is never meant.
            Data::NoSuchSlo | Data::NotDeployed { .. } | Data::EmptyServer => true,
            other => other.is_missing() && self.slo.no_data != NoData::Ignore,
        };
        let own = [
            missing.then_some(State::Missing),
            budget.filter(|it| it.left < 0.0).map(|_| State::Exhausted),
            (*data == Data::Maintenance).then_some(State::Maintenance),
        ];
        own.into_iter().flatten().chain(of_alerts(self.estate, alerts)).min().unwrap_or(State::Fine)
    }
}

/// A share as files have it: `99.95%`.
fn promised(share: f64) -> String {
    let text = format!("{:.6}", share * 100.0);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The series that tells whether an SLO's data come.
pub fn measured_series(of: &Slo) -> &'static str {
    if has_measured(of) { slo::MEASURED_RATE } else { slo::TOTAL_RATE }
}
