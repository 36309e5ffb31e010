//! Values become text, in memory. Nothing is decided here.

pub mod alertmanager;
pub mod engine;
pub mod patch;
mod patch_check;
pub mod rules;
pub mod target;
pub mod templates;
pub mod tests;

use crate::model::Estate;
use crate::plan::Plan;

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
    let scale = estate.time_scale;
    let mut all = Vec::new();
    let mut add = |path: String, kind: Kind, service: Option<&str>, text: Result<String, String>| {
        let text = text.map_err(|message| RenderError { path: path.clone(), message })?;
        all.push(Artifact { path, text, kind, service: service.map(str::to_owned) });
        Ok(())
    };
    for it in &plan.services {
        let service = it.service.as_str();
        add(format!("rules/{service}.rules.yaml"), Kind::Rules, Some(service), rules::text(&it.rules, scale))?;
        add(format!("rules/{service}.rules.test.yaml"), Kind::Tests, Some(service), tests::text(&it.tests, scale))?;
        let dashboard = serde_json::to_string_pretty(&it.dashboard).map_err(|error| error.to_string());
        add(format!("dashboards/{service}.json"), Kind::Dashboards, Some(service), dashboard.map(|text| text + "\n"))?;
        for runbook in &it.runbooks {
            let path = format!("rules/runbooks/{service}/{}.md", runbook.slo);
            add(path, Kind::Runbooks, Some(service), Ok(runbook.text.clone()))?;
        }
    }
    add("rules/kilter.rules.yaml".to_owned(), Kind::Rules, None, rules::text(&plan.estate_rules, scale))?;
    add("rules/kilter.rules.test.yaml".to_owned(), Kind::Tests, None, tests::text(&plan.estate_tests, scale))?;
    add("rules/alertmanager.yaml".to_owned(), Kind::Alertmanager, None, alertmanager::text(estate, &plan.routing))?;
    all.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(all)
}
