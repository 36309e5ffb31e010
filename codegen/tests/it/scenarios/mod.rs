//! What goes wrong in production, played to our own rules by the real promtool.
//!
//! Each scenario is an experiment that an obvious alternative failed (`docs/adr/0003-burn-rate-rules.md`). Many cases run
//! in one simulation: an SLO with `by: [case]` is evaluated for all its groups at once.

mod budget;
mod detection;
mod gone;
mod kinds;
mod latency;
mod numbers;
mod policies;
mod traffic;

use std::fmt::Write as _;

use kilter_codegen::model::{Duration, Estate, Slo, TimeScale};
use kilter_codegen::plan::Rule;
use kilter_codegen::plan::rule_test::{
    AlertTest, ExpectedAlert, InputSeries, Labels, QueryTest, Sample, Test, TestFile,
};
use kilter_codegen::render;

use crate::support::{events, planned, slo, tool};

/// Labels or texts.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A simulated history with what must hold on it.
pub(crate) struct Scenario {
    name: &'static str,
    /// Text of each rule file.
    rules: Vec<String>,
    groups: Vec<String>,
    evaluation: u64,
    test: Test,
}

impl Scenario {
    /// The rules of an estate's services, evaluated every 30 s, with samples every `step` seconds.
    pub(crate) fn new(name: &'static str, estate: &Estate, step: u64) -> Self {
        let interval = Duration::from_secs(step);
        let mut it = Self {
            name,
            rules: vec![],
            groups: vec![],
            evaluation: 30,
            test: Test {
                name: name.to_owned(),
                interval,
                input_series: vec![],
                alert_rule_test: vec![],
                promql_expr_test: vec![],
            },
        };
        let mut plan = planned(estate);
        for service in &mut plan.services {
            // The queries inside texts are most of what a simulation costs.
            service.rules.groups.iter_mut().flat_map(|group| &mut group.rules).for_each(|rule| {
                if let Rule::Alerting { annotations, .. } = rule {
                    annotations.clear();
                }
            });
            it.rules.push(render::rules::text(&service.rules, estate.time_scale).expect("rules are YAML"));
            it.groups.extend(service.rules.groups.iter().map(|group| group.name.clone()));
        }
        it.rules.push(render::rules::text(&plan.estate_rules, estate.time_scale).expect("rules are YAML"));
        it.groups.dedup();
        it
    }

    /// Another evaluation interval, in seconds.
    pub(crate) fn every(mut self, seconds: u64) -> Self {
        self.evaluation = seconds;
        self
    }

    /// Another rule file beside ours, such as the raw windows that ours are compared with.
    pub(crate) fn beside(mut self, rules: &str) -> Self {
        self.rules.push(rules.to_owned());
        self
    }

    /// Our first group alone, with the texts of its alerts.
    pub(crate) fn without_budget(mut self, estate: &Estate) -> Self {
        let mut rules = planned(estate).services.remove(0).rules;
        rules.groups.truncate(1);
        self.rules[0] = render::rules::text(&rules, estate.time_scale).expect("rules are YAML");
        self
    }

    /// One input series.
    pub(crate) fn feed(&mut self, series: impl Into<String>, values: impl Into<String>) {
        self.test.input_series.push(InputSeries { series: series.into(), values: values.into() });
    }

    /// A query has no result, so many seconds after the beginning.
    pub(crate) fn none(&mut self, query: &str, at: u64) {
        self.ask(query, at, vec![]);
    }

    /// A query without labels has this value.
    pub(crate) fn is(&mut self, query: &str, at: u64, value: f64) {
        self.ask(query, at, vec![Sample { labels: "{}".to_owned(), value }]);
    }

    /// So many alerts fire.
    pub(crate) fn fire(&mut self, alerts: &str, at: u64, count: u32) {
        if count == 0 { self.none(alerts, at) } else { self.is(&format!("count({alerts})"), at, count.into()) }
    }

    /// Exactly these alerts of a name fire, with their texts.
    pub(crate) fn text(&mut self, alertname: &str, at: u64, alerts: &[(Pairs<'_>, Pairs<'_>)]) {
        let labels =
            |pairs: &[(&str, &str)]| -> Labels { pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect() };
        let alerts =
            alerts.iter().map(|(own, texts)| ExpectedAlert { exp_labels: labels(own), exp_annotations: labels(texts) });
        let exp_alerts = alerts.collect();
        let (eval_time, alertname) = (Duration::from_secs(at), alertname.to_owned());
        self.test.alert_rule_test.push(AlertTest { eval_time, alertname, exp_alerts });
    }

