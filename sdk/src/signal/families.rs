//! The signals of the contract and of the service, each with its series once something uses it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kilter_contract::{CATALOG, Signal};

use super::family::Family;
use crate::bounds::Bounds;

/// Every signal that can have series, in the order of the page.
#[derive(Debug)]
pub(crate) struct Families {
    known: Vec<(Signal, &'static [u64], OnceLock<Family>)>,
    error_kinds: &'static [&'static str],
    /// Where observations of signals go that nobody declared: they are never shown.
    stray: Family,
    /// Mistakes that the log knows of.
    told: Mutex<BTreeSet<String>>,
}

/// What is read when the page is rendered: pools, limits, the process.
#[derive(Default)]
pub(crate) struct Collectors(Mutex<BTreeMap<String, Collector>>);

type Collector = Arc<dyn Fn() + Send + Sync>;

impl std::fmt::Debug for Collectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collectors").finish_non_exhaustive()
    }
}

impl Families {
    /// The contract's signals, then the service's own.
    pub(crate) fn new(own: &'static [Signal], error_kinds: &'static [&'static str], bounds: &Bounds) -> Self {
        let all = CATALOG.iter().copied().chain([own]).flatten();
        Self {
            known: all.map(|it| (*it, bounds.of(it), OnceLock::new())).collect(),
            error_kinds,
            stray: Family::new(kilter_contract::telemetry::VIOLATIONS, &[], &[]),
            told: Mutex::default(),
        }
    }

    /// The series of a signal of the contract.
    pub(crate) fn of(&self, signal: &Signal) -> &Family {
        self.find(signal).unwrap_or(&self.stray)
    }

    /// The series of a signal; `None` when neither the contract nor the service has it.
    pub(crate) fn find(&self, signal: &Signal) -> Option<&Family> {
        let (known, bounds, family) = self.known.iter().find(|(known, ..)| known.name == signal.name)?;
        Some(family.get_or_init(|| Family::new(*known, bounds, self.error_kinds)))
    }

    /// Whether this mistake was not told before. Its text holds nothing that a client chooses.
    pub(crate) fn first_time(&self, mistake: &str) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        !told.contains(mistake) && told.insert(mistake.to_owned())
    }

    /// Every signal that something has used.
    pub(crate) fn used(&self) -> impl Iterator<Item = &Family> {
        self.known.iter().filter_map(|(.., family)| family.get())
    }
}

impl Collectors {
    /// Reads this at each rendering, in place of what had the same name before. It must not block.
    pub(crate) fn set(&self, name: String, read: impl Fn() + Send + Sync + 'static) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(read));
    }

    /// Reads all. Returns how many panicked: one that does must not cost the others their page.
    pub(crate) fn run(&self) -> usize {
        let all: Vec<Collector> = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.into_iter().filter(|read| catch_unwind(AssertUnwindSafe(|| read())).is_err()).count()
    }
}
