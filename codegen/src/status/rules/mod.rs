//! The rules that a server runs, held against the generated ones.

mod expression;
mod print;

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;
use serde::Serialize;

use crate::model::Duration;
use crate::prometheus::{RuleKind, ServedGroup, ServedRule};
use crate::render::target::{Group, Rule};
pub use print::human;

/// What differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Who was asked, without credentials.
    #[serde(skip)]
    pub prometheus: String,
    /// Groups that are generated.
    pub groups: usize,
    /// Rules that are generated.
    pub rules: usize,
    /// Whether the server could not load what it was given last, and runs what it had before.
    pub reload_failed: bool,
    /// Everything that is not as generated, by group.
    pub differences: Vec<Difference>,
}

/// One thing that is not as generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// What kind it is.
    pub kind: Kind,
    /// The rule group.
    pub group: String,
    /// The rule's name; absent when it is about the whole group.
    pub rule: Option<String>,
    /// The rule's labels.
    pub labels: BTreeMap<String, String>,
    /// The file that the server has it from.
    pub file: Option<String>,
    /// What differs, or what fails.
    pub what: Vec<What>,
}

/// A field, as it is and as it is generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct What {
    /// The field.
    pub field: String,
    /// As the server has it.
    pub served: Option<String>,
    /// As it is generated.
    pub generated: Option<String>,
}

/// How something is not as generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It does not run.
    Missing,
    /// Its last evaluation failed.
    Failing,
    /// It runs otherwise.
    Stale,
    /// It runs, and is not generated any more; or it runs twice.
    Extra,
    /// It takes more than half of its interval.
    Slow,
}

/// Compares. `whole` is whether `generated` is everything that the estate has: only then is what it does not have extra.
/// `others` are names of groups that the estate has beside those.
pub fn compare(
    prometheus: &str,
    generated: &[Group],
    others: &BTreeSet<String>,
    served: &[ServedGroup],
    whole: bool,
) -> Comparison {
    let mut differences = Vec::new();
    for group in generated {
        let same: Vec<&ServedGroup> = served.iter().filter(|it| it.name == group.name).collect();
        // Of several the one that is most like it.
        let Some(best) = same.iter().min_by_key(|it| of_group(group, it).len()) else {
            let what = vec![what("rules", None, Some(group.rules.len().to_string()))];
            differences.push(of_whole(Kind::Missing, &group.name, None, what));
            continue;
        };
        differences.extend(of_group(group, best));
        differences.extend(same.iter().filter(|it| !std::ptr::eq(**it, *best)).map(|it| {
            let what = vec![what("file", Some(it.file.clone()), Some(best.file.clone()))];
            of_whole(Kind::Extra, &it.name, Some(it.file.clone()), what)
        }));
    }
    let known = |name: &str| others.contains(name) || generated.iter().any(|it| it.name == name);
    for group in served.iter().filter(|it| whole && is_ours(it) && !known(&it.name)) {
        let what = vec![what("rules", Some(group.rules.len().to_string()), None)];
        differences.push(of_whole(Kind::Extra, &group.name, Some(group.file.clone()), what));
    }
    let rules = generated.iter().map(|it| it.rules.len()).sum();
    let (prometheus, groups) = (prometheus.to_owned(), generated.len());
    Comparison { prometheus, groups, rules, reload_failed: false, differences }
}

/// A group of Kilter's: by its name, and by the names in it.
fn is_ours(group: &ServedGroup) -> bool {
    let ours = |it: &ServedRule| slo::ALERTS.contains(&it.name.as_str()) || it.name.starts_with("slo:");
    group.name.starts_with("slo-") && group.rules.iter().any(ours)
}

fn of_whole(kind: Kind, group: &str, file: Option<String>, what: Vec<What>) -> Difference {
    Difference { kind, group: group.to_owned(), rule: None, labels: BTreeMap::new(), file, what }
}

fn what(field: &str, served: Option<String>, generated: Option<String>) -> What {
    What { field: field.to_owned(), served, generated }
}

/// What differs within a group of one name.
fn of_group(group: &Group, served: &ServedGroup) -> Vec<Difference> {
    let file = Some(served.file.clone());
    let whole = |kind, what| of_whole(kind, &group.name, file.clone(), vec![what]);
    let mut all = Vec::new();
    let interval = seconds(&group.interval);
    if interval.is_some_and(|it| differ(it, served.interval)) {
        let generated = Some(group.interval.clone());
        all.push(whole(Kind::Stale, what("interval", Some(text(served.interval)), generated)));
    }
    if served.interval > 0.0 && served.evaluation_time > served.interval / 2.0 {
        let took = format!("{:.3}s", served.evaluation_time);
        let most = format!("{:.3}s", served.interval / 2.0);
        all.push(whole(Kind::Slow, what("evaluation", Some(took), Some(most))));
    }
    let mut left: Vec<&ServedRule> = served.rules.iter().collect();
    for (rule, found) in pairs(&group.rules, &mut left) {
        let about = |kind, what| Difference {
            kind,
            group: group.name.clone(),
            rule: Some(name(rule).to_owned()),
            labels: labels(rule),
            file: file.clone(),
            what,
        };
        let Some(found) = found else {
            all.push(about(Kind::Missing, Vec::new()));
            continue;
        };
        let differs = of_rule(rule, found);
        if !differs.is_empty() {
            all.push(about(Kind::Stale, differs));
        }
        if found.health == "err" {
            all.push(about(Kind::Failing, vec![what("lastError", Some(found.last_error.clone()), None)]));
        }
    }
    all.extend(left.into_iter().map(|it| Difference {
        kind: Kind::Extra,
        group: group.name.clone(),
        rule: Some(it.name.clone()),
        labels: it.labels.clone(),
        file: file.clone(),
        what: Vec::new(),
    }));
    all
}

