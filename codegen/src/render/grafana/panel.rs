//! One panel as JSON.

use serde_json::{Map, Value, json};

use super::datasource;
use crate::plan::dashboard::model::{Cell, Color, Drawing, Line, Panel, Query, State, Table, Unit};

/// What series are called by their outcome, and what that is, in every panel.
const OUTCOMES: &[(&str, Color)] = &[
    ("/^(status )?5\\d\\d$/", Color::Vermillion),
    ("/^(status )?4\\d\\d$/", Color::Purple),
    ("/(^| )client_disconnect$/", Color::Grey),
    ("/ error$/", Color::Vermillion),
    ("/ miss$/", Color::Grey),
    ("/ hit$/", Color::Blue),
    ("/(^| )primary$/", Color::Purple),
    ("/(^| )replica$/", Color::Blue),
    ("/: preferred$/", Color::Blue),
    ("/: consistency$/", Color::Purple),
    ("/: unavailable$/", Color::Vermillion),
    ("/: lag$/", Color::Grey),
];

/// A panel at its place; the caller gives it an id.
pub(super) fn json(it: &Panel, x: u32, y: u32) -> Value {
    let format = match it.drawing {
        Drawing::Table(_) => "table",
        Drawing::Heat => "heatmap",
        _ => "time_series",
    };
    let targets: Vec<Value> = it.queries.iter().enumerate().map(|(n, query)| target(n, query, format)).collect();
    let mut panel = json!({
        "type": kind(&it.drawing),
        "title": it.title,
        "description": it.description,
        "gridPos": {"x": x, "y": y, "w": it.size.0, "h": it.size.1},
        "datasource": datasource(),
        "targets": targets,
        "fieldConfig": {"defaults": defaults(it), "overrides": overrides(it)},
        "options": options(it),
    });
    if let Drawing::Table(table) = &it.drawing {
        panel["transformations"] = transformations(table);
    }
    if let Some(time) = it.pinned {
        panel["timeFrom"] = json!(time.to_string());
    }
    panel
}

const fn kind(drawing: &Drawing) -> &'static str {
    match drawing {
        Drawing::Value => "stat",
        Drawing::Lines | Drawing::LogLines | Drawing::Stack => "timeseries",
        Drawing::Heat => "heatmap",
        Drawing::States => "state-timeline",
        Drawing::Table(_) => "table",
    }
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "percentunit",
        Unit::Seconds => "s",
        Unit::PerSecond => "cps",
        Unit::Count => "short",
        Unit::Plain | Unit::Word => "none",
        Unit::Bytes => "bytes",
        Unit::Times => "suffix:\u{d7}",
    }
}

/// `A` to `Z`, then `AA`.
fn ref_id(n: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    if n < 26 { letter(n).to_string() } else { format!("{}{}", letter(n / 26 - 1), letter(n)) }
}

fn target(n: usize, query: &Query, format: &str) -> Value {
    let mut target = json!({
        "refId": ref_id(n), "datasource": datasource(), "editorMode": "code", "expr": query.expr,
        "legendFormat": if query.legend.is_empty() { "__auto" } else { &query.legend },
        "instant": query.moment, "range": !query.moment, "format": format,
    });
    if query.exemplars {
        target["exemplar"] = json!(true);
    }
    target
}

fn defaults(it: &Panel) -> Value {
    let color = match &it.drawing {
        // Colours come from the words.
        _ if !it.states.is_empty() => json!({"mode": "thresholds"}),
        Drawing::Value | Drawing::Heat | Drawing::Table(_) | Drawing::States => {
            json!({"mode": "fixed", "fixedColor": "text"})
        }
        // Nobody knows how many series a label has, and Grafana 10 to 12 have no palette for every eye: names tell them
        // apart, and what means something has a colour of ours.
        Drawing::Lines | Drawing::LogLines | Drawing::Stack => json!({"mode": "palette-classic"}),
    };
    let mut all = json!({
        "unit": unit(it.unit), "noValue": it.empty.words(), "color": color, "custom": custom(&it.drawing),
        "thresholds": thresholds(&[(None, "text")]),
    });
    if let Some(digits) = it.decimals {
        all["decimals"] = json!(digits);
    }
    for (key, end) in [("min", it.range.0), ("max", it.range.1)] {
        if let Some(end) = end {
            all[key] = json!(end);
        }
    }
    if !it.states.is_empty() {
        all["mappings"] = mappings(&it.states);
    }
    all
}

