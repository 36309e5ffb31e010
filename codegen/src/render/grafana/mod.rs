//! Dashboards as Grafana's classic JSON, schema 42: the last one, which Grafana 10 to 13 import and provision alike.

mod panel;
pub mod provisioning;

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::dashboard::model::{Dashboard, Link, Mark, Panel, Section, Variable};

/// Columns of the grid.
const COLUMNS: u32 = 24;

/// In this order, so that the banner stands near the top.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Board<'a> {
    uid: &'a str,
    title: &'a str,
    description: &'a str,
    tags: [&'static str; 2],
    schema_version: u32,
    editable: bool,
    refresh: &'static str,
    timezone: &'static str,
    graph_tooltip: u32,
    time: Value,
    links: Vec<Value>,
    templating: Value,
    annotations: Value,
    panels: Vec<Value>,
}

/// The text of a dashboard.
pub fn text(board: &Dashboard) -> Result<String, String> {
    let board = Board {
        uid: &board.uid,
        title: &board.title,
        description: &board.description,
        tags: ["kilter", "slo"],
        schema_version: 42,
        editable: false,
        refresh: "30s",
        timezone: "browser",
        graph_tooltip: 1,
        time: json!({"from": "now-6h", "to": "now"}),
        links: board.links.iter().map(header).collect(),
        templating: json!({"list": variables(&board.variables)}),
        annotations: json!({"list": board.marks.iter().map(mark).collect::<Vec<_>>()}),
        panels: placed(&board.sections),
    };
    serde_json::to_string_pretty(&board).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// The data source that the reader chose.
fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

fn header(link: &Link) -> Value {
    let own = link.url.starts_with('/');
    json!({
        "title": link.title, "url": link.url, "tooltip": link.tooltip, "type": "link",
        "icon": if own { "dashboard" } else { "external link" },
        "tags": [], "asDropdown": false, "includeVars": false, "keepTime": own, "targetBlank": !own,
    })
}

fn variables(all: &[Variable]) -> Vec<Value> {
    let source = json!({
        "type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "refresh": 1,
    });
    let others = all.iter().map(|it| match it {
        Variable::Choice { name, label, values } => {
            let options: Vec<Value> =
                values.iter().enumerate().map(|(n, it)| json!({"text": it, "value": it, "selected": n == 0})).collect();
            let first = values.first().map_or("", String::as_str);
            json!({
                "type": "custom", "name": name, "label": label, "query": values.join(","), "options": options,
                "current": {"text": first, "value": first},
            })
        }
        Variable::Values { name, series } => {
            let query = format!("label_values({series}, {name})");
            json!({
                "type": "query", "name": name, "label": name, "datasource": datasource(), "definition": query,
                "query": {"query": query, "refId": "StandardVariableQuery"}, "refresh": 2, "sort": 1,
                "includeAll": true, "multi": true, "allValue": ".*", "current": {"text": "All", "value": "$__all"},
            })
        }
    });
    std::iter::once(source).chain(others).collect()
}

fn mark(it: &Mark) -> Value {
    json!({
        "name": it.name, "enable": true, "iconColor": it.color.hex(), "datasource": datasource(), "expr": it.expr,
        "titleFormat": it.text,
    })
}

/// A row for each section, and its panels from left to right and top to bottom, with ids in that order.
fn placed(sections: &[Section]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut y = 0;
    for section in sections {
        all.push(json!({
            "type": "row", "title": section.title, "collapsed": false, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        }));
        y += 1;
        let (places, height) = places(&section.panels);
        all.extend(section.panels.iter().zip(places).map(|(it, (x, down))| panel::json(it, x, y + down)));
        y += height;
    }
    for (panel, id) in all.iter_mut().zip(1..) {
        panel["id"] = json!(id);
    }
    all
}

/// Where panels lie in their section, and how high that is.
pub(super) fn places<'p>(panels: impl IntoIterator<Item = &'p Panel>) -> (Vec<(u32, u32)>, u32) {
    let (mut x, mut y, mut row) = (0, 0, 0);
    let mut all = Vec::new();
    for Panel { size: (width, height), .. } in panels {
        if x + width > COLUMNS {
            (x, y, row) = (0, y + row, 0);
        }
        all.push((x, y));
        x += width;
        row = row.max(*height);
    }
    (all, y + row)
}
