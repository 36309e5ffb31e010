//! The harness drives the real Prometheus and Alertmanager: an alert fires, survives a restart, arrives, and resolves.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kilter_harness::{Alertmanager, Prometheus, PrometheusConfig, Webhook, until};

const DEADLINE: Duration = Duration::from_secs(30);

/// Prometheus scrapes itself, so an alert on its own series has a switch: the rule file.
fn write_rules(file: &Path, expr: &str) {
    let rules = format!(
        "groups:\n- name: g\n  interval: 1s\n  rules:\n  - alert: Real\n    expr: {expr}\n    annotations: {{summary: it is}}\n"
    );
    fs::write(file, rules).unwrap();
}

#[test]
fn an_alert_travels_from_a_real_prometheus_through_a_real_alertmanager_to_the_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let webhook = Webhook::start(folder.path()).unwrap();
    let routes = folder.path().join("alertmanager.yml");
    fs::write(
        &routes,
        format!(
            "route: {{receiver: hook, group_wait: 100ms, group_interval: 1s}}\n\
             receivers: [{{name: hook, webhook_configs: [{{url: \"{}\"}}]}}]\n",
            webhook.url("hook")
        ),
    )
    .unwrap();
    let alertmanager = Alertmanager::start(&folder.path().join("alertmanager"), &routes).unwrap();
    let rules = folder.path().join("a.rules.yaml");
    write_rules(&rules, "up == 1");
    let mut config = PrometheusConfig::new(Vec::new());
    config.rule_files = vec![folder.path().join("*.rules.yaml")];
    config.alertmanager = Some(alertmanager.address());
    config.time_divisor = 20;
    let mut prometheus = Prometheus::start(&folder.path().join("prometheus"), config).unwrap();

    prometheus.rules_evaluated(DEADLINE).unwrap();
    let (_, page) = webhook.wait_for("hook", "firing", "Real", DEADLINE).unwrap();
    assert_eq!(page.annotation("summary"), "it is");
    assert_eq!(prometheus.value("scalar(up)").unwrap(), Some(1.0));
    assert_eq!(prometheus.value("absent_series").unwrap(), None);
    let history = prometheus.query_range("up", Duration::from_secs(2), Duration::from_secs(1)).unwrap();
    assert_eq!(history[0].labels["job"], "prometheus");
    let error = prometheus.query("rate(up)").unwrap_err();
    assert!(format!("{error:#}").contains("expected type range vector"), "{error:#}");

    prometheus.restart().unwrap();
    until("the alert after the restart", DEADLINE, || {
        Ok(prometheus.alerts()?.iter().any(|it| it.state == "firing").then_some(()))
    })
    .unwrap();

    write_rules(&rules, "up == 2");
    prometheus.reload().unwrap();
    webhook.wait_for("hook", "resolved", "Real", DEADLINE).unwrap();
    write_rules(&rules, "up ==");
    let error = prometheus.reload().unwrap_err().to_string();
    assert!(error.starts_with("Prometheus refused to reload"), "{error}");
}

#[test]
fn a_rule_that_errs_is_told_with_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("a.rules.yaml");
    // Two elements on both sides of a match without labels: only a run shows it.
    write_rules(
        &rules,
        "'{__name__=~\"up|scrape_duration_seconds\"} + on () {__name__=~\"up|scrape_duration_seconds\"}'",
    );
    let mut config = PrometheusConfig::new(Vec::new());
    config.rule_files = vec![rules];
    let prometheus = Prometheus::start(&folder.path().join("prometheus"), config).unwrap();
    let error = until("the error", DEADLINE, || Ok(prometheus.no_rule_errs().err())).unwrap().to_string();
    assert!(error.contains("many-to-many matching not allowed"), "{error}");
}
