//! Rule files and their proofs, as far as this check looks into them.

use std::collections::BTreeMap;

use kilter_codegen::model::Duration;
use kilter_codegen::promql::lexer::{Kind, lex};
use kilter_codegen::render::Artifact;
use kilter_codegen::yaml;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) type Labels = BTreeMap<String, String>;

/// `x.rules.yaml`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    pub(super) groups: Vec<Group>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) interval: String,
    pub(super) rules: Vec<Rule>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alert: Option<String>,
    pub(super) expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub(super) held: Option<String>,
    #[serde(rename = "keep_firing_for", skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<String>,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(super) labels: Labels,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub(super) annotations: Labels,
}

impl Rule {
    /// `slo:error:rate5m of clones`, `ErrorBudgetBurn page`.
    pub(super) fn title(&self) -> String {
        let label =
            |key: &str, before: &str| self.labels.get(key).map(|it| format!("{before}{it}")).unwrap_or_default();
        match (&self.record, &self.alert) {
            (Some(record), _) => format!("{record}{}", label("slo", " of ")),
            (None, alert) => format!("{}{}", alert.clone().unwrap_or_default(), label("severity", " ")),
        }
    }

    /// What rules of the same kind share: their name and what they do, whatever they do it to.
    pub(super) fn kind(&self) -> String {
        let name = self.record.clone().unwrap_or_else(|| self.title());
        format!("{name}: {} {:?} {:?}", shape(&self.expr), self.held, self.kept)
    }

    /// What rules share that say the same with other numbers, and record it under another name.
    pub(super) fn shape(&self) -> String {
        let name = self.alert.as_ref().map(|_| self.title());
        format!("{name:?} {} {:?} {:?}", shape(&self.expr), self.held, self.kept)
    }
}

/// The words of an expression without its numbers, durations and strings.
pub(super) fn shape(expr: &str) -> String {
    let tokens = lex(expr).unwrap_or_else(|error| panic!("{expr}: {error:?}"));
    let word = |it: &kilter_codegen::promql::lexer::Token| match it.kind {
        Kind::Number => "1",
        Kind::Duration => "1m",
        Kind::String => "\"\"",
        _ => &expr[it.start..it.end],
    };
    tokens.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// `x.rules.test.yaml`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proofs {
    pub(super) rule_files: Vec<String>,
    pub(super) evaluation_interval: String,
    pub(super) group_eval_order: Vec<String>,
    pub(super) tests: Vec<Proof>,
}

/// One timeline.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    pub(super) name: String,
    pub(super) interval: String,
    pub(super) input_series: Vec<Input>,
    #[serde(default)]
    pub(super) alert_rule_test: Vec<Alerts>,
    #[serde(default)]
    pub(super) promql_expr_test: Vec<Query>,
    /// How often its file has every rule evaluated.
    #[serde(skip)]
    pub(super) pace: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub(super) series: String,
    pub(super) values: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "promtool's own names")]
pub(super) struct Alerts {
    pub(super) eval_time: String,
    pub(super) alertname: String,
    pub(super) exp_alerts: Value,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Query {
    pub(super) expr: String,
    pub(super) eval_time: String,
    pub(super) exp_samples: Value,
}

/// A case: one thing that must hold at one moment of one timeline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Case {
    Query(usize),
    Alerts(usize),
}

impl Proof {
    /// The SLO that a case is of; none when it is of the service as a whole. The name of a test begins with it, or the
    /// comment that a query ends in.
    pub(super) fn slo(&self, case: Case) -> Option<String> {
        let slo = |name: &str| name.split(": ").next()?.split_once('/').map(|(_, slo)| slo.to_owned());
        let comment = match case {
            Case::Query(at) => self.promql_expr_test[at].expr.rsplit_once(" # ").map(|(_, name)| name),
            Case::Alerts(_) => None,
        };
        comment.and_then(slo).or_else(|| slo(&self.name))
    }

    pub(super) fn cases(&self) -> Vec<Case> {
        let queries = (0..self.promql_expr_test.len()).map(Case::Query);
        queries.chain((0..self.alert_rule_test.len()).map(Case::Alerts)).collect()
    }

    fn time(&self, case: Case) -> &str {
        match case {
            Case::Query(n) => &self.promql_expr_test[n].eval_time,
            Case::Alerts(n) => &self.alert_rule_test[n].eval_time,
        }
    }

    pub(super) fn seconds(&self, case: Case) -> f64 {
        self.time(case).parse::<Duration>().map_or(0.0, Duration::secs_f64)
    }

    /// How often every rule is evaluated until a case is asked.
    pub(super) fn evaluations(&self, case: Case) -> f64 {
        let pace = self.pace.parse::<Duration>().map_or(60.0, Duration::secs_f64);
        10.0 + self.seconds(case) / pace
    }

    /// `query 2 at 65m`.
    pub(super) fn title(&self, case: Case) -> String {
        match case {
            Case::Query(n) => format!("query {} at {}", n + 1, self.time(case)),
            Case::Alerts(n) => format!("alerts {} at {}", n + 1, self.time(case)),
        }
    }
}

/// A rule file with its proofs.
pub(super) struct Subject {
    /// `git-https.rules.yaml`.
    pub(super) name: String,
    pub(super) rules: Rules,
    pub(super) proofs: Vec<Proof>,
}

/// The rules of this service among all that was generated, with their proofs.
pub(super) fn subject(all: &[Artifact], name: &str) -> Subject {
    let named = |ending: &str| {
        let path = format!("rules/{name}.");
        let of_it = all.iter().filter(move |it| it.path.starts_with(&path) && it.path.ends_with(ending));
        of_it.map(|it| it.text.clone()).collect::<Vec<String>>()
    };
    let rules = named("rules.yaml");
    assert_eq!(rules.len(), 1, "the rules of {name}");
    Subject::read(&format!("{name}.rules.yaml"), &rules[0], &named("rules.test.yaml"))
}

impl Subject {
    pub(super) fn read(name: &str, rules: &str, proofs: &[String]) -> Self {
        assert!(!proofs.is_empty(), "{name} has no proofs");
        let of_file = |text: &String| {
            let file: Proofs = yaml::from_str(text).unwrap_or_else(|error| panic!("the proofs of {name}: {error}"));
            let pace = file.evaluation_interval;
            file.tests.into_iter().map(move |it| Proof { pace: pace.clone(), ..it })
        };
        Self {
            name: name.to_owned(),
            rules: yaml::from_str(rules).unwrap_or_else(|error| panic!("{name}: {error}")),
            proofs: proofs.iter().flat_map(of_file).collect(),
        }
    }

    /// What is asked of a rule: of its SLO, when it serves one, and of the service as a whole; then of the other SLOs.
    pub(super) fn cases_of(&self, at: (usize, usize)) -> [Vec<(&Proof, Case)>; 2] {
        let all = self.proofs.iter().flat_map(|proof| proof.cases().into_iter().map(move |case| (proof, case)));
        let own = self.rules.groups[at.0].rules[at.1].labels.get("slo");
        let (own, others) =
            all.partition(|(proof, case)| own.is_none() || proof.slo(*case).is_none_or(|it| own == Some(&it)));
        [own, others]
    }
}
