//! Values become text, in memory. Nothing is decided here.

pub mod alertmanager;
pub mod bounds;
pub mod engine;
pub mod escape;
pub mod patch;
mod patch_check;
pub mod rules;
pub mod target;
pub mod templates;
pub mod tests;

use rayon::prelude::*;

use crate::model::{Estate, TimeScale};
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
    /// A Grafana dashboard per service.
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
        plan.services.par_iter().map(|it| of_service(it, scale, only)).collect();
    let mut all = Files { only, service: None, all: Vec::new() };
    for made in services {
        all.all.extend(made?);
    }
    all.all.extend(bounds::all(estate).into_iter().filter(|it| only.is_empty() || only.contains(&it.kind)));
    all.add("rules/kilter.rules.yaml".to_owned(), Kind::Rules, || rules::text(&plan.estate_rules, scale))?;
    all.add("rules/kilter.rules.test.yaml".to_owned(), Kind::Tests, || tests::text(&plan.estate_tests, scale))?;
    all.add("rules/alertmanager.yaml".to_owned(), Kind::Alertmanager, || alertmanager::text(estate, &plan.routing))?;
    all.all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all.all)
}

fn of_service(it: &ServicePlan, scale: TimeScale, only: &[Kind]) -> Result<Vec<Artifact>, RenderError> {
    let service = it.service.as_str();
    let mut all = Files { only, service: Some(service), all: Vec::new() };
    all.add(format!("rules/{service}.rules.yaml"), Kind::Rules, || rules::text(&it.rules, scale))?;
    for it in &it.tests {
        all.add(format!("rules/{service}.{}rules.test.yaml", it.part), Kind::Tests, || tests::text(it, scale))?;
    }
    if let Some(it) = &it.dashboard {
        let text = || serde_json::to_string_pretty(it).map(|text| text + "\n").map_err(|error| error.to_string());
        all.add(format!("dashboards/{service}.json"), Kind::Dashboards, text)?;
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
