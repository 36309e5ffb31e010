//! The invariants of `ARCHITECTURE.md` that no compiler holds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace").to_path_buf()
}

fn packages() -> Vec<Value> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn package<'a>(packages: &'a [Value], name: &str) -> &'a Value {
    packages.iter().find(|package| package["name"] == name).unwrap_or_else(|| panic!("no package {name}"))
}

/// Names of the dependencies that a user links: neither development nor optional ones.
fn linked(package: &Value) -> Vec<String> {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    dependencies
        .iter()
        .filter(|it| it["kind"].is_null() && it["optional"] == false)
        .map(|it| it["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Every file below `folder` whose name ends in `ending`, with its text; build output is left out.
fn files(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<(PathBuf, String)>) {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    walk(&path, ending, found);
                }
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), ending, &mut found);
    assert!(!found.is_empty(), "no *{ending} below {folder}: the check would prove nothing");
    found
}

/// The text before a file's own unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn the_contract_has_no_runtime_dependency() {
    let packages = packages();
    assert_eq!(linked(package(&packages, "kilter-contract")), Vec::<String>::new());
}

#[test]
fn the_two_halves_never_see_each_other() {
    let packages = packages();
    for (one, other) in [("kilter-sdk", "kilter"), ("kilter", "kilter-sdk")] {
        let dependencies = package(&packages, one)["dependencies"].as_array().expect("dependencies").clone();
        assert!(dependencies.iter().all(|it| it["name"] != other), "{one} depends on {other}");
    }
}

#[test]
fn libraries_have_typed_errors() {
    let packages = packages();
    for name in ["kilter-contract", "kilter-sdk", "kilter"] {
        assert!(!linked(package(&packages, name)).contains(&"anyhow".to_owned()), "{name} links anyhow");
    }
}

#[test]
fn every_package_inherits_lints_and_declares_its_rust_version() {
    for package in packages() {
        let manifest = fs::read_to_string(package["manifest_path"].as_str().expect("a path")).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} does not inherit the lints", package["name"]);
        assert!(package["rust_version"].is_string(), "{} declares no rust-version", package["name"]);
        assert_eq!(package["license"], "MIT OR Apache-2.0", "{}", package["name"]);
    }
}

#[test]
fn every_dependency_is_declared_once_in_the_workspace() {
    for (path, text) in files(".", "Cargo.toml") {
        // `bench` is a workspace of its own.
        if text.contains("\n[workspace.dependencies]\n") {
            continue;
        }
        for line in text.lines() {
            let versioned =
                line.contains("version = \"") && !line.starts_with("version = \"") && !line.starts_with("rust-version");
            assert!(!versioned, "{}: `{line}` names a version; declare it in the root Cargo.toml", path.display());
        }
    }
}

#[test]
fn files_read_from_the_top_and_stay_small() {
    for folder in ["contract", "sdk", "codegen", "examples", "tests", "xtask", "bench"] {
        for (path, text) in files(folder, ".rs") {
            let lines = text.lines().count();
            assert!(lines <= 600, "{}: {lines} lines; split it (the aim is 80 to 200)", path.display());
            assert!(text.starts_with("//!") || text.starts_with("#!["), "{}: no module documentation", path.display());
        }
    }
}

#[test]
fn yaml_has_one_home() {
    for (path, text) in files("codegen/src", ".rs") {
        let home =
            path.ends_with("codegen/src/yaml.rs") || path.parent().is_some_and(|p| p.ends_with("codegen/src/yaml"));
        assert!(home || !text.contains("serde_saphyr"), "{}: only codegen/src/yaml names serde_saphyr", path.display());
    }
}

#[test]
fn templates_hold_no_promql() {
    for (path, text) in files("codegen/templates", ".hbs") {
        for sign in ["rate(", "sum(", "sum by", "_over_time(", "slo:"] {
            assert!(!text.contains(sign), "{}: `{sign}` belongs to the plan", path.display());
        }
    }
}

#[test]
fn only_init_touches_globals() {
    let setters = [
        "set_global_default(",
        "set_global_recorder(",
        "set_tracer_provider(",
        "set_text_map_propagator(",
        ".try_init()",
    ];
    for (path, text) in files("sdk/src", ".rs") {
        if path.ends_with("sdk/src/init.rs") {
            continue;
        }
        for setter in setters {
            assert!(!without_tests(&text).contains(setter), "{}: `{setter}` belongs to init.rs", path.display());
        }
    }
}

#[test]
fn nothing_unfinished_is_marked() {
    let marks =
        [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["to", "do!("].concat(), ["unimple", "mented!("].concat()];
    for folder in ["contract", "sdk", "codegen", "examples", "tests", "xtask"] {
        for (path, text) in files(folder, ".rs") {
            for mark in &marks {
                assert!(!text.contains(mark.as_str()), "{}: {mark}", path.display());
            }
            assert!(!text.contains(&["#[igno", "re"].concat()), "{}: a skipped test", path.display());
        }
    }
}
