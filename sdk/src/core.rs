//! One instance: everything that outlives a request, behind a reference that copies for free.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use kilter_contract::{Instrument, Signal, error_type};

use crate::adhoc::AdHoc;
use crate::bounds::Bounds;
use crate::breaker::Position;
use crate::db::Known;
use crate::declared;
use crate::own::FROM_THE_START;
use crate::render::Pages;
use crate::routes::Route;
use crate::runtime::Runtime;
use crate::signal::families::{Collectors, Families};
use crate::signal::health::Health;
use crate::signal::http::{ErrorId, KINDS, NONE, Routes, STATUS};
use crate::signal::named::Named;
use crate::trace::Tracer;

/// Who emits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) service: String,
    pub(crate) version: String,
    pub(crate) instance: String,
    pub(crate) environment: String,
}

/// What an instance needs to know.
#[derive(Debug, Clone, Default)]
pub(crate) struct CoreConfig {
    pub(crate) identity: Identity,
    pub(crate) routes: &'static [Route],
    pub(crate) error_kinds: &'static [&'static str],
    pub(crate) signals: &'static [Signal],
    pub(crate) bounds: Bounds,
    pub(crate) scrape_interval: Duration,
    pub(crate) all_readers_scrape: bool,
    /// Whether OpenMetrics pages tell when their series were made.
    pub(crate) created: bool,
    /// The status by which the service says that its own deadline has passed; 0 when it has none.
    pub(crate) timeout_status: u16,
}

/// One instance.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: CoreConfig,
    pub(crate) routes: Routes,
    pub(crate) families: Families,
    pub(crate) collectors: Collectors,
    pub(crate) health: Health,
    pub(crate) adhoc: AdHoc,
    pub(crate) pages: Pages,
    /// Set once, when traces are on.
    pub(crate) tracer: OnceLock<Tracer>,
    /// The drain deadline has passed: what is dropped now was ended by the service.
    pub(crate) shutting_down: AtomicBool,
    second_layer_told: AtomicBool,
    undeclared_told: AtomicBool,
    /// Methods of gRPC that the service is known to have.
    #[cfg(feature = "tonic-0-14")]
    pub(crate) rpc_methods: crate::grpc::Methods,
    pub(crate) runtime: Runtime,
    pub(crate) databases: Named<Known>,
    pub(crate) breakers: Named<Position>,
    /// Length of the last page, so that the next one is written without growing.
    pub(crate) page_size: AtomicUsize,
}

impl Core {
    /// An instance that lives as long as the process: no reference is counted per request.
    pub(crate) fn leak(config: CoreConfig) -> &'static Self {
        let own = config.signals;
        let core: &'static Self = Box::leak(Box::new(Self {
            routes: Routes::new(config.routes, config.bounds.http()),
            families: Families::new(config.signals, config.error_kinds, &config.bounds),
            collectors: Collectors::default(),
            health: Health::new(config.bounds.scrapes()),
            config,
            adhoc: AdHoc::new(),
            pages: Pages::default(),
            tracer: OnceLock::new(),
            shutting_down: AtomicBool::new(false),
            second_layer_told: AtomicBool::new(false),
            undeclared_told: AtomicBool::new(false),
            #[cfg(feature = "tonic-0-14")]
            rpc_methods: crate::grpc::Methods::default(),
            runtime: Runtime::default(),
            databases: Named::default(),
            breakers: Named::default(),
            page_size: AtomicUsize::new(0),
        }));
        // A gauge that nobody has set yet would be a lie, so gauges are not among them.
        for signal in own.iter().filter(|it| matches!(it.instrument, Instrument::Counter | Instrument::Histogram(_))) {
            let family = core.families.of(signal);
            for values in declared::every_set(signal, FROM_THE_START) {
                family.series(&values);
            }
        }
        core
    }

    /// How long a series that was nonzero at first exposure shows zero: 1.25 scrape intervals.
    pub(crate) fn hold_nanos(&self) -> u64 {
        u64::try_from(self.config.scrape_interval.as_nanos()).unwrap_or(u64::MAX) / 4 * 5
    }

    /// The index of an error type; kinds that were not declared are `_OTHER`.
    pub(crate) fn error_id(&self, kind: &str) -> ErrorId {
        let index = |set: &[&str]| set.iter().position(|it| *it == kind).and_then(|it| ErrorId::try_from(it).ok());
        let own = KINDS + contract_kinds();
        let declared = || index(self.config.error_kinds).and_then(|it| it.checked_add(own));
        index(error_type::KINDS).map(|it| it + KINDS).or_else(declared).unwrap_or_else(|| {
            self.undeclared(kind);
            self.error_id(error_type::OTHER)
        })
    }

    /// Counted each time, told once.
    #[cold]
    fn undeclared(&self, kind: &str) {
        self.health.violation("undeclared_error_type");
        if !self.undeclared_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(kind, "an undeclared error type counts as _OTHER: declare it with Service::error_kinds");
        }
    }

    /// The text of an error type; `None` on success.
    pub(crate) fn error_text(&self, status: u16, error: ErrorId) -> Option<String> {
        let kind = |index: ErrorId| {
            let contract = error_type::KINDS.get(usize::from(index));
            contract.or_else(|| self.config.error_kinds.get(usize::from(index - contract_kinds())))
        };
        match error {
            NONE => None,
            STATUS => Some(status.to_string()),
            other => Some(kind(other - KINDS).map_or_else(|| error_type::OTHER.to_owned(), |it| (*it).to_owned())),
        }
    }

    /// An inner second layer counts nothing; that there is one is reported once.
    pub(crate) fn second_layer(&self) {
        if !self.second_layer_told.swap(true, Ordering::Relaxed) {
            self.health.violation("second_layer");
            tracing::warn!("a second kilter layer lies inside the first: it counts nothing; remove it");
        }
    }
}

fn contract_kinds() -> ErrorId {
    ErrorId::try_from(error_type::KINDS.len()).unwrap_or(ErrorId::MAX)
}
