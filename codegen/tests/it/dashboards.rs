//! Dashboards: every query is PromQL, every group can be chosen, and its series are told apart.

use kilter_codegen::model::{Family, Sli};
use kilter_codegen::plan::dashboard::model::Panel;

use serde_json::json;

use crate::property::grafana::wrong;
use crate::support::{estate, planned, red, slo};

/// What Grafana puts in the place of its variables.
fn filled(expr: &str) -> String {
    let all = [("$__rate_interval", "5m"), ("$slo", "by"), ("$region", "eu|us")];
    all.iter().fold(expr.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn panels(by: &[&str]) -> (String, Vec<Panel>) {
    let mut all: Vec<_> = Family::ALL
        .iter()
        .map(|family| slo(&family.key().replace('_', "-"), "0.99", Sli::Red(red(*family, &[]))))
        .collect();
    all[0].by = by.iter().map(|it| (*it).to_owned()).collect();
    let dashboard = planned(&estate(all)).services.remove(0).dashboard.expect("all outputs are asked for");
    (serde_json::to_string(&dashboard.templating).expect("JSON"), dashboard.panels)
}

#[test]
fn every_family_has_panels_and_every_query_is_promql() {
    let (_, panels) = panels(&["region"]);
    for family in Family::ALL {
        let name = family.signal().name;
        let about = panels.iter().filter(|it| it.targets.iter().any(|target| target.expr.contains(name))).count();
        assert!(about >= 3, "{} has {about} panels", family.key());
    }
    for target in panels.iter().flat_map(|it| &it.targets) {
        let expr = filled(&target.expr);
        promql_parser::parser::parse(&expr).unwrap_or_else(|error| panic!("{expr}: {error}"));
    }
}

/// The check itself: each change makes a dashboard that Grafana would refuse, or draw wrongly.
#[test]
fn a_dashboard_that_is_not_grafanas_is_found() {
    let all = vec![slo("buys", "0.99", Sli::Red(red(Family::HttpServer, &[])))];
    let board = serde_json::to_value(planned(&estate(all)).services.remove(0).dashboard).expect("JSON");
    assert_eq!(wrong(&board), Vec::<String>::new());
    for (place, value) in [
        ("/title", json!(" ")),
        ("/uid", json!("a b")),
        ("/schemaVersion", json!("42")),
        ("/panels/1/id", board["panels"][0]["id"].clone()),
        ("/panels/1/gridPos", board["panels"][0]["gridPos"].clone()),
        ("/panels/0/gridPos/w", json!(25)),
        ("/panels/0/type", json!("graph")),
        ("/panels/0/targets", json!([])),
        ("/panels/0/targets/0/expr", json!("up{slo=\"$slos\"}")),
        ("/panels/0/description", json!("")),
    ] {
        let mut changed = board.clone();
        *changed.pointer_mut(place).expect("a place") = value;
        assert!(!wrong(&changed).is_empty(), "{place} is not missed");
    }
}

#[test]
fn a_group_can_be_chosen_and_is_named() {
    let (variables, chosen) = panels(&["region"]);
    assert!(variables.contains(r#""name":"region""#) && variables.contains(r#""allValue":".*""#), "{variables}");
    for title in ["Budget left", "Burn rate by window", "SLI", "Events per second"] {
        let panel = chosen.iter().rfind(|it| it.title == title).unwrap_or_else(|| panic!("no {title}"));
        let first = &panel.targets[0];
        assert!(first.expr.contains(r#"region=~"$region""#), "{title}: {}", first.expr);
        assert!(first.legend_format.contains("{{region}}"), "{title}: {}", first.legend_format);
    }
    // What is recorded once for all groups has no such label.
    let objective = chosen.iter().find(|it| it.title == "Objective").expect("the panel");
    assert!(!objective.targets[0].expr.contains("region"), "{}", objective.targets[0].expr);
    let (variables, plain) = panels(&[]);
    assert!(!variables.contains("allValue"), "{variables}");
    assert!(plain.iter().flat_map(|it| &it.targets).all(|it| !it.expr.contains("=~\"$")));
}
