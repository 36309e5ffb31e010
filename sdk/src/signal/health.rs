//! The SDK's own health.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kilter_contract::{http, telemetry};

use super::http::Timed;
use super::shard::Counter;

/// Counters of what was lost, refused or folded. Closed label sets are arrays that exist from the start.
#[derive(Debug)]
pub(crate) struct Health {
    pub(crate) spans_dropped: [Counter; 3],
    pub(crate) export_failures: Counter,
    pub(crate) violations: [Counter; 12],
    pub(crate) connection_errors: [Counter; 5],
    pub(crate) scrapes: [Timed; 2],
    pub(crate) traceparents_ignored: [Counter; 2],
    overflow: Mutex<BTreeMap<&'static str, Arc<Counter>>>,
}

impl Health {
    pub(crate) fn new(scrape_bounds: &'static [u64]) -> Self {
        let scrapes = || Timed::new(scrape_bounds);
        Self {
            spans_dropped: Default::default(),
            export_failures: Counter::default(),
            violations: Default::default(),
            connection_errors: Default::default(),
            scrapes: [scrapes(), scrapes()],
            traceparents_ignored: Default::default(),
            overflow: Mutex::new([http::SERVER_REQUEST_DURATION.name, "ad_hoc"].map(|it| (it, Arc::default())).into()),
        }
    }
}

/// Adds to the cell of a closed label set.
pub(crate) fn add(cells: &[Counter], label: kilter_contract::Label, value: &str, n: u64) {
    let kilter_contract::Values::Closed(set) = label.values else { return };
    if let Some(cell) = set.iter().position(|it| *it == value).and_then(|index| cells.get(index)) {
        cell.add(n);
    }
}

impl Health {
    /// Spans that never reached the collector.
    pub(crate) fn spans_dropped(&self, reason: &str, n: u64) {
        add(&self.spans_dropped, telemetry::DROP_REASON, reason, n);
    }

    /// A rule of the contract that something broke.
    pub(crate) fn violation(&self, kind: &str) {
        add(&self.violations, telemetry::VIOLATION, kind, 1);
    }

    /// A caller's trace that is not continued.
    #[cold]
    pub(crate) fn traceparent_ignored(&self, reason: &str) {
        add(&self.traceparents_ignored, telemetry::IGNORED_REASON, reason, 1);
    }

    /// What ended a connection.
    pub(crate) fn connection_error(&self, kind: &str) {
        add(&self.connection_errors, kilter_contract::http::CONNECTION_ERROR_TYPE, kind, 1);
    }

    /// An observation whose label values were folded.
    pub(crate) fn overflow(&self, signal: &'static str) {
        if let Ok(mut all) = self.overflow.lock() {
            all.entry(signal).or_default().add(1);
        }
    }

    /// Overflow per signal.
    pub(crate) fn overflows(&self) -> BTreeMap<&'static str, Arc<Counter>> {
        self.overflow.lock().map(|it| it.clone()).unwrap_or_default()
    }
}
