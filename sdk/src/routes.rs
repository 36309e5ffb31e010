//! Declared routes: one list, used both for `.route(...)` and for `init`.

use http::Method;

/// A route that the service declares: it exists on the metrics page from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    template: &'static str,
    methods: &'static [Method],
    stream: bool,
    success: u16,
}

impl Route {
    /// A route with its template and methods; [`routes!`](crate::routes) writes this.
    pub const fn new(template: &'static str, methods: &'static [Method]) -> Self {
        Self { template, methods, stream: false, success: 200 }
    }

    /// Its responses are streams: their value in the request histogram is their time to first byte, and their whole
    /// life is in the stream histogram.
    #[must_use]
    pub const fn stream(mut self) -> Self {
        self.stream = true;
        self
    }

    /// The status of its success when that is not 200, so that the right series is born at zero.
    #[must_use]
    pub const fn success(mut self, status: u16) -> Self {
        self.success = status;
        self
    }

    /// The template, for `Router::route`.
    pub const fn path(&self) -> &'static str {
        self.template
    }

    /// Its methods.
    pub const fn methods(&self) -> &'static [Method] {
        self.methods
    }

    /// Whether its responses are streams.
    pub const fn is_stream(&self) -> bool {
        self.stream
    }

    /// The status of its success.
    pub const fn success_status(&self) -> u16 {
        self.success
    }
}

/// Declares routes as constants, and `ROUTES` with all of them.
///
/// ```
/// kilter::routes! {
///     /// One order.
///     pub ORDER = GET "/orders/{id}";
///     /// All events of an order, for as long as the client stays.
///     pub EVENTS = GET "/orders/{id}/events", stream;
///     /// Places an order.
///     pub PLACE = POST "/orders", success(201);
/// }
/// assert_eq!(ORDER.path(), "/orders/{id}");
/// assert_eq!(ROUTES.len(), 3);
/// ```
#[macro_export]
macro_rules! routes {
    ($($(#[$meta:meta])* $vis:vis $name:ident = $($method:ident)|+ $template:literal $(, $option:ident $(($value:expr))?)*;)+) => {
        $(
            $(#[$meta])*
            $vis const $name: $crate::Route = $crate::Route::new($template, &[$($crate::http_types::Method::$method),+])$(.$option($($value)?))*;
        )+
        /// Every declared route.
        pub const ROUTES: &[$crate::Route] = &[$($name),+];
    };
}
