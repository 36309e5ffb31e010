//! Traces. The context of a request is a value that its future carries, not a `tracing` span: unsampled requests cost
//! ids in logs and nothing else.

mod client_span;
mod context;
mod export;
mod filter;
mod queue;
mod sample;
mod span;
pub(crate) mod traceparent;
mod tracer;
mod work;

pub(crate) use client_span::{CallSpan, Target, innermost, outgoing, sampled_child};
pub(crate) use context::{Entered, current_core, enter, tag};
pub use context::{RequestContext, WithRequestContext, spawn};
pub(crate) use export::{ExportConfig, Protocol};
pub(crate) use filter::SampledOnly;
pub use queue::Flushed;
pub(crate) use queue::{Exporter, QueueProcessor};
pub(crate) use sample::Sampler;
pub(crate) use span::{RequestEnd, SpanFacts, span_name};
pub(crate) use tracer::{Tracer, Trust};
pub(crate) use work::Work;
