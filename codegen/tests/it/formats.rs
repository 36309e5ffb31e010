//! Files of other tools: what they become, that nothing is lost on the way, and that no text makes a reader panic.
//!
//! `tests/formats/<name>.yaml`, or every file of `tests/formats/<name>/`, is the input; `<name>.expected` is what
//! `kilter import` prints and tells, to the byte. After a change: `KILTER_ACCEPT=1 cargo test -p kilter --test it formats`,
//! then read the diff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::bad_input::{Numbers, mutate, survives};
use super::cli::tree;
use super::support::tool;

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

fn kilter(args: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kilter"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").output().expect("the command starts")
}

fn out(of: &Output) -> String {
    String::from_utf8_lossy(&of.stdout).into_owned()
}

fn told(of: &Output) -> String {
    String::from_utf8_lossy(&of.stderr).into_owned()
}

/// Every fixture: its name and its files, relative to the folder.
fn fixtures() -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(formats()).expect("the fixtures").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            let mut files: Vec<String> = fs::read_dir(&path)
                .expect("a folder")
                .flatten()
                .map(|it| format!("{name}/{}", it.file_name().to_string_lossy()))
                .collect();
            files.sort();
            all.push((name, files));
        } else if let Some(stem) = name.strip_suffix(".yaml") {
            all.push((stem.to_owned(), vec![name.clone()]));
        }
    }
    all.sort();
    assert!(all.len() >= 7, "only {} fixtures", all.len());
    all
}

fn arguments<'a>(first: &'a str, files: &'a [String], rest: &[&'a str]) -> Vec<&'a str> {
    std::iter::once(first).chain(files.iter().map(String::as_str)).chain(rest.iter().copied()).collect()
}

#[test]
fn what_each_format_becomes() {
    let accept = std::env::var_os("KILTER_ACCEPT").is_some();
    let mut wrong = Vec::new();
    for (name, files) in fixtures() {
        let made = kilter(&arguments("import", &files, &[]), &formats());
        let said = format!("{}\n--- told\n{}", out(&made), told(&made));
        let expected = formats().join(format!("{name}.expected"));
        if accept {
            fs::write(&expected, &said).expect("an expectation");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("=== {name} says now:\n{said}"));
        }
        // Whatever a finding says stands in the printed file too, so that it outlives the terminal.
        for message in told(&made).lines().filter_map(|line| line.strip_prefix("warning[")?.split_once("]: ")) {
            assert!(out(&made).contains(message.1), "{name}: not in the comments: {}", message.1);
        }
    }
    assert!(wrong.is_empty(), "{}\nnext: KILTER_ACCEPT=1, then read the diff", wrong.join("\n"));
}

/// The groups of every rule file below a folder; the first line of a file says where it comes from.
fn groups(folder: &Path) -> Vec<Value> {
    let mut all = Vec::new();
    for (path, bytes) in tree(&folder.join("rules")) {
        if path.ends_with(".rules.yaml") {
            let text = String::from_utf8(bytes).expect("text");
            let file: Value = kilter_codegen::yaml::from_str(&text).expect("a rule file");
            all.extend(file["groups"].as_array().expect("groups").clone());
        }
    }
    all
}

/// Services and SLOs that alerts watch, by the info series.
fn watched(groups: &[Value]) -> BTreeSet<(String, String)> {
    let rules = groups.iter().flat_map(|it| it["rules"].as_array().expect("rules").clone());
    let label = |rule: &Value, key: &str| rule["labels"][key].as_str().unwrap_or_default().to_owned();
    rules.filter(|it| it["record"] == "slo:info").map(|it| (label(&it, "service"), label(&it, "slo"))).collect()
}

