//! Rule files of others: what `kilter lint` says about them is what promtool and Prometheus do, and nothing more.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::support::tool;

fn kilter(args: &[&str], folder: &Path) -> Output {
    let out = Command::new(env!("CARGO_BIN_EXE_kilter")).args(args).current_dir(folder).env("NO_COLOR", "1").output();
    out.expect("the command starts")
}

fn said(out: &Output) -> String {
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, text).expect("a file");
    }
    folder
}

/// Rules as good ones are written, each with something that looks like a mistake and is none.
const QUIET: &str = r#"groups:
- name: node
  interval: 1m
  limit: 100
  rules:
  - record: instance:node_cpu_utilisation:rate5m
    expr: 1 - avg without (cpu) (sum without (mode) (rate(node_cpu_seconds_total{job="node",mode=~"idle|iowait|steal"}[5m])))
  - record: 'cluster:requests:rate5m'
    expr: sum by (cluster) (rate(http_requests_total[5m]))
  - record: cluster:latency:p99
    expr: histogram_quantile(0.99, sum by (cluster, le) (rate(http_request_duration_seconds_bucket{job=~".+"}[5m])))
    labels: {quantile: "0.99"}
  - record: cluster:errors:ratio
    expr: sum by (cluster) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (cluster) (rate(http_requests_total[5m]))
  - alert: FilesystemFilling
    expr: |
      # A comment with ( and "
      (
        node_filesystem_avail_bytes{fstype!=""} / node_filesystem_size_bytes{fstype!=""} * 100 < 15
        and
        predict_linear(node_filesystem_avail_bytes{fstype!=""}[6h], 24 * 60 * 60) < 0
        and
        node_filesystem_readonly{fstype!=""} == 0
      )
    for: 1h
    labels: {severity: warning}
    annotations:
      description: '{{ $labels.device }} at {{ $labels.instance }} has {{ printf "%.2f" $value }}% left.'
      runbook_url: https://runbooks.example/filling
      summary: A file system fills up.
  - alert: TargetDown
    expr: 100 * (count by (job, service) (up == 0) / count by (job, service) (up)) > 10
    for: 10m
    labels: {severity: warning}
    annotations: {description: '{{ printf "%.4g" $value }}% of {{ $labels.job }} are down.'}
  - alert: KubeletDown
    expr: absent(up{job="kubelet",metrics_path="/metrics"} == 1)
    for: 15m
    labels: {severity: critical}
    annotations: {description: 'The kubelets of {{ $externalLabels.cluster }} have vanished.', summary: Gone.}
  - alert: JobFailed
    expr: kube_job_failed{job="kube-state-metrics"} > 0
    for: 15m
    labels: {severity: warning}
    annotations: {description: '{{ $labels.namespace }}/{{ $labels.job_name }} failed.'}
  - alert: BackupOld
    expr: time() - max by (name) (backup_last_success_timestamp_seconds) > 90000
    labels: {severity: ticket}
    annotations: {description: '{{ $labels.name }} is {{ $value | humanizeDuration }} old.'}
  - alert: Restarts
    expr: max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[5m]) >= 1
    labels: {severity: warning}
    annotations: {message: '{{ $labels.pod }} crashes.'}
  - alert: CounterIsThere
    expr: sum by (job) (increase(errors_total[10m])) > 0 and on (job) count by (job) (errors_total) > 3
    labels: {severity: warning}
    annotations: {description: '{{ $labels.job }} {{ with query "up" }}{{ . | first | label "instance" }}{{ end }}'}
  - alert: Watchdog
    expr: vector(1)
"#;

#[test]
fn good_rules_are_left_in_peace() {
    let folder = folder(&[("node.rules", QUIET)]);
    let (fine, told) = tool("promtool", &["check", "rules", "node.rules"], folder.path());
    assert!(fine, "{told}");
    for more in [&[][..], &["--target", "prometheus=3.x", "--scrape-interval", "1m"], &["--target", "prometheus=2.42"]]
    {
        let out = kilter(&[&["lint", "node.rules"], more].concat(), folder.path());
        assert_eq!((out.status.code(), said(&out).trim()), (Some(0), "0 errors, 0 warnings"), "{more:?}");
    }
}

