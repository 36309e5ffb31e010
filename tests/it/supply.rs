//! What users of Kilter link: licences, sources and bans of `deny.toml`, checked against the lock file's packages.
//!
//! `cargo deny check` does the same and more; this runs without it, on every change.

use std::process::Command;

use serde_json::Value;

use crate::tidy::root;

/// The strings of a list in `deny.toml`, such as `allow = [ ... ]`.
fn list(text: &str, key: &str) -> Vec<String> {
    let start = text.find(&format!("\n{key} = [")).unwrap_or_else(|| panic!("deny.toml has no list {key}"));
    let body = text[start..].split_once('[').expect("an opening bracket").1;
    let body = body.split_once("\n]").expect("a closing bracket").0;
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The platform whose packages are all downloaded: the one that the tests run on.
fn host() -> String {
    let out = Command::new("rustc").args(["--print", "host-tuple"]).output().expect("rustc runs");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

fn packages() -> Vec<Value> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Whether an SPDX expression can be satisfied with the allowed licences.
fn allowed(expression: &str, allow: &[String]) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    // `A AND (B OR C)` flattens to `A AND B OR C`: each AND part needs one allowed alternative.
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| allow.iter().any(|it| it == licence.trim())))
}

#[test]
fn licences_sources_and_bans_hold() {
    let deny = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let allow = list(&deny, "allow");
    let banned: Vec<&str> =
        deny.lines().filter_map(|line| line.split("crate = \"").nth(1)?.split('"').next()).collect();
    assert!(allow.len() > 3 && banned.len() > 1, "deny.toml was not understood");

    let mut wrong = Vec::new();
    for package in packages() {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or("none");
        if !allowed(licence, &allow) {
            wrong.push(format!("{name}: licence {licence}"));
        }
        if banned.contains(&name) {
            wrong.push(format!("{name}: banned"));
        }
        let registry = package["source"].as_str().is_none_or(|source| source.starts_with("registry+"));
        if !registry {
            wrong.push(format!("{name}: source {}", package["source"]));
        }
    }
    assert!(wrong.is_empty(), "deny.toml does not allow:\n{}", wrong.join("\n"));
}

/// What a user of a package links, with the features that are on by default.
fn linked(package: &str) -> Vec<(String, String)> {
    let args = ["tree", "-p", package, "-e", "normal", "--prefix", "none", "--format", "{p}", "--offline", "--locked"];
    let out = Command::new(env!("CARGO")).args(args).current_dir(root()).output().expect("cargo tree runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut words = text
        .lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| (name.to_owned(), rest.split_whitespace().next().unwrap_or_default().to_owned()));
    let all: std::collections::BTreeSet<_> = words.by_ref().collect();
    all.into_iter().collect()
}

/// Major and minor of a `rust-version`.
fn rust_version(package: &Value) -> Option<(u32, u32)> {
    let mut parts = package["rust_version"].as_str()?.split('.').map(|it| it.parse().expect("a number"));
    Some((parts.next()?, parts.next()?))
}

/// What a package says of the compiler that it needs is enough for everything that it links, and users can read it.
#[test]
fn each_package_declares_the_compiler_that_its_dependencies_need() {
    let packages = packages();
    let guide = std::fs::read_to_string(root().join("docs/services.md")).expect("the guide");
    for name in ["kilter-contract", "kilter-sdk", "kilter"] {
        let find = |name: &str, version: Option<&str>| {
            let same = |it: &&Value| it["name"] == name && version.is_none_or(|version| it["version"] == version);
            packages.iter().find(same).unwrap_or_else(|| panic!("no package {name}"))
        };
        let own = rust_version(find(name, None)).expect("a rust-version");
        let linked = linked(name);
        assert!(name == "kilter-contract" || linked.len() > 50, "{name} links {} packages", linked.len());
        for (dependency, version) in linked {
            let needs = rust_version(find(&dependency, Some(&version))).unwrap_or((1, 0));
            assert!(own >= needs, "{name} says {own:?}, but {dependency} {version} needs {needs:?}");
        }
        let row = format!("| `{name}` | {}.{} |", own.0, own.1);
        assert!(guide.contains(&row), "docs/services.md has no line {row}");
    }
}

#[test]
fn expressions_need_one_allowed_alternative_each() {
    let allow = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    assert!(allowed("MIT OR GPL-3.0", &allow) && allowed("MIT/Apache-2.0", &allow));
    assert!(allowed("(MIT OR Apache-2.0) AND Unicode-3.0", &allow));
    assert!(!allowed("GPL-3.0", &allow) && !allowed("MIT AND GPL-3.0", &allow));
}
