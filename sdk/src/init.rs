//! `init` and `build`. Only `init` touches globals.

use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer as SubscriberLayer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;

use crate::adhoc::AdHocRecorder;
use crate::admin::Admin;
use crate::bounds::Bounds;
use crate::core::{Core, CoreConfig, Identity};
use crate::declared;
use crate::env::{self, Settings};
use crate::error::InitError;
use crate::log;
use crate::selfcheck;
use crate::service::Service;
use crate::telemetry::Telemetry;
use crate::trace::{ExportConfig, Exporter, QueueProcessor, SampledOnly, Tracer};

/// Whether `init` has succeeded in installing its globals.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Everything that `init` installs, for a service that owns its subscriber or recorder.
#[derive(Debug)]
pub struct Parts {
    /// The handle.
    pub telemetry: Telemetry,
    /// A `metrics` recorder.
    pub recorder: AdHocRecorder,
    spans: SdkTracerProvider,
    settings: Settings,
}

impl Parts {
    /// The subscriber layer that makes `tracing` spans of sampled requests children of the request's span.
    pub fn span_layer<S>(&self) -> impl SubscriberLayer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.spans.tracer("tracing");
        tracing_opentelemetry::layer().with_tracer(tracer).with_filter(SampledOnly)
    }

    fn lines(&self) -> log::Lines {
        log::Lines { json: self.settings.log_json, core: self.telemetry.core() }
    }

    /// The subscriber layer that prints logs with the ids of their request.
    pub fn log_layer<S>(&self) -> impl SubscriberLayer<S> + use<S>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        self.lines().with_filter(log::EventsOnly::new(&self.settings.log))
    }
}

/// Builds everything and installs the globals: the `tracing` subscriber and the `metrics` recorder.
///
/// Reads the variables of [`mod@env`]. Call it once, first thing in `main`, inside a Tokio runtime or outside of one.
///
/// # Errors
///
/// Everything that is wrong in the environment at once; an admin address that cannot be bound; a subscriber or recorder
/// that is already installed, for which [`build`] is meant. Nothing is served and no span is sent after an error.
pub fn init(service: Service) -> Result<Telemetry, InitError> {
    // A second call must hear that it is one, not that the admin port of the first is taken.
    if INSTALLED.load(Ordering::Acquire) {
        return Err(InitError::AlreadyInstalled("kilter"));
    }
    let (parts, listener) = prepare(service)?;
    let gate = log::Gate::new(&parts.settings.log);
    let subscriber = tracing_subscriber::registry().with(parts.span_layer()).with(parts.lines()).with(gate);
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|_| InitError::AlreadyInstalled("a tracing subscriber"))?;
    metrics::set_global_recorder(parts.recorder).map_err(|_| InitError::AlreadyInstalled("a metrics recorder"))?;
    INSTALLED.store(true, Ordering::Release);
    // For middleware of others that carries OpenTelemetry's context; one that is there already stays.
    if selfcheck::propagator_missing() {
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    }
    for (name, meant) in env::misspelt(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
        tracing::warn!(name, meant, "a variable of the environment counts for nothing; is another one meant?");
    }
    if let Some(lock) = selfcheck::lock_of_cargo() {
        selfcheck::duplicates(&lock).iter().for_each(|it| tracing::warn!("{it}"));
    }
    // The threads last, so that what they log is seen.
    start(&parts, listener)?;
    Ok(parts.telemetry)
}

/// Builds the parts and starts the admin server and the export of spans, without touching a global.
///
/// # Errors
///
/// Everything that is wrong in the environment at once, or an admin address that cannot be bound.
pub fn build(service: Service) -> Result<Parts, InitError> {
    let (parts, listener) = prepare(service)?;
    start(&parts, listener)?;
    Ok(parts)
}

/// Everything that can be wrong, found before anything runs.
fn prepare(service: Service) -> Result<(Parts, TcpListener), InitError> {
    let settings = env::read(&|name| std::env::var(name).ok());
    let (bounds, mut wrong) = declared::read(&service);
    let settings = match settings {
        Ok(settings) if wrong.is_empty() => settings,
        Ok(_) => return Err(InitError::Configuration(wrong)),
        Err(more) => {
            wrong.extend(more);
            return Err(InitError::Configuration(wrong));
        }
    };
    let core = Core::leak(config(&service, bounds, &settings));
    let (admin, listener) = Admin::bind(settings.admin)?;
    let parts = Parts {
        telemetry: Telemetry::new(core, admin, &settings),
        recorder: AdHocRecorder::new(core),
        spans: provider(core),
        settings,
    };
    Ok((parts, listener))
}

/// Starts the threads.
fn start(parts: &Parts, listener: TcpListener) -> Result<(), InitError> {
    let (core, settings) = (parts.telemetry.core(), &parts.settings);
    let exporter = match &settings.endpoint {
        None => None,
        Some((protocol, endpoint)) => {
            let config = ExportConfig {
                protocol: *protocol,
                endpoint: endpoint.clone(),
                headers: settings.headers.clone(),
                timeout: settings.export_timeout,
                gzip: settings.gzip,
                resource: resource(core, settings),
            };
            Some(Exporter::start(core, config).map_err(InitError::Thread)?)
        }
    };
    let scope = InstrumentationScope::builder("kilter").with_version(env!("CARGO_PKG_VERSION")).build();
    let tracer = Tracer { sampler: settings.sampler, trust: settings.trust.clone(), exporter, scope };
    core.tracer.set(tracer).map_err(|_| InitError::AlreadyInstalled("a tracer"))?;
    parts.telemetry.watch_process();
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        parts.telemetry.watch(&runtime);
    }
    parts.telemetry.admin().start(core, listener)
}

/// The provider of the service's own `tracing` spans: the request decides about sampling, our queue takes the spans.
pub(crate) fn provider(core: &'static Core) -> SdkTracerProvider {
    use opentelemetry_sdk::trace::Sampler;
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOff)))
        .with_span_processor(QueueProcessor(core))
        .build()
}

fn config(service: &Service, bounds: Bounds, settings: &Settings) -> CoreConfig {
    let attribute = |key: &str| settings.attributes.get(key).cloned();
    let instance = || format!("{}-{:016x}", std::process::id(), fresh_id());
    CoreConfig {
        identity: Identity {
            service: settings.service_name.clone().unwrap_or_else(|| service.name.to_owned()),
            version: attribute("service.version").unwrap_or_else(|| service.version.to_owned()),
            instance: attribute("service.instance.id").unwrap_or_else(instance),
            environment: attribute("deployment.environment.name").unwrap_or_default(),
        },
        routes: service.routes,
        error_kinds: service.error_kinds,
        signals: service.signals,
        bounds,
        scrape_interval: settings.scrape_interval,
        all_readers_scrape: settings.all_readers_scrape,
        created: settings.created,
        timeout_status: service.timeout_status,
    }
}

fn resource(core: &Core, settings: &Settings) -> Resource {
    use opentelemetry::KeyValue;
    let it = &core.config.identity;
    let own = [
        ("service.name", it.service.clone()),
        ("service.version", it.version.clone()),
        ("service.instance.id", it.instance.clone()),
    ];
    let given = settings.attributes.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let own = own.into_iter().map(|(key, value)| KeyValue::new(key, value));
    Resource::builder_empty().with_attributes(given.chain(own)).build()
}

/// Sixty-four bits that tell this process from the last one with its id.
fn fresh_id() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(std::process::id())
}
