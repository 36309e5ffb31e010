//! The action for GitHub and the hooks for pre-commit are made of commands that exist and work.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::cli::{GOOD, kilter, said};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).expect("a committed file");
    kilter_codegen::yaml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn steps(action: &Value) -> Vec<&Value> {
    action["runs"]["steps"].as_array().expect("steps").iter().collect()
}

#[test]
fn the_action_has_the_form_that_github_takes() {
    let action = read("action.yml");
    for key in ["name", "description", "inputs", "runs"] {
        assert!(!action[key].is_null(), "action.yml has no {key}");
    }
    assert_eq!(action["runs"]["using"], "composite");
    let inputs = action["inputs"].as_object().expect("inputs");
    for (name, input) in inputs {
        let described = input["description"].as_str().is_some_and(|it| it.ends_with('.'));
        assert!(described && input["default"].is_string(), "{name}: a description, and a default as a text");
    }
    for step in steps(&action) {
        let name = step["name"].as_str().expect("a step has a name");
        let run = step["run"].as_str().unwrap_or_else(|| panic!("{name} runs nothing"));
        assert!(step["shell"] == "sh", "{name}: a composite step says its shell");
        // What a pull request may choose never becomes a part of a script.
        assert!(!run.contains("${{"), "{name}: inputs reach scripts through env");
        for value in step["env"].as_object().into_iter().flat_map(|it| it.values()).chain([&step["working-directory"]])
        {
            for used in value.as_str().unwrap_or_default().split("inputs.").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                assert!(inputs.contains_key(&used), "{name}: no input {used}");
            }
        }
    }
}

/// Runs a step as GitHub would, with these inputs.
fn run(step: &Value, inputs: &BTreeMap<&str, String>, folder: &Path) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_kilter")).parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let filled = |text: &str| {
        inputs
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{{ inputs.{name} }}}}"), value))
    };
    let env = step["env"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key, filled(value.as_str().unwrap_or_default())));
    Command::new("sh")
        .args(["-e", "-c", step["run"].as_str().expect("a script")])
        .current_dir(folder.join(filled(step["working-directory"].as_str().unwrap_or("."))))
        .envs(env)
        .env("PATH", path)
        .env("GITHUB_ACTION_PATH", root())
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .output()
        .expect("sh starts")
}

#[test]
fn the_action_passes_on_a_fresh_estate_and_fails_on_a_stale_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deploy");
    fs::create_dir(&path).expect("a folder");
    fs::write(path.join("kilter.yaml"), "services: [slo.yaml]\n").expect("a file");
    fs::write(path.join("slo.yaml"), GOOD).expect("a file");
    let out = kilter(&["generate", "-q"], &path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let action = read("action.yml");
    let mut inputs: BTreeMap<&str, String> = BTreeMap::new();
    for (name, input) in action["inputs"].as_object().expect("inputs") {
        inputs.insert(name, input["default"].as_str().expect("a default").to_owned());
    }
    inputs.insert("working-directory", "deploy".to_owned());
    for step in steps(&action) {
        let out = run(step, &inputs, folder.path());
        assert!(out.status.success(), "{}: {}", step["name"], said(&out));
    }
    let summary = fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.contains("Generated files do not change."), "{summary}");

    let base = folder.path().join("base/deploy");
    fs::create_dir_all(&base).expect("a folder");
    for file in ["kilter.yaml", "slo.yaml"] {
        fs::copy(path.join(file), base.join(file)).expect("a file");
    }
    inputs.insert("base", "../base/deploy".to_owned());
    fs::write(path.join("slo.yaml"), GOOD.replace("99.9%", "99.5%")).expect("a file");
    let failed: Vec<&str> = steps(&action)
        .into_iter()
        .filter(|step| !run(step, &inputs, folder.path()).status.success())
        .map(|step| step["run"].as_str().unwrap_or_default().trim())
        .collect();
    assert_eq!(failed, ["kilter generate --check"]);
    let summary = fs::read_to_string(folder.path().join("summary.md")).expect("a summary");
    assert!(summary.contains("SLO buys: objective 99.9% → 99.5%"), "{summary}");
    assert!(summary.contains("budget 43 min 12 s → 3 h 36 min per 30d"), "{summary}");
}

#[test]
fn hooks_run_commands_that_exist() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("kilter.yaml"), "services: [slo.yaml]\n").expect("a file");
    fs::write(folder.path().join("slo.yaml"), GOOD).expect("a file");
    kilter(&["generate", "-q"], folder.path());
    let hooks = read(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().expect("hooks") {
        let words: Vec<&str> = hook["entry"].as_str().expect("an entry").split(' ').collect();
        assert_eq!(words[0], "kilter");
        let out = kilter(&words[1..], folder.path());
        assert_eq!(out.status.code(), Some(0), "{}: {}", hook["id"], said(&out));
    }
}
