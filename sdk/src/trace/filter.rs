//! The OpenTelemetry layer sees spans of sampled requests only: an attribute of an unsampled one would be built in vain.

use tracing_subscriber::filter::{DynFilterFn, dynamic_filter_fn};

use super::RequestContext;

/// Lets spans through while a sampled request is current.
pub(crate) fn sampled_only<S>() -> DynFilterFn<S> {
    dynamic_filter_fn(|metadata, _| metadata.is_span() && RequestContext::current().sampled)
}
