//! One Grafana dashboard per service: what is promised, what is left, what burns, and what users get.
//!
//! Classic schema 42, the last one, which Grafana 10 to 13 read alike. Never colour alone: every state has a text, and
//! thresholds are lines with labels.

pub mod model;
mod panels;
mod red;

use super::context::Context;
use super::links::dashboard_uid;
use model::{Annotation, Dashboard, Link, Panel, Templating, Variable};

/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;

/// Plans a service's dashboard.
pub fn dashboard(context: &Context<'_>) -> Dashboard {
    let service = context.service.name.as_str();
    let links = context.estate.links.runbooks.iter().map(|base| Link {
        title: "Runbooks".to_owned(),
        url: format!("{base}/{service}/${{slo}}.md"),
        kind: "link".to_owned(),
        tooltip: "What to do when it alerts".to_owned(),
        icon: "doc".to_owned(),
        tags: Vec::new(),
        as_dropdown: false,
        include_vars: false,
        keep_time: false,
        target_blank: true,
    });
    Dashboard {
        uid: dashboard_uid(service),
        title: format!("SLO: {service}"),
        description: crate::render::rules::banner("", &context.service.source, context.estate.time_scale)
            .trim_end()
            .to_owned(),
        tags: vec!["kilter".to_owned(), "slo".to_owned()],
        schema_version: 42,
        editable: false,
        refresh: "30s".to_owned(),
        timezone: "browser".to_owned(),
        graph_tooltip: 1,
        time: model::Time { from: "now-6h".to_owned(), to: "now".to_owned() },
        links: links.collect(),
        templating: Templating { list: variables(context) },
        annotations: model::Annotations { list: vec![alerts_annotation(context)] },
        panels: placed(panels::all(context)),
    }
}

fn variables(context: &Context<'_>) -> Vec<Variable> {
    let slos: Vec<&str> = context.service.slos.iter().map(|it| it.name.as_str()).collect();
    let mut all = vec![Variable::datasource(), Variable::choice("slo", "SLO", &slos)];
    let total = super::expr::select(kilter_contract::slo::TOTAL_RATE, &panels::slo_matchers(context));
    all.extend(panels::groups(context).iter().map(|it| Variable::values(it, &total)));
    all
}

fn alerts_annotation(context: &Context<'_>) -> Annotation {
    let matchers = [
        super::expr::equal("service", context.service.name.as_str()),
        "slo=\"$slo\"".to_owned(),
        "alertstate=\"firing\"".to_owned(),
    ];
    Annotation::query("Alerts", &super::expr::select("ALERTS", &matchers))
}

/// Ids, and places from left to right and top to bottom in the order of the list.
fn placed(mut panels: Vec<Panel>) -> Vec<Panel> {
    let (mut x, mut y, mut row_height) = (0, 0, 0);
    for (panel, id) in panels.iter_mut().zip(1..) {
        let place = &mut panel.grid_pos;
        if x + place.w > COLUMNS {
            (x, y, row_height) = (0, y + row_height, 0);
        }
        (place.x, place.y) = (x, y);
        x += place.w;
        row_height = row_height.max(place.h);
        panel.id = id;
    }
    panels
}
