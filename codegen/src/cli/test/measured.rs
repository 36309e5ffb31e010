//! What promtool really shows: when alerts fire first and last on the proofs' timelines. promtool prints a value only when
//! it is not the expected one, so a copy of the test file asks for these moments, and expects nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::proofs::failures;
use super::{Outcome, name, tool};
use crate::plan::rule_test::{MEASURE, Measure};
use crate::yaml;

/// Two questions of a measure, as its queries' comments name them.
const ENDS: [(&str, &str); 2] = [("first", "min"), ("last", "max")];

/// A measure, and the moments at which promtool saw it, in seconds.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) what: Measure,
    first: Option<f64>,
    last: Option<f64>,
}

/// Runs a test file with its measures. What they print is no failure.
pub(super) fn run(path: &Path, folder: &Path) -> Result<(Outcome, Vec<Measured>), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let measures: Vec<Measure> = text
        .lines()
        .filter_map(|line| line.strip_prefix(MEASURE))
        .map(|it| serde_json::from_str(it).map_err(|error| format!("{}: {MEASURE}{it}: {error}", path.display())))
        .collect::<Result<_, _>>()?;
    if measures.is_empty() {
        return Ok((tool("promtool", &["test", "rules", &name(path)], folder)?, vec![]));
    }
    let asked = asked(&text, folder, &measures)?;
    let copy = tempfile::Builder::new().suffix(".yaml").tempfile().map_err(|error| error.to_string())?;
    fs::write(copy.path(), asked.to_string()).map_err(|error| format!("{}: {error}", copy.path().display()))?;
    let outcome = tool("promtool", &["test", "rules", &copy.path().to_string_lossy()], folder)?;
    let said = outcome.err().unwrap_or_default().replace(&*copy.path().to_string_lossy(), &name(path));
    Ok(told(&said, measures))
}

/// The test file with the queries of its measures.
fn asked(text: &str, folder: &Path, measures: &[Measure]) -> Result<Value, String> {
    let mut file: Value = yaml::from_str(text)?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    for rules in file["rule_files"].as_array_mut().into_iter().flatten() {
        let path: PathBuf = folder.join(rules.as_str().unwrap_or_default());
        *rules = json!(path.to_string_lossy());
    }
    for test in file["tests"].as_array_mut().into_iter().flatten() {
        let own: Vec<Value> = measures
            .iter()
            .enumerate()
            .filter(|(_, it)| test["name"] == json!(it.test))
            .flat_map(|(number, it)| {
                ENDS.map(|(end, function)| {
                    let moments = format!("timestamp({})[{}:{}]", it.alert, it.end, it.step);
                    let expr = format!("{function}_over_time({moments}) # {}", title(number, end));
                    json!({"expr": expr, "eval_time": it.end, "exp_samples": []})
                })
            })
            .collect();
        if let Some(queries) = test["promql_expr_test"].as_array_mut() {
            queries.extend(own);
        }
    }
    Ok(file)
}

fn title(number: usize, end: &str) -> String {
    format!("measure {number}: {end}")
}

/// Separates what was measured from what failed.
fn told(said: &str, measures: Vec<Measure>) -> (Outcome, Vec<Measured>) {
    let mut values: BTreeMap<String, f64> = BTreeMap::new();
    let mut complaints = said.to_owned();
    for failure in failures(said) {
        let Some((_, behind)) = failure.split_once(" # measure ") else { continue };
        let Some((title, _)) = behind.split_once("\", time: ") else { continue };
        // `got: {labels} 4.2E+03`
        let value =
            failure.lines().find_map(|line| line.trim().strip_prefix("got: ")?.rsplit(' ').next()?.parse().ok());
        values.extend(value.map(|it| (format!("measure {title}"), it)));
        complaints = complaints.replace(&failure, "");
    }
    let header = |line: &str| {
        ["Unit Testing:", "FAILED:", "SUCCESS", ""]
            .iter()
            .any(|it| line.trim() == *it || (!it.is_empty() && line.trim().starts_with("Unit Testing:")))
    };
    let outcome = if complaints.lines().all(header) { Ok(()) } else { Err(complaints) };
    let moments = |(number, what): (usize, Measure)| {
        let [first, last] = ENDS.map(|(end, _)| values.get(&title(number, end)).copied());
        Measured { what, first, last }
    };
    (outcome, measures.into_iter().enumerate().map(moments).collect())
}

