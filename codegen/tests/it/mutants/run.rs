//! promtool on a part of the rules.

use std::fs;
use std::process::Command;
use std::sync::Mutex;

use kilter_codegen::model::Duration;

use super::files::{Case, Proof, Proofs, Rules};

/// What promtool says.
pub(super) enum Said {
    /// These cases of the proof fail; none when all hold.
    Fails(Vec<Case>),
    /// Rules cannot be evaluated: nothing was asked.
    Errs(String),
}

/// Runs one proof.
pub(super) fn promtool(rules: &Rules, mut proof: Proof) -> Said {
    let times: Vec<f64> = (0..proof.alert_rule_test.len()).map(|at| proof.seconds(Case::Alerts(at))).collect();
    let alerts: Vec<String> = proof.alert_rule_test.iter().map(|it| it.alertname.clone()).collect();
    for (number, it) in proof.promql_expr_test.iter_mut().enumerate() {
        // In the comment that every query ends in; promtool repeats the query of a failure.
        it.expr.push_str(&format!(" # [{number}]"));
    }
    let queries = proof.promql_expr_test.len();
    let folder = tempfile::tempdir().expect("a folder");
    let proofs = Proofs {
        rule_files: vec!["rules.yaml".to_owned()],
        group_eval_order: rules.groups.iter().map(|it| it.name.clone()).collect(),
        evaluation_interval: proof.pace.clone(),
        tests: vec![proof],
    };
    // JSON is YAML.
    fs::write(folder.path().join("rules.yaml"), serde_json::to_string(&rules).expect("JSON")).expect("a file");
    fs::write(folder.path().join("test.yaml"), serde_json::to_string(&proofs).expect("JSON")).expect("a file");
    let mut command = Command::new("promtool");
    // One core, and little collection of garbage in so short a time.
    command
        .args(["test", "rules", "test.yaml"])
        .current_dir(folder.path())
        .envs([("GOMAXPROCS", "1"), ("GOGC", "400")]);
    let out = command.output().unwrap_or_else(|error| {
        panic!("promtool does not start ({error}); install it with: cargo xtask tools");
    });
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    if out.status.success() {
        return Said::Fails(Vec::new());
    }
    if said.lines().any(|it| it.trim_start().starts_with("rule: ") && it.contains(", err: ")) {
        return Said::Errs(said);
    }
    let mut failing: Vec<Case> =
        (0..queries).filter(|number| said.contains(&format!("# [{number}]\", time: "))).map(Case::Query).collect();
    for (at, (name, time)) in alerts.iter().zip(times).enumerate() {
        let head = format!("alertname: {name}, time: ");
        let told = |line: &str| line.trim().strip_prefix(&head)?.split(',').next()?.trim().parse::<Duration>().ok();
        if said.lines().filter_map(told).any(|it| (it.secs_f64() - time).abs() < 0.001) {
            failing.push(Case::Alerts(at));
        }
    }
    assert!(!failing.is_empty(), "promtool says what this check does not understand:\n{said}");
    Said::Fails(failing)
}

/// Does something with each, on all cores; the results in their order.
pub(super) fn each<T: Sync, R: Send>(all: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let at = {
                        let mut next = next.lock().expect("no panic elsewhere");
                        *next += 1;
                        *next - 1
                    };
                    let Some(it) = all.get(at) else { return };
                    let result = f(it);
                    done.lock().expect("no panic elsewhere").push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no panic elsewhere");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, it)| it).collect()
}
