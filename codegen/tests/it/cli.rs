//! The command itself, as its users run it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

pub(crate) const GOOD: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: buys\n    description: Orders succeed.\n    objective: 99.9%\n    sli:\n      http_server: {routes: [\"/orders\"]}\n";

pub(crate) fn kilter(args: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kilter")).args(args).current_dir(folder).output().expect("the command starts")
}

pub(crate) fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

pub(crate) fn folder(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("slo.yaml"), text).expect("a file");
    folder
}

/// Every file below a folder with its content.
pub(crate) fn tree(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(tree(&path));
        } else {
            all.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    all.sort();
    all
}

#[test]
fn generating_twice_changes_nothing_and_check_agrees() {
    let folder = folder(GOOD);
    let path = folder.path();
    assert_eq!(kilter(&["generate", "slo.yaml"], path).status.code(), Some(0));
    let first = tree(path);
    let out = kilter(&["generate", "slo.yaml"], path);
    assert!(said(&out).contains(" 0 files written"), "{}", said(&out));
    assert_eq!(tree(path), first, "the second run changed something");
    assert_eq!(kilter(&["generate", "--check", "slo.yaml"], path).status.code(), Some(0));
}

#[test]
fn a_changed_byte_is_found_and_nothing_is_written() {
    let folder = folder(GOOD);
    let path = folder.path();
    kilter(&["generate", "slo.yaml"], path);
    let rules = path.join("rules/shop.rules.yaml");
    let text = fs::read_to_string(&rules).expect("rules").replace("vector(0.001)", "vector(0.002)");
    fs::write(&rules, text).expect("a file");
    let before = tree(path);
    let out = kilter(&["generate", "--check", "slo.yaml"], path);
    assert_eq!(out.status.code(), Some(1));
    let diff = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(diff.contains("-    expr: vector(0.002)") && diff.contains("+    expr: vector(0.001)"), "{diff}");
    assert_eq!(tree(path), before);
}

#[test]
fn files_of_others_are_never_touched() {
    let folder = folder(GOOD);
    let path = folder.path();
    fs::create_dir(path.join("rules")).expect("a folder");
    fs::write(path.join("rules/shop.rules.yaml"), "groups: []\n").expect("a file");
    let before = tree(path);
    let out = kilter(&["generate", "slo.yaml"], path);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("rules/shop.rules.yaml was not written by kilter"), "{}", said(&out));
    assert_eq!(tree(path), before);
}

#[test]
fn what_nothing_makes_any_more_is_removed() {
    let folder = folder(GOOD);
    let path = folder.path();
    kilter(&["generate", "slo.yaml"], path);
    fs::write(path.join("rules/own.rules.yaml"), "groups: []\n").expect("a file");
    fs::write(path.join("slo.yaml"), GOOD.replace("service: shop", "service: mall")).expect("a file");
    assert_eq!(kilter(&["generate", "slo.yaml"], path).status.code(), Some(0));
    let names: Vec<String> = tree(path).into_iter().map(|(name, _)| name).collect();
    assert!(
        names.iter().any(|it| it.ends_with("mall.rules.yaml")) && names.iter().any(|it| it.ends_with("own.rules.yaml"))
    );
    assert!(!names.iter().any(|it| it.ends_with("shop.rules.yaml")), "{names:?}");
}

#[test]
fn a_time_scale_is_told_in_the_banner_and_keeps_names() {
    let folder = folder(GOOD);
    let path = folder.path();
    assert_eq!(kilter(&["generate", "slo.yaml", "--time-scale", "1/20"], path).status.code(), Some(0));
    let text = fs::read_to_string(path.join("rules/shop.rules.yaml")).expect("rules");
    assert!(
        text.contains("# Time scale 1/20") && text.contains("record: slo:burn_rate:1h") && text.contains("[15s]"),
        "{text}"
    );
}

