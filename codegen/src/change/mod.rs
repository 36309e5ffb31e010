//! What a change of the SLO files does to the rules: read from both texts, as Prometheus would read them.

pub mod slos;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo as names;
use serde_json::Value;

use crate::model::Duration;
use crate::output::Difference;
use crate::yaml;

/// Everything that changes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Change {
    /// Rule files, by path.
    pub rules: Vec<RulesChange>,
    /// All other files.
    pub others: Vec<(String, What)>,
}

/// What happens to a file, an SLO or an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It stays, and is different.
    Changed,
}

/// What changes in a rule file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RulesChange {
    /// The file.
    pub path: String,
    /// The service that it is about; the estate as a whole has none.
    pub service: Option<String>,
    /// SLOs: what happens, the name, and in words what differs.
    pub slos: Vec<(What, String, Vec<String>)>,
    /// Alerts, likewise.
    pub alerts: Vec<(What, String, Vec<String>)>,
    /// Before and after.
    pub cost: (Cost, Cost),
}

/// What rules cost their Prometheus.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Rules of both kinds.
    pub rules: usize,
    /// Series that are recorded: one per SLO that a rule is about. SLOs with `by` have as many per value of their labels.
    pub series: usize,
    /// Rules times how often their group is evaluated.
    pub evaluations_per_minute: f64,
}

/// Reads the differences.
pub fn of(differences: &[Difference]) -> Change {
    let mut change = Change::default();
    for it in differences {
        let what = match (&it.old, &it.new) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            _ => What::Changed,
        };
        let read = |text: &Option<String>| text.as_deref().and_then(Rules::read);
        match (read(&it.old), read(&it.new)) {
            (None, None) => change.others.push((it.path.clone(), what)),
            (old, new) => {
                change.rules.push(between(&it.path, &old.unwrap_or_default(), &new.unwrap_or_default()));
            }
        }
    }
    change
}

/// The rules of a file.
#[derive(Debug, Default)]
struct Rules {
    service: Option<String>,
    slos: BTreeMap<String, Slo>,
    alerts: BTreeMap<String, Alert>,
    cost: Cost,
}

/// An SLO, as its recorded series tell it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Slo {
    objective: String,
    window: String,
    kind: String,
    team: String,
    measured: BTreeMap<String, String>,
}

/// An alert: what stands in its rule.
#[derive(Debug, PartialEq)]
struct Alert {
    parts: BTreeMap<&'static str, Value>,
}

/// The parts of an alert that change what it does, and the words for them.
const PARTS: &[(&str, &str)] = &[
    ("expr", "condition"),
    ("for", "for"),
    ("keep_firing_for", "keep_firing_for"),
    ("labels", "labels"),
    ("annotations", "texts"),
];

impl Rules {
    /// `None` for a text that is no rule file.
    fn read(text: &str) -> Option<Self> {
        // Most files have no rules, and dashboards are large.
        if !text.contains("groups:") {
            return None;
        }
        let file: Value = yaml::from_str(text).ok()?;
        let groups = file.get("groups").or_else(|| file.get("spec")?.get("groups"))?.as_array()?;
        let mut all = Self::default();
        let rules = || groups.iter().flat_map(|group| group["rules"].as_array().into_iter().flatten());
        for rule in rules() {
            all.service = all.service.take().or_else(|| label(rule, names::SERVICE_LABEL).map(str::to_owned));
            all.slo(rule);
            all.alert(rule);
        }
        for group in groups {
            let rules = group["rules"].as_array().map_or(&[][..], Vec::as_slice);
            let minutes =
                group["interval"].as_str().and_then(|it| it.parse::<Duration>().ok()).map(|it| it.secs_f64() / 60.0);
            all.cost.rules += rules.len();
            all.cost.evaluations_per_minute += minutes.map_or(0.0, |it| rules.len() as f64 / it);
            all.cost.series += rules.iter().map(|rule| recorded(rule, all.slos.len())).sum::<usize>();
        }
        Some(all)
    }

    fn slo(&mut self, rule: &Value) {
        let (Some(record), Some(name)) = (rule["record"].as_str(), label(rule, names::SLO_LABEL)) else { return };
        // What another tool's dashboards read is no SLO of its own.
        if !names::RECORDED.contains(&record) {
            return;
        }
        let slo = self.slos.entry(name.to_owned()).or_default();
        if record == names::INFO {
            let text = |key: &str| label(rule, key).unwrap_or_default().to_owned();
            (slo.objective, slo.window, slo.kind, slo.team) =
                (text("objective"), text("window"), text("sli"), text("team"));
        } else if [names::TOTAL_RATE, names::ERROR_RATE].contains(&record) {
            slo.measured.insert(record.to_owned(), rule["expr"].as_str().unwrap_or_default().to_owned());
        }
    }

    fn alert(&mut self, rule: &Value) {
        let Some(alert) = rule["alert"].as_str() else { return };
        let name = label(rule, names::SEVERITY_LABEL).map_or(alert.to_owned(), |it| format!("{alert} ({it})"));
        // SLOs of different policies have alerts of the same name.
        let numbered = (2..).map(|n| format!("{name} #{n}"));
        let key = std::iter::once(name.clone()).chain(numbered).find(|it| !self.alerts.contains_key(it));
        let parts = PARTS.iter().map(|(key, _)| (*key, rule.get(key).cloned().unwrap_or(Value::Null)));
        self.alerts.insert(key.unwrap_or(name), Alert { parts: parts.collect() });
    }
}

