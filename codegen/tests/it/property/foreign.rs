//! Files of other tools by chance, with as many SLOs as they say.

use serde_json::{Value, json};

use super::input::{Dice, TEXTS};

const OBJECTIVES: &[f64] = &[50.0, 90.0, 95.5, 99.0, 99.5, 99.9, 99.95, 99.99];
/// Names that other tools take, and Kilter has to change.
const NAMES: &[&str] =
    &["requests", "API_errors", "Orders Succeed", "a.b/c", "very-long-name-of-more-than-forty-characters-in-all"];

/// A text of documents, and how many SLOs stand in it.
pub(super) fn file(dice: &mut Dice) -> (String, usize) {
    let count = 1 + dice.below(4);
    let all: Vec<Value> = match dice.below(4) {
        0 => vec![sloth(dice, count, false)],
        1 => vec![sloth(dice, count, true)],
        2 => (0..count).map(|number| openslo(dice, number)).collect(),
        _ => (0..count).map(|number| pyrra(dice, number)).collect(),
    };
    (all.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n"), count)
}

fn name(dice: &mut Dice, number: usize) -> String {
    format!("{number} {}", dice.one(NAMES)).replace(' ', dice.one(&["-", "_"]))
}

fn counters(dice: &mut Dice) -> (&'static str, &'static str) {
    const PAIRS: &[(&str, &str)] = &[
        ("failed_total", "all_total"),
        ("all_total{code=~\"5..|429\"}", "all_total"),
        ("all_total{job=\"a\",code=~\"(5..|429)\"}", "all_total{job=\"a\"}"),
        (
            "http_server_request_duration_seconds_count{job=\"a\",error_type!=\"\"}",
            "http_server_request_duration_seconds_count{job=\"a\"}",
        ),
    ];
    PAIRS[dice.below(PAIRS.len())]
}

/// Sloth's file, or its Kubernetes resource.
fn sloth(dice: &mut Dice, count: usize, resource: bool) -> Value {
    let slos: Vec<Value> = (0..count)
        .map(|number| {
            let (failed, all) = counters(dice);
            let rate = |it: &str| format!("sum(rate({it}[{{{{.window}}}}]))");
            let (error, total, ratio) = if resource {
                ("errorQuery", "totalQuery", "errorRatioQuery")
            } else {
                ("error_query", "total_query", "error_ratio_query")
            };
            let sli = if dice.once_in(4) {
                json!({"raw": {ratio: format!("{} / {}", rate(failed), rate(all))}})
            } else {
                json!({"events": {error: rate(failed), total: rate(all)}})
            };
            json!({
                "name": name(dice, number), "description": dice.one(TEXTS), "sli": sli,
                "objective": OBJECTIVES[dice.below(OBJECTIVES.len())],
                "alerting": {"name": dice.one(TEXTS), "labels": {"channel": "a"}},
            })
        })
        .collect();
    let mut spec =
        json!({"service": dice.one(&["checkout", "My Service"]), "labels": {"team": "pay ments"}, "slos": slos});
    if !resource {
        spec["version"] = json!("prometheus/v1");
        return spec;
    }
    json!({
        "apiVersion": "sloth.slok.dev/v1", "kind": "PrometheusServiceLevel",
        "metadata": {"name": "a", "namespace": "b"}, "spec": spec,
    })
}

fn openslo(dice: &mut Dice, number: usize) -> Value {
    let (failed, all) = counters(dice);
    let metric = |it: &str| json!({"metricSource": {"type": "Prometheus", "spec": {"query": it}}});
    let target = OBJECTIVES[dice.below(OBJECTIVES.len())];
    json!({
        "apiVersion": "openslo/v1", "kind": "SLO",
        "metadata": {"name": name(dice, number)},
        "spec": {
            "description": dice.one(TEXTS), "service": "files", "budgetingMethod": "Occurrences",
            "indicator": {"metadata": {"name": "x"}, "spec": {"ratioMetric": {"counter": true, "bad": metric(failed), "total": metric(all)}}},
            "timeWindow": [{"duration": dice.one(&["4w", "30d", "7d", "1M"]), "isRolling": true}],
            "objectives": [{"targetPercent": target}],
        },
    })
}

fn pyrra(dice: &mut Dice, number: usize) -> Value {
    let (failed, all) = counters(dice);
    let target = OBJECTIVES[dice.below(OBJECTIVES.len())].to_string();
    let indicator = if dice.once_in(3) {
        json!({"latency": {"success": {"metric": "x_seconds_bucket{le=\"0.5\"}"}, "total": {"metric": "x_seconds_count"}}})
    } else {
        json!({"ratio": {"errors": {"metric": failed}, "total": {"metric": all}}})
    };
    json!({
        "apiVersion": "pyrra.dev/v1alpha1", "kind": "ServiceLevelObjective",
        "metadata": {"name": name(dice, number), "labels": {"pyrra.dev/team": "platform"}},
        "spec": {
            "description": dice.one(TEXTS), "target": target, "window": dice.one(&["4w", "30d", "2w"]),
            "indicator": indicator,
        },
    })
}
