//! The stacks side by side: each puts its layer on the router by the lines that its documentation shows, and installs
//! its globals. One process holds one stack.

use std::sync::{Arc, Mutex};

use anyhow::{Context, bail};
use axum::Router;
use axum::http::Method;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_instrumentation_tower::http::server::LayerBuilder;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::noop::Noop;
use crate::service::Handlers;

/// What lies around the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stack {
    /// Nothing.
    Bare,
    /// A layer that does nothing.
    Noop,
    /// Kilter's layer of a test instance, which has no tracer: metrics alone.
    KilterMetrics,
    /// `kilter::init` and the layer, as a service has it: metrics, traces, logs.
    Kilter,
    /// axum-prometheus, its default pair.
    AxumPrometheus,
    /// axum-otel-metrics.
    AxumOtelMetrics,
    /// tower-otel without its spans.
    TowerOtelMetrics,
    /// tower-otel: metrics, spans through tracing-opentelemetry, and JSON logs that leave out the request's span.
    TowerOtel,
    /// autometrics: no layer, but an attribute on each handler.
    Autometrics,
    /// opentelemetry-instrumentation-tower without its spans.
    OtelTowerMetrics,
    /// opentelemetry-instrumentation-tower as it comes.
    OtelTower,
    /// axum-tracing-opentelemetry, tracing-opentelemetry and JSON logs, the logs told to leave out the request's span:
    /// the cheapest way to have both.
    AxumTracing,
    /// The same with one filter for both, as init-tracing-opentelemetry sets it up.
    AxumTracingInLogs,
    /// The same with axum-prometheus: metrics, traces and logs, as Kilter has.
    AxumTracingAndPrometheus,
}

impl Stack {
    /// Every stack, by the name that child processes are given.
    pub(crate) const ALL: [(Self, &'static str); 14] = [
        (Self::Bare, "bare"),
        (Self::Noop, "noop"),
        (Self::KilterMetrics, "kilter-metrics"),
        (Self::Kilter, "kilter"),
        (Self::AxumPrometheus, "axum-prometheus"),
        (Self::AxumOtelMetrics, "axum-otel-metrics"),
        (Self::TowerOtelMetrics, "tower-otel-metrics"),
        (Self::TowerOtel, "tower-otel"),
        (Self::Autometrics, "autometrics"),
        (Self::OtelTowerMetrics, "otel-tower-metrics"),
        (Self::OtelTower, "otel-tower"),
        (Self::AxumTracing, "axum-tracing"),
        (Self::AxumTracingInLogs, "axum-tracing-in-logs"),
        (Self::AxumTracingAndPrometheus, "axum-tracing-and-prometheus"),
    ];

    /// The stack of a name.
    pub(crate) fn named(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.iter().find(|(_, it)| *it == name);
        found.map(|(stack, _)| *stack).with_context(|| format!("no stack {name}"))
    }

    /// The service that it measures: autometrics sits in the handlers.
    pub(crate) fn handlers(self, spans: bool) -> Handlers {
        match self {
            Self::Autometrics => Handlers::Autometrics,
            _ if spans => Handlers::Spans,
            _ => Handlers::Plain,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(it, _)| *it == self).map_or("", |(_, name)| *name)
    }
}

/// A stack whose globals are installed.
pub(crate) struct Running {
    /// Puts it around a router.
    pub(crate) around: Around,
    /// Kilter's handle, where there is one.
    pub(crate) telemetry: Option<kilter::Telemetry>,
    /// The metrics page, as Prometheus would read it.
    pub(crate) page: PageOf,
    /// What a peer's spans said when they ended; Kilter's go to a collector.
    pub(crate) spans: Spans,
    /// The peer's provider of spans, which must live as long as the service.
    pub(crate) provider: Option<SdkTracerProvider>,
}

/// Puts a stack around a router.
type Around = Box<dyn FnOnce(Router) -> Router>;

/// Reads a metrics page.
type PageOf = Box<dyn Fn() -> anyhow::Result<String> + Send>;

/// Installs the globals of `stack`. `templates` are the routes that Kilter's service declares.
pub(crate) fn install(stack: Stack, sampled: bool, templates: &[String]) -> anyhow::Result<Running> {
    let mut running = Running {
        around: Box::new(|app| app),
        telemetry: None,
        page: Box::new(|| Ok(String::new())),
        spans: Spans::default(),
        provider: None,
    };
    match stack {
        Stack::Bare => json_logs()?,
        Stack::Noop => {
            json_logs()?;
            running.around = Box::new(|app| app.layer(Noop));
        }
        Stack::KilterMetrics => {
            json_logs()?;
            let telemetry = kilter::testing::TestTelemetry::new(kilter::service!().routes(declared(templates)));
            let layer = telemetry.http_server();
            running.around = Box::new(move |app| app.layer(layer));
            running.page = Box::new(move || Ok(telemetry.page()));
        }
        Stack::Kilter => {
            let telemetry = kilter::init(kilter::service!().routes(declared(templates)))?;
            let layer = telemetry.http_server();
            running.around = Box::new(move |app| app.layer(layer));
            let admin = telemetry.admin_addr();
            running.page = Box::new(move || crate::client::get(admin, "/metrics"));
            running.telemetry = Some(telemetry);
        }
        Stack::AxumPrometheus => {
            json_logs()?;
            with_axum_prometheus(&mut running);
        }
        Stack::AxumOtelMetrics => {
            json_logs()?;
            let registry = prometheus::Registry::new();
            let reader = opentelemetry_prometheus_0_32::exporter().with_registry(registry.clone()).build()?;
            let provider = opentelemetry_sdk_0_32::metrics::SdkMeterProvider::builder().with_reader(reader).build();
            opentelemetry_0_32::global::set_meter_provider(provider);
            running.around = Box::new(|app| app.layer(axum_otel_metrics::HttpMetricsLayerBuilder::new().build()));
            running.page = page_of(registry);
        }
        Stack::TowerOtelMetrics => {
            json_logs()?;
            running.page = page_of(metrics_of_opentelemetry()?);
            let metrics = tower_otel::metrics::HttpLayer::server(&opentelemetry::global::meter("bench"));
            running.around = Box::new(move |app| app.layer(metrics));
        }
        Stack::TowerOtel => {
            running.page = page_of(metrics_of_opentelemetry()?);
            opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
            let provider = tracer_provider(sampled, &running.spans);
            let logged = filter_fn(|it| !it.target().starts_with("tower_otel"));
            tracing_subscriber::registry()
                .with(EnvFilter::new("info"))
                .with(tracing_subscriber::fmt::layer().json().with_filter(logged))
                .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("bench")))
                .try_init()?;
            running.provider = Some(provider);
            let metrics = tower_otel::metrics::HttpLayer::server(&opentelemetry::global::meter("bench"));
            let spans = tower_otel::trace::HttpLayer::server(tracing::Level::INFO);
            running.around = Box::new(move |app| app.layer(spans).layer(metrics));
        }
        Stack::Autometrics => {
            json_logs()?;
            let registry = prometheus::Registry::new();
            autometrics::settings::AutometricsSettings::builder().prometheus_registry(registry.clone()).init();
            running.page = page_of(registry);
        }
        Stack::OtelTowerMetrics | Stack::OtelTower => {
            json_logs()?;
            running.page = page_of(metrics_of_opentelemetry()?);
            let traces = stack == Stack::OtelTower;
            if traces {
                let provider = tracer_provider(sampled, &running.spans);
                opentelemetry::global::set_tracer_provider(provider.clone());
                running.provider = Some(provider);
                opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
            }
            let layer = LayerBuilder::builder().with_tracing(traces).build()?;
            running.around = Box::new(move |app| app.layer(layer));
        }
        Stack::AxumTracing | Stack::AxumTracingInLogs | Stack::AxumTracingAndPrometheus => {
            use axum_tracing_opentelemetry::middleware::{OtelAxumLayer, OtelInResponseLayer};
            let provider = tracer_provider(sampled, &running.spans);
            let in_logs = stack == Stack::AxumTracingInLogs;
            let logged = filter_fn(move |it| in_logs || it.target() != "otel::tracing");
            opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
            tracing_subscriber::registry()
                .with(EnvFilter::new("info,otel::tracing=trace"))
                .with(tracing_subscriber::fmt::layer().json().with_filter(logged))
                .with(tracing_opentelemetry::layer().with_tracer(provider.tracer("bench")))
                .try_init()?;
            opentelemetry::global::set_tracer_provider(provider.clone());
            running.provider = Some(provider);
            running.around = Box::new(|app| app.layer(OtelInResponseLayer).layer(OtelAxumLayer::default()));
            if stack == Stack::AxumTracingAndPrometheus {
                with_axum_prometheus(&mut running);
            }
        }
    }
    Ok(running)
}

