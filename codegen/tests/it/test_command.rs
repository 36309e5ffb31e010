//! `kilter test`: one line per SLO, with the real promtool and amtool; exit status 1 when a proof fails, 2 without a tool.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Expressions that cannot be fed have fewer and shorter proofs, as have few windows, and two policies two rules: one can break without the other.
const SLO: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: buys\n    description: Orders succeed.\n    objective: 99.9%\n    window: 7d\n    windows: [{severity: page, share: 8%, long: 1h, short: 5m}, {severity: ticket, share: 12.5%, long: 6h, short: 30m}]\n    sli: {events: {errors: 'max(rate(failed_total[$window]))', total: 'max(rate(all_total[$window]))'}}\n  - name: sends\n    description: Parcels are sent.\n    objective: 99%\n    window: 7d\n    windows: [{severity: page, share: 8%, long: 1h, short: 5m}, {severity: ticket, share: 12.5%, long: 6h, short: 30m}]\n    no_data: ticket\n    sli: {events: {errors: 'max(rate(lost_total[$window]))', total: 'max(rate(sent_total[$window]))'}}\n";
const ESTATE: &str = "version: 0.1\nservices: [slo.yaml]\nteams: {store: {page: pager, ticket: tickets}}\nalertmanager: {base: base.yaml}\n";
const BASE: &str = "receivers: [{name: default}, {name: watchdog}, {name: pager}, {name: tickets}]\n";

/// An estate, generated.
fn estate() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("slo.yaml", SLO), ("kilter.yaml", ESTATE), ("base.yaml", BASE)] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let out = kilter(folder.path(), &["generate"]);
    assert!(out.status.success(), "{}", said(&out));
    folder
}

fn kilter(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kilter")).args(args).current_dir(folder).output().expect("the command starts")
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

fn replace(folder: &Path, file: &str, old: &str, new: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).expect("a generated file");
    assert!(text.contains(old), "{file} has no {old:?}");
    fs::write(path, text.replacen(old, new, 1)).expect("a file");
}

