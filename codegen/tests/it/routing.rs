//! The Alertmanager file, as the real amtool reads it.

use kilter_codegen::model::Team;

use crate::support::{artifacts, availability, estate, planned, slo, tool, written};

/// An estate with a team and a base file.
fn routed() -> kilter_codegen::model::Estate {
    let mut estate = estate(vec![slo("buys", "0.999", availability("/orders"))]);
    let team = Team { page: "store-pager".into(), ticket: "store-tickets".into(), escalation: None };
    estate.teams.insert("store".parse().expect("a name"), team);
    estate.identity.insert("environment".into(), "prod".into());
    estate.alertmanager_base = Some("global: {resolve_timeout: 7m}\nreceivers: [{name: store-pager, webhook_configs: [{url: 'http://127.0.0.1:1/'}]}]\n".into());
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
            "# Receivers without a destination, because the base file lacks them: default, store-tickets, watchdog"
        ),
        "{text}"
    );
}

/// A page silences the ticket of the same alert, SLO, environment and group; nothing else of it.
#[test]
fn inhibition_is_as_narrow_as_it_can_be() {
    let mut estate = routed();
    estate.services[0].slos[0].by = vec!["region".into()];
    let inhibit = planned(&estate).routing.inhibit_rules;
    assert_eq!(inhibit.len(), 1);
    assert_eq!(inhibit[0].equal, ["alertname", "service", "slo", "environment", "region"]);
}
