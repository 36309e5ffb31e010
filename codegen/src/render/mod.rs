//! Values become text, in memory. Nothing is decided here.

pub mod alertmanager;
pub mod bounds;
pub mod engine;
pub mod escape;
pub mod grafana;
pub mod patch;
mod patch_check;
pub mod perses;
pub mod rules;
pub mod target;
pub mod templates;
pub mod tests;

use rayon::prelude::*;

use crate::model::{Board, Estate};
use crate::plan::dashboard::model::Dashboard;
use crate::plan::links::OVERVIEW;
use crate::plan::{Plan, ServicePlan};

/// Which output an artifact belongs to; `--only` selects by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    /// Prometheus rules.
    Rules,
    /// promtool tests that prove them.
    Tests,
    /// The Alertmanager routing tree.
    Alertmanager,
    /// A runbook per SLO.
    Runbooks,
    /// A dashboard per service, one of the estate, and what provisions them.
    Dashboards,
    /// The bucket bounds that services are built with.
    Bounds,
    /// Rules that fill the history of SLOs; only when they are named.
    Backfill,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Path relative to the output folder, with forward slashes.
    pub path: String,
    /// Its whole text.
    pub text: String,
    /// Which output it is.
    pub kind: Kind,
    /// The service that it belongs to; `None` for the estate's own files.
    pub service: Option<String>,
}

/// Our own output could not be written as text: a bug.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct RenderError {
    /// The file.
    pub path: String,
    /// What went wrong.
    pub message: String,
}

/// Every file of the plan, sorted by path.
pub fn render(estate: &Estate, plan: &Plan) -> Result<Vec<Artifact>, RenderError> {
    render_only(estate, plan, &[])
}

/// The same, without outputs that nobody asks for; all are asked for when none is named.
pub fn render_only(estate: &Estate, plan: &Plan, only: &[Kind]) -> Result<Vec<Artifact>, RenderError> {
    let scale = estate.time_scale;
    let services: Vec<Result<Vec<Artifact>, RenderError>> =
        plan.services.par_iter().map(|it| of_service(estate, it, only)).collect();
    let mut all = Files { only, service: None, all: Vec::new() };
    for made in services {
        all.all.extend(made?);
    }
    all.all.extend(bounds::all(estate).into_iter().filter(|it| only.is_empty() || only.contains(&it.kind)));
    all.add("rules/kilter.rules.yaml".to_owned(), Kind::Rules, || rules::text(&plan.estate_rules, scale))?;
    all.add("rules/kilter.rules.test.yaml".to_owned(), Kind::Tests, || tests::text(&plan.estate_tests, scale))?;
    all.add("rules/alertmanager.yaml".to_owned(), Kind::Alertmanager, || alertmanager::text(estate, &plan.routing))?;
    if let Some(it) = &plan.overview {
        boards(&mut all, estate, OVERVIEW, it)?;
    }
    if estate.boards.contains(&Board::Grafana) {
        let kind = Kind::Dashboards;
        all.add("dashboards/.lint".to_owned(), kind, || grafana::provisioning::exclusions(estate))?;
        let folder = "dashboards/provisioning";
        all.add(format!("{folder}/dashboards.yaml"), kind, || grafana::provisioning::dashboards(estate))?;
        if let Some(text) = grafana::provisioning::datasources(estate) {
            all.add(format!("{folder}/datasources.yaml"), kind, || text.clone())?;
        }
    }
    all.all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all.all)
}

fn of_service(estate: &Estate, it: &ServicePlan, only: &[Kind]) -> Result<Vec<Artifact>, RenderError> {
    let service = it.service.as_str();
    let scale = estate.time_scale;
    let mut all = Files { only, service: Some(service), all: Vec::new() };
    all.add(format!("rules/{service}.rules.yaml"), Kind::Rules, || rules::text(&it.rules, scale))?;
    for it in &it.tests {
        all.add(format!("rules/{service}.{}rules.test.yaml", it.part), Kind::Tests, || tests::text(it, scale))?;
    }
    if let Some(it) = &it.dashboard {
        boards(&mut all, estate, service, it)?;
    }
    if let Some(it) = &it.backfill {
        for (number, file) in [(1, &it.first), (2, &it.second)] {
            let path = format!("backfill/{service}.{number}.rules.yaml");
            all.add(path, Kind::Backfill, || rules::text(file, scale))?;
        }
    }
    for runbook in &it.runbooks {
        let path = format!("rules/runbooks/{service}/{}.md", runbook.slo);
        all.add(path, Kind::Runbooks, || Ok(runbook.text.clone()))?;
    }
    Ok(all.all)
}

/// A dashboard, for everything that draws it.
fn boards(all: &mut Files<'_>, estate: &Estate, name: &str, board: &Dashboard) -> Result<(), RenderError> {
    for target in &estate.boards {
        match target {
            Board::Grafana => {
                all.add(format!("dashboards/{name}.json"), Kind::Dashboards, || grafana::text(board))?;
            }
            Board::Perses => {
                all.add(format!("perses/{name}.json"), Kind::Dashboards, || perses::text(board))?;
            }
        }
    }
    Ok(())
}

/// Files that are wanted, of one service or of the estate.
struct Files<'a> {
    only: &'a [Kind],
    service: Option<&'a str>,
    all: Vec<Artifact>,
}

impl Files<'_> {
    fn add(&mut self, path: String, kind: Kind, text: impl Fn() -> Result<String, String>) -> Result<(), RenderError> {
        if !self.only.is_empty() && !self.only.contains(&kind) {
            return Ok(());
        }
        let text = text().map_err(|message| RenderError { path: path.clone(), message })?;
        self.all.push(Artifact { path, text, kind, service: self.service.map(str::to_owned) });
        Ok(())
    }
}
