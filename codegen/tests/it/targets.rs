//! Every target: what it is given is what it takes, in its own words, and proven like the rest.
//!
//! Sources of what an engine takes, read for these tests and not copied: the Prometheus Operator's
//! `monitoring.coreos.com_prometheusrules.yaml` (0.82), Mimir's `pkg/mimirtool/rules` and limits, Thanos'
//! `docs/components/rule.md`. vmalert and promtool are asked themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::{Duration, Target};
use kilter_codegen::pipeline::{self, Options};
use kilter_codegen::render::{Artifact, Kind};
use serde_json::Value;

use crate::support::{prove, tool, written};

/// SLOs of different kinds, policies and classes, so that every shape of rule is among them.
const SHOP: &str = r#"apiVersion: kilter/v1
service: shop
team: store
slos:
  - {name: buys, description: Orders succeed., objective: 99.9%, sli: {http_server: {routes: ["/orders"]}}}
  - {name: fast, description: Orders are fast., objective: 99%, sli: {http_server: {routes: ["/orders"], slower_than: 1s}}}
  - name: hooks
    description: Hooks succeed.
    objective: 99.5%
    by: [region]
    sli: {events: {good: 'rate(hooks_ok_total[$window])', total: 'rate(hooks_total[$window])'}}
  - name: odd
    description: What cannot be fed goes on.
    objective: 99%
    sli: {events: {good: 'sum(rate(ok_total[$window])) * 1', total: 'sum(rate(all_total[$window])) * 1'}}
  - name: nightly
    description: The night is fine.
    objective: 99%
    no_data: bad
    maintenance: {while: 'maintenance_mode == 1'}
    sli: {ratio: {error: 'avg_over_time(loss_ratio[$window])'}}
  - {name: gc, description: The job runs., objective: 99%, no_data: ticket, sli: {job: {name: gc, succeeded_within: 30m}}}
"#;

const ESTATE: &str = "services: [slo.yaml]\nteams: {store: {page: p, ticket: t, escalation: e}}\n";

/// What is generated for a target; with more keys in kilter.yaml, or another SLO file.
fn made(target: &str, estate: &str, slos: &str) -> Vec<Artifact> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("kilter.yaml"), format!("{ESTATE}{estate}")).expect("a file");
    fs::write(folder.path().join("slo.yaml"), slos).expect("a file");
    let options = LoadOptions { paths: Vec::new(), config: None, current: folder.path().to_path_buf() };
    let target: Target = target.parse().expect("a target");
    let made = pipeline::run_with(&options, &Options { target: Some(target), ..Options::default() })
        .expect("the pipeline runs");
    made.output.unwrap_or_else(|| panic!("refused: {:#?}", made.diagnostics)).2
}

/// As many SLOs as asked for.
fn many(count: usize) -> String {
    let slo = |n: usize| {
        format!(
            "  - {{name: slo-{n}, description: It works., objective: 99.9%, sli: {{http_server: {{routes: [\"/{n}\"]}}}}}}\n"
        )
    };
    let slos: String = (0..count).map(slo).collect();
    format!("apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n{slos}")
}

fn read(artifacts: &[Artifact], path: &str) -> Value {
    let found = artifacts.iter().find(|it| it.path == path).unwrap_or_else(|| panic!("{path} is not made"));
    kilter_codegen::yaml::from_str(&found.text).expect("YAML")
}

fn groups(file: &Value) -> &Vec<Value> {
    file["groups"].as_array().expect("groups")
}

fn rules(group: &Value) -> &Vec<Value> {
    group["rules"].as_array().expect("rules")
}

/// Checks and proves everything below `rules/` with the real promtool.
#[track_caller]
fn proven(artifacts: &[Artifact]) {
    let folder = written(artifacts);
    let below = folder.path().join("rules");
    let (fine, said) = tool(
        "promtool",
        &["check", "rules", "--lint=all", "--lint-fatal", "shop.rules.yaml", "kilter.rules.yaml"],
        &below,
    );
    assert!(fine, "{said}");
    for service in ["shop", "kilter"] {
        let (passed, said) = prove(&below, service);
        assert!(passed, "{said}");
    }
}