/// Each generated rule with the one that the server runs in its place, and what is left of those. Labels tell rules of one
/// name apart, first all of them, then the SLO and the severity; what is left then is matched in order.
fn pairs<'a, 'b>(rules: &'a [Rule], left: &mut Vec<&'b ServedRule>) -> Vec<(&'a Rule, Option<&'b ServedRule>)> {
    let mut found: Vec<Option<&ServedRule>> = vec![None; rules.len()];
    let some = |all: &BTreeMap<String, String>| {
        [slo::SLO_LABEL, slo::SEVERITY_LABEL].map(|it| all.get(it).cloned().unwrap_or_default())
    };
    for round in 0..3 {
        for (rule, place) in rules.iter().zip(&mut found).filter(|(_, place)| place.is_none()) {
            let own = labels(rule);
            let at = left.iter().position(|it| {
                it.name == name(rule)
                    && it.kind == kind(rule)
                    && match round {
                        0 => it.labels == own,
                        1 => some(&it.labels) == some(&own),
                        _ => true,
                    }
            });
            *place = at.map(|it| left.remove(it));
        }
    }
    rules.iter().zip(found).collect()
}

/// Every field that differs.
fn of_rule(rule: &Rule, served: &ServedRule) -> Vec<What> {
    let mut all = Vec::new();
    if !expression::same(&rule.expr, &served.query) {
        all.push(what("expr", Some(served.query.clone()), Some(rule.expr.clone())));
    }
    let time = |of: &Option<String>| of.as_deref().map_or(Some(0.0), seconds);
    let mut times = vec![("for", &rule.hold, served.duration)];
    // Not every server tells it.
    times.extend(served.keep_firing_for.map(|it| ("keep_firing_for", &rule.keep_firing_for, it)));
    for (field, generated, is) in times {
        if time(generated).is_some_and(|it| differ(it, is)) {
            all.push(what(field, (is > 0.0).then(|| text(is)), generated.clone()));
        }
    }
    let maps = [("labels", labels(rule), &served.labels), ("annotations", map(&rule.annotations), &served.annotations)];
    for (field, generated, is) in maps {
        let keys: BTreeSet<&String> = generated.keys().chain(is.keys()).collect();
        let differ = keys.into_iter().filter(|it| generated.get(*it) != is.get(*it));
        all.extend(differ.map(|it| what(&format!("{field}.{it}"), is.get(it).cloned(), generated.get(it).cloned())));
    }
    all
}

fn name(rule: &Rule) -> &str {
    rule.record.as_deref().or(rule.alert.as_deref()).unwrap_or_default()
}

const fn kind(rule: &Rule) -> RuleKind {
    if rule.record.is_some() { RuleKind::Recording } else { RuleKind::Alerting }
}

fn labels(rule: &Rule) -> BTreeMap<String, String> {
    map(&rule.labels)
}

/// A patch may write a number or a switch where Prometheus reads a text.
fn map(of: &serde_json::Map<String, serde_json::Value>) -> BTreeMap<String, String> {
    let text = |it: &serde_json::Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    of.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

fn seconds(text: &str) -> Option<f64> {
    if text == "0s" { Some(0.0) } else { text.parse::<Duration>().ok().map(Duration::secs_f64) }
}

/// Servers tell times as seconds in binary numbers.
fn differ(a: f64, b: f64) -> bool {
    (a - b).abs() > 0.000_5
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length of time, in milliseconds")]
fn text(seconds: f64) -> String {
    Duration::from_millis((seconds.max(0.0) * 1_000.0).round() as u64).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::target;

    const RULES: &str = "groups:\n- name: slo-shop\n  interval: 30s\n  rules:\n  - record: slo:x\n    expr: (a)\n  - alert: A\n    expr: b\n    keep_firing_for: 5m\n";

    fn served(file: &str, took: f64) -> ServedGroup {
        let rule = |kind, name: &str, query: &str| ServedRule {
            kind,
            name: name.to_owned(),
            query: query.to_owned(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            duration: 0.0,
            keep_firing_for: None,
            health: "ok".to_owned(),
            last_error: String::new(),
            evaluation_time: 0.0,
        };
        ServedGroup {
            name: "slo-shop".to_owned(),
            file: file.to_owned(),
            interval: 30.0,
            evaluation_time: took,
            last_evaluation: String::new(),
            rules: vec![rule(RuleKind::Recording, "slo:x", "a"), rule(RuleKind::Alerting, "A", "b")],
        }
    }

    fn kinds(served: &[ServedGroup]) -> Vec<Kind> {
        let generated = target::groups(RULES).unwrap();
        let compared = compare("http://p", &generated, &BTreeSet::new(), served, true);
        compared.differences.iter().map(|it| it.kind).collect()
    }

    #[test]
    fn a_group_is_slow_beyond_half_of_its_interval_and_extra_when_it_runs_twice() {
        assert_eq!(kinds(&[served("a", 15.0)]), []);
        assert_eq!(kinds(&[served("a", 15.1)]), [Kind::Slow]);
        assert_eq!(kinds(&[served("a", 0.1), served("b", 0.1)]), [Kind::Extra]);
        assert_eq!(kinds(&[]), [Kind::Missing]);
    }

    #[test]
    fn what_a_server_does_not_tell_is_not_compared() {
        let mut group = served("a", 0.1);
        assert_eq!(kinds(std::slice::from_ref(&group)), []);
        group.rules[1].keep_firing_for = Some(0.0);
        assert_eq!(kinds(std::slice::from_ref(&group)), [Kind::Stale]);
        group.rules[1].keep_firing_for = Some(300.0);
        assert_eq!(kinds(&[group]), []);
    }
}