#[test]
fn import_then_generate_loses_no_alert_and_is_what_generate_reads_directly() {
    for (name, files) in fixtures() {
        let folder = tempfile::tempdir().expect("a folder");
        let imported = folder.path().join("imported");
        fs::create_dir(&imported).expect("a folder");
        let printed = out(&kilter(&arguments("import", &files, &[]), &formats()));
        for (index, document) in printed.split("---\n").enumerate() {
            fs::write(imported.join(format!("{index}.slo.yaml")), document).expect("a file");
        }
        let made = kilter(&["generate", "."], &imported);
        assert_eq!(made.status.code(), Some(0), "{name}: {}", told(&made));

        let direct = folder.path().join("direct");
        let out_folder = direct.display().to_string();
        let made = kilter(&arguments("generate", &files, &["--out", &out_folder]), &formats());
        assert_eq!(made.status.code(), Some(0), "{name}: {}", told(&made));
        let (ours, theirs) = (groups(&imported), groups(&direct));
        assert_eq!(ours, theirs, "{name}: read directly it gives other rules");

        // One objective in the file is one SLO, with a page and a ticket.
        let source: String =
            files.iter().map(|it| fs::read_to_string(formats().join(it)).expect("a fixture")).collect();
        let objectives = source
            .lines()
            .filter(|line| {
                let line = line.trim_start().trim_start_matches("- ").trim_start_matches('{');
                ["objective: ", "target: "].iter().any(|it| line.starts_with(it))
                    || line.contains("target: 0.")
                    || line.contains("targetPercent: ")
            })
            .count();
        let watched = watched(&ours);
        assert_eq!(watched.len(), objectives, "{name}: {watched:?}");
        for (service, slo) in &watched {
            for severity in ["page", "ticket"] {
                let alerts = ours.iter().flat_map(|it| it["rules"].as_array().expect("rules")).any(|rule| {
                    let expr = rule["expr"].as_str().unwrap_or_default();
                    let named = !expr.contains("slo=~") && !expr.contains("slo=\"") || expr.contains(slo.as_str());
                    rule["alert"] == "ErrorBudgetBurn"
                        && rule["labels"]["severity"] == severity
                        && expr.contains(&format!("service=\"{service}\""))
                        && named
                });
                assert!(alerts, "{name}: no {severity} for {service}/{slo}");
            }
        }
        for (path, _) in tree(&direct.join("rules")).iter().filter(|(path, _)| path.ends_with(".rules.yaml")) {
            let (fine, said) = tool("promtool", &["check", "rules", path], &direct);
            assert!(fine, "{name}: {said}");
        }
        // Every import says what it is made from, and nothing of the input was touched.
        assert!(printed.starts_with("# Imported from "), "{printed}");
    }
}

const OTHER_FILE: &str = "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: other, labels: {pyrra.dev/team: platform}}\nspec:\n  description: Others are answered.\n  target: \"99\"\n  window: 30d\n  indicator:\n    ratio:\n      errors: {metric: 'grpc_server_handled_total{job=\"api\",grpc_code=\"Internal\"}'}\n      total: {metric: 'grpc_server_handled_total{job=\"api\"}'}\n";

#[test]
fn files_of_one_service_are_one_service() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::copy(formats().join("pyrra.yaml"), path.join("a.yaml")).expect("a file");
    fs::write(path.join("b.yaml"), OTHER_FILE).expect("a file");
    fs::write(path.join("kilter.yml"), "services: [\"*.yaml\"]\n").expect("a file");
    let made = kilter(&["generate", "--config", "kilter.yml"], path);
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    let watched = watched(&groups(path));
    assert_eq!(watched.len(), 4, "{watched:?}");
    let rules = fs::read_to_string(path.join("rules/api.rules.yaml")).expect("rules");
    assert!(rules.lines().next().is_some_and(|it| it.contains("from a.yaml, b.yaml.")), "{rules}");
    // A PATH narrows to the services of its file.
    let fresh = tempfile::tempdir().expect("a folder");
    let out_folder = fresh.path().display().to_string();
    let made = kilter(&["generate", "--config", "kilter.yml", "b.yaml", "--out", &out_folder], path);
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    assert!(fresh.path().join("rules/api.rules.yaml").is_file() && !fresh.path().join("rules/web.rules.yaml").exists());
    // The same name twice is told at its place.
    fs::write(path.join("b.yaml"), OTHER_FILE.replace("name: other", "name: api-latency")).expect("a file");
    let made = kilter(&["generate", "--config", "kilter.yml"], path);
    assert_eq!(made.status.code(), Some(1));
    assert!(told(&made).contains("b.yaml:3:18") && told(&made).contains("already, in a.yaml"), "{}", told(&made));
}

