//! The Alertmanager file, as the real amtool reads it.

use kilter_codegen::model::{Dependency, OfficeHours, Silences, Team};
use kilter_codegen::plan::routing::{Route, own_alerts};
use kilter_codegen::yaml;

use crate::support::{artifacts, availability, estate, planned, slo, tool, written};

/// An estate with a team and a base file.
fn routed() -> kilter_codegen::model::Estate {
    let mut estate = estate(vec![slo("buys", "0.999", availability("/orders"))]);
    let team = Team {
        page: "store-pager".into(),
        ticket: "store-tickets".into(),
        escalation: Some("store-leads".into()),
        office_hours: None,
    };
    estate.teams.insert("store".parse().expect("a name"), team);
    estate.identity.insert("environment".into(), "prod".into());
    estate.alertmanager.base = Some("global: {resolve_timeout: 7m}\nreceivers: [{name: store-pager, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n".into());
    estate
}

#[test]
fn every_alert_reaches_its_receiver() {
    let estate = routed();
    let folder = written(&artifacts(&estate));
    let (ok, said) = tool("amtool", &["check-config", "rules/alertmanager.yaml"], folder.path());
    assert!(ok, "{said}");
    let routing = planned(&estate).routing;
    assert!(routing.proofs.len() >= 9, "{:#?}", routing.proofs);
    for proof in routing.proofs {
        let labels: Vec<String> = proof.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let verify = format!("--verify.receivers={}", proof.receiver);
        let mut args = vec!["config", "routes", "test", "--config.file", "rules/alertmanager.yaml", &verify];
        args.extend(labels.iter().map(String::as_str));
        let (ok, said) = tool("amtool", &args, folder.path());
        assert!(ok, "{labels:?}: {said}");
    }
}

#[test]
fn the_base_file_stays_and_what_it_lacks_is_said() {
    let estate = routed();
    let all = artifacts(&estate);
    let text = &all.iter().find(|it| it.path == "rules/alertmanager.yaml").expect("the file").text;
    assert!(text.contains("resolve_timeout: 7m") && text.contains("http://127.0.0.1:1/"), "{text}");
    assert!(
        text.contains(
            "# Receivers without a destination, because the base file lacks them: default, store-leads, store-tickets, watchdog"
        ),
        "{text}"
    );
}

/// A page silences the ticket of the same alert, SLO, environment and group; a service that is down what follows from
/// that; nothing else is silent.
#[test]
fn inhibition_is_as_narrow_as_it_can_be() {
    let mut estate = routed();
    estate.services[0].slos[0].by = vec!["region".into()];
    let inhibit = planned(&estate).routing.inhibit_rules;
    assert_eq!(inhibit.len(), 2);
    assert_eq!(inhibit[0].equal, ["alertname", "service", "slo", "environment", "region"]);
    assert_eq!(inhibit[1].source_matchers, ["alertname=\"ServiceDown\""]);
    assert_eq!(inhibit[1].target_matchers, ["alertname=~\"ErrorBudgetBurn|SLODataMissing\""]);
    assert_eq!(inhibit[1].equal, ["service", "environment"]);

    for (silences, severities) in
        [(Silences::Tickets, "severity=\"ticket\""), (Silences::Pages, "severity=~\"page|ticket\"")]
    {
        estate.services[0].depends_on = vec![Dependency { service: "identity".parse().expect("a name"), silences }];
        let declared = planned(&estate).routing.inhibit_rules.pop().expect("a rule");
        let identity = ["alertname=~\"ErrorBudgetBurn|ServiceDown\"", "service=\"identity\"", "severity=\"page\""];
        assert_eq!(declared.source_matchers, identity);
        assert_eq!(declared.target_matchers, ["alertname=\"ErrorBudgetBurn\"", "service=\"shop\"", severities]);
        assert_eq!(declared.equal, ["environment"]);
    }
}

/// Office hours are on the ticket's route alone, and Alertmanager takes them.
#[test]
fn tickets_wait_for_office_hours_and_pages_do_not() {
    let mut estate = routed();
    let hours = OfficeHours {
        days: vec!["monday".into(), "friday".into()],
        from: "09:00".into(),
        to: "17:30".into(),
        location: "Europe/Berlin".into(),
    };
    estate.teams.values_mut().for_each(|it| it.office_hours = Some(hours.clone()));
    let folder = written(&artifacts(&estate));
    let (ok, said) = tool("amtool", &["check-config", "rules/alertmanager.yaml"], folder.path());
    assert!(ok, "{said}");
    let team = planned(&estate).routing.route.routes.pop().expect("the team's route");
    let hours = |route: &Route| (route.receiver.clone(), route.active_time_intervals.join(","));
    let expected = [("store-pager", ""), ("store-tickets", "office-hours-store"), ("store-leads", "")];
    assert_eq!(team.routes.iter().map(hours).collect::<Vec<_>>(), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

/// A base with routes of its own keeps them all; ours is a subtree for our alerts.
#[test]
fn a_tree_of_others_stays_as_it_is() {
    let mut estate = routed();
    let base = "global: {resolve_timeout: 7m}\nroute: {receiver: ops, group_by: [job], routes: [{matchers: ['job=\"db\"'], receiver: dba}]}\ninhibit_rules: [{source_matchers: ['a=\"b\"'], target_matchers: ['c=\"d\"'], equal: [x]}]\ntime_intervals: [{name: nights, time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]}]\ntemplates: ['*.tmpl']\nreceivers: [{name: ops}, {name: dba}, {name: store-pager}, {name: store-tickets}, {name: store-leads}, {name: watchdog}, {name: default}]\n";
    estate.alertmanager.base = Some(base.to_owned());
    let folder = written(&artifacts(&estate));
    let path = folder.path().join("rules/alertmanager.yaml");
    let before: serde_json::Value = yaml::from_str(base).expect("YAML");
    let mut after: serde_json::Value = yaml::from_str(&std::fs::read_to_string(path).expect("a file")).expect("YAML");
    let ours = after["route"]["routes"].as_array_mut().expect("routes").remove(0);
    assert_eq!(ours["matchers"][0], own_alerts());
    after["inhibit_rules"].as_array_mut().expect("rules").truncate(1);
    assert_eq!(before, after, "everything but our parts");

    let reaches = |receiver: &str, labels: &[&str]| {
        let verify = format!("--verify.receivers={receiver}");
        let mut args = vec!["config", "routes", "test", "--config.file", "rules/alertmanager.yaml", &verify];
        args.extend(labels);
        let (ok, said) = tool("amtool", &args, folder.path());
        assert!(ok, "{labels:?}: {said}");
    };
    reaches("dba", &["alertname=SlowQuery", "job=db", "team=store", "severity=page"]);
    reaches("ops", &["alertname=Anything"]);
    reaches("store-pager", &["alertname=ErrorBudgetBurn", "job=db", "team=store", "severity=page"]);
    reaches("default", &["alertname=SLORulesFailing", "severity=page"]);
}
