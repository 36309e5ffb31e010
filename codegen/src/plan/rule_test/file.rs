//! promtool's test format as values; only fields that 2.42 knows.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::measure::Measure;
use crate::model::Duration;

/// Labels by name.
pub type Labels = BTreeMap<String, String>;

/// One test file: always one YAML document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestFile {
    /// What the banner names as the source.
    #[serde(skip)]
    pub source: String,
    /// Rule files, relative to the test file.
    pub rule_files: Vec<String>,
    /// How often every group is evaluated; promtool ignores the groups' own intervals.
    #[serde(serialize_with = "as_text")]
    pub evaluation_interval: Duration,
    /// Names of groups in the order of their evaluation; promtool's own order is random.
    pub group_eval_order: Vec<String>,
    /// The tests, each with a history of its own.
    pub tests: Vec<Test>,
    /// What it adds to the name of its service: `hours.` and `days.` have coarser evaluations.
    #[serde(skip)]
    pub part: &'static str,
    /// What `kilter test` measures on the way.
    #[serde(skip)]
    pub measures: Vec<Measure>,
}

/// One timeline with what must hold on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Test {
    /// `<service>/<slo>: <what it proves>`.
    pub name: String,
    /// Distance of the samples of every input series.
    #[serde(serialize_with = "as_text")]
    pub interval: Duration,
    /// What is scraped.
    pub input_series: Vec<InputSeries>,
    /// Firing alerts with all their labels and texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alert_rule_test: Vec<AlertTest>,
    /// Queries with their exact results.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promql_expr_test: Vec<QueryTest>,
}

/// One series and its samples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputSeries {
    /// A selector that names exactly one series.
    pub series: String,
    /// promtool's notation: `0+15x20 300+0x10`.
    pub values: String,
}

/// All alerts of one name that fire at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertTest {
    /// The moment.
    #[serde(serialize_with = "as_text")]
    pub eval_time: Duration,
    /// Name of the alert.
    pub alertname: String,
    /// Exactly these fire.
    pub exp_alerts: Vec<ExpectedAlert>,
}

/// A firing alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedAlert {
    /// Labels without `alertname`.
    pub exp_labels: Labels,
    /// Texts, exactly.
    pub exp_annotations: Labels,
}

/// A query and its exact result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueryTest {
    /// PromQL. Ends in a comment that names the test: promtool 2.42 prints the expression of a failure, not its test.
    pub expr: String,
    /// When it is asked, after all rules have run until then.
    #[serde(serialize_with = "as_text")]
    pub eval_time: Duration,
    /// Exactly these samples.
    pub exp_samples: Vec<Sample>,
}

/// One sample of a result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// A selector that names exactly one series; `{}` for none.
    pub labels: String,
    /// The value.
    pub value: f64,
}

/// `metric{a="b"}`, quoted as PromQL asks. Empty values are left out: PromQL cannot tell them from absent ones.
pub fn selector(metric: &str, labels: &Labels) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}=\"{}\"", quoted(value)))
        .collect();
    format!("{metric}{{{}}}", pairs.join(","))
}

fn quoted(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for this signature")]
fn as_text<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_quote_what_they_must() {
        let labels = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Labels>();
        assert_eq!(selector("up", &labels(&[])), "up{}");
        assert_eq!(selector("m", &labels(&[("b", "x\"y\\z\n"), ("a", "1"), ("c", "")])), r#"m{a="1",b="x\"y\\z\n"}"#);
    }
}