/// Whatever is an error for one is an error for the other.
#[test]
fn promtool_refuses_what_kilter_refuses() {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let rule = |inner: &str| format!("groups:\n- name: a\n  rules:\n  - {{{inner}}}\n");
    let mut texts: Vec<(String, String)> = ["rules_warned.yaml", "rules_refused.yaml"]
        .map(|it| (it.to_owned(), fs::read_to_string(bad.join(it)).expect("a fixture")))
        .into();
    for inner in [
        "record: a, expr: up",
        "record: a, expr: 1",
        "record: 'a:b', expr: 'vector(1)', labels: {a: b}",
        "record: a-b, expr: up",
        "record: a, expr: up, for: 1m",
        "record: a, expr: up, annotations: {a: b}",
        "record: a, alert: b, expr: up",
        "expr: up",
        "alert: a",
        "alert: a, expr: ''",
        "alert: a, expr: up, for: 0s",
        "alert: a, expr: up, for: 1h30m",
        "alert: a, expr: up, for: 1.5h",
        "alert: a, expr: up, keep_firing_for: 5m",
        "alert: a, expr: up, kep_firing_for: 5m",
        "alert: a b, expr: up",
        "alert: a, expr: up, labels: {a-b: c}",
        "alert: a, expr: up, labels: {__name__: c}",
        "alert: a, expr: up, labels: {a: '{{ $labels.x }'}",
        "alert: a, expr: up, labels: {a: '{{ $labels.x }}'}",
        "alert: a, expr: up, labels: {a: 1}",
        "alert: a, expr: 'sum by (a) (up'",
        "alert: a, expr: 'up and'",
        "alert: a, expr: 'rate(up)'",
        "alert: a, expr: 'foo(up)'",
        "alert: a, expr: 'holt_winters(up[1h], 0.5, 0.5) > 1'",
        "alert: a, expr: 'up{a=~\"(\"}'",
        "alert: a, expr: 'up{a=~`\\d+`} offset -5m @ end()'",
        "alert: a, expr: '{a=\"\"}'",
        "alert: a, expr: 'rate(sum(up)[5m])'",
        "alert: a, expr: 'rate(sum(up)[5m:])'",
    ] {
        texts.push((inner.to_owned(), rule(inner)));
    }
    for text in [
        "groups:\n- name: a\n  rules: []\n- name: a\n",
        "groups:\n- rules: []\n",
        "groups:\n- name: a\n  intervall: 1m\n",
        "groups:\n- name: a\n  interval: x\n",
        "groups: []\nmore: 1\n",
    ] {
        texts.push((text.to_owned(), text.to_owned()));
    }
    let mut refused = 0;
    for (name, text) in texts {
        let folder = folder(&[("a.yaml", &text)]);
        let (fine, told) = tool("promtool", &["check", "rules", "a.yaml"], folder.path());
        // What it only warns of are duplicates.
        let fine = fine || told.contains("duplicate rule(s) found");
        let out = kilter(&["lint", "a.yaml", "--target", "prometheus=2.42"], folder.path());
        assert_eq!(out.status.code() == Some(0), fine, "{name}\npromtool: {told}\nkilter: {}", said(&out));
        refused += usize::from(!fine);
    }
    assert!(refused > 15, "only {refused} were refused: this proves little");
}

