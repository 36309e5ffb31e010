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
//! assert!(telemetry.page().contains("http_route=\"/orders\",http_response_status_code=\"200\"} 1"));
//! # }
//! ```

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};

use crate::AdHocRecorder;
use crate::admin;
use crate::core::{Core, CoreConfig, Identity};
use crate::render::{Format, page, respond};
use crate::selfcheck;
use crate::service::Service;
use crate::signal::birth::Hold;
use crate::telemetry::Telemetry;

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
    pub fn new(service: Service) -> Self {
        Self::scraped_every(service, Duration::from_secs(60))
    }

    /// The same for scrapers of this interval: for tests with a Prometheus that is in more of a hurry than once a minute.
    pub fn scraped_every(service: Service, interval: Duration) -> Self {
        let identity = Identity {
            service: service.name.to_owned(),
            version: service.version.to_owned(),
            instance: "test".to_owned(),
            environment: String::new(),
        };
        let core = Core::leak(CoreConfig {
            identity,
            routes: service.routes,
            error_kinds: service.error_kinds,
            signals: service.signals,
            scrape_interval: interval,
            timeout_status: service.timeout_status,
            ..CoreConfig::default()
        });
        Self { telemetry: Box::leak(Box::new(Telemetry::isolated(core))), core }
    }

    /// The admin pages, `/metrics`, `/healthz` and `/readyz`, as a service has them on its admin address.
    pub fn admin(&self) -> axum::Router {
        admin::router(self.core, Arc::default())
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
}
