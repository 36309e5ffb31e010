//! The page's data: what an estate promises as a whole, then each service and each of its SLOs.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::Serialize;

use super::detection::{self, Fault};
use super::slo::{self, Parts, SloView};
use crate::model::{Estate, Service, Severity};
use crate::numbers::{counted, grouped};
use crate::plan::context::Context;
use crate::plan::{Plan, ServicePlan};
use crate::replay::Rules;

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Page {
    /// Which command made it, from what.
    pub banner: String,
    /// Its title.
    pub title: String,
    /// Every window is divided by this, when time is scaled.
    pub time_scale: Option<u64>,
    /// When a Prometheus was asked; `None` when none was.
    pub asked: Option<Asked>,
    /// The estate in numbers.
    pub figures: Vec<Number>,
    /// What needs somebody, most urgent first.
    pub urgent: Vec<Urgent>,
    /// What must be said before anything else.
    pub notes: Vec<String>,
    /// Services, by name.
    pub services: Vec<ServiceView>,
}

/// The Prometheus that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its address, without credentials.
    pub address: String,
    /// When, in UTC.
    pub at: String,
}

/// A number with its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Number {
    /// The number.
    pub value: String,
    /// What it counts.
    pub name: String,
}

/// An SLO that needs somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Urgent {
    /// Its anchor.
    pub id: String,
    /// Its service and name.
    pub name: String,
    /// Why.
    pub why: String,
    /// Which sign goes with it.
    pub sign: String,
    /// Its class in the style.
    pub class: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServiceView {
    /// Its name, which is its anchor too.
    pub name: String,
    /// Who owns it.
    pub team: String,
    /// Its SLO file.
    pub source: String,
    /// Receiver of pages.
    pub page: String,
    /// Receiver of tickets.
    pub ticket: String,
    /// Whether `teams` has its team.
    pub routed: bool,
    /// Services that it cannot work without: names, and whether they are on the page.
    pub needs: Vec<Needed>,
    /// Its SLOs, in the order of the file.
    pub slos: Vec<SloView>,
}

/// A dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needed {
    /// Its name.
    pub name: String,
    /// Whether it is on the page.
    pub here: bool,
}

/// What the page is made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Its plan, with routes and runbooks.
    pub plan: &'a Plan,
    /// Services that are shown.
    pub services: &'a BTreeSet<&'a str>,
    /// The way from the page to the folder of the generated files: empty, or with a slash at its end.
    pub root: &'a str,
}

/// The page without what a Prometheus says.
pub fn page(input: &Input<'_>) -> Page {
    let Input { estate, plan, services, .. } = *input;
    let mut shown: Vec<(&Service, &ServicePlan)> =
        estate.services.iter().zip(&plan.services).filter(|(it, _)| services.contains(it.name.as_str())).collect();
    shown.sort_by_key(|(it, _)| &it.name);
    let asked: Vec<(Rules, Vec<Fault>)> = shown
        .iter()
        .flat_map(|(service, planned)| {
            let rules = detection::rules(estate, service, planned.layout);
            rules.into_iter().zip(service.slos.iter().map(detection::faults)).collect::<Vec<_>>()
        })
        .collect();
    let mut detections = detection::all(estate, &asked).into_iter().zip(&asked);
    let parts: Vec<_> = shown
        .iter()
        .map(|(service, planned)| {
            let detections: Vec<_> = service.slos.iter().filter_map(|_| detections.next()).collect();
            (*service, *planned, detections)
        })
        .collect();
    let ids = shown.iter().flat_map(|(it, _)| it.slos.iter().map(|slo| slo::id(it.name.as_str(), slo.name.as_str())));
    let here: BTreeSet<String> = ids.collect();
    let services = parts
        .par_iter()
        .map(|(service, planned, detections)| {
            let mut context = Context::new(estate, service);
            context.divide(planned.layout);
            let slos = service.slos.iter().zip(detections).map(|(slo, (detection, (rules, _)))| {
                let runbook = planned.runbooks.iter().find(|it| it.slo == slo.name);
                slo::view(&Parts {
                    estate,
                    plan,
                    context: &context,
                    slo,
                    runbook,
                    rules,
                    detection,
                    root: input.root,
                    here: &here,
                })
            });
            view(input, service, slos.collect())
        })
        .collect();
    whole(input, services)
}

fn view(input: &Input<'_>, service: &Service, slos: Vec<SloView>) -> ServiceView {
    let (page, ticket) = slo::receivers(input.estate, service);
    let needs = service
        .depends_on
        .iter()
        .map(|it| Needed { name: it.service.to_string(), here: input.services.contains(it.service.as_str()) });
    ServiceView {
        name: service.name.to_string(),
        team: service.team.to_string(),
        source: service.source.clone(),
        page,
        ticket,
        routed: input.estate.teams.contains_key(&service.team),
        needs: needs.collect(),
        slos,
    }
}

fn whole(input: &Input<'_>, services: Vec<ServiceView>) -> Page {
    let estate = input.estate;
    let slos = || services.iter().flat_map(|it| &it.slos);
    let pages = |it: &&SloView| it.pairs.iter().any(|it| it.severity == Severity::Page.as_str());
    let number = |value: usize, one: &str, many: &str| Number {
        value: grouped(value as u128),
        name: if value == 1 { one.to_owned() } else { many.to_owned() },
    };
    let teams: BTreeSet<&str> = services.iter().map(|it| it.team.as_str()).collect();
    let figures = vec![
        number(services.len(), "service", "services"),
        number(slos().count(), "SLO", "SLOs"),
        number(slos().filter(pages).count(), "SLO that pages", "SLOs that page"),
        number(teams.len(), "team", "teams"),
    ];
    let unrouted: Vec<&str> = services.iter().filter(|it| !it.routed).map(|it| it.name.as_str()).collect();
    let mut notes = Vec::new();
    if !unrouted.is_empty() {
        notes.push(format!(
            "No team of kilter.yaml receives the alerts of {}: they go to the default receiver {}.",
            unrouted.join(", "),
            estate.alertmanager.default
        ));
    }
    let title = match services.as_slice() {
        [only] => format!("SLOs of {}", only.name),
        all => format!("SLOs of {}", counted(all.len(), "service")),
    };
    let scale = estate.time_scale;
    Page {
        banner: format!("Generated by kilter {} from {}: kilter report", env!("CARGO_PKG_VERSION"), estate.source),
        title,
        time_scale: (!scale.is_real()).then(|| scale.divisor()),
        asked: None,
        figures,
        urgent: Vec::new(),
        notes,
        services,
    }
}