/// A service of these SLOs of the shop.
fn only(names: &[&str]) -> String {
    // Budgets of a week read a quarter of the points.
    let shop = SHOP
        .replace(", objective", ", window: 7d, objective")
        .replace("    objective", "    window: 7d\n    objective");
    let (head, slos) = shop.split_once("slos:\n").expect("SLOs");
    let own = |it: &&str| names.iter().any(|name| it.contains(&format!("name: {name}")));
    let slos: Vec<&str> = slos.split_inclusive("  - ").filter(own).map(|it| it.trim_end_matches("  - ")).collect();
    format!("{head}slos:\n{}", slos.iter().map(|it| format!("  - {it}")).collect::<String>())
}

#[test]
fn rules_in_small_groups_are_proven() {
    proven(&made("mimir", "", &only(&["buys", "fast"])));
}

/// As for all engines that record elsewhere; and this version has no `keep_firing_for`.
#[test]
fn rules_that_read_nothing_of_their_own_evaluation_are_proven() {
    let made = made("vmalert=1.79", "", &only(&["fast", "odd", "hooks"]));
    assert!(made.iter().filter(|it| it.kind == Kind::Rules).all(|it| !it.text.contains("keep_firing_for")));
    proven(&made);
}

/// Prometheus 3 leaves the beginning of a range out. To a clock of milliseconds that is a range which begins one later,
/// for every range in rules and proofs alike.
#[test]
fn the_proofs_hold_on_the_left_open_ranges_of_prometheus_3() {
    let mut made = made("prometheus=3.x", "", &only(&["buys", "fast", "nightly", "gc"]));
    let mut moved = 0;
    for artifact in made.iter_mut().filter(|it| [Kind::Rules, Kind::Tests].contains(&it.kind)) {
        let mut text = String::new();
        let mut rest = artifact.text.as_str();
        while let Some((before, after)) = rest.split_once('[') {
            let (range, behind) = after.split_once(']').unwrap_or((after, ""));
            let (length, step) =
                range.split_once(':').map_or((range, String::new()), |(it, step)| (it, format!(":{step}")));
            let open = length.parse::<Duration>().ok().filter(|it| it.millis() > 1_000);
            moved += usize::from(open.is_some());
            let length = open.map_or_else(|| length.to_owned(), |it| it.minus(Duration::from_millis(1)).to_string());
            text.push_str(&format!("{before}[{length}{step}]"));
            rest = behind;
        }
        text.push_str(rest);
        artifact.text = text;
    }
    assert!(moved > 100, "only {moved} ranges: the test would prove little");
    proven(&made);
}

/// Bounds are stored as floats since Prometheus 3, as all other proofs have them, and as they are exposed before.
#[test]
fn bounds_are_found_as_they_are_exposed_too() {
    let mut made = made("prometheus=3.x", "", &only(&["fast"]));
    for tests in made.iter_mut().filter(|it| it.path.starts_with("rules/shop.") && it.kind == Kind::Tests) {
        let fed = tests.text.replace("le=\\\"1.0\\\"", "le=\\\"1\\\"").replace("le=\"1.0\"", "le=\"1\"");
        assert_ne!(fed, tests.text, "nothing is fed");
        tests.text = fed;
    }
    proven(&made);
}

#[test]
fn every_prometheus_gets_the_same_rules() {
    let oldest = made("prometheus=2.42", "", SHOP);
    for version in ["prometheus", "prometheus=2.55", "prometheus=3.x", "prometheus=3.9"] {
        assert_eq!(made(version, "", SHOP), oldest, "{version}");
    }
}

/// What the CRD says of a value.
enum Field {
    Text,
    Number,
    /// `^(0|(([0-9]+)y)?(([0-9]+)w)?...(([0-9]+)ms)?)$`
    Duration,
    Texts,
    Map(&'static [(&'static str, Field)]),
    List(&'static [(&'static str, Field)]),
}

