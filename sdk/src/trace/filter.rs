//! The OpenTelemetry layer sees spans of sampled requests only: an attribute of an unsampled one would be built in vain.

use tracing::Metadata;
use tracing::subscriber::Interest;
use tracing_subscriber::layer::{Context, Filter};

use super::RequestContext;

/// Lets spans through while a sampled request is current. Events it never wants, so that those which the log does not
/// want either cost a look at their call site.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampledOnly;

impl<S> Filter<S> for SampledOnly {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.is_span() && RequestContext::current().sampled
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() { Interest::sometimes() } else { Interest::never() }
    }
}