impl Measured {
    /// Seconds from the beginning of the incident to the first evaluation that fires.
    fn detection(&self) -> Option<f64> {
        self.first.map(|first| first - self.what.began)
    }

    /// Seconds from its end to the first evaluation that does not fire any more.
    fn reset(&self) -> Option<f64> {
        let step = self.what.step.parse::<crate::model::Duration>().ok()?.secs_f64();
        self.last.filter(|_| self.what.reset.is_some()).map(|last| last + step - self.what.ended)
    }

    pub(super) fn json(&self) -> Value {
        let it = &self.what;
        json!({
            "burn": it.burn,
            "severity": it.severity,
            "evaluated_every": it.step,
            "detection_seconds": {"promised": it.detection, "shown": self.detection()},
            "reset_seconds": {"promised": it.reset, "shown": self.reset()},
            "budget_spent_at_detection":
                {"promised": it.detection * it.spends, "shown": self.detection().map(|shown| shown * it.spends)},
        })
    }
}

/// The table for people: a line for each burn of each SLO.
pub(super) fn table(measured: &[Measured]) -> String {
    let mut rows = vec![
        ["slo", "burn", "alert", "detection", "shown", "reset", "shown", "budget spent", "shown", "every"]
            .map(str::to_owned),
    ];
    let mut all: Vec<&Measured> = measured.iter().collect();
    all.sort_by(|a, b| a.what.slo.cmp(&b.what.slo).then(b.what.spends.total_cmp(&a.what.spends)));
    for it in all {
        let time = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), duration);
        let share = |seconds: Option<f64>| {
            seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{:.2}%", seconds * it.what.spends * 100.0))
        };
        let (promised, shown) = (Some(it.what.detection), it.detection());
        rows.push([
            it.what.slo.clone(),
            it.what.burn.clone(),
            it.what.severity.clone(),
            time(promised),
            time(shown),
            time(it.what.reset),
            time(it.reset()),
            share(promised),
            share(shown),
            it.what.step.clone(),
        ]);
    }
    columns(&rows)
}

/// Columns as wide as their widest cell.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// `1d 2h`, `3m 30s`.
fn duration(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a test")]
    let whole = seconds.max(0.0).round() as u64;
    let parts = [(whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "m"), (whole % 60, "s")];
    let text: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure() -> Measure {
        Measure {
            slo: "shop/buys".into(),
            burn: "100%".into(),
            severity: "page".into(),
            test: "shop: outage".into(),
            alert: "ALERTS{a=\"b\"}".into(),
            end: "2h".into(),
            step: "30s".into(),
            began: 3_600.0,
            ended: 3_900.0,
            detection: 90.0,
            reset: Some(700.0),
            spends: 0.001,
        }
    }

    #[test]
    fn what_is_measured_is_no_failure_and_what_fails_stays() {
        let ends = "    expr: \"min_over_time(x) # measure 0: first\", time: 2h,\n        exp: nil\n        got: {a=\"b c\"} 3.66E+03\n    expr: \"max_over_time(x) # measure 0: last\", time: 2h,\n        exp: nil\n        got: {a=\"b c\"} 4.5E+03\n";
        let said = format!("Unit Testing:  x.yaml\n   FAILED:\n{ends}\n");
        let (outcome, measured) = told(&said, vec![measure()]);
        assert_eq!(outcome, Ok(()));
        assert_eq!((measured[0].detection(), measured[0].reset()), (Some(60.0), Some(630.0)));
        let other = "    expr: \"y # shop/buys: z\", time: 1h,\n        exp: nil\n        got: {} 1E+00\n";
        let (outcome, _) = told(&format!("   FAILED:\n{ends}{other}"), vec![measure()]);
        assert!(outcome.is_err_and(|it| it.contains("shop/buys: z") && !it.contains("measure")));
        let (outcome, measured) = told("  FAILED:\nno such file\n", vec![measure()]);
        assert!(outcome.is_err() && measured[0].detection().is_none());
    }

    #[test]
    fn the_table_is_aligned() {
        let (_, measured) = told("", vec![measure()]);
        let text = table(&measured);
        assert!(text.lines().nth(1).is_some_and(|it| it.starts_with("shop/buys  100%  page   1m 30s")), "{text}");
    }
}
