//! One crate gives a service standard RED and USE signals, trace spans and correlated logs.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//!
//! kilter::routes! {
//!     /// One order.
//!     pub ORDER = GET "/orders/{id}";
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let telemetry = kilter::init(kilter::service!().routes(ROUTES))?;
//!     let app = Router::new().route(ORDER.path(), get(|| async { "an order" }));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     let report = telemetry.serve(listener, app).await?;
//!     println!("{report}");
//!     Ok(())
//! }
//! ```
//!
//! `serve` puts the HTTP server layer outermost, serves `/metrics`, `/healthz` and `/readyz` on the admin address, drains
//! on SIGTERM and flushes. Everything is configured by `OTEL_*` and `KILTER_*` variables: see [`mod@env`].
//!
//! # Ladder of control
//!
//! - [`init`] builds everything and installs the globals: subscriber, recorder.
//! - [`build`] gives the parts to a service that owns its subscriber or recorder.
//! - [`Telemetry::http_server`] is the layer alone, for any tower service.
//! - [`testing`] gives a service's own tests an isolated instance.
//! - [`Telemetry::http_client`] counts calls to an HTTP dependency: a layer for any tower client, and with the feature
//!   `reqwest-0-13` reqwest's own.
//! - `Telemetry::grpc_server` and `Telemetry::grpc_client`, with the feature `tonic-0-14`, are layers for tonic.
//!
//! Features are adapters, named with the major version of the library that they adapt and re-export; none is on by
//! default.
//!
//! # What a service holds and does by itself
//!
//! - [`Telemetry::resource`] is anything limited (USE): [`Telemetry::semaphore`], [`Telemetry::channel`],
//!   [`Telemetry::workers`], [`Telemetry::disk`], and [`Resource::observe`] for what counts itself.
//! - [`Telemetry::job`] is a background job, [`Telemetry::messages`] what is sent to a queue and processed from it.
//! - Process, control group and runtime are on the page without a line; [`Telemetry::watch_runtime`] chooses a runtime.
//! - [`Telemetry::db`] is a database and [`Telemetry::pool`] a pool of its connections (sqlx with the feature `sqlx-0-9`,
//!   which needs Rust 1.94), [`Database::replicas`] sends reads to replicas, [`Telemetry::cache`] is a cache, and
//!   [`Telemetry::breaker`] a circuit breaker (that of tower-resilience with the feature `tower-resilience-0-14`).
//!
//! # Behaviour worth knowing
//!
//! - Every request that reaches the layer is counted once, when its outcome is known, in
//!   `http_server_request_duration_seconds`. What cannot be known: a client that leaves after its response was
//!   handed over counts as success, and a body in one piece is handed over whole; a client that leaves while its own
//!   upload is unread is not noticed.
//! - No Host header, raw path or query string is ever a label. Unmatched requests have no `http_route`.
//! - A series that is nonzero when it is first scraped shows zero for 1.25 scrape intervals, so that `rate()` sees its
//!   birth. Declared routes exist at zero from the start and are never held.
//! - With `panic = "abort"`, a kill or an out-of-memory death, requests in flight vanish with the process. A handler's panic
//!   is counted as `panic` only when it unwinds: keep `panic = "unwind"`, the default.
//!
//! # Before, twice, after
//!
//! - Before `init` there is no request: [`RequestContext::current`] is [`RequestContext::NONE`], [`spawn`] is `tokio::spawn`,
//!   logs go nowhere, and ad-hoc metrics count nothing, for ever where a handle is kept. So call it first.
//! - A second `init` is an error that says so, and changes nothing. A second [`build`] is an instance of its own, and needs
//!   an admin address of its own.
//! - After `serve` has returned, everything still works: requests of other servers are counted, the admin page answers
//!   until the process ends, [`Telemetry::flush`] sends what was queued since, and `serve` may be called again.
//! - After a `fork` the child reports nothing and waits for nothing: its spans are dropped and counted, its page is not
//!   served. A listening socket that it inherits keeps its port in use: call `init` after forking.

mod adhoc;
mod admin;
mod bounds;
mod core;
mod declared;
pub mod env;
mod error;
mod error_kind;
mod error_type;
#[cfg(feature = "tonic-0-14")]
pub mod grpc;
#[cfg(doctest)]
mod guides;
pub mod http;
pub mod http_client;
mod init;
mod job;
mod log;
mod measured;
mod messages;
mod names;
mod own;
mod process;
mod published;
mod render;
mod resource;
mod routes;
mod runtime;
mod selfcheck;
mod serve;
mod service;
mod signal;
mod telemetry;
pub mod testing;
mod trace;
mod watch;

mod breaker;
mod cache;
mod db;

pub use adhoc::AdHocRecorder;
pub use error::{InitError, ServeError};
pub use error_type::ErrorType;
#[cfg(feature = "tonic-0-14")]
pub use grpc::{GrpcClient, GrpcServer};
pub use http::{route, timeout};
pub use http_client::HttpClient;
pub use init::{Parts, build, init};
pub use job::Job;
pub use kilter_contract as contract;
pub use messages::{Messages, Received};
pub use own::{Counter, Gauge, Histogram};
pub use resource::{Held, Observed, Resource, Usage, Workers};
pub use routes::Route;
pub use serve::ShutdownReport;
pub use service::Service;
pub use telemetry::Telemetry;
pub use trace::{Flushed, RequestContext, WithRequestContext, spawn};

pub use breaker::{Breaker, BreakerState, Rejection};
pub use cache::{Cache, Found, Stored};
pub use db::{
    Database, DbRole, POSTGRES_LAG, POSTGRES_POSITION, POSTGRES_STANDING, Pool, PoolUsage, Replicas, ReplicasBuilder,
    RoutedRead,
};

// Re-exported so that a service cannot link a second version of what appears in this API.
#[cfg(feature = "reqwest-0-13")]
pub use ::reqwest;
#[cfg(feature = "tonic-0-14")]
pub use ::tonic;
#[cfg(feature = "sqlx-0-9")]
pub use sqlx;
#[cfg(feature = "tower-resilience-0-14")]
pub use tower_resilience_circuitbreaker;
pub use {
    ::http as http_types, ::metrics, ::opentelemetry, ::tracing, ::tracing_opentelemetry, ::tracing_subscriber, axum,
};