/// Every kind of SLI in one estate, and the rules that are committed: a finding there is a bug of the generator.
#[test]
fn our_own_rules_are_clean() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let estate = "services: [\"*/slo.yaml\"]\nteams: {store: {page: p, ticket: t, escalation: e}}\nlinks: {runbooks: https://runbooks.example}\nidentity: {environment: test}\ncompat: [sloth]\nmaintenance: {while: 'maintenance_mode == 1', schedule: [{days: [sunday], from: \"02:00\", to: \"04:00\"}]}\n";
    let slos = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n";
    let kinds: String = [
        "http_server: {routes: [\"/a/{b}\", \"/c\"], methods: [GET, POST]}",
        "http_server: {slower_than: 1s}",
        "http_server: {bad: {status_codes: [5xx, 429], error_types: [timeout]}}",
        "http_client: {dependency: identity}",
        "rpc_server: {methods: [users.v1.Users/Get]}",
        "rpc_client: {dependency: identity, slower_than: 250ms}",
        "db: {namespace: main, role: primary}",
        "messaging: {destination: orders}",
        "job: {name: gc}",
        "job: {name: gc, succeeded_within: 26h}",
        "cache: {name: sessions}",
        "events: {errors: 'rate(failed_total[$window])', total: 'rate(all_total[$window])'}",
        "events: {good: 'rate(ok_total[$window])', total: 'rate(all_total[$window])'}",
        "ratio: {error: 'avg_over_time(probe_loss_ratio[$window])'}",
        "latency: {histogram: 'x_seconds{a=\"b\"}', slower_than: 1s}",
        "latency: {histogram: x_seconds, slower_than: 1s, type: native}",
        "uptime: {up: probe_success}",
        "slices: {good: 'sum(rate(sold_total[$window])) > bool 1'}",
    ]
    .iter()
    .enumerate()
    .map(|(n, sli)| {
        let bad = if n % 3 == 0 { ", no_data: bad" } else { "" };
        format!("  - {{name: slo-{n}, description: It works., objective: 99.9%, sli: {{{sli}}}{bad}}}\n")
    })
    .collect();
    let folder = folder(&[("kilter.yaml", estate), ("shop/slo.yaml", &(slos.to_owned() + &kinds))]);
    let out = kilter(&["generate"], folder.path());
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    for (folder, rules) in [(folder.path(), "rules"), (root, "rules")] {
        for target in ["prometheus=2.42", "prometheus=3.x"] {
            let out = kilter(&["lint", rules, "--target", target, "--scrape-interval", "15s"], folder);
            assert_eq!(said(&out).trim(), "0 errors, 0 warnings", "{} for {target}", folder.display());
        }
    }
}