#[test]
fn a_finding_points_into_the_users_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(formats().join("sloth_file.yaml")).expect("a fixture");
    let cases = [
        // Behind a template the places go on being right.
        (
            "total_query: sum(rate(orders_total{job=\"checkout\"}[{{.window}}]))",
            "total_query: sum(rate(orders_total[{{.window}}])) + * b",
            "*",
            17,
        ),
        ("objective: 99.9\n", "objective: 100\n", "100", 13),
        ("sum by (carrier) (rate(parcels_total", "sum by (zone) (rate(parcels_total", "by (zone)", 68),
        (
            "http_request_method=~\"GET|HEAD\"}[{{ .window }}]",
            "http_request_method=~\"get\"}[{{ .window }}]",
            "http_request_method=~",
            34,
        ),
    ];
    for (old, new, under, line) in cases {
        let changed = text.replace(old, new);
        assert_ne!(changed, text, "{old}");
        fs::write(folder.path().join("slo.yaml"), &changed).expect("a file");
        let made = kilter(&["lint", "slo.yaml", "--format", "json"], folder.path());
        let found: Value = serde_json::from_str(&out(&made)).expect("JSON");
        let errors: Vec<&Value> =
            found.as_array().expect("a list").iter().filter(|it| it["severity"] == "error").collect();
        assert!(!errors.is_empty(), "{new}: {found:#}");
        let at = |it: &Value| {
            let row = usize::try_from(it["line"].as_u64().expect("a line")).expect("small");
            let column = usize::try_from(it["column"].as_u64().expect("a column")).expect("small");
            (row, changed.lines().nth(row - 1).unwrap_or_default().chars().skip(column - 1).collect::<String>())
        };
        assert!(errors.iter().any(|it| at(it).1.starts_with(under)), "{new}: {errors:#?}");
        assert!(errors.iter().any(|it| at(it).0.abs_diff(line) <= 6), "{new}: {errors:#?}");
        // A change in our words would break the file for its own tool.
        assert!(found.as_array().expect("a list").iter().all(|it| it.get("fix").is_none()), "{found:#}");
    }
}

/// Behind the templates of another tool, in every style of text, the lints go on pointing at the very words.
#[test]
fn lints_point_into_the_users_file_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let query = |name: &str, second: &str| {
        format!("sum(rate({name}{{a=\"b\"}}[{{{{ .window }}}}])) + sum(rate({name}{{{second}}}[{{{{.window}}}}]))")
    };
    let (errors, total) = (query("failed_total", "c=~\"d\""), query("all_total", "c=~\"d\""));
    for style in [
        format!("error_query: {errors}\n        total_query: '{total}'"),
        format!("error_query: |\n          {errors}\n        total_query: >-\n          {total}"),
    ] {
        let text = format!(
            "version: prometheus/v1\nservice: shop\nlabels: {{team: store}}\nslos:\n  - name: buys\n    objective: 99.9\n    sli:\n      events:\n        {style}\n    alerting: {{name: Shop}}\n"
        );
        fs::write(folder.path().join("slo.yaml"), &text).expect("a file");
        let made = kilter(&["lint", "slo.yaml", "--format", "json"], folder.path());
        let found: Value = serde_json::from_str(&out(&made)).expect("JSON");
        let regexes: Vec<&Value> =
            found.as_array().expect("a list").iter().filter(|it| it["code"] == "KLT0108").collect();
        assert_eq!(regexes.len(), 2, "{found:#}");
        for (regex, (at, _)) in regexes.iter().zip(text.match_indices("=~")) {
            let before = &text[..at];
            let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |it| it + 1));
            let place = (&regex["line"], &regex["column"]);
            assert_eq!(place, (&line.into(), &(at - start + 1).into()), "{text}\n{found:#}");
        }
    }
}

#[test]
fn our_own_files_are_still_one_document_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = "apiVersion: kilter/v1\nservice: a\nteam: t\nslos: []\n";
    fs::write(folder.path().join("slo.yaml"), format!("{own}---\n{own}")).expect("a file");
    let made = kilter(&["generate", "slo.yaml"], folder.path());
    assert!(told(&made).contains("more than one YAML document"), "{}", told(&made));
    let made = kilter(&["import", "slo.yaml"], folder.path());
    assert_eq!(made.status.code(), Some(1), "{}", told(&made));
    fs::write(folder.path().join("slo.yaml"), own).expect("a file");
    let made = kilter(&["import", "slo.yaml"], folder.path());
    assert!(told(&made).contains("KLT0040") && out(&made).is_empty(), "{}", told(&made));
}

#[test]
fn what_is_exported_is_read_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    fs::write(
        path.join("slo.yaml"),
        "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: buys\n    description: Orders succeed.\n    objective: 99.95%\n    window: 28d\n    sli:\n      http_server: {routes: [\"/orders/{id}\"], methods: [GET]}\n  - name: buys-latency\n    description: Orders are fast.\n    objective: 99%\n    sli:\n      http_server: {routes: [\"/orders/{id}\"], methods: [GET], slower_than: 1s}\n  - name: hooks\n    description: Hooks are delivered.\n    objective: 99.9%\n    sli:\n      events: {good: 'sum(rate(hooks_total{ok=\"1\"}[$window]))', total: 'sum(rate(hooks_total[$window]))'}\n",
    )
    .expect("a file");
    let exported = kilter(&["export", "slo.yaml", "--to", "openslo"], path);
    assert_eq!(exported.status.code(), Some(0), "{}", told(&exported));
    fs::write(path.join("openslo.yaml"), out(&exported)).expect("a file");
    for name in ["slo.yaml", "openslo.yaml"] {
        let made = kilter(&["generate", name, "--out", name.trim_end_matches(".yaml")], path);
        assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    }
    let rules = |folder: &str| {
        let all = groups(&path.join(folder)).into_iter();
        all.flat_map(|it| it["rules"].as_array().expect("rules").clone()).collect::<Vec<_>>()
    };
    let (ours, theirs) = (rules("slo"), rules("openslo"));
    assert_eq!(ours.len(), theirs.len());
    ours.iter().zip(&theirs).for_each(|(ours, theirs)| assert_eq!(ours, theirs));
}