#[test]
fn what_careless_users_type_is_answered() {
    let empty = tempfile::tempdir().expect("a folder");
    for (args, code, answer) in [
        (vec!["generate"], 2, "there is no kilter.yaml here"),
        (vec!["generate", "nowhere.yaml"], 2, "nowhere.yaml"),
        (vec!["generate", "."], 2, "no slo.yaml below this folder"),
        (vec!["generat"], 2, "generate"),
        (vec!["generate", "--time-scale", "20"], 2, "1/N"),
        (vec!["test"], 2, "kilter generate"),
        (vec!["generate", "--only", "rulez"], 2, "rules"),
        (vec!["explain", "klt10"], 0, "a guess"),
        (vec!["explain", "KLT9999"], 2, "docs/reference/diagnostics.md"),
    ] {
        let out = kilter(&args, empty.path());
        assert_eq!(out.status.code(), Some(code), "{args:?}: {}", said(&out));
        assert!(said(&out).contains(answer), "{args:?}: {}", said(&out));
    }
    assert!(tree(empty.path()).is_empty(), "something was written");
    let here = folder(GOOD);
    let said = said(&kilter(&["generate"], here.path()));
    assert!(said.contains("next: there is a slo.yaml: name it"), "{said}");
}

#[test]
fn schemas_and_contract_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    for (args, path) in [
        (vec!["schema", "slo"], "codegen/schema/slo.v1.json"),
        (vec!["schema", "estate"], "codegen/schema/estate.v1.json"),
        (vec!["contract", "--format", "json"], "docs/reference/contract.json"),
        (vec!["contract", "--format", "markdown"], "docs/reference/contract.md"),
        (vec!["explain", "--all"], "docs/reference/diagnostics.md"),
    ] {
        let out = kilter(&args, root);
        let committed = fs::read_to_string(root.join(path)).expect("a committed file");
        assert!(String::from_utf8_lossy(&out.stdout) == committed, "{path} is stale: cargo xtask regen");
    }
}

#[test]
fn fixes_change_what_is_wrong_and_nothing_else() {
    let before = GOOD.to_owned()
        + "  # a comment that stays\n  - name: hooks\n    description: Hooks succeed.   # and this\n    objective: 99%\n    sli:\n      events:\n        errors: 'rate(failed_total[5m])'   # why\n        total: |\n          sum(\n            rate(all_total[ 1h30m ])\n          )\n";
    let folder = folder(&before);
    let path = folder.path();
    let out = kilter(&["lint", "slo.yaml"], path);
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("`kilter lint --fix` writes this"), "{}", said(&out));
    assert_eq!(fs::read_to_string(path.join("slo.yaml")).expect("a file"), before, "without --fix nothing is written");
    let out = kilter(&["lint", "--fix", "slo.yaml"], path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(said(&out).contains("fixed 2 findings in slo.yaml"), "{}", said(&out));
    let after = before.replace("[5m]", "[$window]").replace("[ 1h30m ]", "[$window]");
    assert_eq!(fs::read_to_string(path.join("slo.yaml")).expect("a file"), after);
    assert_eq!(fs::read_dir(path).expect("a folder").count(), 1, "a temporary file stayed");
}

