//! An isolated instance for a service's own tests: no globals, no admin port, works across runtime threads.
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main] async fn main() {
//! let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
//! let app = Router::new().route("/orders", get(|| async { "orders" })).layer(telemetry.http_server());
//! let response = app.oneshot(Request::get("/orders").body(Body::empty()).unwrap()).await.unwrap();
//! // A client that does not read its response to the end counts as `client_disconnect`.
//! axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
//! telemetry.assert(r#"http_server_request_duration_seconds_count{http_route="/orders",error_type=""}"#, 1);
//! # }
//! ```
//!
//! With [`record_spans`](TestTelemetry::record_spans) every request is sampled, and the spans can be asked for. Spans that
//! the service makes with `tracing` are among them when the test's subscriber has the
//! [`span_layer`](TestTelemetry::span_layer):
//!
//! ```
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use kilter::tracing::instrument::WithSubscriber as _;
//! use kilter::tracing_subscriber::{layer::SubscriberExt as _, registry};
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main] async fn main() {
//! let telemetry = kilter::testing::TestTelemetry::new(kilter::service!()).record_spans();
//! let load = || async { kilter::tracing::info_span!("load", order = 7).in_scope(|| "order 7") };
//! let app = Router::new().route("/orders/{id}", get(load)).layer(telemetry.http_server());
//! let request = Request::get("/orders/7").body(Body::empty()).unwrap();
//! let exchange = async { axum::body::to_bytes(app.oneshot(request).await.unwrap().into_body(), 99).await.unwrap() };
//! exchange.with_subscriber(registry().with(telemetry.span_layer())).await;
//!
//! let request = telemetry.span("GET /orders/{id}");
//! assert_eq!(request.attributes["http.response.status_code"], "200");
//! let load = telemetry.span("load");
//! assert!(load.is_child_of(&request) && load.attributes["order"] == "7");
//! # }
//! ```

mod committed;
mod series;
mod spans;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderValue, Method};

use crate::AdHocRecorder;
use crate::admin;
use crate::core::{Core, CoreConfig, Identity};
use crate::declared;
use crate::init::provider;
use crate::published;
use crate::render::{Format, page, respond};
use crate::selfcheck;
use crate::service::Service;
use crate::signal::birth::Hold;
use crate::telemetry::Telemetry;
use crate::trace::{Exporter, SampledOnly, Sampler, Tracer, Trust};

pub(crate) use committed::WRITE as CONTRACT_VARIABLE;
pub use spans::TestSpan;

/// How long [`TestTelemetry::assert_soon`] waits.
const SOON: Duration = Duration::from_secs(10);

/// Each crate whose types or globals must be shared (`tracing`, `metrics`, `opentelemetry` and their kin) and of which the
/// service's lock file has several versions, with what to do: what one version records, the other does not see.
///
/// For a test of the service, run by cargo, which finds the lock file of its package or workspace. [`init`](crate::init)
/// logs the same under `cargo run`.
///
/// ```
/// assert_eq!(kilter::testing::duplicate_versions(), Vec::<String>::new());
/// ```
pub fn duplicate_versions() -> Vec<String> {
    selfcheck::lock_of_cargo().map(|it| selfcheck::duplicates(&it)).unwrap_or_default()
}

/// An isolated instance: a [`Telemetry`] (it dereferences to one) whose page can be asked.
#[derive(Debug, Clone, Copy)]
pub struct TestTelemetry {
    telemetry: &'static Telemetry,
    core: &'static Core,
}

impl std::ops::Deref for TestTelemetry {
    type Target = Telemetry;

    fn deref(&self) -> &Telemetry {
        self.telemetry
    }
}

impl TestTelemetry {
    /// An instance of this service that nothing else shares.
    ///
    /// # Panics
    ///
    /// When what the service declares is wrong, as [`init`](crate::init) would say.
    pub fn new(service: Service) -> Self {
        Self::scraped_every(service, Duration::from_secs(60))
    }

    /// The same for scrapers of this interval: for tests with a Prometheus that is in more of a hurry than once a minute.
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn scraped_every(service: Service, interval: Duration) -> Self {
        let identity = Identity {
            service: service.name.to_owned(),
            version: service.version.to_owned(),
            instance: "test".to_owned(),
            environment: String::new(),
        };
        let (bounds, wrong) = declared::read(&service);
        assert!(wrong.is_empty(), "the service's declarations are wrong:\n{}", wrong.join("\n"));
        let core = Core::leak(CoreConfig {
            identity,
            routes: service.routes,
            error_kinds: service.error_kinds,
            signals: service.signals,
            bounds,
            scrape_interval: interval,
            timeout_status: service.timeout_status,
            ..CoreConfig::default()
        });
        Self { telemetry: Box::leak(Box::new(Telemetry::isolated(core))), core }
    }

    /// The admin pages, `/metrics`, `/healthz` and `/readyz`, as a service has them on its admin address.
    pub fn admin(&self) -> axum::Router {
        admin::router(self.core, Arc::clone(&self.telemetry.admin().state))
    }

