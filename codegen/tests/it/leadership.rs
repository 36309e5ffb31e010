//! Who hears of what is larger than a team: rules, proofs, routes and texts of an estate with two teams.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cli::{kilter, said};

fn estate(leadership: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    // One of them records no burn over five minutes.
    let own = "    windows: [{severity: page, share: 2%, long: 1h, short: 10m}]\n";
    for (service, team, windows) in [("shop", "store", "    window: 7d\n"), ("depot", "logistics", own)] {
        write(
            &format!("{service}.slo.yaml"),
            &format!(
                "apiVersion: kilter/v1\nservice: {service}\nteam: {team}\nslos:\n  - name: works\n    description: It works.\n    objective: 99.9%\n{windows}    sli: {{http_server: {{}}}}\n"
            ),
        );
    }
    write("base.yaml", "receivers: [{name: default}, {name: watchdog}, {name: pager}, {name: desk}, {name: top}]\n");
    write(
        "kilter.yaml",
        &format!(
            "version: 0.1\nservices: ['*.slo.yaml']\nselector: 'job=~\"{{{{service}}}}|{{{{service}}}}-canary\"'\nidentity: {{environment: test}}\nlinks: {{grafana: https://grafana.example}}\nalertmanager: {{base: base.yaml}}\nleadership: {leadership}\nteams:\n  store: {{page: pager, ticket: desk}}\n  logistics: {{page: pager, ticket: desk}}\n"
        ),
    );
    folder
}

/// The generated proofs hold, and amtool finds the way; who is told stands at the end.
#[test]
fn the_leadership_hears_of_pages_that_last_and_of_outages_of_several_teams() {
    let folder = estate("{receiver: top, after: 2h}");
    let made = kilter(&["generate"], folder.path());
    assert_eq!(made.status.code(), Some(0), "{}", said(&made));
    let shown = kilter(&["test"], folder.path());
    let text = said(&shown);
    assert_eq!(shown.status.code(), Some(0), "{text}");
    let told = text.lines().find(|it| it.starts_with("top ")).unwrap_or_else(|| panic!("{text}"));
    assert!(told.contains("leadership") && told.contains("OutageWidespread, PageUnanswered"), "{told}");
    the_text_names_every_service(folder.path());
}

/// The text of one alert with its query, as the real promtool expands it.
fn the_text_names_every_service(folder: &Path) {
    let page = |team: &str, service: &str| {
        format!(
            "      - series: 'ALERTS{{alertname=\"ErrorBudgetBurn\",alertstate=\"firing\",severity=\"page\",environment=\"test\",team=\"{team}\",service=\"{service}\",slo=\"works\"}}'\n        values: 1+0x40\n"
        )
    };
    let text = format!(
        "rule_files: [kilter.rules.yaml]\nevaluation_interval: 30s\ntests:\n  - interval: 30s\n    input_series:\n{}{}    alert_rule_test:\n      - eval_time: 10m\n        alertname: OutageWidespread\n        exp_alerts:\n          - exp_labels: {{environment: test, severity: leadership}}\n            exp_annotations:\n              dashboard_url: https://grafana.example/d/slo-overview?from=now-6h&to=now\n              summary: 'Pages of 2 teams go on at once: one outage, or several'\n              description: 'Users are hurt by several services at once: depot shop. Each team sees its own part. Name one person who leads, find what they have in common (a dependency, a release, the network), and decide who tells the users.'\n",
        page("store", "shop"),
        page("logistics", "depot"),
    );
    let rules = folder.join("rules");
    fs::write(rules.join("text.test.yaml"), text).expect("a file");
    let out = Command::new("promtool").args(["test", "rules", "text.test.yaml"]).current_dir(&rules).output();
    let out = out.expect("promtool; to install it: cargo xtask tools");
    assert!(out.status.success(), "{}", said(&out));
}

/// With one team, pages of several cannot be: by default nothing is said of it; who asks for more is told.
#[test]
fn an_alert_that_could_never_fire_is_refused() {
    let folder = estate("{receiver: top, teams: 3}");
    let out = kilter(&["generate"], folder.path());
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    assert!(said(&out).contains("KLT0205"), "{}", said(&out));
    let edit = |name: &str, from: &str, to: &str| {
        let text = fs::read_to_string(folder.path().join(name)).expect("a file");
        fs::write(folder.path().join(name), text.replace(from, to)).expect("a file");
    };
    edit("kilter.yaml", ", teams: 3", "");
    edit("depot.slo.yaml", "team: logistics", "team: store");
    let out = kilter(&["generate"], folder.path());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let rules = fs::read_to_string(folder.path().join("rules/kilter.rules.yaml")).expect("rules");
    assert!(rules.contains("PageUnanswered") && !rules.contains("OutageWidespread"), "{rules}");
}
