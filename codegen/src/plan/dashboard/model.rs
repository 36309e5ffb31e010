//! The part of Grafana's classic dashboard model that is used, as types.

use serde::Serialize;
use serde_json::{Value, json};

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Dashboard {
    pub uid: String,
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    pub schema_version: u32,
    pub editable: bool,
    pub refresh: String,
    pub timezone: String,
    pub graph_tooltip: u32,
    pub time: Time,
    pub links: Vec<Link>,
    pub templating: Templating,
    pub annotations: Annotations,
    pub panels: Vec<Panel>,
}

/// The default range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Time {
    pub from: String,
    pub to: String,
}

/// A link in the header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, clippy::struct_excessive_bools, reason = "the names of Grafana's model")]
pub struct Link {
    pub title: String,
    pub url: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub tooltip: String,
    pub icon: String,
    pub tags: Vec<String>,
    pub as_dropdown: bool,
    pub include_vars: bool,
    pub keep_time: bool,
    pub target_blank: bool,
}

/// Variables.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Templating {
    pub list: Vec<Variable>,
}

/// A variable, in the shape of its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Variable(Value);

/// Annotations.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Annotations {
    pub list: Vec<Annotation>,
}

/// An annotation query.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Annotation(Value);

/// A panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Panel {
    pub id: u32,
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub description: String,
    pub grid_pos: GridPos,
    pub datasource: Value,
    pub targets: Vec<Target>,
    pub field_config: Value,
    pub options: Value,
}

/// Where a panel lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct GridPos {
    pub x: u32,
    pub y: u32,
    pub w: u32,
    pub h: u32,
}

/// A query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names of Grafana's model")]
pub struct Target {
    pub ref_id: String,
    pub expr: String,
    pub legend_format: String,
    pub instant: bool,
    pub range: bool,
}

/// The data source that the reader chose.
pub fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

impl Variable {
    /// The data source.
    pub fn datasource() -> Self {
        Self(
            json!({"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1}),
        )
    }

    /// One of fixed values; the first to begin with.
    pub fn choice(name: &str, label: &str, values: &[&str]) -> Self {
        let options: Vec<Value> =
            values.iter().enumerate().map(|(n, it)| json!({"text": it, "value": it, "selected": n == 0})).collect();
        let first = values.first().copied().unwrap_or_default();
        let current = json!({"text": first, "value": first});
        Self(
            json!({"type": "custom", "name": name, "label": label, "query": values.join(","), "options": options, "current": current}),
        )
    }
}

impl Variable {
    /// The values that a label of a series has now, any number of them; all to begin with, those without it included.
    pub fn values(label: &str, series: &str) -> Self {
        let query = format!("label_values({series}, {label})");
        Self(json!({
            "type": "query", "name": label, "label": label, "datasource": datasource(), "definition": query,
            "query": {"query": query, "refId": "StandardVariableQuery"}, "refresh": 2, "sort": 1,
            "includeAll": true, "multi": true, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
        }))
    }
}

impl Annotation {
    /// Marks where a query has values.
    pub fn query(name: &str, expr: &str) -> Self {
        Self(json!({
            "name": name, "enable": true, "iconColor": "orange", "datasource": datasource(), "expr": expr,
            "titleFormat": "{{alertname}} ({{severity}})",
        }))
    }
}