    /// A recorder for ad-hoc metrics: `metrics::with_local_recorder(&telemetry.recorder(), || ...)`.
    pub fn recorder(&self) -> AdHocRecorder {
        AdHocRecorder::new(self.core)
    }

    /// The page with true values, in the text format.
    pub fn page(&self) -> String {
        page(self.core, Format::Text, Hold { now: 0, span: 0, scrape: false })
    }

    /// The page as a scrape of Prometheus gets it, births held; in OpenMetrics or in the text format.
    pub async fn scrape(&self, openmetrics: bool) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-prometheus-scrape-timeout-seconds", HeaderValue::from_static("10"));
        if openmetrics {
            headers.insert("accept", HeaderValue::from_static("application/openmetrics-text"));
        }
        let body = respond(self.core, Method::GET, headers).await.into_body();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The value of a series on the page with true values, by the whole text before its value.
    pub fn value(&self, series: &str) -> Option<f64> {
        self.page().lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }

    /// Fails unless the series that a selector matches add up to this value, births not held. Labels may stand in any
    /// order and be left out; an empty value stands for a label that is absent. A selector that matches nothing fails too,
    /// so that a misspelt one cannot prove that something is 0.
    #[track_caller]
    pub fn assert(&self, selector: &str, value: impl Into<f64>) {
        if let Err(told) = self.compared(selector, value.into()) {
            panic!("{told}");
        }
    }

    /// The same within ten seconds, for what other tasks do.
    pub async fn assert_soon(&self, selector: &str, value: impl Into<f64>) {
        let (value, deadline) = (value.into(), Instant::now() + SOON);
        while let Err(told) = self.compared(selector, value) {
            assert!(Instant::now() < deadline, "{told}\n  not within {} s either", SOON.as_secs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn compared(&self, selector: &str, value: f64) -> Result<(), String> {
        let page = self.page();
        let sum = series::sum(&page, selector)?;
        // What a test expects is written as the page writes it, so the two floats are the same or differ for a reason.
        if (sum - value).abs() <= f64::EPSILON * value.abs() {
            return Ok(());
        }
        Err(format!("{selector} is {sum}, not {value}{}", series::seen(&page, selector)))
    }

    /// Samples every request from now on, and keeps its spans for [`spans`](TestTelemetry::spans).
    #[must_use]
    pub fn record_spans(self) -> Self {
        let scope = opentelemetry::InstrumentationScope::builder("kilter").build();
        let sampler = Sampler { parent_based: false, ratio: 1.0 };
        let exporter = Some(Exporter::keeping(self.core));
        // Asked twice, the first one stays.
        let _ = self.core.tracer.set(Tracer { sampler, trust: Trust::All, exporter, scope });
        self
    }

    /// The spans that have ended since [`record_spans`](TestTelemetry::record_spans), in the order of their end.
    pub fn spans(&self) -> Vec<TestSpan> {
        let exporter = self.core.tracer.get().and_then(|it| it.exporter.as_ref());
        exporter.map(Exporter::kept).unwrap_or_default().iter().map(TestSpan::from).collect()
    }

    /// The one span of this name.
    ///
    /// # Panics
    ///
    /// When there is none, or more than one; it says which there are.
    #[track_caller]
    pub fn span(&self, name: &str) -> TestSpan {
        let (mut found, others): (Vec<_>, Vec<_>) = self.spans().into_iter().partition(|it| it.name == name);
        let names: Vec<String> = others.into_iter().map(|it| it.name).collect();
        assert!(found.len() == 1, "{} spans are named `{name}`; the others are: {}", found.len(), names.join(", "));
        found.remove(0)
    }

    /// The subscriber layer that makes `tracing` spans of sampled requests children of the request's span, for the test's
    /// own subscriber.
    pub fn span_layer<S>(&self) -> impl tracing_subscriber::Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> tracing_subscriber::registry::LookupSpan<'span>,
    {
        use opentelemetry::trace::TracerProvider as _;
        use tracing_subscriber::Layer as _;
        let tracer = provider(self.core).tracer("tracing");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(SampledOnly)
    }

    /// Fails unless the file holds the contract of this service: what it declares, and the names that handles were made
    /// with so far. SLOs are checked against the committed file, so make every handle before, best by the function that
    /// builds the service's app. `KILTER_CONTRACT=write cargo test` writes the file in place of comparing it.
    ///
    /// ```no_run
    /// # fn app(_: &kilter::Telemetry) {}
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// app(&telemetry);
    /// telemetry.assert_contract("kilter.contract.json"); // beside Cargo.toml, where `cargo test` runs
    /// ```
    #[track_caller]
    pub fn assert_contract(&self, path: impl AsRef<Path>) {
        let write = std::env::var(CONTRACT_VARIABLE).ok();
        if let Err(told) = committed::compare(path.as_ref(), &published::text(self.core, false), write.as_deref()) {
            panic!("{told}");
        }
    }
}