/// A meter provider that Prometheus can read.
fn metrics_of_opentelemetry() -> anyhow::Result<prometheus::Registry> {
    let registry = prometheus::Registry::new();
    let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    opentelemetry::global::set_meter_provider(SdkMeterProvider::builder().with_reader(reader).build());
    Ok(registry)
}

fn page_of(registry: prometheus::Registry) -> PageOf {
    Box::new(move || Ok(prometheus::TextEncoder::new().encode_to_string(&registry.gather())?))
}

fn with_axum_prometheus(running: &mut Running) {
    let (layer, handle) = axum_prometheus::PrometheusMetricLayer::pair();
    let within = std::mem::replace(&mut running.around, Box::new(|app| app));
    running.around = Box::new(move |app| within(app).layer(layer));
    running.page = Box::new(move || Ok(handle.render()));
}

/// The logger of stacks that bring none.
fn json_logs() -> anyhow::Result<()> {
    let json = tracing_subscriber::fmt::layer().json();
    Ok(tracing_subscriber::registry().with(EnvFilter::new("info")).with(json).try_init()?)
}

/// A service knows its routes when it is compiled; here their number is an argument.
fn declared(templates: &[String]) -> &'static [kilter::Route] {
    let route = |it: &String| kilter::Route::new(it.clone().leak(), &[Method::GET]);
    templates.iter().map(route).collect::<Vec<_>>().leak()
}

fn tracer_provider(sampled: bool, spans: &Spans) -> SdkTracerProvider {
    let root = if sampled { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(root)))
        .with_batch_exporter(spans.clone())
        .build()
}

/// An exporter that sends nothing: it remembers how many spans of which status it was given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<std::collections::BTreeMap<String, usize>>>);

impl Spans {
    /// Number of spans by what they say of their end.
    pub(crate) fn ended(&self) -> std::collections::BTreeMap<String, usize> {
        self.0.lock().map(|it| it.clone()).unwrap_or_default()
    }
}

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let Ok(mut ended) = self.0.lock() else { return Ok(()) };
        for span in batch {
            let code = span.attributes.iter().find(|it| it.key.as_str() == "http.response.status_code");
            let mut said = code.map_or_else(|| "no status".to_owned(), |it| it.value.to_string());
            if matches!(span.status, opentelemetry::trace::Status::Error { .. }) {
                said.push_str(", error");
            }
            *ended.entry(said).or_default() += 1;
        }
        Ok(())
    }
}

/// `true` and `false` as the command line of a child has them.
pub(crate) fn flag(text: &str) -> anyhow::Result<bool> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => bail!("`{other}` is neither true nor false"),
    }
}