#[test]
fn each_slo_has_one_line() {
    let folder = estate();
    let out = kilter(folder.path(), &["test"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let lines = String::from_utf8_lossy(&out.stdout).into_owned();
    // Behind an empty line come the tables.
    let checks = lines.split("\n\n").next().unwrap_or_default();
    assert!(checks.lines().all(|it| it.starts_with("ok    ")), "{lines}");
    assert!(lines.contains("\nWho is told of what"), "{lines}");
    for slo in ["shop/buys: ", "shop/sends: ", "shop: 8 proofs, 9 routes", "the estate: "] {
        let own: Vec<&str> = lines.lines().filter(|it| it.starts_with(&format!("ok    {slo}"))).collect();
        assert_eq!(own.len(), 1, "{slo}: {lines}");
    }
    assert!(lines.contains("shop/buys: 7 proofs, 6 routes\n"), "{lines}");
    let text = said(&kilter(folder.path(), &["test", "slo.yaml"]));
    assert!(text.contains("slo.yaml is a file") && text.ends_with("\n  next: kilter test\n"), "{text}");
}

/// For people and for programs; the folder of the rules may be named too.
#[test]
fn a_broken_rule_and_a_lost_route_are_told_with_their_slo() {
    let folder = estate();
    replace(folder.path(), "rules/shop.rules.yaml", "for: 3m", "for: 30m");
    replace(
        folder.path(),
        "rules/alertmanager.yaml",
        "- severity=\"page\"\n      receiver: pager",
        "- severity=\"none\"\n      receiver: pager",
    );
    let test = |args: &[&str]| {
        let out = kilter(folder.path(), &[&["test"], args].concat());
        assert_eq!(out.status.code(), Some(1), "{args:?}: {}", said(&out));
        String::from_utf8_lossy(&out.stdout).into_owned()
    };
    let told_to_people = test(&[]);
    assert!(told_to_people.contains("ok    the estate: "), "nothing of it is broken: {told_to_people}");
    let told = |slo: &str| told_to_people.split("FAIL  ").find(|it| it.starts_with(slo)).unwrap_or_default().to_owned();
    let buys = told("shop/buys: ");
    assert!(buys.contains("time: ") && buys.contains("does not reach pager"), "{told_to_people}");
    let sends = told("shop/sends: ");
    assert!(
        !sends.contains("time: ") && sends.contains("does not reach pager"),
        "no rule of it is broken: {told_to_people}"
    );

    let json: serde_json::Value = serde_json::from_str(&test(&["rules", "--format", "json"])).expect("JSON");
    let failed: Vec<&str> = json
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["passed"] == false)
        .filter_map(|it| it["name"].as_str()?.split(": ").next())
        .collect();
    assert_eq!(failed, ["shop", "shop/buys", "shop/sends"], "{json:#}");
    let junit = test(&["--format", "junit"]);
    assert!(junit.contains("failures=\"3\"") && junit.contains("<failure type=\"proof\""), "{junit}");
}

/// What is promised and what promtool shows, for people and for programs; and what is shown is what the rules do.
#[test]
fn a_table_tells_what_was_promised_and_what_was_shown() {
    let folder = estate();
    let slo = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: buys\n    description: Orders succeed.\n    objective: 99.9%\n    window: 30d\n    sli: {events: {errors: 'rate(failed_total[$window])', total: 'rate(all_total[$window])'}}\n";
    fs::write(folder.path().join("slo.yaml"), slo).expect("a file");
    assert!(kilter(folder.path(), &["generate"]).status.success());
    let out = kilter(folder.path(), &["test", "--format", "json"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    let json: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let all = json.as_array().expect("a list").iter();
    let of: Vec<_> = all.filter(|it| it["name"].as_str().is_some_and(|it| it.starts_with("shop/buys: "))).collect();
    let shown = |burn: &str, what: &str| {
        let rows = of[0]["detections"].as_array().expect("detections").iter();
        let row = rows.filter(|it| it["burn"] == burn).collect::<Vec<_>>();
        assert_eq!(row.len(), 1, "{burn}: {}", of[0]);
        ["promised", "shown"].map(|it| row[0][what][it].as_f64().unwrap_or(f64::NAN))
    };
    // 14.4 times 0.1% of an hour are 51.84 s; 6/10 of 6 hours; a third and two thirds of three days.
    let hours = |it: f64| it * 3_600.0;
    for (burn, workbook, step) in [
        ("100%", 51.84, 30.0),
        ("10x", hours(3.6), 300.0),
        ("3x", hours(24.0), 3_600.0),
        ("1.5x", hours(48.0), 3_600.0),
    ] {
        let [promised, shown] = shown(burn, "detection_seconds");
        assert!(shown >= workbook - 1.0 && shown <= workbook + 600.0 + step && shown <= promised, "{burn}: {shown}");
    }
    let [promised, shown_] = shown("10x", "reset_seconds");
    // Ten burns are below six when 4/10 of the half-hour are clean; then the page is kept for five minutes.
    assert!(shown_ >= 0.4 * 1_800.0 + 300.0 && shown_ <= promised, "{shown_}, promised {promised}");
    let [_, spent] = shown("10x", "budget_spent_at_detection");
    assert!((spent - 0.05).abs() < 0.005, "a page on six hours has cost 5% of the budget, not {spent}");

    // A rule that is slower than it promises is told with what it shows, and people read the same in a table.
    replace(folder.path(), "rules/shop.rules.yaml", "> 14.4", "> 200");
    let out = kilter(folder.path(), &["test"]);
    assert_eq!(out.status.code(), Some(1), "{}", said(&out));
    assert!(said(&out).contains("FAIL  shop/buys: "), "{}", said(&out));
    let lines = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(lines.lines().filter(|it| it.starts_with("shop/buys  ")).count(), 4, "{lines}");
}

#[test]
fn alerts_that_no_team_receives_are_listed() {
    let folder = estate();
    replace(folder.path(), "kilter.yaml", "teams: {store: {page: pager, ticket: tickets}}\n", "");
    assert!(kilter(folder.path(), &["generate"]).status.success());
    let out = kilter(folder.path(), &["test"]);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    assert!(
        said(&out).contains("no team receives the alerts of shop (9), shop/buys (6), shop/sends (5)"),
        "{}",
        said(&out)
    );
}

#[test]
fn a_missing_tool_is_exit_status_2_and_says_what_to_install() {
    let folder = estate();
    let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .arg("test")
        .current_dir(folder.path())
        .env("PATH", folder.path())
        .output()
        .expect("the command starts");
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("install Debian's packages prometheus"), "{}", said(&out));
}
