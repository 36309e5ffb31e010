//! Dashboards: every query is PromQL, every group can be chosen, its series are told apart; what Grafana and Perses draw is
//! of the same panels; and what provisions them.

use std::collections::BTreeSet;

use kilter_codegen::model::{Board, Datasources, Duration, Estate, Family, Links, NoData, Sli, TraceStore};
use kilter_codegen::plan::dashboard::model::{Cell, Dashboard, Drawing, Empty, Panel};
use serde_json::{Value, json};

use crate::property::grafana::{used, wrong};
use crate::support::{artifacts, estate, latency, planned, red, slo};

/// What is put in the place of variables.
fn filled(expr: &str) -> String {
    let all = [("$__rate_interval", "5m"), ("$slo", "by"), ("$region", "eu|us"), ("$instance", ".*")];
    all.iter().fold(expr.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// An SLO of each family, one of them by these labels, one with another window, one weighted by time.
fn everything(by: &[&str]) -> Estate {
    let mut all: Vec<_> = Family::ALL
        .iter()
        .map(|family| slo(&family.key().replace('_', "-"), "0.99", Sli::Red(red(*family, &[]))))
        .collect();
    all[0].by = by.iter().map(|it| (*it).to_owned()).collect();
    all[1].window = Duration::from_mins(7 * 24 * 60);
    all[2].no_data = NoData::Ignore;
    all.push(slo("slow", "0.9995", latency("/a", 250_000_000)));
    all.push(slo("fresh", "0.99", Sli::Freshness { job: "gc".to_owned(), within: Duration::from_mins(60) }));
    estate(all)
}

fn boards(estate: &Estate) -> Vec<Dashboard> {
    let plan = planned(estate);
    plan.services.into_iter().filter_map(|it| it.dashboard).chain(plan.overview).collect()
}

fn panels(board: &Dashboard) -> impl Iterator<Item = &Panel> {
    board.sections.iter().flat_map(|it| &it.panels)
}

fn json_of(estate: &Estate, path: &str) -> Value {
    let all = artifacts(estate);
    let found = all.iter().find(|it| it.path == path).unwrap_or_else(|| panic!("no {path}"));
    serde_json::from_str(&found.text).expect("JSON")
}

#[test]
fn every_panel_is_asked_right_and_says_what_it_is() {
    for board in boards(&everything(&["region"])) {
        let titles: BTreeSet<&str> = panels(&board).map(|it| it.title.as_str()).collect();
        assert_eq!(titles.len(), panels(&board).count(), "{}: two panels of one title", board.title);
        for panel in panels(&board) {
            assert!(panel.description.ends_with('.') && panel.title.len() <= 44, "{}", panel.title);
            assert!(panel.empty.words().len() <= 16 && !panel.queries.is_empty(), "{}", panel.title);
            // A row of the grid is 30 pixels high: below that a legend hides the lines.
            assert!(panel.size.1 >= 4 && panel.size.0 <= 24, "{}", panel.title);
            if panel.drawing == Drawing::States {
                assert!(panel.states.len() >= 2, "{}: states without words", panel.title);
            }
            for query in &panel.queries {
                let expr = filled(&query.expr);
                promql_parser::parser::parse(&expr).unwrap_or_else(|error| panic!("{}: {expr}: {error}", panel.title));
                assert!(used(&expr).is_empty(), "{}: {expr}", panel.title);
            }
        }
    }
}

#[test]
fn every_family_has_rate_errors_and_duration_with_exemplars() {
    let board = &boards(&everything(&[]))[0];
    for family in Family::ALL {
        let name = family.signal().name;
        let about: Vec<&Panel> =
            panels(board).filter(|it| it.queries.iter().any(|it| it.expr.contains(name))).collect();
        assert!(about.len() >= 3, "{} has {} panels", family.key(), about.len());
        let traces = about.iter().flat_map(|it| &it.queries).filter(|it| it.exemplars);
        assert!(
            traces.clone().count() >= 3 && traces.clone().all(|it| it.expr.contains("_bucket")),
            "{}",
            family.key()
        );
    }
    // What the chosen SLO's window and pair say, whichever it is.
    let queries = |title: &str| panels(board).find(|it| it.title == title).expect("a panel").queries.clone();
    let left = &queries("Outage left")[0].expr;
    assert!(left.contains("+ 2592000") && left.contains("slo=\"http-client\"} + 604800"), "{left}");
    assert!(!queries("Failures left")[0].expr.contains("fresh"), "a share of time has no events");
    assert!(queries("HTTP calls: duration").len() == 3 && queries("Requests: duration").len() == 4);
    // A page above and a ticket above for each pair of both tables, and every window.
    let burn = queries("Burn rate by window");
    assert_eq!(burn.iter().filter(|it| it.legend.contains("above")).count(), 4 * 3, "{burn:?}");
}

/// What nobody uses is not shown as missing; what only the contract of a service knows of is shown.
#[test]
fn a_service_has_panels_of_what_it_has() {
    let mut estate = estate(vec![slo("buys", "0.99", latency("/a", 250_000_000))]);
    let title = |board: &Dashboard, part: &str| board.sections.iter().any(|it| it.title.contains(part));
    let board = boards(&estate).remove(0);
    assert!(title(&board, "Serving: HTTP") && !title(&board, "Database") && !title(&board, "Jobs"));
    estate.services[0].signals =
        ["db_client_operation_duration_seconds", "job_run_duration_seconds"].map(str::to_owned).into();
    let board = boards(&estate).remove(0);
    assert!(title(&board, "Database") && title(&board, "Jobs") && !title(&board, "Caches"));
}

/// The check itself: each change makes a dashboard that Grafana would refuse, or draw wrongly.
#[test]
fn a_dashboard_that_is_not_grafanas_is_found() {
    let estate = everything(&["region"]);
    let overview = json_of(&estate, "dashboards/slo-overview.json");
    assert_eq!(wrong(&overview), Vec::<String>::new());
    let board = json_of(&estate, "dashboards/shop.json");
    assert_eq!(wrong(&board), Vec::<String>::new());
    for (place, value) in [
        ("/title", json!(" ")),
        ("/uid", json!("a b")),
        ("/schemaVersion", json!("42")),
        ("/panels/1/id", board["panels"][0]["id"].clone()),
        ("/panels/2/gridPos", board["panels"][1]["gridPos"].clone()),
        ("/panels/1/gridPos", board["panels"][0]["gridPos"].clone()),
        ("/panels/0/gridPos/w", json!(12)),
        ("/panels/1/gridPos/w", json!(25)),
        ("/panels/1/type", json!("graph")),
        ("/panels/1/targets", json!([])),
        ("/panels/1/targets/0/expr", json!("up{slo=\"$slos\"}")),
        ("/panels/1/description", json!("")),
        ("/panels/1/fieldConfig/defaults/noValue", json!("")),
        ("/panels/1/fieldConfig/defaults/mappings/0/options/0/text", json!("")),
        ("/panels/1/datasource/uid", json!("prometheus")),
    ] {
        let mut changed = board.clone();
        *changed.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
        assert!(!wrong(&changed).is_empty(), "{place} is not missed");
    }
}

#[test]
fn a_group_can_be_chosen_and_is_named() {
    let estate = everything(&["region"]);
    let text = json_of(&estate, "dashboards/shop.json")["templating"].to_string();
    assert!(text.contains(r#""name":"region""#) && text.contains(r#""allValue":".*""#), "{text}");
    let board = boards(&estate).remove(0);
    for title in ["Budget over the window", "Burn rate by window", "SLI over five minutes", "Events"] {
        let panel = panels(&board).find(|it| it.title == title).unwrap_or_else(|| panic!("no {title}"));
        let first = &panel.queries[0];
        assert!(first.expr.contains(r#"region=~"$region""#), "{title}: {}", first.expr);
        assert!(first.legend.contains("{{region}}"), "{title}: {}", first.legend);
    }
    // What is recorded once for all groups has no such label.
    let objective = panels(&board).find(|it| it.title == "Objective").expect("the panel");
    assert!(!objective.queries[0].expr.contains("region"), "{}", objective.queries[0].expr);
    let plain = boards(&everything(&[])).remove(0);
    assert!(panels(&plain).flat_map(|it| &it.queries).all(|it| !it.expr.contains("=~\"$region")));
}

/// Who spends the budget is asked as the runbook does, of the chosen SLO only.
#[test]
fn spenders_are_those_of_the_runbooks() {
    let estate = everything(&[]);
    let board = boards(&estate).remove(0);
    let section = board.sections.iter().find(|it| it.title.starts_with("Who spends")).expect("a section");
    let runbooks: String =
        artifacts(&estate).iter().filter(|it| it.path.contains("runbooks")).map(|it| it.text.clone()).collect();
    let mut asked = 0;
    for query in section.panels.iter().flat_map(|it| &it.queries) {
        let (own, chosen) = query.expr.rsplit_once(") and on () ").expect("only of the chosen SLO");
        assert!(runbooks.contains(&own[1..]), "no runbook has {own}");
        assert!(chosen.contains("slo=\"$slo\",slo=\""), "{chosen}");
        asked += 1;
    }
    assert!(asked > 30 && section.panels.iter().all(|it| matches!(it.empty, Empty::Fine(_))), "{asked}");
}

/// Perses draws the same panels in the same order but for heat maps, asks the same, and every panel has a place.
#[test]
fn perses_has_the_same_panels() {
    let estate = everything(&["region"]);
    for (board, name) in boards(&estate).iter().zip(["shop", "slo-overview"]) {
        let made = json_of(&estate, &format!("perses/{name}.json"));
        let spec = &made["spec"];
        let placed: Vec<&str> = spec["layouts"]
            .as_array()
            .expect("layouts")
            .iter()
            .flat_map(|it| it["spec"]["items"].as_array().expect("items"))
            .map(|it| it["content"]["$ref"].as_str().and_then(|it| it.strip_prefix("#/spec/panels/")).expect("a panel"))
            .collect();
        let drawable = || panels(board).filter(|it| it.drawing != Drawing::Heat);
        assert_eq!(placed.len(), drawable().count());
        let keys: Vec<&str> = spec["panels"].as_object().expect("panels").keys().map(String::as_str).collect();
        assert_eq!(placed.iter().copied().collect::<BTreeSet<_>>(), keys.into_iter().collect());
        for (key, panel) in placed.iter().zip(drawable()) {
            let drawn = &spec["panels"][key]["spec"];
            assert_eq!(drawn["display"]["name"], panel.title.as_str());
            let asked = drawn["queries"].as_array().expect("queries");
            for (query, own) in asked.iter().zip(&panel.queries) {
                let expr = query["spec"]["plugin"]["spec"]["query"].as_str().expect("a query");
                let words = matches!(&panel.drawing, Drawing::Table(it) if it.columns[0].of == Cell::Query(0));
                assert!(expr == own.expr || words && expr.contains(&own.expr), "{expr}");
                promql_parser::parser::parse(&filled(expr)).unwrap_or_else(|error| panic!("{expr}: {error}"));
            }
            assert_eq!(asked.len(), panel.queries.len());
        }
    }
}

/// The files that provision, and only those that are asked for.
#[test]
fn data_sources_are_provisioned_where_they_are_known() {
    let mut estate = everything(&[]);
    let paths = |estate: &Estate| -> Vec<String> {
        let kind = kilter_codegen::render::Kind::Dashboards;
        artifacts(estate).into_iter().filter(|it| it.kind == kind).map(|it| it.path).collect()
    };
    let (grafana, perses) =
        (["dashboards/shop.json", "dashboards/slo-overview.json"], ["perses/shop.json", "perses/slo-overview.json"]);
    let provider = ["dashboards/.lint", "dashboards/provisioning/dashboards.yaml"];
    let sorted = |all: &[&[&str]]| all.concat().into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let made = |estate: &Estate| paths(estate).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(made(&estate), sorted(&[&grafana, &perses, &provider]));
    estate.boards = BTreeSet::from([Board::Perses]);
    assert_eq!(made(&estate), sorted(&[&perses]));
    estate.boards = BTreeSet::from([Board::Grafana]);
    estate.datasources = Datasources {
        prometheus: Some("http://prometheus:9090".to_owned()),
        traces: Some((TraceStore::Jaeger, "http://jaeger:16686".to_owned())),
        loki: Some("http://loki:3100".to_owned()),
    };
    let sources = "dashboards/provisioning/datasources.yaml";
    assert_eq!(made(&estate), sorted(&[&grafana, &provider, &[sources]]));
    let all = artifacts(&estate);
    let text = &all.iter().find(|it| it.path == sources).expect("the file").text;
    let file: Value = serde_saphyr::from_str(text).expect("YAML");
    let of = |uid: &str| {
        file["datasources"].as_array().expect("a list").iter().find(|it| it["uid"] == uid).expect("it").clone()
    };
    assert_eq!(of("prometheus")["jsonData"]["exemplarTraceIdDestinations"][0]["datasourceUid"], "traces");
    assert_eq!((of("traces")["type"].clone(), of("logs")["type"].clone()), (json!("jaeger"), json!("loki")));
    // A single dollar would be a variable of Grafana's environment.
    assert_eq!(of("logs")["jsonData"]["derivedFields"][0]["url"], "$${__value.raw}");
    // What the header links to is where it is said to be.
    estate.links = Links { logs: Some("https://logs.example/?s={{service}}".to_owned()), ..Links::default() };
    let header = json_of(&estate, "dashboards/shop.json")["links"].to_string();
    assert!(header.contains("https://logs.example/?s=shop") && header.contains("/d/slo-overview"), "{header}");
}
