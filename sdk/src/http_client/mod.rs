//! The HTTP client: every call to a dependency is counted once, when its outcome is known.
//!
//! | file | holds |
//! |---|---|
//! | `layer` | the tower layer and service: thin |
//! | `future`, `body` | the future and body that carry one call's account: thin |
//! | `call` | the account of one call; its drop is the only place that records |
//! | `reqwest` | reqwest's client, measured (feature `reqwest-0-13`) |

mod body;
mod call;
mod future;
mod layer;
#[cfg(feature = "reqwest-0-13")]
mod reqwest;

use kilter_contract::{error_type, http, http_client};

use crate::Telemetry;
use crate::core::Core;
use crate::signal::family::{Family, Series};

#[cfg(feature = "reqwest-0-13")]
pub use self::reqwest::{MeasuredClient, MeasuredRequest};
pub use body::CallBody;
pub use future::CallFuture;
pub use layer::Calling;

/// An HTTP dependency. Copy it to wherever it is called; [`Telemetry::http_client`] makes one.
///
/// It is a tower layer for any client that takes `http::Request`s and gives `http::Response`s:
/// `ServiceBuilder::new().layer(telemetry.http_client("identity")).service(client)`. Feature `reqwest-0-13` adds
/// `.reqwest(client)`.
#[derive(Debug, Clone, Copy)]
pub struct HttpClient {
    core: &'static Core,
    calls: &'static Family,
    active: &'static Family,
    dependency: &'static str,
}

impl Telemetry {
    /// The HTTP dependency of this name. Its series exist from now on, so that idle is not missing and the first failure
    /// is seen. The name is the one that SLOs use, never a host.
    ///
    /// A call is counted once, when its outcome is known:
    ///
    /// | how it ended | `http_response_status_code` | `error_type` |
    /// |---|---|---|
    /// | a response below 500, read to its end or let go before | its status | absent |
    /// | a response from 500 on | its status | the status |
    /// | the body failed | its status | `body_error` |
    /// | a deadline, of the client or around it | as far as it came | `timeout` |
    /// | dropped with the request that it belongs to | as far as it came | `client_disconnect` |
    /// | refused, reset, no such host, anything else | absent | `_OTHER` |
    ///
    /// A status of 400 to 499 is no failure of the dependency: it answered. Where one is, as a 429 may be, the SLO says
    /// so with `bad: {status_codes: ["429"]}`.
    ///
    /// ```
    /// use axum::{Router, body::Body, http::Request, routing::get};
    /// use tower::{ServiceBuilder, ServiceExt as _};
    ///
    /// # #[tokio::main] async fn main() {
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// // Any tower client; a router is one too.
    /// let identity = Router::new().route("/users/{id}", get(|| async { "ada" }));
    /// let identity = ServiceBuilder::new().layer(telemetry.http_client("identity")).service(identity);
    ///
    /// let response = identity.oneshot(Request::get("/users/1").body(Body::empty()).unwrap()).await.unwrap();
    /// axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap();
    /// let series = "http_client_request_duration_seconds_count{http_request_method=\"GET\",dependency=\"identity\",http_response_status_code=\"200\"}";
    /// assert_eq!(telemetry.value(series), Some(1.0));
    /// # }
    /// ```
    pub fn http_client(&self, dependency: &'static str) -> HttpClient {
        let core = self.core();
        let calls = core.families.of(&http_client::CLIENT_REQUEST_DURATION);
        let active = core.families.of(&http_client::CLIENT_ACTIVE_REQUESTS);
        let client = HttpClient { core, calls, active, dependency };
        client.active("GET");
        client.series("GET", Some("200"), None);
        client.series("GET", None, Some(error_type::OTHER));
        client
    }
}

impl HttpClient {
    fn active(&self, method: &str) -> &'static Series {
        self.active.series(&[Some(method), Some(self.dependency)])
    }

    fn series(&self, method: &str, status: Option<&str>, error: Option<&str>) -> &'static Series {
        self.calls.series(&[Some(method), Some(self.dependency), status, error])
    }

    /// A client that could not even take a call.
    fn refused(&self, kind: &'static str) {
        self.series(http::METHODS[http::METHODS.len() - 1], None, Some(kind)).record(0);
    }
}
