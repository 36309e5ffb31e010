//! What a service says about itself.

use kilter_contract::Signal;

use crate::routes::Route;

/// A service: name, version, declared routes, error kinds and signals. [`service!`](crate::service) makes one.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) routes: &'static [Route],
    pub(crate) error_kinds: &'static [&'static str],
    pub(crate) signals: &'static [Signal],
    pub(crate) timeout_status: u16,
    pub(crate) bounds: &'static str,
}

impl Service {
    /// A service of this name and version. `OTEL_SERVICE_NAME` overrides the name.
    pub const fn new(name: &'static str, version: &'static str) -> Self {
        Self { name, version, routes: &[], error_kinds: &[], signals: &[], bounds: "", timeout_status: 0 }
    }

    /// Declares routes: they exist on the metrics page at zero from the start.
    #[must_use]
    pub const fn routes(mut self, routes: &'static [Route]) -> Self {
        self.routes = routes;
        self
    }

    /// Declares kinds of errors for [`ErrorType::declared`](crate::ErrorType::declared): `[a-z][a-z0-9_]{0,39}`, at most 64.
    #[must_use]
    pub const fn error_kinds(mut self, kinds: &'static [&'static str]) -> Self {
        self.error_kinds = kinds;
        self
    }

    /// Declares signals of the service's own, made with [`signals!`](crate::contract::signals): at most 200. They are
    /// written with [`Telemetry::counter`](crate::Telemetry::counter), `gauge`, `histogram` and `info`.
    ///
    /// Counters and histograms whose labels have few values exist on the page at zero from the start.
    #[must_use]
    pub const fn signals(mut self, signals: &'static [Signal]) -> Self {
        self.signals = signals;
        self
    }

    /// The bucket bounds that the service's SLOs need: the text of `rules/<service>.bounds`, which `kilter generate` writes.
    /// `kilter::service!(bounds: "../rules/orders.bounds")` embeds the file.
    #[must_use]
    pub const fn bounds(mut self, text: &'static str) -> Self {
        self.bounds = text;
        self
    }

    /// Declares that responses of this status are sent by a deadline of the service's own, and count as `timeout`: 408
    /// for `tower_http::timeout::TimeoutLayer`, which is a success otherwise, because 4xx are the client's.
    /// [`timeout`](crate::timeout) needs no declaration.
    #[must_use]
    pub const fn timeout_status(mut self, status: u16) -> Self {
        self.timeout_status = status;
        self
    }
}

/// The service that is being compiled: name and version of its package. With `bounds: "path"` it also embeds the bucket
/// bounds that its SLOs need; the path is relative to the file that this stands in.
#[macro_export]
macro_rules! service {
    () => {
        $crate::Service::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
    };
    (bounds: $path:literal $(,)?) => {
        $crate::service!().bounds(include_str!($path))
    };
}