const RULE: &[(&str, Field)] = &[
    ("alert", Field::Text),
    ("annotations", Field::Texts),
    ("expr", Field::Text),
    ("for", Field::Duration),
    ("keep_firing_for", Field::Duration),
    ("labels", Field::Texts),
    ("record", Field::Text),
];
const GROUP: &[(&str, Field)] = &[
    ("interval", Field::Duration),
    ("labels", Field::Texts),
    ("limit", Field::Number),
    ("name", Field::Text),
    ("partial_response_strategy", Field::Text),
    ("query_offset", Field::Duration),
    ("rules", Field::List(RULE)),
];
const PROMETHEUS_RULE: &[(&str, Field)] = &[
    ("apiVersion", Field::Text),
    ("kind", Field::Text),
    ("metadata", Field::Map(&[("name", Field::Text), ("namespace", Field::Text), ("labels", Field::Texts)])),
    ("spec", Field::Map(&[("groups", Field::List(GROUP))])),
];

#[track_caller]
fn conforms(value: &Value, fields: &[(&str, Field)]) {
    for (key, value) in value.as_object().expect("a mapping") {
        let (_, field) = fields.iter().find(|(name, _)| name == key).unwrap_or_else(|| panic!("no field `{key}`"));
        let fine = match field {
            Field::Text => value.as_str().is_some_and(|it| !it.is_empty()),
            Field::Number => value.is_u64(),
            Field::Duration => value.as_str().is_some_and(is_duration),
            Field::Texts => value.as_object().is_some_and(|it| it.values().all(Value::is_string)),
            Field::Map(fields) => {
                conforms(value, fields);
                true
            }
            Field::List(fields) => {
                value.as_array().expect("a list").iter().for_each(|it| conforms(it, fields));
                true
            }
        };
        assert!(fine, "`{key}` cannot be {value}");
    }
}

/// Numbers with units, each unit once and the largest first.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    for unit in ["y", "w", "d", "h", "m", "s", "ms"] {
        let digits = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.len() - behind.trim_start_matches(|it: char| it.is_ascii_alphabetic()).len();
        if !number.is_empty() && &behind[..letters] == unit {
            rest = &behind[letters..];
        }
    }
    rest.is_empty() && !text.is_empty()
}

const OPERATOR: &str = "targets: {operator: {namespace: monitoring, labels: {release: stack}}}\n";

#[test]
fn the_operators_objects_hold_what_is_proven() {
    let made = made("operator", OPERATOR, SHOP);
    for (path, plain, name) in [
        ("rules/operator/shop.yaml", "rules/shop.rules.yaml", "slo-shop"),
        ("rules/operator/kilter.yaml", "rules/kilter.rules.yaml", "slo-kilter"),
    ] {
        let object = read(&made, path);
        conforms(&object, PROMETHEUS_RULE);
        assert_eq!(
            (object["apiVersion"].as_str(), object["kind"].as_str()),
            (Some("monitoring.coreos.com/v1"), Some("PrometheusRule"))
        );
        assert_eq!(
            object["metadata"],
            serde_json::json!({"name": name, "namespace": "monitoring", "labels": {"release": "stack", "app.kubernetes.io/managed-by": "kilter"}})
        );
        assert_eq!(object["spec"]["groups"], read(&made, plain)["groups"], "{path} is not what is proven");
    }
    let plain: Vec<Artifact> = made.into_iter().filter(|it| !it.path.starts_with("rules/operator")).collect();
    assert_eq!(plain, self::made("prometheus", OPERATOR, SHOP));
}

#[test]
fn a_large_service_becomes_several_objects_of_a_size_that_kubernetes_takes() {
    let made = made("operator", OPERATOR, &many(300));
    let objects: Vec<&Artifact> = made.iter().filter(|it| it.path.starts_with("rules/operator/shop")).collect();
    assert!(objects.len() > 1, "one object: the test would prove nothing");
    let (mut names, mut all) = (BTreeSet::new(), Vec::new());
    for artifact in objects {
        let object = read(&made, &artifact.path);
        conforms(&object, PROMETHEUS_RULE);
        let size = serde_json::to_string(&object).expect("JSON").len();
        assert!(size < 250_000, "{}: {size} bytes leave no room in an annotation of 256 KiB", artifact.path);
        assert!(artifact.text.len() < 500_000, "{}: more than half a MiB", artifact.path);
        assert!(!artifact.text.contains("\n---"), "{}: more than one document", artifact.path);
        assert!(names.insert(object["metadata"]["name"].as_str().expect("a name").to_owned()), "a name twice");
        all.extend(object["spec"]["groups"].as_array().expect("groups").clone());
    }
    let mut plain = groups(&read(&made, "rules/shop.rules.yaml")).clone();
    let by_name = |it: &Value| it["name"].as_str().expect("a name").to_owned();
    all.sort_by_key(by_name);
    plain.sort_by_key(by_name);
    assert_eq!(all, plain);
    chained(&plain);
}

