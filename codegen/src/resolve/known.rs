//! What is known of one service beyond the contract that all share: its own contract, when the SLO file names it, and the
//! bounds file that the service embeds.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::service::{ExportedSignal, ServiceContract};
use kilter_contract::{VERSION, le_nanos, le_text};

use super::Code;
use crate::conform::Own;
use crate::diagnostic::{Diagnostic, Findings};
use crate::load::Sources;
use crate::yaml::Range;

/// One service.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// What it says of itself.
    pub(super) contract: Option<ServiceContract>,
    /// What its bounds file has, by signal, in nanoseconds.
    bounds: BTreeMap<String, BTreeSet<u64>>,
    /// Where that file is, or would be.
    pub(super) bounds_file: String,
}

/// Whether a bound is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposed {
    /// By every instance of this build.
    Yes,
    /// The bounds file has it, but the service was not built with that.
    NotBuilt,
    /// Nobody knows of it yet.
    No,
}

impl Known {
    /// Of the SLO file with this index, which is about this service.
    pub(super) fn of(index: usize, service: &str, sources: &Sources, all: &mut Vec<Diagnostic>) -> Self {
        let contract = sources.contracts.get(&index).and_then(|file| read(*file, sources, all));
        let text = sources.bounds.get(service).map_or("", String::as_str);
        Self { contract, bounds: bounds(text), bounds_file: format!("rules/{service}.bounds") }
    }

    /// Whether a histogram has a bound beyond those that it declares.
    pub(super) fn exposes(&self, signal: &str, nanos: u64) -> Exposed {
        let embedded = self.bounds.get(signal).is_some_and(|it| it.contains(&nanos));
        match &self.contract {
            None if embedded => Exposed::Yes,
            Some(contract) if contract.bounds.get(signal).is_some_and(|it| it.contains(&le_text(nanos))) => {
                Exposed::Yes
            }
            Some(_) if embedded => Exposed::NotBuilt,
            _ => Exposed::No,
        }
    }

    /// The `le` values that a histogram has beyond those that it declares.
    pub(super) fn further(&self, signal: &str) -> Vec<String> {
        match &self.contract {
            Some(contract) => contract.bounds.get(signal).cloned().unwrap_or_default(),
            None => self.bounds.get(signal).into_iter().flatten().map(|it| le_text(*it)).collect(),
        }
    }

    /// Signals of the contract that the service has, as far as it says.
    pub(super) fn signals(&self) -> BTreeSet<String> {
        let Some(contract) = &self.contract else { return BTreeSet::new() };
        let serves = (!contract.routes.is_empty()).then_some(kilter_contract::http::SERVER_REQUEST_DURATION.name);
        contract.uses.keys().cloned().chain(serves.map(str::to_owned)).collect()
    }

    /// The service's own signal of this name.
    pub(super) fn own(&self, name: &str) -> Option<&ExportedSignal> {
        self.contract.as_ref()?.signal(name)
    }

    /// The service's own signal that exposes this series.
    pub(super) fn own_series(&self, series: &str) -> Option<&ExportedSignal> {
        self.contract.as_ref()?.series(series)
    }

    /// The names that the service uses in a label, on whatever signal; `None` when its contract is not known.
    pub(super) fn names(&self, label: &str) -> Option<Vec<&str>> {
        let uses = self.contract.as_ref()?.uses.values();
        let all: BTreeSet<&str> = uses.filter_map(|it| it.get(label)).flatten().map(String::as_str).collect();
        Some(all.into_iter().collect())
    }
}

/// What is known of the service of the SLO file with this index; what is wrong with its contract is told by [`super::estate`].
pub(crate) fn own(index: usize, service: &str, sources: &Sources) -> Own {
    let known = Known::of(index, service, sources, &mut Vec::new());
    let contract = known.contract.as_ref().map(|it| it.bounds.keys().cloned().collect::<Vec<_>>());
    let signals = contract.unwrap_or_else(|| known.bounds.keys().cloned().collect());
    let bounds = signals.into_iter().map(|it| (it.clone(), known.further(&it))).collect();
    Own { contract: known.contract, bounds }
}

/// A line of a bounds file is a signal and its bounds in seconds. What is no such line is written anew by `generate`.
fn bounds(text: &str) -> BTreeMap<String, BTreeSet<u64>> {
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    let line = |line: &str| {
        let (name, rest) = line.split_once(' ')?;
        Some((name.to_owned(), rest.split_whitespace().filter_map(le_nanos).collect()))
    };
    lines.filter_map(line).collect()
}

/// The contract file with this index, or what is wrong with it.
fn read(file: usize, sources: &Sources, all: &mut Vec<Diagnostic>) -> Option<ServiceContract> {
    let text = sources.text(file);
    let mut findings = Findings::new(file, sources, all);
    let help =
        "the service's own test writes it: telemetry.assert_contract(..) with KILTER_CONTRACT=write, docs/services.md";
    match serde_json::from_str::<ServiceContract>(text) {
        Ok(contract) if contract.contract_version == VERSION => Some(contract),
        Ok(contract) => {
            let at = text.find("\"contract_version\"").unwrap_or(0);
            let range = Range { start: at, end: at + "\"contract_version\"".len() };
            let message = format!(
                "the service follows version {} of the contract, this command version {VERSION}",
                super::printable(&contract.contract_version)
            );
            findings.error(Code::ServiceContract, range, message, "take a command and an SDK of one version");
            None
        }
        Err(error) => {
            let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
            let mut start = (start + error.column().saturating_sub(1)).min(text.len());
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let end = start + text[start..].chars().next().map_or(0, char::len_utf8);
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            let message = format!("this is no contract of a service: {}", super::printable(said));
            findings.error(Code::ServiceContract, Range { start, end }, message, help);
            None
        }
    }
}
