//! The queries of dashboards and runbooks, as a responder would send them.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use kilter_harness::{Watch, until};
use serde_json::Value;

/// Queries of the budget's group are evaluated less often than a page arrives.
const SOON: Duration = Duration::from_secs(20);

/// Each query of the SLO's runbook finds something, unless its text says that it may not, and for each of these metrics
/// a panel of the service.
pub(super) fn find_something(watch: &Watch, service: &str, slo: &str, panels: &[&str]) -> anyhow::Result<()> {
    let runbook = fs::read_to_string(watch.folder().join(format!("rules/runbooks/{service}/{slo}.md")))?;
    let blocks: Vec<&str> = runbook.split("```promql").collect();
    // The text above a query ends the block before it; one that may be empty says so.
    let asked = blocks.windows(2).filter(|it| !it[0].contains("none when there is no line"));
    let mut empty: Vec<String> = asked.filter_map(|it| Some(it[1].split("```").next()?.trim().to_owned())).collect();
    anyhow::ensure!(empty.len() >= 3, "the runbook of {slo} has {} queries", empty.len());

    panels_find_something(watch, service, slo, panels)?;
    until("every query to find something", SOON, || {
        let mut left = Vec::new();
        for query in &empty {
            if !finds(watch, slo, query)? {
                left.push(query.clone());
            }
        }
        empty = left;
        anyhow::ensure!(empty.is_empty(), "still empty:\n{}", empty.join("\n"));
        Ok(Some(()))
    })
}

/// For each of these metrics, a panel of this dashboard finds something.
pub(super) fn panels_find_something(watch: &Watch, name: &str, slo: &str, panels: &[&str]) -> anyhow::Result<()> {
    let board = fs::read_to_string(watch.folder().join(format!("dashboards/{name}.json")))?;
    let board: Value = serde_json::from_str(&board).context("the dashboard")?;
    for metric in panels {
        let mut found = Vec::new();
        expressions(&board, metric, &mut found);
        anyhow::ensure!(!found.is_empty(), "no panel of {name} reads {metric}");
        until(&format!("a panel that shows {metric}"), SOON, || {
            let shows = |query: &String| finds(watch, slo, query).is_ok_and(|it| it);
            Ok(found.iter().any(shows).then_some(()))
        })?;
    }
    Ok(())
}

/// Whether it gives a number, with the variables as Grafana would fill them in.
fn finds(watch: &Watch, slo: &str, query: &str) -> anyhow::Result<bool> {
    let sent = query.replace("$slo", slo).replace("$__rate_interval", "5s").replace("$instance", ".*");
    Ok(watch.prometheus.query(&sent)?.iter().any(|it| it.value.is_finite()))
}

/// Expressions that read this metric.
fn expressions(value: &Value, metric: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            let expr = fields.get("expr").and_then(Value::as_str).filter(|it| it.contains(metric));
            found.extend(expr.map(str::to_owned));
            fields.values().for_each(|it| expressions(it, metric, found));
        }
        Value::Array(items) => items.iter().for_each(|it| expressions(it, metric, found)),
        _ => {}
    }
}