/// Every recorded series that a rule reads was recorded before it in its own group; only the budget looks elsewhere, and
/// it looks back over weeks.
#[track_caller]
fn chained(groups: &[Value]) {
    for group in groups.iter().filter(|it| !it["name"].as_str().is_some_and(|it| it.contains("-budget"))) {
        let names: BTreeSet<&str> = rules(group).iter().filter_map(|it| it["record"].as_str()).collect();
        let mut recorded: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for rule in rules(group) {
            let expr = rule["expr"].as_str().expect("an expression");
            for (at, _) in expr.match_indices("slo:") {
                let rest = &expr[at..];
                let end = |it: char| !it.is_ascii_alphanumeric() && !":_".contains(it);
                let (name, behind) = rest.split_at(rest.find(end).unwrap_or(rest.len()));
                // What is asked for its past was recorded by an earlier evaluation.
                let past = behind.split_once('}').is_some_and(|(_, it)| it.starts_with(" offset"));
                let known = recorded.contains_key(name) || rule["record"] == name || past && names.contains(name);
                assert!(known, "{}: {name} is not recorded before {rule}", group["name"]);
            }
            if let Some(record) = rule["record"].as_str() {
                recorded.entry(record).or_default().insert(rule["labels"]["slo"].to_string());
            }
        }
        // Its alerts select just the SLOs that it records.
        let own = &recorded.get("slo:total:rate5m").cloned().unwrap_or_default();
        for rule in rules(group).iter().filter(|it| it["alert"] == "SLODataMissing") {
            let expr = rule["expr"].as_str().expect("an expression");
            assert!(
                own.iter().all(|it| expr.contains(it.trim_matches('"'))),
                "{}: {expr} misses one of {own:?}",
                group["name"]
            );
        }
    }
}

#[test]
fn mimirs_groups_are_small_and_read_nothing_of_each_other() {
    let made = made("mimir", "compat: [sloth]\n", SHOP);
    let file = read(&made, "rules/shop.rules.yaml");
    let small = groups(&file);
    let names: BTreeSet<&str> = small.iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names.len(), small.len(), "a namespace has a name twice");
    assert!(
        small.iter().all(|it| rules(it).len() <= 20),
        "{:?}",
        small.iter().map(|it| rules(it).len()).collect::<Vec<_>>()
    );
    let own: Vec<Value> =
        small.iter().filter(|it| !it["name"].as_str().is_some_and(|it| it.contains("-sloth"))).cloned().collect();
    chained(&own);
    // mimirtool reads plain rule files, strictly, and calls their namespace after the file.
    let known = ["name", "interval", "rules"];
    assert!(small.iter().flat_map(|it| it.as_object().expect("a group").keys()).all(|it| known.contains(&it.as_str())));
    assert!(!made.iter().any(|it| it.path.starts_with("rules/mimir")));
    assert!(made.iter().any(|it| it.text.contains("cortex_prometheus_rule_evaluation_failures_total")));

    let wide = self::made("mimir", "targets: {mimir: {max_rules_per_group: 200}}\n", SHOP);
    let wide = read(&wide, "rules/shop.rules.yaml");
    assert_eq!(groups(&wide).len(), 2, "a tenant that takes more gets fewer groups");
    let plain = read(&self::made("prometheus", "", SHOP), "rules/shop.rules.yaml");
    assert_eq!(wide, plain);
}

