//! The generated proofs: run beside each other, and booked on the SLOs that they are about.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::Value;

use super::super::progress::Progress;
use super::measured::{self, Measured};
use super::{Outcome, Shown};
use crate::yaml;

/// A test file, proven or not.
pub(super) struct Proved {
    pub(super) path: PathBuf,
    pub(super) outcome: Outcome,
    pub(super) measured: Vec<Measured>,
}

/// promtool uses one core for each file, and the files take unlike times: each core takes the next when it is done.
pub(super) fn in_parallel(tests: &[PathBuf], folder: &Path, quiet: bool) -> Result<Vec<Proved>, String> {
    let progress = Progress::start("proving alerts", quiet);
    let done = AtomicUsize::new(0);
    let run = |path: &PathBuf| {
        let (outcome, measured) = measured::run(path, folder)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        progress.say(|| format!("proving alerts, {done} of {} files", tests.len()));
        Ok(Proved { path: path.clone(), outcome, measured })
    };
    tests.par_iter().with_max_len(1).map(run).collect()
}

/// Books a file's outcome on its SLOs. A timeline drives many of them: what a query is about tells the comment at its end,
/// ` # <service>/<slo>: <what>`; texts of alerts are proven of the service, whose name the test's begins with. promtool 2.42
/// prints `    name: <name>,` with a failed alert, and with a failed query only its expression. `Err` is a complaint that
/// names none of them.
pub(super) fn per_slo(path: &Path, outcome: Outcome, slos: &mut BTreeMap<String, Shown>) -> Result<Outcome, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let file: Value = yaml::from_str(&text)?;
    let failures = failures(outcome.as_ref().err().map_or("", String::as_str));
    let mut told = false;
    let mut proven: BTreeSet<String> = BTreeSet::new();
    for test in file["tests"].as_array().into_iter().flatten() {
        let full = test["name"].as_str().unwrap_or("unnamed").to_owned();
        let queries = test["promql_expr_test"].as_array().into_iter().flatten();
        let mut titles: BTreeSet<String> =
            queries.filter_map(|it| Some(it["expr"].as_str()?.rsplit_once(" # ")?.1.to_owned())).collect();
        if titles.is_empty() || !test["alert_rule_test"].is_null() {
            titles.insert(full.clone());
        }
        for title in titles.into_iter().filter(|it| proven.insert(it.clone())) {
            let slo = title.split(": ").next().unwrap_or(&title);
            let shown = slos.entry(slo.to_owned()).or_default();
            shown.proofs += 1;
            let blames = |failure: &&String| {
                let head = failure.lines().next().unwrap_or_default();
                head.contains(&format!(" # {title}\", time: "))
                    || (title == full && head.contains(&format!("name: {full},")))
            };
            for failure in failures.iter().filter(blames) {
                shown.complaints.push_str(failure);
                told = true;
            }
        }
    }
    Ok(if told { Ok(()) } else { outcome })
}

/// The failures of one file, each with its lines. They begin with four spaces; what follows is further to the right.
pub(super) fn failures(said: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for line in said.lines() {
        if line.starts_with("    ") && !line.starts_with("     ") {
            all.push(String::new());
        }
        if let Some(failure) = all.last_mut() {
            failure.push_str(line);
            failure.push('\n');
        }
    }
    all
}
