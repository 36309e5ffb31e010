//! What a pull request changes in SLOs, in words.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::cli::{kilter, said};

const ESTATE: &str = "services: [\"*.slo.yaml\"]\nteams:\n  store: {page: store-pager, ticket: store-tickets}\n  core: {page: core-pager, ticket: core-tickets}\n";
const SHOP: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: buys\n    description: Orders succeed.\n    objective: 99.9%\n    sli: {http_server: {routes: [\"/orders\"]}}\n  - name: looks\n    description: Orders are shown.\n    objective: 99%\n    sli: {http_server: {routes: [\"/look\"]}}\n";
const BANK: &str = "apiVersion: kilter/v1\nservice: bank\nteam: core\nslos:\n  - name: up\n    description: The bank answers.\n    objective: 99.95%\n    sli: {uptime: {up: 'probe_success{job=\"bank\"}'}}\n";

/// A folder with the earlier files in `base` and the same ones in `now`.
fn both() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for side in ["base", "now"] {
        let path = folder.path().join(side);
        fs::create_dir(&path).expect("a folder");
        for (file, text) in [("kilter.yaml", ESTATE), ("a.slo.yaml", SHOP), ("b.slo.yaml", BANK)] {
            fs::write(path.join(file), text).expect("a file");
        }
    }
    folder
}

fn write(folder: &Path, file: &str, text: &str) {
    fs::write(folder.join(file), text).expect("a file");
}

fn compared(folder: &Path, more: &[&str]) -> String {
    let args = [&["report", "--markdown", "--base", "../base"], more].concat();
    let out = kilter(&args, &folder.join("now"));
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn nothing_is_said_in_a_line() {
    let folder = both();
    assert_eq!(compared(folder.path(), &[]), "SLOs do not change: no promise, no alert, no receiver.\n");
}

#[test]
fn promises_pages_costs_and_receivers_are_told() {
    let folder = both();
    let now = folder.path().join("now");
    let shop = SHOP
        .replace("99.9%", "99.5%")
        .replace("team: store", "team: core")
        .replace("name: looks", "name: views")
        + "  - name: new\n    description: \"Sales <b>succeed</b> | @team #1\"\n    objective: 99%\n    window: 7d\n    sli: {http_server: {routes: [\"/sales\"], slower_than: 250ms}}\n";
    write(&now, "a.slo.yaml", &shop);
    fs::remove_file(now.join("b.slo.yaml")).expect("a file");
    let text = compared(folder.path(), &[]);
    for needed in [
        "1 SLO added, 1 SLO removed, 1 SLO renamed and 1 SLO changed.\n",
        "#### bank (removed)\n",
        "- **up** removed\n",
        "  - pages that end: ErrorBudgetBurn and SLODataMissing (to core-pager)\n",
        "- pages that end: ServiceDown",
        "#### shop\n",
        "- team: store → core\n",
        "- pages go to: store-pager → core-pager\n",
        "- **buys** changed\n  - objective: 99.9% → 99.5%\n  - budget 43 min 12 s → 3 h 36 min per 30d, 5 times as much\n",
        "- **views** renamed, until now **looks**: its past stays under the old name\n",
        "- **new** added\n  - 99% over 7d, so a budget of 1 h 41 min\n  - bad are requests to /sales slower than 250ms\n",
        " rules, ",
        " recorded series, ",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
    // The same errors are noticed later: five times the budget, five times as long.
    let rows: Vec<&str> = text.lines().filter(|it| it.starts_with("  | 100% |")).collect();
    assert_eq!(rows[0], "  | 100% | 1 min → 4 min 30 s | 2.31% → 2.08% | 9 min → 26 min 30 s |", "{text}");
    assert_eq!(rows.len(), 2, "{text}");
    // Only one service is asked about; it is there before or after.
    assert!(!compared(folder.path(), &["a.slo.yaml"]).contains("bank"));
    assert!(!text.contains("<b>"), "{text}");

    let json: Value = serde_json::from_str(&compared(folder.path(), &["--format", "json"])).expect("JSON");
    assert_eq!(json["services"][1]["name"], "shop");
    assert_eq!(json["services"][1]["slos"][1]["from"], "looks");
}

/// What a user wrote is never markup of the comment.
#[test]
fn a_text_of_a_user_stays_text() {
    let folder = both();
    let sly = "Sales <img src=x> [a](b) | @team #1 `c` **d**";
    write(&folder.path().join("now"), "a.slo.yaml", &SHOP.replace("Orders succeed.", &format!("\"{sly}\"")));
    let text = compared(folder.path(), &[]);
    let safe = "  - description: Orders succeed. → Sales &lt;img src=x&gt; \\[a\\](b) \\| &#64;team \\#1 \\`c\\` \\*\\*d\\*\\*\n";
    assert!(text.contains(safe), "{text}");
    assert!(!text.contains("| errors |"), "alerts do not change\n{text}");
}

#[test]
fn windows_and_what_all_services_share_are_told() {
    let folder = both();
    let now = folder.path().join("now");
    write(&now, "kilter.yaml", &(ESTATE.to_owned() + "selector: 'app=\"{{service}}\"'\n"));
    write(&now, "b.slo.yaml", &BANK.replace("    sli:", "    tier: low\n    no_data: bad\n    sli:"));
    write(&now, "a.slo.yaml", &SHOP.replace("    objective: 99%\n", "    objective: 99%\n    min_errors: 1\n"));
    let text = compared(folder.path(), &[]);
    for needed in [
        "**for every service**\n\n- selector of every series: job=\"{{service}}\" → app=\"{{service}}\"\n",
        "  - tier: none → low\n",
        "  - missing data: page → count as errors\n",
        "  - alerts only from: 5 errors → 1 error\n",
        " page above 14.4 times the budget over 1h and 5m any more\n",
        " → no page |",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
}

/// A new name is no new promise, but everything that was recorded stays behind.
#[test]
fn a_renamed_service_is_told_under_one_heading() {
    let folder = both();
    let now = folder.path().join("now");
    write(&now, "b.slo.yaml", &BANK.replace("service: bank", "service: vault"));
    let text = compared(folder.path(), &[]);
    for needed in [
        "\n1 service renamed.\n",
        "#### vault, until now bank\n\n- renamed: history, error budgets and dashboards begin anew under the new name; its past stays under the old name\n- rules: ",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
    assert!(text.matches("####").count() == 1 && !text.contains(" → "), "{text}");
}

#[test]
fn times_of_maintenance_and_alerts_that_end_are_told() {
    let folder = both();
    let policy =
        "    no_data: bad\n    maintenance: {schedule: [{days: [monday], from: \"12:30\", to: \"13:30\"}]}\n    sli:";
    let then = BANK.replace("    sli:", policy);
    write(&folder.path().join("base"), "b.slo.yaml", &then);
    let now = then.replace("bad", "ignore").replace("12:30", "23:30").replace("13:30", "00:30");
    write(&folder.path().join("now"), "b.slo.yaml", &now);
    let text = compared(folder.path(), &[]);
    for needed in [
        "  - missing data: count as errors → ignored\n",
        "  - maintenance: monday, 12:30 to 13:30 UTC → monday, 23:30 to 00:30 UTC\n",
        "  - pages that end: SLODataMissing (to core-pager)\n  - tickets that end: SLODataMissing (to core-tickets)\n",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
}

/// The pull request that adds kilter.yaml to SLO files that were there.
#[test]
fn a_base_without_kilter_yaml_is_read_as_this_one_says() {
    let folder = both();
    let base = folder.path().join("base");
    fs::remove_file(base.join("kilter.yaml")).expect("a file");
    let text = compared(folder.path(), &[]);
    assert!(text.starts_with("> The base has no kilter.yaml: its SLO files are those that"), "{text}");
    assert!(text.contains("No SLO is promised otherwise.") && !text.contains("added"), "{text}");
    assert!(text.contains("- pages go to: default → store-pager\n"), "{text}");
    fs::create_dir(base.join("deep")).expect("a folder");
    fs::rename(base.join("a.slo.yaml"), base.join("deep/a.slo.yaml")).expect("a file");
    fs::remove_file(base.join("b.slo.yaml")).expect("a file");
    let text = compared(folder.path(), &[]);
    assert!(
        text.starts_with("> The base has SLO files (deep/a.slo.yaml), but nothing names them: it has no"),
        "{text}"
    );
    assert!(text.contains("#### shop (added)\n"), "{text}");
}

#[test]
fn what_a_comment_needs_is_told() {
    let folder = both();
    for (args, needed) in [
        (&["report", "--markdown"][..], "needs --base DIR"),
        (&["report", "--markdown", "--base", "../base", "--out", "a.md"], "takes no --out"),
    ] {
        let out = kilter(args, &folder.path().join("now"));
        assert!(out.status.code() == Some(2) && said(&out).contains(needed), "{}", said(&out));
        assert!(said(&out).contains("next: ") && !said(&out).contains("Usage"), "{}", said(&out));
    }
}

#[test]
fn a_base_that_is_broken_or_empty_is_told() {
    let folder = both();
    let base = folder.path().join("base");
    write(&base, "b.slo.yaml", &BANK.replace("99.95%", "100%"));
    let text = compared(folder.path(), &[]);
    assert!(text.starts_with("> The SLO files of the base cannot be compared: b.slo.yaml:7: "), "{text}");
    assert!(text.contains("- **up** added\n"), "{text}");
    fs::remove_dir_all(&base).expect("a folder");
    let out = kilter(&["report", "--markdown", "--base", "../base"], &folder.path().join("now"));
    assert!(out.status.code() == Some(2) && said(&out).contains("git worktree add"), "{}", said(&out));
    fs::create_dir(&base).expect("a folder");
    let text = compared(folder.path(), &["a.slo.yaml"]);
    assert!(text.starts_with("> The base has no SLO files, so everything here is new.\n"), "{text}");
    assert!(text.contains("#### shop (added)\n") && !text.contains("bank"), "{text}");
    // A file that the base does not have is new; the others are compared.
    write(&base, "kilter.yaml", ESTATE);
    write(&base, "a.slo.yaml", SHOP);
    assert!(compared(folder.path(), &["b.slo.yaml"]).contains("#### bank (added)\n"));
}
