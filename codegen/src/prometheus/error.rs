//! Why there is no answer; each says what to do.

/// What kind of failure it is, for those that can do something about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The address, a header or a certificate file cannot be used.
    Setting,
    /// Nobody is there.
    Unreachable,
    /// The certificate is not trusted, or no TLS is spoken.
    Tls,
    /// No answer in time, or Prometheus gave up.
    Timeout,
    /// Who asks may not.
    Denied,
    /// Nothing of this name is served there.
    NotFound,
    /// It sends elsewhere.
    Redirected,
    /// It has too much to do, also after some waiting.
    Overloaded,
    /// The query is wrong.
    Query,
    /// The query is right and asks for more than the server gives.
    TooMuch,
    /// The answer is larger than is read.
    TooLarge,
    /// The answer is not one of a Prometheus.
    NotPrometheus,
    /// It failed by itself.
    Server,
}

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {message}\n  next: {next}")]
pub struct PromError {
    /// What kind it is.
    pub failure: Failure,
    /// Who was asked, without credentials.
    pub address: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub next: String,
}

impl PromError {
    pub(super) fn new(failure: Failure, address: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { failure, address: address.to_owned(), message: message.into(), next: next.into() }
    }
}