fn label<'a>(rule: &'a Value, key: &str) -> Option<&'a str> {
    rule["labels"][key].as_str()
}

/// How many series a rule records: one of its own SLO, or one of each SLO that it selects.
fn recorded(rule: &Value, slos: usize) -> usize {
    match (rule["record"].as_str(), rule["expr"].as_str()) {
        (Some(_), Some(expr)) if label(rule, names::SLO_LABEL).is_none() => {
            let selected = expr.split_once("slo=~\"").or_else(|| expr.split_once("slo=\""));
            selected.and_then(|(_, rest)| rest.split_once('"')).map_or(slos, |(names, _)| names.split('|').count())
        }
        (Some(_), _) => 1,
        (None, _) => 0,
    }
}

fn between(path: &str, old: &Rules, new: &Rules) -> RulesChange {
    let whole = |slo: &Slo| vec![format!("{} over {}, {}", slo.objective, slo.window, slo.kind)];
    let slos = compare(&old.slos, &new.slos, &whole, &|old, new| {
        let differs = |what: &str, old: &str, new: &str| (old != new).then(|| format!("{what} {old} → {new}"));
        let measured = (old.measured != new.measured).then(|| "measures something else".to_owned());
        let said = [
            differs("objective", &old.objective, &new.objective),
            differs("window", &old.window, &new.window),
            differs("SLI", &old.kind, &new.kind),
            differs("team", &old.team, &new.team),
            measured,
        ];
        said.into_iter().flatten().collect()
    });
    let alerts = compare(&old.alerts, &new.alerts, &|_| Vec::new(), &|old, new| {
        let changed = PARTS.iter().filter(|(key, _)| old.parts[key] != new.parts[key]);
        changed
            .map(|(key, word)| match (old.parts[key].as_str(), new.parts[key].as_str()) {
                (Some(old), Some(new)) if *key != "expr" => format!("{word} {old} → {new}"),
                _ => (*word).to_owned(),
            })
            .collect()
    });
    let service = new.service.clone().or_else(|| old.service.clone());
    RulesChange { path: path.to_owned(), service, slos, alerts, cost: (old.cost, new.cost) }
}

/// Entries that came, went, or are different, with words for it.
fn compare<T: PartialEq>(
    old: &BTreeMap<String, T>,
    new: &BTreeMap<String, T>,
    whole: &dyn Fn(&T) -> Vec<String>,
    differs: &dyn Fn(&T, &T) -> Vec<String>,
) -> Vec<(What, String, Vec<String>)> {
    let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let one = |name: &String| match (old.get(name), new.get(name)) {
        (None, Some(new)) => Some((What::Added, name.clone(), whole(new))),
        (Some(old), None) => Some((What::Removed, name.clone(), whole(old))),
        (Some(old), Some(new)) if old != new => Some((What::Changed, name.clone(), differs(old, new))),
        _ => None,
    };
    all.into_iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(objective: &str, more: &str) -> String {
        format!(
            "groups:\n- name: slo-shop\n  interval: 30s\n  rules:\n  - record: slo:info\n    expr: vector(1)\n    labels: {{service: shop, slo: buys, objective: {objective}, window: 30d, sli: events, team: a}}\n  - record: slo:burn_rate:5m\n    expr: 'x{{service=\"shop\"}}'\n  - alert: Burn\n    expr: a > 1\n    for: 1m\n    labels: {{severity: page}}\n{more}"
        )
    }

    #[test]
    fn differences_are_told_in_words() {
        let more = "  - alert: Burn\n    expr: b\n    labels: {severity: page}\n  - record: slo:info\n    expr: vector(1)\n    labels: {slo: sells, objective: 99%, window: 7d, sli: latency}\n";
        let difference = Difference {
            path: "rules/shop.rules.yaml".to_owned(),
            old: Some(file("99.9%", "")),
            new: Some(file("99.5%", more).replace("for: 1m", "for: 3m")),
        };
        let change = of(&[difference]);
        let it = &change.rules[0];
        let said = |text: &str| vec![text.to_owned()];
        assert_eq!(it.service.as_deref(), Some("shop"));
        assert_eq!(
            it.slos,
            [
                (What::Changed, "buys".to_owned(), said("objective 99.9% → 99.5%")),
                (What::Added, "sells".to_owned(), said("99% over 7d, latency")),
            ]
        );
        assert_eq!(
            it.alerts,
            [
                (What::Changed, "Burn (page)".to_owned(), said("for 1m → 3m")),
                (What::Added, "Burn (page) #2".to_owned(), Vec::new()),
            ]
        );
        let cost = |rules, series, evaluations_per_minute| Cost { rules, series, evaluations_per_minute };
        assert_eq!(it.cost, (cost(3, 2, 6.0), cost(5, 4, 10.0)));
    }

    #[test]
    fn what_is_no_rule_file_is_only_named() {
        let text = |it: &str| Some(it.to_owned());
        let all = [
            Difference { path: "a.json".to_owned(), old: None, new: text("{}") },
            Difference { path: "b.yaml".to_owned(), old: text("groups: ["), new: None },
        ];
        assert_eq!(of(&all).others, [("a.json".to_owned(), What::Added), ("b.yaml".to_owned(), What::Removed)]);
    }
}