fn thresholds(steps: &[(Option<u32>, &str)]) -> Value {
    let steps: Vec<Value> = steps.iter().map(|(value, color)| json!({"value": value, "color": color})).collect();
    json!({"mode": "absolute", "steps": steps})
}

fn custom(drawing: &Drawing) -> Value {
    let lines = |fill: u32| json!({"lineWidth": 2, "fillOpacity": fill, "showPoints": "never", "spanNulls": false});
    match drawing {
        Drawing::Value => json!({}),
        Drawing::Lines => lines(0),
        Drawing::LogLines => {
            let mut all = lines(0);
            // Zero has a place on it, and below 1 nothing burns too fast.
            all["scaleDistribution"] = json!({"type": "symlog", "log": 2, "linearThreshold": 1});
            all
        }
        Drawing::Stack => {
            let mut all = lines(25);
            all["lineWidth"] = json!(1);
            all["stacking"] = json!({"mode": "normal", "group": "A"});
            all
        }
        Drawing::Heat => json!({"scaleDistribution": {"type": "linear"}}),
        Drawing::States => json!({"lineWidth": 0, "fillOpacity": 85}),
        Drawing::Table(_) => json!({"align": "auto", "cellOptions": {"type": "auto"}, "filterable": true}),
    }
}

fn mappings(states: &[State]) -> Value {
    let options: Map<String, Value> = states
        .iter()
        .enumerate()
        .map(|(n, it)| (it.value.to_string(), json!({"text": it.word, "color": it.color.hex(), "index": n})))
        .collect();
    json!([{"type": "value", "options": options}])
}

fn property(id: &str, value: Value) -> Value {
    let mut all = Map::new();
    all.insert("id".to_owned(), json!(id));
    all.insert("value".to_owned(), value);
    Value::Object(all)
}

fn overridden(matcher: &str, name: &str, properties: &[Value]) -> Value {
    json!({"matcher": {"id": matcher, "options": name}, "properties": properties})
}

fn fixed(color: Color) -> Value {
    property("color", json!({"mode": "fixed", "fixedColor": color.hex()}))
}

fn overrides(it: &Panel) -> Vec<Value> {
    if let Drawing::Table(table) = &it.drawing {
        return columns(table);
    }
    let outcomes = OUTCOMES.iter().filter(|_| it.drawing == Drawing::Stack);
    let mut all: Vec<Value> =
        outcomes.map(|(pattern, color)| overridden("byRegexp", pattern, &[fixed(*color)])).collect();
    for (n, query) in it.queries.iter().enumerate() {
        let Some(Line { color, dashed }) = query.line else { continue };
        let mut properties = Vec::new();
        if it.drawing == Drawing::Value {
            // None is nothing to look at.
            properties.push(property("color", json!({"mode": "thresholds"})));
            properties.push(property("thresholds", thresholds(&[(None, "transparent"), (Some(1), color.hex())])));
        } else {
            properties.push(fixed(color));
            if dashed {
                properties.push(property("custom.lineStyle", json!({"fill": "dash", "dash": [8, 6]})));
            }
            if color == Color::Grey {
                properties.push(property("custom.lineWidth", json!(1)));
            }
        }
        all.push(overridden("byFrameRefID", &ref_id(n), &properties));
    }
    all
}

