//! What must still hold of a dashboard or a rule group after a patch.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::model::{Duration, Limits, Target};
use crate::plan::windows::timing;
use crate::promql;

/// Something that speaks against a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What is wrong.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
    /// Keys that lead to it in the patched value.
    pub(super) at: Vec<String>,
}

impl Problem {
    /// A problem of the whole.
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), at: Vec::new() }
    }

    /// As seen from one rule or one panel, when the patch is for that.
    pub(super) fn within(mut self) -> Self {
        if self.at.len() > 1 && ["rules", "panels"].contains(&self.at[0].as_str()) {
            self.at.drain(..2);
        }
        self
    }

    fn at(mut self, path: &[&str]) -> Self {
        self.at = path.iter().map(|it| (*it).to_owned()).collect();
        self
    }
}

/// Fields of a rule that every target knows.
const RULE_FIELDS: &[&str] = &["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];
/// Labels that route an alert and tell it from others.
const ROUTING: [&str; 5] = ["service", "slo", "severity", "team", "policy"];

/// A rule group of a target, of which it takes so many rules.
pub(super) fn group(before: &Value, after: &Value, target: Target, limits: Limits) -> Vec<Problem> {
    let mut problems = Vec::new();
    if before["name"] != after["name"] {
        let help = "the health of the rules is watched by this name";
        problems.push(Problem::new("the name of a rule group stays", help).at(&["name"]));
    }
    unknown(after, &target.group_fields(), &[], target, &mut problems);
    duration(after, "query_offset", &[], &mut problems);
    duration(after, "interval", &[], &mut problems);
    let longest = timing().budget_interval;
    if text(after, "interval").and_then(|it| it.parse::<Duration>().ok()).is_some_and(|it| it > longest) {
        let message = format!("evaluated less often than every {longest}, its series have holes");
        problems.push(Problem::new(message, format!("write an interval of at most {longest}")).at(&["interval"]));
    }
    if after.get("limit").is_some_and(|it| it.as_u64().is_none()) {
        problems.push(Problem::new("`limit` is a whole number of series", "for example: 1000").at(&["limit"]));
    }
    let none = Vec::new();
    let rules = after["rules"].as_array().unwrap_or(&none);
    for (at, it) in rules.iter().enumerate() {
        rule(it, &at.to_string(), target, &mut problems);
    }
    if let Some(most) = limits.rules_per_group.filter(|most| rules.len() > *most) {
        let message = format!("{} rules are more than a group of {} takes: {most}", rules.len(), target.engine().name);
        problems.push(Problem::new(message, "keep rules of your own in a file of your own").at(&["rules"]));
    }
    lost(before, rules, &mut problems);
    problems
}

/// Every alert and every recorded series that was there is still there, under the labels that route it.
fn lost(before: &Value, rules: &[Value], problems: &mut Vec<Problem>) {
    let name =
        |rule: &Value| ["alert", "record"].iter().find_map(|key| text(rule, key).map(|it| (*key, it.to_owned())));
    let key = |rule: &Value| (name(rule), ROUTING.map(|label| rule["labels"][label].as_str().map(str::to_owned)));
    let kept: BTreeSet<_> = rules.iter().map(key).collect();
    let names: BTreeSet<_> = rules.iter().map(name).collect();
    let (mut told, mut gone) = (BTreeSet::new(), Vec::new());
    for rule in before["rules"].as_array().into_iter().flatten() {
        let Some((kind, own)) = name(rule) else { continue };
        if kept.contains(&key(rule)) || !told.insert(own.clone()) {
            continue;
        }
        if !names.contains(&name(rule)) {
            gone.push(own);
            continue;
        }
        let what = if kind == "alert" { "the alert" } else { "the recorded series" };
        let message = format!("{what} `{own}` is there with other labels than those that tell it apart");
        let help = format!("leave its labels {} as they are", ROUTING.join(", "));
        problems.push(Problem::new(message, help).at(&["labels"]));
    }
    if !gone.is_empty() {
        let help = "a merge patch replaces lists whole: name one rule with `rule:` in kilter.yaml";
        let verb = if gone.len() == 1 { "is" } else { "are" };
        problems.push(Problem::new(format!("{} {verb} lost", gone.join(", ")), help).at(&["rules"]));
    }
}

fn rule(rule: &Value, at: &str, target: Target, problems: &mut Vec<Problem>) {
    let path = ["rules", at];
    unknown(rule, RULE_FIELDS, &path, target, problems);
    if text(rule, "alert").is_some() == text(rule, "record").is_some() {
        problems.push(Problem::new("a rule has either `alert` or `record`", "name one of the two").at(&path));
    }
    expr(rule, &path, problems);
    duration(rule, "for", &path, problems);
    duration(rule, "keep_firing_for", &path, problems);
    for key in ["labels", "annotations"] {
        let Some(map) = rule.get(key) else { continue };
        if !map.as_object().is_some_and(|map| map.values().all(Value::is_string)) {
            let message = format!("`{key}` is a mapping from names to texts");
            let help = format!("for example: {{\"{key}\": {{\"impact\": \"high\"}}}}");
            problems.push(Problem::new(message, help).at(&["rules", at, key]));
        }
    }
}

/// PromQL in `expr`. The variables of Grafana stand where a duration or a text may.
fn expr(holder: &Value, path: &[&str], problems: &mut Vec<Problem>) {
    let place: Vec<&str> = path.iter().copied().chain(["expr"]).collect();
    let Some(text) = text(holder, "expr") else {
        problems.push(Problem::new("`expr` is a text with PromQL", "for example: {\"expr\": \"up == 0\"}").at(&place));
        return;
    };
    let mut plain = text.to_owned();
    for variable in ["$__rate_interval", "$__interval", "$__range"] {
        plain = plain.replace(variable, "5m");
    }
    if let Err(error) = promql::parse(&plain) {
        let message = format!("this is no PromQL: {}", error.message);
        problems.push(Problem::new(message, error.help).at(&place));
    }
}

/// A dashboard.
pub(super) fn dashboard(before: &Value, after: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (key, why) in [("uid", "alerts link it"), ("schemaVersion", "its panels are written for it")] {
        if before[key] != after[key] {
            problems.push(Problem::new(format!("`{key}` of a dashboard stays: {why}"), "leave it out").at(&[key]));
        }
    }
    if text(after, "title").is_none_or(str::is_empty) {
        problems.push(Problem::new("a dashboard has a title", "for example: {\"title\": \"Shop\"}").at(&["title"]));
    }
    let none = Vec::new();
    let panels = after["panels"].as_array().unwrap_or(&none);
    if panels.is_empty() {
        problems
            .push(Problem::new("no panel is left", "leave `panels` out, or name one with `panel:`").at(&["panels"]));
    }
    let mut ids = BTreeSet::new();
    for (at, panel) in panels.iter().enumerate() {
        let at = at.to_string();
        let path = ["panels", at.as_str()];
        if !panel["id"].as_u64().is_some_and(|id| ids.insert(id)) {
            let problem = Problem::new("a panel has an `id` of its own", "a whole number that no other has");
            problems.push(problem.at(&[path[0], path[1], "id"]));
        }
        if text(panel, "type").is_none() {
            let problem = Problem::new("a panel has a `type`", "for example: \"timeseries\"");
            problems.push(problem.at(&[path[0], path[1], "type"]));
        }
        let side = |key: &str| panel["gridPos"][key].as_u64();
        let fits = side("w").zip(side("x")).is_some_and(|(w, x)| (1..=24).contains(&w) && x + w <= 24);
        if !fits || side("y").is_none() || side("h").is_none_or(|h| h == 0) {
            let help = "whole numbers: {\"gridPos\": {\"x\": 0, \"y\": 0, \"w\": 12, \"h\": 8}}, x + w at most 24";
            let problem = Problem::new("a panel has a place on the grid of 24 columns", help);
            problems.push(problem.at(&[path[0], path[1], "gridPos"]));
        }
        for (nth, target) in panel["targets"].as_array().into_iter().flatten().enumerate() {
            expr(target, &[path[0], path[1], "targets", &nth.to_string()], &mut problems);
        }
    }
    problems
}

fn unknown(of: &Value, fields: &[&str], path: &[&str], target: Target, problems: &mut Vec<Problem>) {
    for key in of.as_object().into_iter().flat_map(|it| it.keys()).filter(|it| !fields.contains(&it.as_str())) {
        let place: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        let message = format!("{target} knows no field `{key}` here, and would refuse the whole file");
        problems.push(Problem::new(message, crate::spec::check::help(key, fields)).at(&place));
    }
}

fn duration(of: &Value, key: &str, path: &[&str], problems: &mut Vec<Problem>) {
    let Some(value) = of.get(key) else { return };
    if value.as_str().is_none_or(|it| it.parse::<Duration>().is_err()) {
        let place: Vec<&str> = path.iter().copied().chain([key]).collect();
        let message = format!("`{key}` is a duration such as 5m");
        problems.push(Problem::new(message, format!("for example: {{\"{key}\": \"5m\"}}")).at(&place));
    }
}

fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key)?.as_str()
}
