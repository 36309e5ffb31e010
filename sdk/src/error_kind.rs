//! What an error of a library says about itself, as a text of the closed set of `error_type`.

use std::any::Any;
use std::error::Error;

use kilter_contract::error_type::{OTHER, TIMEOUT};

use crate::ErrorType;

/// How deep the causes of an error are looked through.
const DEPTH: usize = 16;

/// The kind of any error: what it says about itself when we know its type, `_OTHER` otherwise.
///
/// Known are [`ErrorType`] itself, an elapsed `tokio::time::timeout`, `std::io::Error`, boxed errors of these, and the
/// errors of the libraries whose features are on.
pub(crate) fn kind_of<E: 'static>(error: &E) -> &'static str {
    let error: &dyn Any = error;
    let boxed = error.downcast_ref::<Box<dyn Error + Send + Sync>>().and_then(|it| kind_of_cause(it.as_ref()));
    let boxed = boxed.or_else(|| error.downcast_ref::<Box<dyn Error>>().and_then(|it| kind_of_cause(it.as_ref())));
    let own = || error.downcast_ref::<ErrorType>().map(|it| it.as_str());
    let elapsed = || error.is::<tokio::time::error::Elapsed>().then_some(TIMEOUT);
    let io = || error.downcast_ref::<std::io::Error>().and_then(|it| kind_of_cause(it));
    boxed.or_else(own).or_else(elapsed).or_else(io).unwrap_or(OTHER)
}

/// The kind of an error or of the first of its causes that we know.
pub(crate) fn kind_of_cause(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    for _ in 0..DEPTH {
        let it = cause?;
        let io = it.downcast_ref::<std::io::Error>();
        if io.is_some_and(|it| it.kind() == std::io::ErrorKind::TimedOut) || it.is::<tokio::time::error::Elapsed>() {
            return Some(TIMEOUT);
        }
        // The source of an I/O error is the source of what it wraps, not that itself.
        let wrapped = io.and_then(std::io::Error::get_ref).map(|it| it as &(dyn Error + 'static));
        cause = wrapped.or_else(|| it.source());
    }
    None
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