    /// Alerts fire in exactly one piece each: no group's alert ended and came again.
    pub(crate) fn once(&mut self, alerts: &str, until: u64, count: u32) {
        let starts = pieces(alerts, until);
        self.none(&format!("{starts} != 1"), until);
        self.is(&format!("count({starts})"), until, count.into());
    }

    fn ask(&mut self, query: &str, at: u64, exp_samples: Vec<Sample>) {
        let expr = format!("{query} # {}", self.name);
        self.test.promql_expr_test.push(QueryTest { expr, eval_time: Duration::from_secs(at), exp_samples });
    }
}

/// How often an alert began to fire, per alert.
pub(super) fn pieces(alerts: &str, until: u64) -> String {
    format!("count_over_time(({alerts} unless {alerts} offset 30s)[{until}s:30s])")
}

/// When an alert fired first, in seconds after the beginning.
pub(super) fn first(alerts: &str, until: u64) -> String {
    format!("min_over_time(timestamp({alerts})[{until}s:30s])")
}

/// Firing alerts of a name and more matchers.
pub(super) fn alerts(name: &str, matchers: &str) -> String {
    format!("ALERTS{{alertstate=\"firing\",alertname=\"{name}\",{matchers}}}")
}

pub(super) fn page(matchers: &str) -> String {
    alerts("ErrorBudgetBurn", &format!("severity=\"page\",{matchers}"))
}

pub(super) fn ticket(matchers: &str) -> String {
    alerts("ErrorBudgetBurn", &format!("severity=\"ticket\",{matchers}"))
}

/// Runs scenarios in one promtool.
#[track_caller]
pub(crate) fn check(scenarios: &[Scenario]) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut args = vec!["test".to_owned(), "rules".to_owned()];
    for (number, scenario) in scenarios.iter().enumerate() {
        let mut rule_files = Vec::new();
        for (part, text) in scenario.rules.iter().enumerate() {
            let name = format!("{number}-{part}.rules.yaml");
            std::fs::write(folder.path().join(&name), text).expect("a file");
            rule_files.push(name);
        }
        let file = TestFile {
            source: "a scenario".to_owned(),
            rule_files,
            evaluation_interval: Duration::from_secs(scenario.evaluation),
            group_eval_order: scenario.groups.clone(),
            tests: vec![scenario.test.clone()],
            part: "",
            measures: vec![],
        };
        let name = format!("{number}.test.yaml");
        let text = render::tests::text(&file, TimeScale::REAL).expect("tests are YAML");
        std::fs::write(folder.path().join(&name), text).expect("a file");
        args.push(name);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (passed, said) = tool("promtool", &args, folder.path());
    assert!(passed, "{said}");
}

/// A counter from (seconds, events per second): `0 15+15x19`. `None` is a time without samples.
pub(super) fn counter(step: u64, flows: &[(u64, Option<f64>)]) -> String {
    from(0.0, step, flows)
}

/// The same from another first value: a series that appears with what it counted unseen.
pub(super) fn from(start: f64, step: u64, flows: &[(u64, Option<f64>)]) -> String {
    let (mut text, mut value) = (number(start), start);
    for (seconds, rate) in flows {
        let samples = seconds / step;
        match rate {
            _ if samples == 0 => {}
            None => write!(text, " _x{samples}").expect("a string"),
            Some(rate) => {
                let one = rate * step as f64;
                write!(text, " {}+{}x{}", number(value + one), number(one), samples - 1).expect("a string");
                value += one * samples as f64;
            }
        }
    }
    text
}

/// A rate that is the same all the time.
pub(super) fn steady(step: u64, seconds: u64, rate: f64) -> String {
    counter(step, &[(seconds, Some(rate))])
}

fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An `events` SLO over `bad_total` and `all_total`, one per `case`.
pub(super) fn by_case(name: &str, objective: &str) -> Slo {
    let mut it = slo(name, objective, events("rate(bad_total[$window])", "rate(all_total[$window])"));
    it.by = vec!["case".to_owned()];
    it
}
