//! The handle that a service holds.

use std::net::SocketAddr;
use std::time::Duration;

use crate::admin::Admin;
use crate::core::Core;
use crate::env::Settings;
use crate::http::HttpServer;
use crate::published;
use crate::trace::Flushed;

/// A service's telemetry. Clones share everything.
#[derive(Debug, Clone)]
pub struct Telemetry {
    core: &'static Core,
    admin: Admin,
    pub(crate) header_timeout: Duration,
    pub(crate) drain: Duration,
    pub(crate) flush: Duration,
}

impl Telemetry {
    pub(crate) fn new(core: &'static Core, admin: Admin, settings: &Settings) -> Self {
        Self { core, admin, header_timeout: settings.header_timeout, drain: settings.drain, flush: settings.flush }
    }

    /// Without an admin server, for tests.
    pub(crate) fn isolated(core: &'static Core) -> Self {
        let [header_timeout, drain, flush] = [10, 25, 3].map(Duration::from_secs);
        Self { core, admin: Admin::absent(), header_timeout, drain, flush }
    }

    /// The HTTP server layer, for servers other than [`serve`](Telemetry::serve). Add it last, so that it is outermost;
    /// around the routes, not around the router, or no route is known.
    pub fn http_server(&self) -> HttpServer {
        HttpServer::new(self.core)
    }

    /// Where `/metrics`, `/healthz` and `/readyz` are served.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.address
    }

    /// Whether `/readyz` says yes. `serve` sets it when it listens, and takes it back before it drains.
    pub fn set_ready(&self, ready: bool) {
        self.admin.state.set_ready(ready);
    }

    /// Sends spans that are queued, within `KILTER_FLUSH`.
    pub async fn flush(&self) -> Flushed {
        match self.core.tracer.get().and_then(|it| it.exporter.as_ref()) {
            Some(exporter) => exporter.flush(self.flush).await,
            None => Flushed::default(),
        }
    }

    /// What this service emits, as JSON: its routes, error kinds and own signals, and the names in use. The admin page
    /// `/contract` shows the same. For the file that SLOs are checked against see
    /// [`assert_contract`](crate::testing::TestTelemetry::assert_contract).
    pub fn contract(&self) -> String {
        published::text(self.core, true)
    }

    pub(crate) fn core(&self) -> &'static Core {
        self.core
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.admin
    }
}
