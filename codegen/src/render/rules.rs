//! A rule file as YAML: one document, banner first, only fields that Prometheus 2.42 knows.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Artifact, RenderError};
use crate::model::TimeScale;
use crate::plan::{Plan, Rule, RuleFile};
use crate::yaml;
use crate::yaml::write::{is_plain_key, push_value};

#[derive(Serialize)]
struct FileYaml<'a> {
    groups: Vec<GroupYaml<'a>>,
}

#[derive(Serialize)]
struct GroupYaml<'a> {
    name: &'a str,
    interval: String,
    rules: Vec<RuleYaml<'a>>,
}

#[derive(Serialize)]
struct RuleYaml<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<&'a str>,
    expr: &'a str,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    hold: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_firing_for: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
}

/// The text of a rule file.
pub fn text(file: &RuleFile, scale: TimeScale) -> Result<String, String> {
    let mut text = banner("# ", &file.source, scale);
    // A rule takes some 450 bytes.
    text.reserve(512 * file.groups.iter().map(|it| it.rules.len()).sum::<usize>());
    let start = text.len();
    // Whatever is out of the ordinary is left to the library.
    if push_file(&mut text, file).is_err() {
        text.truncate(start);
        text.push_str(&yaml::to_string(&file_yaml(file))?);
    }
    Ok(text)
}

/// The file as the library would write it.
fn push_file(out: &mut String, file: &RuleFile) -> Result<(), String> {
    if file.groups.is_empty() || file.groups.iter().any(|it| it.rules.is_empty()) {
        return Err("a list without entries".to_owned());
    }
    out.push_str("groups:\n");
    for group in &file.groups {
        out.push_str("- name:");
        push_value(out, &group.name, 2)?;
        out.push_str("  interval:");
        push_value(out, &group.interval.to_string(), 2)?;
        out.push_str("  rules:\n");
        group.rules.iter().try_for_each(|rule| push_rule(out, rule))?;
    }
    Ok(())
}

fn push_rule(out: &mut String, rule: &Rule) -> Result<(), String> {
    let mut lead = "  - ";
    let mut push = |out: &mut String, key: &str, value: &str| {
        out.push_str(std::mem::replace(&mut lead, "    "));
        out.push_str(key);
        out.push(':');
        push_value(out, value, 4)
    };
    let (labels, annotations) = match rule {
        Rule::Recording { record, expr, labels } => {
            push(out, "record", record)?;
            push(out, "expr", expr)?;
            (labels.as_ref(), None)
        }
        Rule::Alerting { alert, expr, hold, keep_firing_for, labels, annotations } => {
            push(out, "alert", alert)?;
            push(out, "expr", expr)?;
            for (key, time) in [("for", hold), ("keep_firing_for", keep_firing_for)] {
                time.map_or(Ok(()), |it| push(out, key, &it.to_string()))?;
            }
            (labels, Some(annotations))
        }
    };
    push_map(out, "labels", labels)?;
    annotations.map_or(Ok(()), |it| push_map(out, "annotations", it))
}

fn push_map(out: &mut String, key: &str, map: &BTreeMap<String, String>) -> Result<(), String> {
    if map.is_empty() {
        return Ok(());
    }
    out.push_str("    ");
    out.push_str(key);
    out.push_str(":\n");
    for (key, value) in map {
        if !is_plain_key(key) {
            return Err("a key that needs quotes".to_owned());
        }
        out.push_str("      ");
        out.push_str(key);
        out.push(':');
        push_value(out, value, 6)?;
    }
    Ok(())
}

fn file_yaml(file: &RuleFile) -> FileYaml<'_> {
    let groups = file.groups.iter().map(|group| GroupYaml {
        name: &group.name,
        interval: group.interval.to_string(),
        rules: group.rules.iter().map(rule).collect(),
    });
    FileYaml { groups: groups.collect() }
}

/// Reads what was written and compares it with the plan: a text that a template of the estate's own made must not have
/// become anything else on its way.
pub fn parsed_back(plan: &Plan, artifacts: &[Artifact]) -> Result<(), RenderError> {
    let services = plan.services.iter().map(|it| (format!("rules/{}.rules.yaml", it.service), &it.rules));
    for (path, file) in services.chain([("rules/kilter.rules.yaml".to_owned(), &plan.estate_rules)]) {
        let Some(artifact) = artifacts.iter().find(|it| it.path == path) else { continue };
        let failed = |message: String| RenderError { path: path.clone(), message };
        let read: serde_json::Value = yaml::from_str(&artifact.text).map_err(failed)?;
        let wanted = serde_json::to_value(file_yaml(file)).map_err(|error| failed(error.to_string()))?;
        if read != wanted {
            return Err(failed("what was written does not read back as what was planned".to_owned()));
        }
    }
    Ok(())
}

/// The first lines of every generated text: what made it from what, and how to change it.
pub fn banner(comment: &str, source: &str, scale: TimeScale) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "{comment}Generated by kilter {version} from {source}. Do not edit: change the source and run: kilter generate\n"
    );
    if !scale.is_real() {
        let n = scale.divisor();
        text.push_str(&format!(
            "{comment}Time scale 1/{n}: every window and interval is divided by {n}; names of series are those of real time.\n"
        ));
    }
    text
}

fn rule(rule: &Rule) -> RuleYaml<'_> {
    fn map(of: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
        of.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }
    match rule {
        Rule::Recording { record, expr, labels } => RuleYaml {
            record: Some(record),
            alert: None,
            expr,
            hold: None,
            keep_firing_for: None,
            labels: map(labels),
            annotations: BTreeMap::new(),
        },
        Rule::Alerting { alert, expr, hold, keep_firing_for, labels, annotations } => RuleYaml {
            record: None,
            alert: Some(alert),
            expr,
            hold: hold.map(|it| it.to_string()),
            keep_firing_for: keep_firing_for.map(|it| it.to_string()),
            labels: map(labels),
            annotations: map(annotations),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Duration;
    use crate::plan::RuleGroup;

    #[test]
    fn a_file_is_written_as_the_library_writes_it() {
        let map =
            |all: &[(&str, &str)]| all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let alert = |labels, annotations| Rule::Alerting {
            alert: "A".to_owned(),
            expr: "a\n  and b # c: d".to_owned(),
            hold: Some(Duration::from_mins(3)),
            keep_firing_for: Some(Duration::from_secs(90)),
            labels,
            annotations,
        };
        let record =
            |expr: &str| Rule::Recording { record: "a:b".to_owned(), expr: expr.to_owned(), labels: Arc::default() };
        let plain =
            [record("a"), alert(map(&[("a", "b: c")]), map(&[("c", "1"), ("d", "{{ e }}")])), record("a{b=\"c\"} > 1")];
        let odd = [alert(map(&[("y", "a"), ("null", "b")]), map(&[])), record("a\n"), record(" a\nb")];
        for rules in [plain.to_vec(), odd.to_vec(), Vec::new(), [plain, odd].concat()] {
            let group = RuleGroup { name: "slo-a".to_owned(), interval: Duration::from_secs(30), rules };
            let file = RuleFile { source: "slo.yaml".to_owned(), groups: vec![group] };
            let library = banner("# ", "slo.yaml", TimeScale::REAL) + &yaml::to_string(&file_yaml(&file)).unwrap();
            assert_eq!(text(&file, TimeScale::REAL).unwrap(), library);
        }
    }
}