#[test]
fn rule_files_are_told_by_their_content() {
    let rules = "groups:\n- name: a\n  rules:\n  - {record: b, expr: 'up{job=~\"shop\"}'}   # stays\n";
    let slo = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - {name: a, description: It works., objective: 99%, sli: {http_server: {slower_than: 1s}}}\n";
    let elsewhere = rules.replace("record: b", "record: c");
    let other = "groups: [docker, wheel]\nrules: none\n";
    let chart = "{{- if .Values.rules }}\ngroups:\n{{- end }}\n";
    let files =
        [("conf/a.yml", rules), ("conf/deep/b.rules", &*elsewhere), ("conf/c.yaml", other), ("conf/chart.yaml", chart)];
    let folder = folder(
        &[&files[..], &[("both/slo.yaml", slo), ("both/d.yaml", &*rules.replace("record: b", "record: e"))]].concat(),
    );
    let path = folder.path();
    let lint = |args: &[&str]| said(&kilter(&[&["lint"], args].concat(), path));
    fs::write(path.join("rules.json"), r#"{"groups": [{"name": "a", "rules": [{"record": "b", "expr": "sum("}]}]}"#)
        .expect("a file");
    assert!(lint(&["rules.json"]).contains("error[KLT0011]"), "{}", lint(&["rules.json"]));
    assert!(lint(&["conf"]).contains("0 errors, 2 warnings"), "{}", lint(&["conf"]));
    assert!(lint(&["both", "conf/a.yml"]).contains("0 errors, 2 warnings"), "{}", lint(&["both"]));
    assert!(
        lint(&["conf/c.yaml"]).contains("KLT0003"),
        "what is no rule file is an SLO file: {}",
        lint(&["conf/c.yaml"])
    );
    let json: serde_json::Value =
        serde_json::from_slice(&kilter(&["lint", "both", "--format", "json"], path).stdout).expect("JSON");
    assert_eq!(
        (&json[0]["file"], &json[0]["line"], &json[0]["column"]),
        (&"both/d.yaml".into(), &4.into(), &30.into())
    );

    // A file of ours is mended at its source, any other in its place.
    fs::write(
        path.join("conf/ours.yaml"),
        format!("# Generated by kilter\n{}", rules.replace("record: b", "record: d")),
    )
    .expect("a file");
    let out = kilter(&["lint", "conf", "--fix"], path);
    assert!(said(&out).contains("fixed 1 finding in conf/a.yml"), "{}", said(&out));
    let now = |it: &str| fs::read_to_string(path.join(it)).expect("a file");
    assert_eq!(now("conf/a.yml"), rules.replace("=~", "="));
    assert_eq!(now("conf/deep/b.rules"), elsewhere.replace("=~", "="));
    assert!(now("conf/ours.yaml").contains("=~"));
}

/// `scrape_interval` of the estate is that of its rule files; the option wins.
#[test]
fn ranges_are_measured_by_the_scrapes() {
    let rules = "groups:\n- name: a\n  rules:\n  - {record: b, expr: 'rate(c_total[2m])'}\n";
    let folder = folder(&[("kilter.yaml", "services: [x]\nscrape_interval: 60s\n"), ("a.yaml", rules)]);
    assert!(said(&kilter(&["lint", "a.yaml"], folder.path())).contains("KLT0144"));
    let out = kilter(&["lint", "a.yaml", "--scrape-interval", "30s"], folder.path());
    assert_eq!(said(&out).trim(), "0 errors, 0 warnings");
    fs::remove_file(folder.path().join("kilter.yaml")).expect("a file");
    assert_eq!(said(&kilter(&["lint", "a.yaml"], folder.path())).trim(), "0 errors, 0 warnings");
    for (args, answer) in
        [(["--target", "3.0"], "prometheus=MAJOR.MINOR"), (["--scrape-interval", "soon"], "not a duration")]
    {
        let out = kilter(&[&["lint", "a.yaml"], &args[..]].concat(), folder.path());
        assert_eq!(out.status.code(), Some(2), "{}", said(&out));
        assert!(said(&out).contains(answer), "{}", said(&out));
    }
}

/// What a version does otherwise is told of SLO files too.
#[test]
fn slo_files_are_linted_for_a_target() {
    let slo = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: fast\n    description: It is fast.\n    objective: 99%\n    sli:\n      events:\n        good: rate(hook_seconds_bucket{le=\"1\"}[$window])\n        total: rate(hook_seconds_count[$window])\n";
    let folder = folder(&[("slo.yaml", slo)]);
    let lint = |target: &str| said(&kilter(&["lint", "slo.yaml", "--target", target], folder.path()));
    assert!(lint("prometheus=3.2").contains("warning[KLT0157]") && lint("prometheus=3.2").contains("slo.yaml:10:40"));
    assert_eq!(lint("prometheus=2.55").trim(), "0 errors, 0 warnings");
}

/// As deep as the reader lets an expression be.
#[test]
fn deep_expressions_are_read_to_their_end() {
    let sum = "a_total + ".repeat(990) + "a_total";
    let brackets = "(".repeat(63) + "a_total" + &")".repeat(63);
    for (deep, found) in [(sum, 991), (brackets, 1), ("-".repeat(990) + "a_total", 1)] {
        let rules = format!("groups:\n- name: a\n  rules:\n  - {{record: b, expr: '{deep}'}}\n");
        let folder = folder(&[("a.yaml", &rules)]);
        let out = kilter(&["lint", "a.yaml", "--target", "prometheus=3.x"], folder.path());
        assert!(said(&out).contains(&format!("0 errors, {found} warning")), "{}", said(&out));
    }
}

#[test]
fn no_change_of_a_rule_file_makes_it_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut numbers = super::bad_input::Numbers(0x2545_F491_4F6C_DD1D);
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let texts = ["rules_warned.yaml", "rules_refused.yaml", "rules_operator.yaml"]
        .map(|it| fs::read(bad.join(it)).expect("a fixture"));
    let path = folder.path().join("a.yaml");
    let options = kilter_codegen::load::LoadOptions {
        paths: vec!["a.yaml".into()],
        config: None,
        current: folder.path().to_path_buf(),
    };
    let mut read = 0;
    for turn in 0..600 {
        let mut text = texts[turn % 3].clone();
        for _ in 0..=numbers.below(4) {
            super::bad_input::mutate(&mut text, &mut numbers);
        }
        fs::write(&path, &text).expect("a file");
        let rules = kilter_codegen::load::rule_files(&options);
        let setting = kilter_codegen::rulefile::Setting {
            target: ["prometheus=3.x", "prometheus=2.42"][turn % 2].parse().ok(),
            scrape_interval: "1m".parse().ok(),
        };
        let all = kilter_codegen::rulefile::lint(&rules.files, &rules.sources, setting);
        let human = kilter_codegen::diagnostic::report::human(&all, &rules.sources, false);
        assert_eq!(human.is_empty(), all.is_empty());
        read += usize::from(!rules.files.is_empty());
    }
    assert!(read > 300, "only {read} were read as rules");
}
