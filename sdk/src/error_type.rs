//! What a handler says about its own failure.

use kilter_contract::error_type;

/// The `error_type` of a response. Put it into the response's extensions: it wins over the status code.
///
/// ```
/// use axum::response::{IntoResponse, Response};
///
/// fn quota_used_up() -> Response {
///     let mut response = (http::StatusCode::TOO_MANY_REQUESTS, "quota").into_response();
///     response.extensions_mut().insert(kilter::ErrorType::declared("quota_exceeded"));
///     response
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorType(&'static str);

impl ErrorType {
    /// The service gave up by its own deadline.
    pub const TIMEOUT: Self = Self(error_type::TIMEOUT);

    /// A kind that the service declared with [`Service::error_kinds`](crate::Service::error_kinds). One that it did not
    /// declare is counted as `_OTHER`.
    pub const fn declared(kind: &'static str) -> Self {
        Self(kind)
    }

    /// Its text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}