#[test]
fn findings_are_printed_for_every_kind_of_ci() {
    let folder = folder(
        &GOOD.replace("objective: 99.9%", "objective: 99.9").replace("routes: [", "slower_than: 250ms, routes: ["),
    );
    let lint = |format: &str| {
        let out = kilter(&["lint", "--format", format, "slo.yaml"], folder.path());
        assert_eq!(out.status.code(), Some(1), "{format}: {}", said(&out));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let json: serde_json::Value = serde_json::from_str(&lint("json")).expect("JSON");
    assert_eq!((&json[0]["code"], &json[0]["line"], &json[0]["column"]), (&"KLT0008".into(), &7.into(), &16.into()));

    let github = lint("github");
    let head =
        "::error file=slo.yaml,line=7,endLine=7,col=16,endColumn=20,title=KLT0008 not an objective::`99.9` is no";
    assert!(github.starts_with(head) && github.lines().count() == 1, "{github}");

    let sarif: serde_json::Value = serde_json::from_str(&lint("sarif")).expect("JSON");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "KLT0008");
    assert_eq!((&result["ruleId"], &result["level"]), (&"KLT0008".into(), &"error".into()));
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!((&place["artifactLocation"]["uri"], &place["region"]["startLine"]), (&"slo.yaml".into(), &7.into()));

    let junit = lint("junit");
    assert!(junit.starts_with("<?xml") && junit.contains("<testsuites tests=\"1\" failures=\"1\">"), "{junit}");
    assert!(
        junit.contains("type=\"KLT0008 not an objective\" message=\"slo.yaml:7:16: `99.9` is no objective"),
        "{junit}"
    );
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let out = kilter(&["completions", shell], folder.path());
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        assert!(
            out.status.success() && ["generate", "lint", "time-scale"].iter().all(|it| text.contains(it)),
            "{shell}"
        );
    }
    let out = kilter(&["man", "--out", "pages"], folder.path());
    assert!(out.status.success(), "{}", said(&out));
    for page in ["kilter.1", "kilter-generate.1", "kilter-lint.1", "kilter-test.1", "kilter-import.1"] {
        let text = fs::read_to_string(folder.path().join("pages").join(page)).unwrap_or_default();
        assert!(
            text.contains(".SH NAME") && text.contains(&page.replace(".1", "").replace('-', "\\-")),
            "{page}: {text}"
        );
    }
    let whole = kilter(&["man"], folder.path());
    assert!(whole.status.success() && said(&whole).contains("generate"), "{}", said(&whole));
}

#[test]
fn a_file_comes_on_the_standard_input() {
    let folder = folder(GOOD);
    let path = folder.path();
    let piped = |args: &[&str], text: &str| {
        fs::write(path.join("input"), text).expect("a file");
        let input = fs::File::open(path.join("input")).expect("a file");
        let out = Command::new(env!("CARGO_BIN_EXE_kilter")).args(args).current_dir(path).stdin(input).output();
        out.expect("the command starts")
    };
    let out = piped(&["lint", "-"], GOOD);
    assert!(out.status.code() == Some(0) && said(&out).contains("<stdin>:5:11"), "{}", said(&out));
    let wrong = GOOD.replace("objective: 99.9%", "objective: 99.9");
    let out = piped(&["lint", "-"], &wrong);
    assert!(out.status.code() == Some(1) && said(&out).contains("<stdin>:7:16"), "{}", said(&out));
    let out = piped(
        &["lint", "--fix", "-"],
        &GOOD.replace(
            "http_server: {routes: [\"/orders\"]}",
            "events: {errors: 'rate(a_total[5m])', total: 'rate(b_total[$window])'}",
        ),
    );
    assert!(out.status.code() == Some(2) && said(&out).contains("cannot be mended"), "{}", said(&out));
    let out = piped(&["generate", "-", "--out", "from-stdin"], GOOD);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    kilter(&["generate", "slo.yaml", "--out", "from-file"], path);
    let text = |folder: &str| fs::read_to_string(path.join(folder).join("rules/shop.rules.yaml")).expect("rules");
    assert_eq!(text("from-stdin").replace("<stdin>", "slo.yaml"), text("from-file"));
}

#[test]
fn outcomes_are_printed_for_programs() {
    let folder = folder(GOOD);
    let json = |args: &[&str], code: i32| -> serde_json::Value {
        let out = kilter(args, folder.path());
        assert_eq!(out.status.code(), Some(code), "{}", said(&out));
        serde_json::from_slice(&out.stdout).unwrap_or_else(|_| panic!("{}", said(&out)))
    };
    let written = json(&["generate", "--format", "json", "slo.yaml"], 0);
    assert!(written["changed"].as_array().is_some_and(|it| it.len() > 5), "{written}");
    assert_eq!(written["findings"][0]["code"], "KLT0101", "{written}");
    fs::write(folder.path().join("slo.yaml"), GOOD.replace("99.9%", "99.9")).expect("a file");
    assert_eq!(json(&["generate", "--format", "json", "slo.yaml"], 1)["findings"][0]["code"], "KLT0008");
    assert_eq!(json(&["explain", "KLT0008", "--format", "json"], 0)["title"], "not an objective");
    assert!(json(&["explain", "--all", "--format", "json"], 0).as_array().is_some_and(|it| it.len() > 40));
}
