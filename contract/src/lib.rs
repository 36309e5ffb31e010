//! The contract between services and everything that watches them.
//!
//! One constant per signal carries its name, OpenTelemetry name, instrument, unit, help, labels with their bounds, and
//! buckets. The SDK emits what is declared here; the generator queries what is declared here and nothing else of a
//! service, unless an SLO file names a metric explicitly. Names of recorded series and alerts live here too, because
//! rules, dashboards, routes and runbooks join on them.
//!
//! Breaking an item of this crate breaks somebody's pager: every change is listed under *Contract* in `CHANGELOG.md`.
//!
//! ```
//! use kilter_contract::{http, Instrument};
//!
//! let signal = http::SERVER_REQUEST_DURATION;
//! assert_eq!(signal.name, "http_server_request_duration_seconds");
//! assert!(matches!(signal.instrument, Instrument::Histogram(_)));
//! ```
//!
//! Signals are declared through [`signals!`] only. It emits constants, so an illegal name fails to compile:
//!
//! ```compile_fail
//! kilter_contract::signals! {
//!     family "orders";
//!     /// A name with a dash.
//!     BAD = counter "orders-placed_total", otel "orders.placed", unit Count, help "Orders.", labels [];
//! }
//! ```

mod bucket;
pub mod cache;
mod catalog;
pub mod db;
pub mod error_type;
pub mod http;
pub mod http_client;
pub mod identity;
pub mod job;
mod label;
pub mod messaging;
pub mod process;
pub mod resilience;
pub mod resource;
pub mod rpc;
pub mod service;
mod signal;
pub mod slo;
pub mod telemetry;
mod unit;

pub use bucket::{Buckets, le_nanos, le_text};
pub use catalog::{CATALOG, PROMETHEUS_SERIES, find, find_series};
pub use label::{Label, Values};
pub use signal::{Instrument, Signal};
pub use unit::Unit;

/// Version of this contract, exposed by `build_info{contract_version}`. It rises when a name, label, unit or bucket changes.
pub const VERSION: &str = "1";
