//! The forms of rules that an engine takes instead of plain rule files: made from those, so that what is proven is what
//! runs. They are written beside them, into a folder of the target's name.

mod operator;
mod thanos;

use serde::{Deserialize, Serialize};

use super::{Artifact, Kind, RenderError};
use crate::model::{Estate, Form};
use crate::yaml;

/// A text of this target's own, with its path.
type Made = Result<Vec<(String, String)>, String>;

/// Adds the target's own form of every rule file.
pub fn add(estate: &Estate, artifacts: &mut Vec<Artifact>) -> Result<(), RenderError> {
    let make: fn(&Estate, &Source<'_>, Vec<Group>) -> Made = match estate.target.engine().form {
        Form::PrometheusRule => operator::objects,
        Form::PartialResponse if estate.settings.partial => thanos::file,
        Form::Plain | Form::PartialResponse => return Ok(()),
    };
    let mut added = Vec::new();
    for artifact in artifacts.iter().filter(|it| it.kind == Kind::Rules) {
        let failed = |message: String| RenderError { path: artifact.path.clone(), message };
        let file: File = yaml::from_str(&artifact.text).map_err(failed)?;
        let banner: String =
            artifact.text.lines().take_while(|it| it.starts_with('#')).map(|it| it.to_owned() + "\n").collect();
        let stem = artifact.path.trim_start_matches("rules/").trim_end_matches(".rules.yaml");
        for (path, body) in make(estate, &Source { stem }, file.groups).map_err(failed)? {
            let (kind, service) = (Kind::Rules, artifact.service.clone());
            added.push(Artifact { path, text: format!("{banner}{body}"), kind, service });
        }
    }
    artifacts.extend(added);
    artifacts.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(())
}

/// Where rules come from.
struct Source<'a> {
    /// The service, or `kilter` for the estate's own rules.
    stem: &'a str,
}

/// A rule file as it was written.
#[derive(Debug, Deserialize)]
struct File {
    groups: Vec<Group>,
}

/// The groups of a rule file as it was written.
pub(crate) fn groups(text: &str) -> Result<Vec<Group>, String> {
    yaml::from_str::<File>(text).map(|it| it.groups)
}

/// A group, whatever a patch has put into it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial_response_strategy: Option<String>,
    /// How often it is evaluated.
    pub interval: String,
    #[serde(flatten)]
    more: serde_json::Map<String, serde_json::Value>,
    /// Its rules.
    pub rules: Vec<Rule>,
}

/// A rule, in the order in which plain files have its fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// The alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// PromQL.
    pub expr: String,
    /// How long it must hold.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub hold: Option<String>,
    /// How long it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_firing_for: Option<String>,
    /// Static labels.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub labels: serde_json::Map<String, serde_json::Value>,
    /// Texts.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub annotations: serde_json::Map<String, serde_json::Value>,
}
