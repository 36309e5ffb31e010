//! Dashboards as Perses resources, of the same panels. What Perses has no part for is left out: marks, exemplars, heat maps
//! of histograms that are made of buckets, and an axis of its own for each panel's time.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::grafana::places;
use crate::plan::dashboard::in_words;
use crate::plan::dashboard::model::{
    Cell, Dashboard, Drawing, Line, Panel, Query, Section, State, Table, Unit, Variable,
};

/// The project that dashboards belong to; `percli apply --project` names another.
const PROJECT: &str = "slo";

/// The label of a state's word.
const WORD: &str = "status";

/// In this order, so that the banner stands near the top.
#[derive(Serialize)]
struct Resource<'a> {
    kind: &'static str,
    metadata: Value,
    spec: Spec<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    display: Display<'a>,
    duration: &'static str,
    refresh_interval: &'static str,
    variables: Vec<Value>,
    panels: Map<String, Value>,
    layouts: Vec<Value>,
}

#[derive(Serialize)]
struct Display<'a> {
    name: &'a str,
    description: &'a str,
}

/// The text of a dashboard.
pub fn text(board: &Dashboard) -> Result<String, String> {
    let mut panels = Map::new();
    let mut layouts = Vec::new();
    for (number, section) in board.sections.iter().enumerate() {
        let drawn = drawn(section);
        layouts.push(layout(number, section, &drawn));
        panels.extend(drawn.into_iter().enumerate().map(|(n, (it, chart))| (key(number, n), panel(&it, chart))));
    }
    let resource = Resource {
        kind: "Dashboard",
        metadata: json!({"name": board.uid, "project": PROJECT}),
        spec: Spec {
            display: Display { name: &board.title, description: &board.description },
            duration: "6h",
            refresh_interval: "30s",
            variables: board.variables.iter().map(variable).collect(),
            panels,
            layouts,
        },
    };
    serde_json::to_string_pretty(&resource).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn key(section: usize, panel: usize) -> String {
    format!("panel_{section}_{panel}")
}

/// A kind of chart, and what it is told.
type Chart = (&'static str, Value);

/// The panels that Perses has a chart for. What is left out leaves its place to the panel before it.
fn drawn(section: &Section) -> Vec<(Panel, Chart)> {
    let mut all: Vec<(Panel, Chart)> = Vec::new();
    for it in &section.panels {
        if let Some(chart) = chart(it) {
            all.push((it.clone(), chart));
        } else if let Some((before, _)) = all.last_mut() {
            before.size.0 += it.size.0;
        }
    }
    all
}

fn layout(number: usize, section: &Section, drawn: &[(Panel, Chart)]) -> Value {
    let (places, _) = places(drawn.iter().map(|(it, _)| it));
    let items: Vec<Value> = drawn
        .iter()
        .zip(places)
        .enumerate()
        .map(|(n, ((it, _), (x, y)))| {
            json!({
                "x": x, "y": y, "width": it.size.0, "height": it.size.1,
                "content": {"$ref": format!("#/spec/panels/{}", key(number, n))},
            })
        })
        .collect();
    json!({"kind": "Grid", "spec": {"display": {"title": section.title, "collapse": {"open": true}}, "items": items}})
}

fn variable(it: &Variable) -> Value {
    match it {
        Variable::Choice { name, label, values } => json!({
            "kind": "ListVariable",
            "spec": {
                "name": name, "display": {"name": label}, "allowMultiple": false, "allowAllValue": false,
                "defaultValue": values.first(),
                "plugin": {"kind": "StaticListVariable", "spec": {"values": values}},
            },
        }),
        Variable::Values { name, series } => json!({
            "kind": "ListVariable",
            "spec": {
                "name": name, "display": {"name": name}, "allowMultiple": true, "allowAllValue": true,
                "customAllValue": ".*", "defaultValue": "$__all",
                "plugin": {
                    "kind": "PrometheusLabelValuesVariable", "spec": {"labelName": name, "matchers": [series]},
                },
            },
        }),
    }
}

fn chart(it: &Panel) -> Option<Chart> {
    match &it.drawing {
        Drawing::Value => Some(("StatChart", value(it))),
        Drawing::Lines | Drawing::LogLines | Drawing::Stack => Some(("TimeSeriesChart", lines(it))),
        // Its heat maps are of native histograms.
        Drawing::Heat => None,
        Drawing::States => Some(("StatusHistoryChart", json!({"mappings": mappings(&it.states)}))),
        Drawing::Table(of) => Some(("Table", table(of))),
    }
}

fn panel(it: &Panel, (kind, spec): Chart) -> Value {
    json!({
        "kind": "Panel",
        "spec": {
            "display": {"name": it.title, "description": it.description},
            "plugin": {"kind": kind, "spec": spec},
            "queries": it.queries.iter().enumerate().map(|(n, query)| of_query(it, n, query)).collect::<Vec<_>>(),
        },
    })
}

fn of_query(panel: &Panel, n: usize, it: &Query) -> Value {
    let worded = match &panel.drawing {
        Drawing::Table(of) => of.columns.iter().find(|it| it.of == Cell::Query(n) && !it.states.is_empty()),
        _ => None,
    };
    let expr = worded.map_or_else(|| it.expr.clone(), |column| in_words(&it.expr, &column.states));
    let mut spec = json!({"query": expr});
    if !it.legend.is_empty() {
        spec["seriesNameFormat"] = json!(it.legend);
    }
    json!({"kind": "TimeSeriesQuery", "spec": {"plugin": {"kind": "PrometheusTimeSeriesQuery", "spec": spec}}})
}

fn format(unit: Unit, decimals: Option<u32>) -> Value {
    let (name, short) = match unit {
        Unit::Share => ("percent-decimal", false),
        Unit::Seconds => ("seconds", false),
        Unit::PerSecond => ("events/sec", true),
        Unit::Count => ("decimal", true),
        Unit::Plain | Unit::Word | Unit::Times => ("decimal", false),
        Unit::Bytes => ("bytes", true),
    };
    let mut all = json!({"unit": name});
    if short {
        all["shortValues"] = json!(true);
    }
    if let Some(digits) = decimals {
        all["decimalPlaces"] = json!(digits);
    }
    all
}

fn mappings(states: &[State]) -> Vec<Value> {
    let one = |it: &State| {
        json!({"kind": "Value", "spec": {
            "value": it.value.to_string(), "result": {"value": it.word, "color": it.color.hex()},
        }})
    };
    states.iter().map(one).collect()
}

fn value(it: &Panel) -> Value {
    let mut spec = json!({"calculation": "last-number", "format": format(it.unit, it.decimals)});
    if !it.states.is_empty() {
        spec["mappings"] = json!(mappings(&it.states));
    }
    if it.queries.len() > 1 {
        spec["metricLabel"] = json!("");
    }
    spec
}

fn lines(it: &Panel) -> Value {
    let mut axis = json!({"format": format(it.unit, it.decimals)});
    for (key, end) in [("min", it.range.0), ("max", it.range.1)] {
        if let Some(end) = end {
            axis[key] = json!(end);
        }
    }
    let stack = it.drawing == Drawing::Stack;
    let mut visual = json!({"lineWidth": if stack { 1.0 } else { 1.5 }, "areaOpacity": if stack { 0.3 } else { 0.0 }});
    if stack {
        visual["stack"] = json!("all");
    }
    let setting = |(n, query): (usize, &Query)| {
        query.line.map(|Line { color, dashed }| {
            let style = if dashed { "dashed" } else { "solid" };
            json!({"queryIndex": n, "colorMode": "fixed", "colorValue": color.hex(), "lineStyle": style})
        })
    };
    let settings: Vec<Value> = it.queries.iter().enumerate().filter_map(setting).collect();
    let mut spec = json!({
        "legend": {"position": "bottom", "mode": "list", "size": "small"}, "yAxis": axis, "visual": visual,
    });
    if !settings.is_empty() {
        spec["querySettings"] = json!(settings);
    }
    spec
}

/// The rows of all queries, joined by service and SLO. Conditions on cells are about every column, so a state is a label
/// with its word: no number of another column can be one.
fn table(of: &Table) -> Value {
    let labels = of.columns.iter().filter_map(|it| match &it.of {
        Cell::Label(label) => Some(label.as_str()),
        Cell::Query(_) => None,
    });
    // Each query has labels of its own, which are numbered.
    let merge = |it: &str| json!({"kind": "MergeIndexedColumns", "spec": {"column": it}});
    let mut transforms: Vec<Value> = labels.chain([WORD]).map(merge).collect();
    transforms.push(json!({"kind": "JoinByColumnValue", "spec": {"columns": ["service", "slo"]}}));
    let states = of.columns.iter().flat_map(|it| &it.states);
    let cell = |it: &State| {
        let condition = json!({"kind": "Value", "spec": {"value": it.word}});
        json!({"condition": condition, "backgroundColor": it.color.hex(), "textColor": "#FFFFFF"})
    };
    json!({
        "density": "compact",
        "columnSettings": columns(of),
        "cellSettings": states.map(cell).collect::<Vec<_>>(),
        "transforms": transforms,
    })
}

fn columns(of: &Table) -> Vec<Value> {
    let value = |n: usize| format!("value #{}", n + 1);
    let mut all = Vec::new();
    let mut seen = Vec::new();
    for it in &of.columns {
        let name = match &it.of {
            Cell::Query(_) if !it.states.is_empty() => WORD.to_owned(),
            Cell::Query(n) => {
                seen.push(*n);
                value(*n)
            }
            Cell::Label(label) => label.clone(),
        };
        if !it.shown {
            all.push(json!({"name": name, "hide": true}));
            continue;
        }
        let mut column = json!({"name": name, "header": it.title, "enableSorting": true});
        if let Some(width) = it.width {
            column["width"] = json!(width);
        }
        if matches!(it.of, Cell::Query(_)) && it.states.is_empty() {
            column["format"] = format(it.unit, it.decimals);
            column["align"] = json!("right");
        }
        // Words have no order of urgency here: what is left of a budget has.
        if let Some((_, desc)) = of.sort.iter().find(|(title, _)| *title == it.title && it.states.is_empty()) {
            column["sort"] = json!(if *desc { "desc" } else { "asc" });
        }
        all.push(column);
    }
    let last = seen.iter().copied().max().unwrap_or(0);
    let rest = (0..=last).filter(|it| !seen.contains(it)).map(value).chain(["timestamp".to_owned()]);
    all.extend(rest.map(|it| json!({"name": it, "hide": true})));
    all
}
