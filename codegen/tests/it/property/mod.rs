//! Whatever an SLO file says: once it is accepted, Prometheus and Alertmanager take what comes out, its dashboards are
//! Grafana's, its runbooks have their sections, and the same input gives the same bytes.
//!
//! `KILTER_CASES` estates (30), from `KILTER_SEED` on; what a failure names can be repeated with its seed and one case.
//! With `KILTER_KEEP` the outputs stay in that folder: `cargo xtask test --all` gives their dashboards to Grafana's types.

mod foreign;
pub(crate) mod grafana;
pub(crate) mod input;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::TimeScale;
use kilter_codegen::pipeline;
use kilter_codegen::render::{Artifact, Kind};

use crate::runbooks::queries;
use crate::support::tool;
use input::Dice;

/// A number from the environment.
pub(crate) fn given(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |it| it.parse().unwrap_or_else(|_| panic!("{name}={it} is no number")))
}

/// The outputs of an estate; `None` when it is refused.
fn made(folder: &Path, seed: u64) -> Option<Vec<Artifact>> {
    fs::create_dir_all(folder).expect("a folder");
    for (path, text) in input::estate(&mut Dice::new(seed)) {
        fs::write(folder.join(path), text).expect("a file");
    }
    let options = LoadOptions { current: folder.to_path_buf(), ..LoadOptions::default() };
    let made = pipeline::run(&options, TimeScale::REAL).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let output = made.output.map(|(_, _, artifacts)| artifacts);
    let errors = made.diagnostics.iter().any(|it| it.severity == kilter_codegen::diagnostic::Severity::Error);
    assert_eq!(errors, output.is_none(), "seed {seed}: {:#?}", made.diagnostics);
    output
}

#[test]
fn what_is_accepted_runs() {
    let cases = given("KILTER_CASES", 30);
    let first = given("KILTER_SEED", 1);
    let temporary = tempfile::tempdir().expect("a folder");
    let root = std::env::var_os("KILTER_KEEP").map_or_else(|| temporary.path().to_path_buf(), PathBuf::from);
    let (mut accepted, mut rules, mut routes, mut books) = (0, Vec::new(), Vec::new(), String::new());
    let mut asked = 0;
    for seed in first..first + cases {
        let folder = root.join(format!("seed-{seed}"));
        let Some(artifacts) = made(&folder, seed) else { continue };
        accepted += 1;
        let again = made(&folder, seed).expect("what was accepted");
        assert!(artifacts == again, "seed {seed}: the same input gives other bytes");
        for artifact in &artifacts {
            let path = folder.join("out").join(&artifact.path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(&path, &artifact.text).expect("a file");
            let path = path.display().to_string();
            match artifact.kind {
                Kind::Rules => rules.push(path),
                Kind::Alertmanager => routes.push(path),
                // Beside them lie the files that provision them.
                Kind::Dashboards if Path::new(&path).extension().is_some_and(|it| it == "json") => {
                    let board = serde_json::from_str(&artifact.text).expect("JSON");
                    let wrong = grafana::wrong(&board);
                    assert!(wrong.is_empty(), "seed {seed}: {path}:\n{}", wrong.join("\n"));
                }
                Kind::Runbooks => {
                    for query in queries(&artifact.text) {
                        asked += 1;
                        let query = serde_json::to_string(query).expect("JSON");
                        let _ = writeln!(books, "  - {{record: 'seed_{seed}_{asked}', expr: {query}}}");
                    }
                }
                // Provisioning files and exclusions of the linter are checked where they are made. Proving each would take
                // minutes: the proofs have tests of their own.
                Kind::Dashboards | Kind::Tests | Kind::Bounds | Kind::Backfill => {}
            }
        }
    }
    assert!(accepted * 10 >= cases * 6, "{accepted} of {cases} accepted: the others prove little");
    let path = root.join("runbooks.yaml");
    fs::write(&path, format!("groups:\n- name: runbooks\n  rules:\n{books}")).expect("a file");
    rules.push(path.display().to_string());
    for (program, args, files) in
        [("promtool", vec!["check", "rules"], &rules), ("amtool", vec!["check-config"], &routes)]
    {
        let args: Vec<&str> = args.into_iter().chain(files.iter().map(String::as_str)).collect();
        let (fine, said) = tool(program, &args, &root);
        let wrong: Vec<&str> = said.lines().filter(|it| !it.contains("SUCCESS")).take(40).collect();
        assert!(fine, "{program}: {}", wrong.join("\n"));
    }
}

/// However many SLOs a file of another tool has, each is watched by a page and a ticket, read directly and imported.
#[test]
fn no_alert_of_another_tool_is_lost() {
    let (cases, first) = (given("KILTER_CASES", 30), given("KILTER_SEED", 1));
    let root = tempfile::tempdir().expect("a folder");
    let mut rules = Vec::new();
    for seed in first..first + cases {
        let (text, slos) = foreign::file(&mut Dice::new(seed));
        let folder = root.path().join(seed.to_string());
        fs::create_dir(&folder).expect("a folder");
        fs::write(folder.join("foreign.yaml"), &text).expect("a file");
        let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
            .args(["import", "foreign.yaml"])
            .current_dir(&folder)
            .output()
            .expect("the command starts");
        let printed = String::from_utf8(out.stdout).expect("text");
        let imported: Vec<String> = printed
            .split("---\n")
            .enumerate()
            .map(|(number, document)| {
                let name = format!("{number}.slo.yaml");
                fs::write(folder.join(&name), document).expect("a file");
                name
            })
            .collect();
        let told = || format!("seed {seed}\n{text}\n{printed}\n{}", String::from_utf8_lossy(&out.stderr));
        for files in [vec!["foreign.yaml".to_owned()], imported] {
            let paths = files.iter().map(PathBuf::from).collect();
            let options = LoadOptions { paths, current: folder.clone(), ..LoadOptions::default() };
            let made = pipeline::run(&options, TimeScale::REAL).expect("the pipeline runs");
            let (estate, _, artifacts) =
                made.output.unwrap_or_else(|| panic!("{files:?}: {:#?}\n{}", made.diagnostics, told()));
            assert_eq!(estate.services.iter().map(|it| it.slos.len()).sum::<usize>(), slos, "{files:?}: {}", told());
            for artifact in artifacts.iter().filter(|it| it.kind == Kind::Rules && it.service.is_some()) {
                for severity in ["page", "ticket"] {
                    let burns = |group: &str| {
                        group.contains("alert: ErrorBudgetBurn") && group.contains(&format!("severity: {severity}"))
                    };
                    assert!(artifact.text.split("\n      - ").any(burns), "no {severity}: {}", artifact.text);
                }
                let path = folder.join(format!("{}-{}", files.len(), artifact.path.replace('/', "-")));
                fs::write(&path, &artifact.text).expect("a file");
                rules.push(path.display().to_string());
            }
        }
    }
    let args: Vec<&str> = ["check", "rules"].into_iter().chain(rules.iter().map(String::as_str)).collect();
    let (fine, said) = tool("promtool", &args, root.path());
    let wrong: Vec<&str> = said.lines().filter(|it| !it.contains("SUCCESS")).take(40).collect();
    assert!(fine, "{}", wrong.join("\n"));
}
