//! `kilter generate --diff`: what would change, in words and as a patch, and nothing is written.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::cli::{GOOD, folder, kilter, said, tree};

/// A folder with generated files, and an SLO file that has changed since.
fn changed() -> tempfile::TempDir {
    let folder = folder(GOOD);
    let out = kilter(&["generate", "slo.yaml"], folder.path());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let more = "  - name: sells\n    description: Sales succeed.\n    objective: 99%\n    sli:\n      http_server: {routes: [\"/sales\"], slower_than: 250ms}\n";
    let text = GOOD.replace("99.9%", "99.5%") + more;
    fs::write(folder.path().join("slo.yaml"), text).expect("a file");
    folder
}

fn stdout(args: &[&str], path: &Path) -> String {
    let out = kilter(args, path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn words_come_first_and_the_patch_applies() {
    let folder = changed();
    let path = folder.path();
    let before = tree(path);
    let text = stdout(&["generate", "--diff", "slo.yaml"], path);
    assert_eq!(tree(path), before, "something was written");
    for needed in [
        "# shop (rules/shop.rules.yaml)\n",
        "#   ~ SLO buys: objective 99.9% → 99.5%\n",
        "#   + SLO sells: 99% over 30d, latency\n",
        "#   ~ alert SLOTrafficLost (page): condition\n",
        " rules, ",
        " recorded series, ",
        " evaluations a minute\n",
        "#   + rules/runbooks/shop/sells.md\n",
        "#   ~ dashboards/shop.json\n",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
    // The patch is one: what it makes of the files is what `generate` would write.
    let mut git =
        Command::new("git").args(["apply", "-"]).current_dir(path).stdin(Stdio::piped()).spawn().expect("git starts");
    git.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("a patch");
    assert!(git.wait().expect("git ends").success(), "{text}");
    let out = kilter(&["generate", "--check", "slo.yaml"], path);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
}

#[test]
fn costs_are_those_of_the_rule_files() {
    let folder = changed();
    let path = folder.path();
    let json: Value =
        serde_json::from_str(&stdout(&["generate", "--diff", "--format", "json", "slo.yaml"], path)).expect("JSON");
    let rules = json["change"]["rules"].as_array().expect("a list");
    let shop = rules.iter().find(|it| it["service"] == "shop").expect("the service");
    // Counted here by hand, from the text.
    let count =
        |text: &str| text.lines().filter(|it| it.starts_with("  - record:") || it.starts_with("  - alert:")).count();
    let old = count(&fs::read_to_string(path.join("rules/shop.rules.yaml")).expect("rules"));
    kilter(&["generate", "slo.yaml"], path);
    let text = fs::read_to_string(path.join("rules/shop.rules.yaml")).expect("rules");
    assert_eq!((&shop["before"]["rules"], &shop["after"]["rules"]), (&old.into(), &count(&text).into()));
    // Two SLOs with five series each, and one series per SLO of every rule that serves both.
    let shared = text.lines().filter(|it| it.starts_with("  - record:")).count() - 10;
    assert_eq!(shop["after"]["series"], 10 + 2 * shared);
    assert_eq!(
        json["changed"].as_array().map(Vec::len),
        Some(json["change"]["diff"].as_str().unwrap().matches("\n+++ ").count())
    );
    let fresh: Value =
        serde_json::from_str(&stdout(&["generate", "--check", "--format", "json", "slo.yaml"], path)).expect("JSON");
    assert_eq!(fresh["changed"], Value::Array(Vec::new()));
}

#[test]
fn a_pull_request_gets_markdown() {
    let folder = changed();
    let path = folder.path();
    let text = stdout(&["generate", "--diff", "--format", "markdown", "slo.yaml"], path);
    for needed in
        ["### What changes", "- added: SLO sells: 99% over 30d, latency\n", "<details>", "\n````diff\n", "</details>\n"]
    {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
    kilter(&["generate", "slo.yaml"], path);
    assert_eq!(
        stdout(&["generate", "--diff", "--format", "markdown", "slo.yaml"], path),
        "Generated files do not change.\n"
    );
    let out = kilter(&["generate", "--format", "markdown", "slo.yaml"], path);
    assert!(out.status.code() == Some(2) && said(&out).contains("add --diff"), "{}", said(&out));
}

#[test]
fn check_and_diff_together_fail_when_something_is_stale() {
    let folder = changed();
    let out = kilter(&["generate", "--check", "--diff", "slo.yaml"], folder.path());
    assert_eq!(out.status.code(), Some(1));
    assert!(said(&out).contains("# shop (rules/shop.rules.yaml)") && said(&out).contains("stale: "), "{}", said(&out));
}

#[test]
fn a_removed_service_is_told_as_removed() {
    let folder = changed();
    let path = folder.path();
    fs::write(path.join("slo.yaml"), GOOD.replace("service: shop", "service: mall")).expect("a file");
    let text = stdout(&["generate", "--diff", "slo.yaml"], path);
    assert!(text.contains("#   - SLO buys: 99.9% over 30d, availability\n"), "{text}");
    assert!(text.contains(" → 0 rules, ") && text.contains("+++ /dev/null\n"), "{text}");
}
