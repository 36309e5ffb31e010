//! Every decision: typed rules, their tests, routes, dashboards and runbooks. Pure; cannot fail.

pub mod alerting;
pub mod backfill;
pub mod class;
pub mod compat;
pub mod context;
pub mod dashboard;
pub mod escalation;
pub mod estate;
pub mod expr;
pub mod groups;
pub mod links;
pub mod maintenance;
pub mod raw;
pub mod recording;
pub mod resources;
pub mod routing;
pub mod rule_test;
pub mod runbook;
pub mod sli;
pub mod windows;
pub mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::model::{Duration, Estate, Name, Service};
use crate::render::Kind;
use crate::render::engine::{TemplateError, Templates};
use backfill::Backfill;
use context::{Context, Layout};
use dashboard::model::Dashboard;
use routing::Routing;
use rule_test::TestFile;
use runbook::Runbook;

/// Everything that will be written, as values.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Per service.
    pub services: Vec<ServicePlan>,
    /// Rules of the whole estate: dead-man's switch and rule health.
    pub estate_rules: RuleFile,
    /// The promtool tests that prove them.
    pub estate_tests: TestFile,
    /// Who is told.
    pub routing: Routing,
    /// The dashboard of the whole estate; `None` when nobody asks for dashboards.
    pub overview: Option<Dashboard>,
}

/// Plans everything for an estate. `Err` is a template that failed.
pub fn plan(estate: &Estate, templates: &Templates) -> Result<Plan, TemplateError> {
    plan_only(estate, templates, &[])
}

/// The same, without what belongs only to outputs that nobody asks for; all are asked for when none is named.
pub fn plan_only(estate: &Estate, templates: &Templates, only: &[Kind]) -> Result<Plan, TemplateError> {
    let services: Vec<Result<_, _>> =
        estate.services.par_iter().map(|service| plan_service(estate, service, templates, only)).collect();
    let estate_rules = estate::rules(estate, &estate.source, templates)?;
    let mut plan = Plan {
        services: services.into_iter().collect::<Result<_, _>>()?,
        estate_tests: rule_test::estate_tests(estate, &estate_rules.groups),
        estate_rules,
        routing: Routing::default(),
        overview: wanted(only, Kind::Dashboards).then(|| dashboard::overview::overview(estate)).flatten(),
    };
    plan.routing = routing::routing(estate, &plan, wanted(only, Kind::Alertmanager));
    Ok(plan)
}

fn wanted(only: &[Kind], kind: Kind) -> bool {
    only.is_empty() || only.contains(&kind)
}

fn plan_service(
    estate: &Estate,
    service: &Service,
    templates: &Templates,
    only: &[Kind],
) -> Result<ServicePlan, TemplateError> {
    let wanted = |kind| wanted(only, kind);
    let mut context = Context::new(estate, service);
    let rules = groups::service_rules(&mut context, templates)?;
    let tests = if wanted(Kind::Tests) { rule_test::tests(&context, &rules.groups, templates)? } else { Vec::new() };
    let dashboard = wanted(Kind::Dashboards).then(|| dashboard::dashboard(&context));
    let runbooks = if wanted(Kind::Runbooks) { runbook::runbooks(&context, templates)? } else { Vec::new() };
    // Nobody keeps these: they are run once.
    let backfill = only.contains(&Kind::Backfill).then(|| backfill::backfill(&Context::new(estate, service)));
    let (service, layout) = (service.name.clone(), context.layout);
    Ok(ServicePlan { service, layout, rules, tests, dashboard, runbooks, backfill })
}

/// What one service gets.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePlan {
    /// The service.
    pub service: Name,
    /// How its rules are divided into groups.
    pub layout: Layout,
    /// Its rules.
    pub rules: RuleFile,
    /// The promtool tests that prove them; none when nobody asks for tests.
    pub tests: Vec<TestFile>,
    /// Its dashboard; `None` when nobody asks for dashboards.
    pub dashboard: Option<Dashboard>,
    /// A runbook per SLO; none when nobody asks for runbooks.
    pub runbooks: Vec<Runbook>,
    /// Rules that fill its history; only when somebody asks for them.
    pub backfill: Option<Backfill>,
}

/// One Prometheus rule file: always one YAML document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFile {
    /// What the banner names as the source.
    pub source: String,
    /// Groups in evaluation order.
    pub groups: Vec<RuleGroup>,
}

/// Rules that are evaluated in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleGroup {
    /// Unique within the estate: `slo-<service>-...`.
    pub name: String,
    /// Evaluation interval, already scaled.
    pub interval: Duration,
    /// The rules, each after those that it reads.
    pub rules: Vec<Rule>,
}

/// A recording or an alerting rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Records a series.
    Recording {
        /// Name of the series.
        record: String,
        /// PromQL.
        expr: String,
        /// Static labels; the rules of one SLO share them.
        labels: Arc<BTreeMap<String, String>>,
    },
    /// Raises an alert.
    Alerting {
        /// Name of the alert.
        alert: String,
        /// PromQL.
        expr: String,
        /// How long it must hold.
        hold: Option<Duration>,
        /// How long it stays after it stopped holding.
        keep_firing_for: Option<Duration>,
        /// Static labels, severity and team among them.
        labels: BTreeMap<String, String>,
        /// Go-template texts, already rendered from our Handlebars templates.
        annotations: BTreeMap<String, String>,
    },
}
