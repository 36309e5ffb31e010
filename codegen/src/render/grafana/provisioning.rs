//! The files with which Grafana finds dashboards and data sources by itself, and the exclusions of its linter.

use serde_json::{Map, Value, json};

use crate::model::{Estate, Form, TraceStore};
use crate::render::rules::banner;
use crate::yaml;

/// Where the dashboards are within Grafana's container.
const FOLDER: &str = "/var/lib/grafana/dashboards";

/// The provider of dashboards: `dashboards/` is mounted at `FOLDER`.
pub fn dashboards(estate: &Estate) -> Result<String, String> {
    let file = json!({
        "apiVersion": 1,
        "providers": [{
            "name": "kilter", "orgId": 1, "folder": "SLOs", "folderUid": "kilter", "type": "file",
            "disableDeletion": false, "updateIntervalSeconds": 30, "allowUiUpdates": false,
            "options": {"path": FOLDER, "foldersFromFilesStructure": false},
        }],
    });
    let head = banner("# ", &estate.source, estate.time_scale);
    let mount = format!(
        "# Mount this file into /etc/grafana/provisioning/dashboards/, and the folder dashboards/ at {FOLDER}.\n"
    );
    Ok(head + &mount + &yaml::to_string(&file)?)
}

/// The data sources; `None` when nobody said where the Prometheus is.
pub fn datasources(estate: &Estate) -> Option<Result<String, String>> {
    let prometheus = estate.datasources.prometheus.as_ref()?;
    let mut options = Map::new();
    options.insert("httpMethod".to_owned(), json!("POST"));
    options.insert("manageAlerts".to_owned(), json!(true));
    options.insert("prometheusType".to_owned(), json!(kind(estate)));
    if estate.datasources.traces.is_some() {
        let destination = json!([{"name": "trace_id", "datasourceUid": "traces"}]);
        options.insert("exemplarTraceIdDestinations".to_owned(), destination);
    }
    let mut all = vec![json!({
        "name": "Prometheus", "uid": "prometheus", "type": "prometheus", "access": "proxy", "url": prometheus,
        "isDefault": true, "jsonData": options,
    })];
    if let Some((store, url)) = &estate.datasources.traces {
        let name = if *store == TraceStore::Tempo { "Tempo" } else { "Jaeger" };
        let mut source = json!({"name": name, "uid": "traces", "type": store.as_str(), "access": "proxy", "url": url});
        if estate.datasources.loki.is_some() {
            source["jsonData"] = json!({"tracesToLogsV2": {"datasourceUid": "logs", "filterByTraceID": true}});
        }
        all.push(source);
    }
    if let Some(url) = &estate.datasources.loki {
        let mut source = json!({"name": "Loki", "uid": "logs", "type": "loki", "access": "proxy", "url": url});
        if estate.datasources.traces.is_some() {
            // Grafana reads `$` in these files as a variable of its environment: `$$` is a dollar.
            source["jsonData"] = json!({"derivedFields": [{
                "name": "trace", "datasourceUid": "traces", "matcherRegex": "\"trace_id\":\"(\\w+)\"",
                "url": "$${__value.raw}",
            }]});
        }
        all.push(source);
    }
    let text = || {
        let file = json!({"apiVersion": 1, "datasources": all});
        let head = banner("# ", &estate.source, estate.time_scale);
        Ok(head + "# Mount this file into /etc/grafana/provisioning/datasources/.\n" + &yaml::to_string(&file)?)
    };
    Some(text())
}

/// What Grafana calls the server.
fn kind(estate: &Estate) -> &'static str {
    match (estate.target.engine().name, estate.target.engine().form) {
        ("mimir", _) => "Mimir",
        (_, Form::PartialResponse) => "Thanos",
        _ => "Prometheus",
    }
}

/// Rules of grafana/dashboard-linter that these dashboards do not keep, and why.
const EXCLUSIONS: &[(&str, &str)] = &[
    ("template-job-rule", "A dashboard is of one service: its selector is fixed, and what is recorded has no job."),
    (
        "target-job-rule",
        "What is recorded has the labels service and slo in place of a job; other queries have the estate's selector.",
    ),
    (
        "template-instance-rule",
        "A promise is kept by all instances together; panels on single instances have the variable instance.",
    ),
    ("target-instance-rule", "What is recorded is summed over all instances, and has no such label."),
    (
        "target-rate-interval-rule",
        "Queries of runbooks and alerts are shown as they are, with the windows of the rules.",
    ),
];

/// The file `.lint` beside the dashboards.
pub fn exclusions(estate: &Estate) -> Result<String, String> {
    let all: Map<String, Value> =
        EXCLUSIONS.iter().map(|(rule, reason)| ((*rule).to_owned(), json!({"reason": reason}))).collect();
    let head = banner("# ", &estate.source, estate.time_scale);
    Ok(head + &yaml::to_string(&json!({"exclusions": all}))?)
}
