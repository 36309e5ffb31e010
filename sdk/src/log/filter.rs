//! What is logged, by the directives of `KILTER_LOG`; and which spans are made at all.

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::trace::RequestContext;

/// The directives, and whether one of them names spans: `[span]=debug` lets through what happens inside of one.
struct Directives {
    filter: EnvFilter,
    spans: bool,
}

impl Directives {
    fn read(text: &str) -> Self {
        Self { filter: text.parse().unwrap_or_default(), spans: text.contains('[') }
    }

    /// Whether the directives have to see what has this metadata.
    fn concern(&self, metadata: &Metadata<'_>) -> bool {
        self.spans || metadata.is_event()
    }
}

/// Filter of the log layer among layers of others.
pub(crate) struct EventsOnly(Directives);

impl EventsOnly {
    pub(crate) fn new(directives: &str) -> Self {
        Self(Directives::read(directives))
    }
}

impl<S> Filter<S> for EventsOnly
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.0.concern(metadata) && Filter::enabled(&self.0.filter, metadata, context)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.concern(metadata) {
            Filter::<S>::callsite_enabled(&self.0.filter, metadata)
        } else {
            Interest::never()
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        Filter::event_enabled(&self.0.filter, event, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Filter::<S>::max_level_hint(&self.0.filter)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        Filter::on_new_span(&self.0.filter, attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        Filter::on_record(&self.0.filter, id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_enter(&self.0.filter, id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        Filter::on_exit(&self.0.filter, id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        Filter::on_close(&self.0.filter, id, context);
    }
}

/// The filter of the whole subscriber that [`init`](crate::init) installs: events by the directives, spans of sampled
/// requests.
///
/// Filters of single layers cannot say together that nobody wants a span: the registry would make it all the same.
/// What this layer refuses is never made, so a span of an unsampled request costs a look at a thread-local.
pub(crate) struct Gate(Directives);

impl Gate {
    pub(crate) fn new(directives: &str) -> Self {
        Self(Directives::read(directives))
    }
}

impl<S> Layer<S> for Gate
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The directives hear of every call site that they have to see.
        let interest = || Layer::<S>::register_callsite(&self.0.filter, metadata);
        match (metadata.is_event(), self.0.spans) {
            (true, _) => interest(),
            (false, true) => {
                interest();
                Interest::sometimes()
            }
            (false, false) => Interest::sometimes(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        let sampled = !metadata.is_event() && RequestContext::current().sampled;
        sampled || (self.0.concern(metadata) && Layer::enabled(&self.0.filter, metadata, context))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if self.0.spans {
            Layer::on_new_span(&self.0.filter, attributes, id, context);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if self.0.spans {
            Layer::on_record(&self.0.filter, id, values, context);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if self.0.spans {
            Layer::on_enter(&self.0.filter, id, context);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if self.0.spans {
            Layer::on_exit(&self.0.filter, id, context);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if self.0.spans {
            Layer::on_close(&self.0.filter, id, context);
        }
    }
}