#[test]
fn a_service_is_chosen_and_a_format_is_checked() {
    let made = kilter(&["import", "sloth_resource.yaml", "--service", "lists"], &formats());
    assert!(out(&made).contains("service: lists") && !out(&made).contains("service: mail"), "{}", out(&made));
    let made = kilter(&["import", "sloth_resource.yaml", "--service", "nobody"], &formats());
    assert_eq!(made.status.code(), Some(2));
    assert!(told(&made).contains("mail, lists"), "{}", told(&made));
    let made = kilter(&["import", "sloth_resource.yaml", "--from", "pyrra"], &formats());
    assert_eq!(made.status.code(), Some(1));
    assert!(told(&made).contains("this is a file of Sloth, not of pyrra"), "{}", told(&made));
    let made = kilter(&["import", "sloth_resource.yaml", "--from", "nobl9"], &formats());
    assert_eq!(made.status.code(), Some(2));
}

#[test]
fn no_change_of_a_foreign_file_makes_it_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut numbers = Numbers(0x5DEE_CE66_D1CE_4E5B);
    let (mut refused, mut accepted) = (0, 0);
    for (_, files) in fixtures() {
        let text: String =
            files.iter().map(|it| fs::read_to_string(formats().join(it)).expect("a fixture") + "---\n").collect();
        for _ in 0..25 {
            let mut changed = text.clone().into_bytes();
            for _ in 0..=numbers.below(3) {
                mutate(&mut changed, &mut numbers);
            }
            let made = survives(folder.path(), &changed);
            *(if made.output.is_some() { &mut accepted } else { &mut refused }) += 1;
        }
    }
    assert!(refused > 50 && accepted > 3, "{refused} refused, {accepted} accepted: the changes prove little");
}

#[test]
fn a_list_of_kubernetes_is_its_items() {
    let list = OTHER_FILE.lines().fold("apiVersion: v1\nkind: List\nitems:\n".to_owned(), |text, line| {
        let start = if text.ends_with("items:\n") { "  - " } else { "    " };
        text + start + line + "\n"
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_kilter"))
        .args(["import", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    std::io::Write::write_all(child.stdin.as_mut().expect("an input"), list.as_bytes()).expect("a pipe");
    let made = child.wait_with_output().expect("an end");
    assert_eq!(made.status.code(), Some(0), "{}", told(&made));
    assert!(out(&made).contains("  - name: other\n") && out(&made).contains("from <stdin> by"), "{}", out(&made));
}

/// The page's files are written, then its commands run in their order.
#[test]
fn every_command_of_the_migration_page_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let page = fs::read_to_string(root.join("docs/migrating.md")).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let blocks: Vec<(&str, &str)> = page
        .split("```")
        .skip(1)
        .step_by(2)
        .map(|block| block.split_once('\n').expect("a block has a first line"))
        .map(|(kind, text)| (kind.trim(), text))
        .collect();
    let mut commands = 0;
    for (kind, text) in blocks {
        if let Some((name, content)) = text.strip_prefix("# file: ").and_then(|it| it.split_once('\n')) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, content).expect("a file");
        }
        for line in text.lines().map(str::trim).filter(|it| kind == "sh" && !it.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words[0], "kilter", "{line}");
            let made = kilter(&words[1..], folder.path());
            assert_eq!(made.status.code(), Some(0), "{line}: {}{}", out(&made), told(&made));
            commands += 1;
        }
    }
    assert!(commands >= 12, "only {commands} commands");
    let compat = fs::read_to_string(folder.path().join("preview/rules/shop.rules.yaml")).expect("rules");
    for name in page.split('`').filter(|it| it.starts_with("slo:") && it.ends_with(|c: char| c.is_ascii_alphanumeric()))
    {
        if !name.contains(' ') {
            assert!(compat.contains(&format!("record: {name}\n")), "the page names {name}, which is not recorded");
        }
    }
    assert!(compat.contains("record: sloth_slo_info"));
}
