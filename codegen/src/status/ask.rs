//! What to ask: a handful of queries for the whole estate. Only recorded series are read, but for one question about a
//! server that has none.

use std::collections::BTreeSet;

use kilter_contract::slo;

use crate::model::{Duration, Estate, Service, Slo};
use crate::plan::context::Context;
use crate::plan::expr::{equal, one_of, quote, select};
use crate::plan::windows;

/// SLOs whose history is read at once: each has up to 8640 points in 30 days, and a server gives 50 million at most.
const SLOS: usize = 200;

/// Services that fit into a selector.
const SERVICES: usize = 100;

/// The server's clock, so that nobody depends on ours.
pub const CLOCK: &str = "time()";

/// Whether the server has scraped anything at all.
pub const SCRAPED: &str = "count(up)";

/// Some services that are asked about at once.
#[derive(Debug)]
pub struct Chunk<'a> {
    estate: &'a Estate,
    services: Vec<&'a Service>,
}

/// Everything in pieces that a server answers.
pub fn chunks<'a>(estate: &'a Estate, services: &[&'a Service]) -> Vec<Chunk<'a>> {
    let mut all: Vec<Chunk<'a>> = Vec::new();
    for service in services {
        let full = |it: &Chunk<'_>| {
            let slos: usize = it.services.iter().map(|it| it.slos.len()).sum();
            it.services.len() >= SERVICES || slos + service.slos.len() > SLOS
        };
        match all.last_mut() {
            Some(last) if !full(last) => last.services.push(service),
            _ => all.push(Chunk { estate, services: vec![service] }),
        }
    }
    all
}

/// An SLO by its names.
pub fn slo_of<'a>(services: &[&'a Service], service: &str, slo: &str) -> Option<&'a Slo> {
    let found = services.iter().find(|it| it.name.as_str() == service)?;
    found.slos.iter().find(|it| it.name.as_str() == slo)
}

impl Chunk<'_> {
    /// Every recorded value of now, named.
    pub fn recorded(&self) -> String {
        let mut names: BTreeSet<String> = [
            slo::TOTAL_RATE,
            slo::MEASURED_RATE,
            slo::MAINTENANCE,
            slo::ERROR_BUDGET,
            slo::PERIOD_BURN_RATE,
            slo::PERIOD_COVERAGE,
        ]
        .map(str::to_owned)
        .into();
        let slos = self.services.iter().flat_map(|it| &it.slos);
        let pairs = slos.flat_map(windows::pairs).flat_map(|pair| [pair.long, pair.short]);
        names.extend(pairs.map(|it| slo::burn_rate(&it.to_string())));
        let names: Vec<String> = names.into_iter().collect();
        let matchers = self.matchers([format!("__name__=~{}", quote(&names.join("|")))]);
        select("", &matchers)
    }

    /// Every alert that is pending or fires.
    pub fn alerts(&self) -> String {
        select("ALERTS", &self.matchers([]))
    }

    /// Events within each compliance window, with the window.
    pub fn events(&self) -> Vec<(Duration, String)> {
        let slos = self.services.iter().flat_map(|it| &it.slos).filter(|it| !it.sli.is_time_weighted());
        let windows: BTreeSet<Duration> = slos.map(|it| it.window).collect();
        let query = |window: Duration| {
            let slos = self.services.iter().flat_map(|it| &it.slos).filter(|it| it.window == window);
            let names: BTreeSet<&str> = slos.map(|it| it.name.as_str()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let total = select(slo::TOTAL_RATE, &self.matchers([one_of(slo::SLO_LABEL, &names)]));
            let step = self.step();
            let range = format!("[{}:{step}]", self.estate.time_scale.apply(window));
            (window, format!("sum_over_time({total}{range}) * {}", step.secs_text()))
        };
        windows.into_iter().map(query).collect()
    }

    /// When something was recorded last of what is not any more.
    pub fn last(&self, series: &str, slos: &BTreeSet<&str>, back: Duration) -> String {
        let names: Vec<&str> = slos.iter().copied().collect();
        let series = select(series, &self.matchers([one_of(slo::SLO_LABEL, &names)]));
        format!("max_over_time(timestamp({series})[{}:{}])", self.estate.time_scale.apply(back), self.step())
    }

    /// Whether it is about this service.
    pub fn has(&self, service: &str) -> bool {
        self.services.iter().any(|it| it.name.as_str() == service)
    }

    fn step(&self) -> Duration {
        self.services.first().map_or(windows::timing().rate, |it| Context::new(self.estate, it).timing.rate)
    }

    fn matchers<const N: usize>(&self, first: [String; N]) -> Vec<String> {
        let names: Vec<&str> = self.services.iter().map(|it| it.name.as_str()).collect();
        let identity = self.estate.identity.iter().map(|(key, value)| equal(key, value));
        first.into_iter().chain([one_of(slo::SERVICE_LABEL, &names)]).chain(identity).collect()
    }
}