#[test]
fn groups_hold_as_many_slos_as_the_tenant_takes() {
    let made = made("mimir", "targets: {mimir: {max_rules_per_group: 40, max_groups: 500}}\n", &many(11));
    let file = read(&made, "rules/shop.rules.yaml");
    let sizes: Vec<usize> = groups(&file).iter().map(|it| rules(it).len()).collect();
    assert!(sizes.iter().all(|it| *it <= 40), "{sizes:?}");
    assert_eq!(sizes.len(), 5, "three of up to five SLOs, the service's, the budget's: {sizes:?}");
    chained(groups(&file));
}

#[test]
fn thanos_says_what_happens_to_a_part_of_the_data_when_asked_to() {
    let usual = made("thanos", "", SHOP);
    assert!(!usual.iter().any(|it| it.path.starts_with("rules/thanos") || it.text.contains("partial_response")));
    let warn = made("thanos", "targets: {thanos: {partial_response: warn}}\n", SHOP);
    let (own, plain) = (read(&warn, "rules/thanos/shop.rules.yaml"), read(&warn, "rules/shop.rules.yaml"));
    let mut stripped = groups(&own).clone();
    for group in &mut stripped {
        let strategy = group.as_object_mut().expect("a group").remove("partial_response_strategy");
        assert_eq!(strategy, Some("warn".into()));
    }
    assert_eq!(&stripped, groups(&plain), "something else than what is proven");
    // The recorded total of the same evaluation may not be there yet, so nothing is subtracted from it.
    let text = plain.to_string();
    assert!(!text.contains("clamp_min(slo:total") && text.contains("clamp_min((sum"), "{text}");
}

#[test]
fn vmalert_accepts_its_rules() {
    let folder = written(&made("vmalert=1.79", "", SHOP));
    for file in ["shop.rules.yaml", "kilter.rules.yaml"] {
        let (fine, said) = dry_run(&folder.path().join("rules"), file);
        assert!(fine, "{said}");
    }
    // What it knows only later it refuses, so the run above shows something.
    let folder = written(&made("vmalert", "", SHOP));
    let (fine, said) = dry_run(&folder.path().join("rules"), "shop.rules.yaml");
    assert!(!fine && said.contains("unknown fields in rule: keep_firing_for"), "{said}");
}

fn dry_run(folder: &Path, file: &str) -> (bool, String) {
    tool("vmalert", &["-dryRun", &format!("-rule={file}")], folder)
}

#[test]
fn vmalert_is_watched_by_its_own_metrics() {
    for (target, failures, refused) in [
        ("vmalert=1.79", "max_over_time(vmalert_alerting_rules_error{group=~\"slo-.*\"}[10m]) > 0", "_errors_total"),
        ("vmalert", "increase(vmalert_recording_rules_errors_total{group=~\"slo-.*\"}[10m]) > 0", "_rules_error{"),
    ] {
        let file = read(&made(target, "", SHOP), "rules/kilter.rules.yaml");
        let exprs: Vec<&str> = groups(&file).iter().flat_map(rules).filter_map(|it| it["expr"].as_str()).collect();
        assert!(exprs.iter().any(|it| it.contains(failures)), "{exprs:?}");
        assert!(!exprs.iter().any(|it| it.contains(refused) || it.contains("prometheus_rule")), "{exprs:?}");
    }
}

#[test]
fn targets_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("slo.yaml"), SHOP).expect("a file");
    let run =
        |target: &str| tool(env!("CARGO_BIN_EXE_kilter"), &["generate", "slo.yaml", "--target", target], folder.path());
    assert!(run("operator").0);
    assert!(folder.path().join("rules/operator/shop.yaml").is_file());
    assert!(run("prometheus=3.x").0);
    assert!(!folder.path().join("rules/operator/shop.yaml").exists(), "of another target");
    let (fine, said) = run("promethus=3.x");
    assert!(!fine && said.contains("no engine is called `promethus`"), "{said}");
    assert!(
        said.contains("did you mean `prometheus`? known are: prometheus, operator, mimir, thanos, vmalert"),
        "{said}"
    );
    let (fine, said) = run("mimir=1.0");
    assert!(!fine && said.contains("supported are 2.7 and later, 3.0 and later"), "{said}");
}
