//! The command from outside.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const SLOS: &str = "apiVersion: kilter/v1
service: shop
team: store
slos:
  - name: checkout
    description: Orders can be paid.
    objective: 99.9%
    sli: {http_server: {routes: [\"/checkout\"]}}
  - name: probe
    description: The shop answers its probe.
    objective: 99%
    sli: {uptime: {up: 'probe_success{target=\"shop\"}'}}
";

const SCENARIO: &str = "traffic: 50/s
background: 0.01%
scrape: {interval: 30s, phase: 7s}
after: 3h
steps:
  - 100% for 20m
  - healthy for 30m then deploy
  - \"no data for 15m\"
";

/// Exit status, standard output, standard error.
fn kilter(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .arg("simulate")
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the command starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (out.status.code(), text(&out.stdout), text(&out.stderr))
}

#[test]
fn a_scenario_is_played_for_people_programs_and_eyes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("slo.yaml"), SLOS).expect("a file");
    std::fs::write(folder.join("incident.yaml"), SCENARIO).expect("a file");

    let (status, said, talk) = kilter(folder, &["slo.yaml"]);
    assert_eq!((status, talk.as_str()), (Some(0), ""), "{said}");
    for line in ["shop/checkout: 99.9% over 30d", "shop/probe: 99% over 30d"] {
        assert!(said.contains(line), "{said}");
    }
    let row = said.lines().find(|it| it.starts_with("ErrorBudgetBurn (page)")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells[2..3], ["1m"], "{row}");
    assert!(row.contains("1h, 5m") && row.contains("2.31%"), "{row}");
    let row = said.lines().find(|it| it.starts_with("SLODataMissing (page)")).expect("a row");
    assert!(row.ends_with("never"), "{row}");
    assert!(said.contains("100% left before, 53.7% at the end"), "{said}");
    // Time does not stop.
    assert_eq!(said.matches("SLOTrafficLost").count(), 1, "{said}");

    let args = ["slo.yaml", "--slo", "checkout", "--scenario", "incident.yaml", "--format", "json"];
    let (status, said, _) = kilter(folder, &args);
    assert_eq!(status, Some(0), "{said}");
    let json: Value = serde_json::from_str(&said).expect("JSON");
    let slo = &json["slos"][0];
    assert_eq!((json["slos"].as_array().map(Vec::len), slo["seconds"].as_f64()), (Some(1), Some(3_900.0)));
    let alerts = slo["alerts"].as_array().expect("alerts");
    let fires = |name: &str, severity: &str| {
        let alert = alerts.iter().find(|it| it["alert"] == name && it["severity"] == severity).expect("an alert");
        let firings = alert["firings"].as_array().expect("a list");
        firings.iter().map(|it| (it["fires"].as_f64().expect("a time"), it["resolves"].as_f64())).collect::<Vec<_>>()
    };
    let page = fires("ErrorBudgetBurn", "page");
    assert!(page.len() == 1 && page[0].0 <= 120.0 && page[0].1.is_some(), "{page:?}");
    // Data are missing five minutes after the last scrape, and three minutes later somebody is woken.
    let missing = fires("SLODataMissing", "page");
    assert!(missing.len() == 1 && (3_000.0 + 450.0..3_000.0 + 540.0).contains(&missing[0].0), "{missing:?}");
    assert!(missing[0].1.is_some_and(|it| (3_900.0..4_000.0).contains(&it)), "{missing:?}");
    assert!(slo["budget"].as_array().is_some_and(|it| it.len() > 50 && it.len() <= 240));
    let again = kilter(folder, &args);
    assert_eq!(again.1, said, "another run says something else");

    let (status, drawn, _) = kilter(folder, &["slo.yaml", "--slo", "checkout", "--format", "svg"]);
    assert_eq!(status, Some(0));
    for part in [
        "<svg ",
        "role=\"img\"",
        "<title ",
        "<desc ",
        "prefers-color-scheme:dark",
        "ErrorBudgetBurn (page) fires after 1m and resolves after",
    ] {
        assert!(drawn.contains(part), "no {part} in {drawn}");
    }
    // An alert that outlasts the drawing, and thresholds in labels of their own.
    std::fs::write(folder.join("brief.yaml"), "after: 1m\nsteps: [100% for 20m]\n").expect("a file");
    let brief = ["slo.yaml", "--slo", "checkout", "--scenario", "brief.yaml", "--format", "svg"];
    let (_, lasting, _) = kilter(folder, &brief);
    assert!(lasting.contains("ErrorBudgetBurn (page): from 1m, goes on<"), "{lasting}");
    assert!(drawn.contains(">page above 14.4x over 1h</text>") && !drawn.contains("to goes on"), "{drawn}");
    assert!(drawn.len() < 120_000 && !drawn.contains("NaN") && !drawn.contains("<script"), "{} bytes", drawn.len());

    // Low traffic: one failure of a quiet service is no outage, and as many as promised are.
    let quiet =
        |steps: &str| kilter(folder, &["slo.yaml", "--slo", "checkout", "--traffic", "30/h", "--scenario", steps]).1;
    let row = |said: &str| said.lines().find(|it| it.starts_with("ErrorBudgetBurn (page)")).expect("a row").to_owned();
    assert!(row(&quiet("100% for 3m")).ends_with("never"), "{}", quiet("100% for 3m"));
    assert!(!row(&quiet("100% for 1h")).ends_with("never"), "{}", quiet("100% for 1h"));
}

#[test]
fn what_is_wrong_with_a_scenario_is_told_all_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("slo.yaml"), SLOS).expect("a file");
    let (status, said, talk) =
        kilter(folder, &["slo.yaml", "--scenario", "100 for 20m then helthy for 1h", "--traffic", "many"]);
    assert_eq!((status, said.as_str()), (Some(1), ""), "{talk}");
    assert_eq!(talk.matches("error[KLT0149]").count(), 3, "{talk}");
    for part in ["did you mean `healthy`?", "^^^", "--> --scenario:1:1", "--> --traffic:1:1", "3 errors"] {
        assert!(talk.contains(part), "no {part} in {talk}");
    }
    let (status, _, talk) = kilter(folder, &["slo.yaml", "--slo", "chekout"]);
    assert_eq!(status, Some(2));
    assert!(talk.contains("did you mean `checkout`?"), "{talk}");
    let (status, _, talk) = kilter(folder, &["slo.yaml", "--format", "svg"]);
    assert_eq!(status, Some(2));
    assert!(talk.contains("--slo NAME"), "{talk}");
    for gone in ["gone.yaml", "./gone"] {
        let (status, _, talk) = kilter(folder, &["slo.yaml", "--scenario", gone]);
        assert!(status == Some(2) && talk.contains("No such file"), "{talk}");
    }
    let told = |args: &[&str], part: &str| {
        let (status, _, talk) = kilter(folder, &[&["slo.yaml"], args].concat());
        assert!(status == Some(1) && talk.contains(part), "{args:?}: {talk}");
    };
    told(&["--scenario", "-1% for 1h"], "`-1%` stands where a percentage from 0% to 100% belongs");
    told(&["--traffic", "-5/s"], "`-5/s` stands where a rate of events belongs");
    told(&["--traffic", "10/s to 20/s"], "a rate that changes begins with `daily`");
    let file = |text: &str| std::fs::write(folder.join("some.yaml"), text).expect("a file");
    file("scrape: {interval: 15s, phase: 20s}\nsteps: [3]\n");
    told(&["--scenario", "some.yaml"], "a scrape every 15s cannot come 20s late");
    told(&["--scenario", "some.yaml"], "2 errors");
    file("scrape: {phase: 0s}\nhistory: 0s\nafter: 0s\nsteps: [healthy for 1h]\n");
    let (status, _, talk) = kilter(folder, &["slo.yaml", "--scenario", "some.yaml"]);
    assert_eq!(status, Some(0), "{talk}");
}

/// What `docs/simulate.md` shows works as it stands there, and its table of steps is that of the help.
#[test]
fn the_page_shows_what_works() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/simulate.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("slo.yaml"), SLOS).expect("a file");
    let block = page.split("```yaml\n").nth(1).and_then(|it| it.split("```").next()).expect("a scenario");
    std::fs::write(folder.path().join("incident.yaml"), block).expect("a file");
    let bin = Path::new(env!("CARGO_BIN_EXE_kilter")).parent().expect("a folder").display().to_string();
    let path = format!("{bin}:{}", std::env::var("PATH").unwrap_or_default());
    let commands: Vec<&str> = page.lines().filter_map(|it| it.strip_prefix("$ ")).collect();
    assert!(commands.len() >= 6, "{commands:?}");
    let all = commands.join(" && ");
    let out = Command::new("sh").args(["-c", &all]).current_dir(folder.path()).env("PATH", path).output().expect("sh");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let help = kilter(folder.path(), &["--help"]).1;
    for (form, means) in kilter_codegen::scenario::FORMS {
        assert!(page.contains(&format!("| `{form}` | {means} |")), "the page does not say {form}");
        assert!(help.lines().any(|it| it.contains(form) && it.ends_with(means)), "the help does not say {form}");
    }
}
