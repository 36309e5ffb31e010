//! Alerts on causes, one rule each for a service, without a line of YAML: resources (USE), breakers, replicas, restarts,
//! telemetry.
//!
//! They are silent while a service exposes no such family, because nothing is compared with nothing. Exceptions of the
//! SLO file are further branches of the same rule, so that the number of rules never grows.

mod resilience;
mod settings;
mod usage;

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::Rule;
use super::context::Context;
use super::maintenance::unless_maintained;
use super::windows::Severity;
use super::words::{Words, annotations, link_annotations};
use super::{alerting, expr};
use crate::model::Duration;
use crate::render::engine::{TemplateError, Templates};

pub(super) use resilience::telemetry;
pub use settings::{Settings, settings};

/// An alert on a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Its name.
    pub alert: &'static str,
    /// Its templates.
    pub template: &'static str,
    /// Labels of its series that say what is in trouble, with the words between them.
    pub subject: &'static [(&'static str, &'static str)],
    /// How its value is printed, as a pipeline of Prometheus' templates.
    pub format: &'static str,
    /// PromQL.
    pub expr: String,
    /// How long it must hold.
    pub hold: Duration,
    /// How long it stays.
    pub keep: Option<Duration>,
}

/// The label of a resource's type.
pub const TYPE: &str = kilter_contract::resource::TYPE.key;
/// The label of a resource's name.
pub const NAME: &str = kilter_contract::resource::NAME.key;
/// The type that database pools have in alerts.
pub const DB_POOL: &str = "db_pool";
/// The process itself, among file descriptors.
pub const PROCESS: (&str, &str) = ("file_descriptors", "process");
/// The runtime's workers, among thread pools.
pub const TOKIO: (&str, &str) = ("thread_pool", "tokio");

const RESOURCE: &[(&str, &str)] = &[("", TYPE), (" ", NAME)];
const COUNT: &str = r#"printf "%.0f""#;

/// Every cause of a service, in the order of the runbook.
pub fn causes(context: &Context<'_>) -> Vec<Cause> {
    let settings = settings().scaled(context.estate.time_scale);
    let cause = |alert, template, subject, format, expr, hold| Cause {
        alert,
        template,
        subject,
        format,
        expr,
        hold,
        keep: None,
    };
    let none = Duration::ZERO;
    vec![
        cause(slo::RESOURCE_SATURATED, "saturated", RESOURCE, COUNT, usage::saturated(context, &settings), none),
        cause(
            slo::RESOURCE_NEAR_LIMIT,
            "near_limit",
            RESOURCE,
            "humanizePercentage",
            usage::near_limit(context, &settings),
            settings.near_limit_hold,
        ),
        cause(slo::RESOURCE_ERRORS, "erroring", RESOURCE, COUNT, usage::erroring(context), settings.erroring_hold),
        cause(
            slo::RESOURCE_FILLING,
            "filling",
            RESOURCE,
            "humanizePercentage",
            usage::filling(context, &settings),
            settings.filling_hold,
        ),
        cause(
            slo::CIRCUIT_BREAKER_OPEN,
            "breaker",
            &[("", "dependency")],
            "humanizePercentage",
            resilience::breaker_open(context, &settings),
            settings.breaker_hold,
        ),
        cause(
            slo::REPLICA_LAGGING,
            "lag",
            &[("", "replica"), (" of ", "db_namespace")],
            "humanizeDuration",
            resilience::lagging(context, &settings),
            settings.lag_hold,
        ),
        Cause {
            keep: Some(settings.restarts_keep_firing),
            ..cause(slo::PROCESS_RESTARTING, "restarts", &[], COUNT, resilience::restarting(context, &settings), none)
        },
        cause(
            slo::TELEMETRY_DEGRADED,
            "telemetry",
            &[("", "problem")],
            COUNT,
            resilience::telemetry(context, &settings),
            settings.telemetry_hold,
        ),
    ]
}

/// Their rules.
pub fn rules(context: &Context<'_>, templates: &Templates) -> Result<Vec<Rule>, TemplateError> {
    causes(context).into_iter().map(|cause| rule(context, cause, templates)).collect()
}

fn rule(context: &Context<'_>, cause: Cause, templates: &Templates) -> Result<Rule, TemplateError> {
    let words = Words {
        subject: cause.subject.iter().map(|(before, label)| format!("{before}{{{{ $labels.{label} }}}}")).collect(),
        value: format!("{{{{ $value | {} }}}}", cause.format),
        ..Words::of_service(context)
    };
    Ok(Rule::Alerting {
        alert: cause.alert.to_owned(),
        expr: unless_maintained(context, cause.expr),
        hold: (cause.hold > Duration::ZERO).then_some(cause.hold),
        keep_firing_for: cause.keep,
        labels: labels(context),
        annotations: annotations(templates, cause.template, &words, links(context, cause.alert))?,
    })
}

/// Labels of every one of them, beside those of its series.
pub fn labels(context: &Context<'_>) -> BTreeMap<String, String> {
    let mut labels = context.service_labels();
    labels.extend(alerting::static_labels(context, &context.service.extra, Severity::Ticket));
    labels
}

/// They have no SLO of their own: the runbook of the first one tells about them all.
pub fn links(context: &Context<'_>, alert: &str) -> BTreeMap<String, String> {
    let first = context.service.slos.first().map(|it| it.name.to_string()).unwrap_or_default();
    let mut all = context.service.extra.annotations.clone();
    all.extend(link_annotations(context, &first, "6h", &alerting::section(alert, Severity::Ticket)));
    all
}

/// A family's series of this service, narrowed by more matchers.
fn own(context: &Context<'_>, series: &str, more: &[String]) -> String {
    let mut matchers = context.raw_matchers();
    matchers.extend_from_slice(more);
    expr::select(series, &matchers)
}

fn joined(branches: &[String]) -> String {
    branches.join("\nor\n")
}
