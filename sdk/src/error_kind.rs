//! What an error of a library says about itself, as a text of the closed set of `error_type`.

use std::any::Any;
use std::error::Error;

use kilter_contract::error_type::{OTHER, TIMEOUT};

use crate::ErrorType;

/// How deep the causes of an error are looked through.
const DEPTH: usize = 16;

/// The kind of any error: what it says about itself when we know its type, `_OTHER` otherwise.
///
/// Known are [`ErrorType`] itself, deadlines of tokio and tower, `std::io::Error`, the errors of hyper and its client,
/// boxed errors of these, and the errors of the libraries whose features are on.
pub(crate) fn kind_of<E: 'static>(error: &E) -> &'static str {
    let any: &dyn Any = error;
    let own = any.downcast_ref::<ErrorType>().map(|it| it.as_str());
    own.or_else(|| as_error(any).and_then(kind_of_cause)).unwrap_or(OTHER)
}

/// The error behind any value, when we know its type.
pub(crate) fn as_error(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    let shared = value.downcast_ref::<Box<dyn Error + Send + Sync>>().map(|it| it.as_ref() as &(dyn Error + 'static));
    let boxed = || value.downcast_ref::<Box<dyn Error>>().map(AsRef::as_ref);
    shared.or_else(boxed).or_else(|| KNOWN.iter().find_map(|it| it(value)))
}

type Downcast = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

/// The errors that we know.
const KNOWN: &[Downcast] = &[
    known::<std::io::Error>,
    known::<tokio::time::error::Elapsed>,
    known::<tower::timeout::error::Elapsed>,
    known::<hyper_util::client::legacy::Error>,
    known::<hyper::Error>,
    known::<axum::Error>,
    #[cfg(feature = "reqwest-0-13")]
    known::<reqwest::Error>,
    #[cfg(feature = "tonic-0-14")]
    known::<tonic::Status>,
    #[cfg(feature = "tonic-0-14")]
    known::<tonic::transport::Error>,
    #[cfg(feature = "sqlx-0-9")]
    known::<sqlx::Error>,
];

fn known<E: Error + 'static>(value: &dyn Any) -> Option<&(dyn Error + 'static)> {
    value.downcast_ref::<E>().map(|it| it as _)
}

/// The kind of an error or of the first of its causes that we know.
pub(crate) fn kind_of_cause(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    for _ in 0..DEPTH {
        let it = cause?;
        if is_deadline(it) {
            return Some(TIMEOUT);
        }
        // The source of an I/O error is the source of what it wraps, not that itself.
        let wrapped = it.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|it| it as &(dyn Error + 'static)).or_else(|| it.source());
    }
    None
}

/// Whether an error, its causes aside, says that a deadline ran out.
fn is_deadline(error: &(dyn Error + 'static)) -> bool {
    let timed_out = |it: &std::io::Error| it.kind() == std::io::ErrorKind::TimedOut;
    let plain = error.is::<tokio::time::error::Elapsed>() || error.is::<tower::timeout::error::Elapsed>();
    #[cfg(feature = "reqwest-0-13")]
    let plain = plain || error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout);
    #[cfg(feature = "tonic-0-14")]
    let plain = plain || error.is::<tonic::TimeoutExpired>();
    #[cfg(feature = "sqlx-0-9")]
    let plain = plain || crate::db::sqlx_0_9::gave_up(error);
    let hyper = || error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_timeout);
    plain || hyper() || error.downcast_ref::<std::io::Error>().is_some_and(timed_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::time::Duration;

    #[tokio::test]
    async fn deadlines_are_known_however_they_are_wrapped() {
        let elapsed =
            || async { tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err() };
        assert_eq!(kind_of(&elapsed().await), TIMEOUT);
        let boxed: Box<dyn Error + Send + Sync> = elapsed().await.into();
        assert_eq!(kind_of(&boxed), TIMEOUT);
        assert_eq!(kind_of(&io::Error::from(io::ErrorKind::TimedOut)), TIMEOUT);
        assert_eq!(kind_of(&io::Error::other(elapsed().await)), TIMEOUT);
        assert_eq!(kind_of(&ErrorType::declared("quota_exceeded")), "quota_exceeded");
        assert_eq!(kind_of(&"text"), OTHER);
        assert_eq!(kind_of(&io::Error::from(io::ErrorKind::NotFound)), OTHER);
    }
}