/// Titles, widths, units, words and links of a table's columns.
fn columns(table: &Table) -> Vec<Value> {
    let mut all = Vec::new();
    for it in &table.columns {
        let mut properties = Vec::new();
        properties.extend(it.width.map(|it| property("custom.width", json!(it))));
        if matches!(it.of, Cell::Query(_)) {
            properties.push(property("unit", json!(unit(it.unit))));
            properties.push(property("noValue", json!(it.empty)));
        }
        properties.extend(it.decimals.map(|it| property("decimals", json!(it))));
        if !it.states.is_empty() {
            properties.push(property("mappings", mappings(&it.states)));
            properties.push(property("custom.cellOptions", json!({"type": "color-background", "mode": "basic"})));
        }
        if !it.links.is_empty() {
            let link = |it: &crate::plan::dashboard::model::Link| json!({"title": it.title, "url": it.url});
            properties.push(property("links", it.links.iter().map(link).collect()));
        }
        if !it.shown {
            // Grafana 13 has the second.
            properties.push(property("custom.hidden", json!(true)));
            properties.push(property("custom.hideFrom", json!({"viz": true, "legend": true, "tooltip": true})));
        }
        if !properties.is_empty() {
            all.push(overridden("byName", &it.title, &properties));
        }
    }
    all
}

/// The rows of all queries joined by their labels, with our columns in our order.
fn transformations(table: &Table) -> Value {
    let name = |of: &Cell| match of {
        Cell::Label(label) => label.clone(),
        Cell::Query(n) => format!("Value #{}", ref_id(*n)),
    };
    let names: Vec<(String, &str)> = table.columns.iter().map(|it| (name(&it.of), it.title.as_str())).collect();
    let index: Map<String, Value> = names.iter().enumerate().map(|(n, (it, _))| (it.clone(), json!(n))).collect();
    let renamed: Map<String, Value> = names.iter().map(|(it, title)| (it.clone(), json!(title))).collect();
    let queries: Vec<usize> = table
        .columns
        .iter()
        .filter_map(|it| match it.of {
            Cell::Query(n) => Some(n),
            Cell::Label(_) => None,
        })
        .collect();
    // What is asked for its labels only has a value too.
    let last = queries.iter().copied().max().unwrap_or(0);
    let hidden = (0..=last).filter(|it| !queries.contains(it)).map(|it| name(&Cell::Query(it)));
    let excluded: Map<String, Value> =
        hidden.chain(["Time", "__name__"].map(str::to_owned)).map(|it| (it, json!(true))).collect();
    json!([
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": excluded, "indexByName": index, "renameByName": renamed}},
    ])
}

fn options(it: &Panel) -> Value {
    let multi = json!({"mode": "multi", "sort": "desc"});
    match &it.drawing {
        Drawing::Value => {
            let many = it.queries.len() > 1;
            let colored = many || !it.states.is_empty();
            json!({
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false}, "graphMode": "none",
                "colorMode": if colored { "background" } else { "none" }, "justifyMode": "center",
                "textMode": if many { "value_and_name" } else { "value" }, "orientation": "auto",
            })
        }
        Drawing::Lines | Drawing::LogLines | Drawing::Stack => json!({
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []},
            "tooltip": multi,
        }),
        // Cividis looks the same to every eye; what is rare is seen by the root.
        Drawing::Heat => json!({
            "calculate": false, "cellGap": 1, "filterValues": {"le": 1e-9}, "rowsFrame": {"layout": "auto"},
            "color": {
                "mode": "scheme", "scheme": "Cividis", "fill": "dark-orange", "reverse": false, "steps": 64,
                "scale": "exponential", "exponent": 0.5,
            },
            "cellValues": {"unit": unit(it.unit)}, "yAxis": {"axisPlacement": "left", "reverse": false, "unit": "s"},
            "exemplars": {"color": Color::Vermillion.hex()}, "legend": {"show": true},
            "tooltip": {"mode": "single", "yHistogram": false, "showColorScale": false}, "showValue": "never",
        }),
        Drawing::States => json!({
            "mergeValues": true, "showValue": "auto", "alignValue": "left", "rowHeight": 0.85,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false}, "tooltip": multi,
        }),
        Drawing::Table(table) => {
            let sort: Vec<Value> =
                table.sort.iter().map(|(title, desc)| json!({"displayName": title, "desc": desc})).collect();
            json!({"showHeader": true, "cellHeight": "sm", "sortBy": sort})
        }
    }
}
