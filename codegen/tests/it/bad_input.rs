//! Whatever a user wrote: every finding with its code, place, caret and next step; nothing written; never a panic.
//!
//! Files `rules_*.yaml` are rule files of others, for `kilter lint`; `scenario_*.yaml` are scenarios, for `kilter simulate`.
//!
//! `tests/bad/<name>.yaml`, or `tests/bad/<name>/` with a `kilter.yaml`, is the input; `<name>.expected` is what the
//! command says, to the byte. After a change of the words: `KILTER_ACCEPT=1 cargo test -p kilter --test it bad_input`,
//! then read the diff.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kilter_codegen::diagnostic::report;
use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::TimeScale;
use kilter_codegen::pipeline::{self, Made};

use super::cli::tree;
use super::property::given;

fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

/// Every fixture: its name, the folder in which the command runs, and its arguments.
fn fixtures() -> Vec<(String, PathBuf, Vec<String>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(bad()).expect("the fixtures").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            all.push((name, path, Vec::new()));
        } else if let Some(stem) = name.strip_suffix(".yaml") {
            all.push((stem.to_owned(), bad(), vec![name.clone()]));
        }
    }
    all.sort();
    assert!(all.len() >= 30, "only {} fixtures: the test would prove little", all.len());
    all
}

#[test]
fn every_finding_has_a_code_a_place_and_a_next_step() {
    let accept = std::env::var_os("KILTER_ACCEPT").is_some();
    let before = tree(&bad());
    let mut wrong = Vec::new();
    for (name, folder, paths) in fixtures() {
        let (rules, scenario) = (name.starts_with("rules_"), name.starts_with("scenario_"));
        let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
            .args(match name.as_str() {
                _ if rules => lint_of_rules(&name),
                "backtest" => BACKTEST.to_vec(),
                _ if scenario => vec!["simulate", "--scenario"],
                _ => vec!["generate"],
            })
            .args(["--check", "--out", "/nonexistent"].iter().filter(|_| name.starts_with("lints")))
            .args(&paths)
            .current_dir(&folder)
            .env("NO_COLOR", "1")
            .output()
            .expect("the command starts");
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        let said = if rules { said } else { String::from_utf8_lossy(&out.stderr).into_owned() };
        let expected = bad().join(format!("{name}.expected"));
        if accept {
            fs::write(&expected, &said).expect("an expectation");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("=== {name} says now:\n{said}"));
        }
        // Warnings about the rules of others are no failure; a backtest of what is wrong could not run.
        let status = if name == "backtest" { 2 } else { i32::from(!rules || said.contains("error[KLT")) };
        assert_eq!(out.status.code(), Some(status), "{name}: {said}");
        let findings = said.matches("[KLT").count();
        assert!(findings > 0, "{name}: no finding");
        assert_eq!(findings, said.matches("= help: ").count(), "{name}: a finding without a next step\n{said}");
        let places = said.lines().filter(|it| it.trim_start().starts_with("--> ")).count();
        assert_eq!(findings, places, "{name}: a finding without a place\n{said}");
    }
    assert!(wrong.is_empty(), "{}\nnext: KILTER_ACCEPT=1, then read the diff", wrong.join("\n"));
    let written = |all: Vec<(String, Vec<u8>)>| all.into_iter().filter(|(it, _)| !it.ends_with(".expected")).collect();
    let (before, after): (Vec<_>, Vec<_>) = (written(before), written(tree(&bad())));
    assert_eq!(before, after, "something was written");
}

/// Nobody is asked while the input is wrong.
const BACKTEST: &[&str] = &[
    "backtest",
    "--prometheus=http://127.0.0.1:1",
    "--incidents=incidents.yaml",
    "--what-if=windw=7d",
    "--what-if=objective=99.9,objective=99%,window",
    "--what-if=window=1d,min_errors=many",
    "--what-if=windows=page:2%:1h+ticket:10%:3d:6h",
    "--what-if=windows=wake:2%:1h:7m",
];

/// Rule files of others; `rules_on_3` says what they will run on.
fn lint_of_rules(name: &str) -> Vec<&'static str> {
    let target = match name {
        "rules_on_2" => vec!["--target", "prometheus=2.42"],
        "rules_on_3" => vec!["--target", "prometheus=3.x", "--scrape-interval", "1m"],
        "rules_warned" => vec!["--scrape-interval", "30s"],
        _ => vec![],
    };
    [vec!["lint"], target].concat()
}

/// Every code is either in an expectation, here or of `conform`, or a fixture is missing.
#[test]
fn every_code_has_a_fixture() {
    let expected: String = fixtures()
        .iter()
        .map(|(name, ..)| fs::read_to_string(bad().join(format!("{name}.expected"))).expect("an expectation"))
        .chain([super::conform::expectations()])
        .collect();
    for code in kilter_codegen::diagnostic::Code::ALL {
        // No key is announced for later at present, so nothing a user writes gives it.
        let announced = *code == kilter_codegen::diagnostic::Code::NotYet;
        assert!(announced || expected.contains(code.as_str()), "no fixture gives {code}: {}", code.title());
        assert!(code.explanation().len() > 40, "{code} explains nothing");
    }
}

fn made(folder: &Path) -> Made {
    let options = LoadOptions { paths: vec![PathBuf::from("slo.yaml")], config: None, current: folder.to_path_buf() };
    pipeline::run(&options, TimeScale::REAL).expect("bad input is no failure")
}

/// Runs the pipeline over a text and prints both reports: neither may panic.
pub(crate) fn survives(folder: &Path, text: &[u8]) -> Made {
    fs::write(folder.join("slo.yaml"), text).expect("a file");
    let made = made(folder);
    let human = report::human(&made.diagnostics, &made.sources, false);
    assert_eq!(human.is_empty(), made.diagnostics.is_empty());
    let json: serde_json::Value =
        serde_json::from_str(&report::json(&made.diagnostics, &made.sources)).expect("the report is JSON");
    for finding in json.as_array().expect("a list") {
        let at = |key: &str| finding[key].as_u64().expect("a number");
        assert!(at("line") >= 1 && at("column") >= 1 && at("end_line") >= at("line"), "{finding}");
        assert!(finding["help"].as_str().is_some_and(|it| !it.is_empty()), "{finding}");
    }
    made
}

#[test]
fn what_would_exhaust_a_reader_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let slo = |errors: &str| GOOD.replace("rate(failed_total[$window])", errors);
    for (what, text) in [
        ("brackets", "[".repeat(100_000)),
        ("closed brackets", "[".repeat(100_000) + &"]".repeat(100_000)),
        ("braces", "{a: ".repeat(100_000)),
        ("indentation", (0..5_000).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n")),
        ("dashes", "- ".repeat(100_000)),
        ("anchors", (0..20_000).fold("a: &x 1\n".to_owned(), |text, n| text + &format!("b{n}: *x\n"))),
        ("parentheses", slo(&"(".repeat(50_000))),
        ("closed parentheses", slo(&("(".repeat(50_000) + "x" + &")".repeat(50_000)))),
        ("signs", slo(&("-".repeat(50_000) + "x"))),
        ("sums", slo(&("x + ".repeat(50_000) + "x"))),
        ("a long line", slo(&"x".repeat(1_000_000))),
        ("repetitions", slo("rate(x{a=~\"((a{100}){100}){100}\"}[$window])")),
    ] {
        let made = survives(folder.path(), text.as_bytes());
        assert!(made.output.is_none(), "{what} were accepted");
    }
    let huge = [b'#'; 1 << 10].repeat((32 << 10) + 1);
    let made = survives(folder.path(), &huge);
    assert_eq!(made.diagnostics[0].message, "the file is larger than 32 MiB");
}

const GOOD: &str = r#"apiVersion: kilter/v1
service: shop
team: store
slos:
  - name: buys
    description: Orders succeed, "really".
    objective: 99.9%
    window: 30d
    by: [region]
    min_errors: 5
    no_data: ticket
    tier: critical
    windows: [{severity: page, share: 2%, long: 1h, short: 5m}]
    maintenance: {while: 'maintenance_mode == 1', schedule: [{days: [sunday], from: "23:00", to: "01:00"}]}
    labels: {tenant: eu}
    sli:
      http_server: {routes: ["/orders/{id}"], methods: [GET], slower_than: 250ms}
  - name: hooks
    description: 'Hooks are delivered.'
    objective: 0.99
    sli:
      events:
        errors: rate(failed_total[$window])
        total: |
          sum(
            rate(all_total{code=~"2..|`5\\d`"}[$window])
          )
  - name: identity
    description: The dependency answers.
    objective: 99.5%
    sli: {http_client: {dependency: identity, bad: {status_codes: [5xx, 429], error_types: [timeout]}}}
  - {name: gc, description: It is fresh., objective: 99%, sli: {job: {name: gc, succeeded_within: 26h}}}
  - {name: minutes, description: It sells., objective: 99%, sli: {slices: {good: 'sum(rate(x_total[$window])) > bool 1'}}}
  - {name: others, description: It is quick., objective: 99%, sli: {latency: {histogram: 'x_seconds{a="b"}', slower_than: 1s}}}
resources:
  - {type: db_pool, name: main, saturated_for: 15m, near_limit: 80%, off: [erroring]}
"#;

/// A deterministic sequence of numbers (xorshift64, Marsaglia 2003), so that a failure can be repeated.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("below a usize")
    }
}

/// One change: a flipped bit, a cut, a line twice or gone, bytes moved, or a word that YAML or PromQL treats specially.
pub(crate) fn mutate(text: &mut Vec<u8>, numbers: &mut Numbers) {
    const WORDS: &[&str] = &[
        "\t",
        "\r\n",
        "\u{feff}",
        "---\n",
        "...",
        "&a ",
        "*a ",
        "!!int ",
        "<<: ",
        "? ",
        "|\n",
        ">-\n",
        "{{",
        "}}",
        "[",
        "]",
        "$window",
        "$",
        "`",
        "\"",
        "'",
        "\\",
        "#",
        "ü",
        "𝒳",
        "\u{0}",
        "1e400",
        "-0",
        ".inf",
        "null",
        "~",
        "by (",
        "offset 5m",
        "@ 0",
        "[1h:]",
    ];
    if text.is_empty() {
        return;
    }
    let at = numbers.below(text.len());
    match numbers.below(6) {
        0 => text[at] ^= 1 << numbers.below(8),
        1 => text.truncate(at),
        2 => drop(text.remove(at)),
        3 => drop(text.splice(at..at, WORDS[numbers.below(WORDS.len())].bytes())),
        4 => {
            let lines: Vec<&[u8]> = text.split_inclusive(|it| *it == b'\n').collect();
            let (from, to) = (numbers.below(lines.len()), numbers.below(lines.len()));
            let mut moved = lines.clone();
            moved.insert(to, lines[from]);
            *text = moved.concat();
        }
        _ => {
            let end = (at + numbers.below(20)).min(text.len());
            let part = text[at..end].to_vec();
            let to = numbers.below(text.len());
            drop(text.splice(to..to, part));
        }
    }
}

#[test]
fn no_change_of_a_good_file_makes_it_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(survives(folder.path(), GOOD.as_bytes()).output.is_some(), "the good file is not good");
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let (mut refused, mut accepted) = (0, 0);
    // `cargo xtask test --all` changes it a thousand times.
    let changes = given("KILTER_CASES", 300);
    for _ in 0..changes {
        let mut text = GOOD.as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            mutate(&mut text, &mut numbers);
        }
        let made = survives(folder.path(), &text);
        *(if made.output.is_some() { &mut accepted } else { &mut refused }) += 1;
    }
    assert!(
        refused > changes * 9 / 20 && accepted > changes / 50,
        "{refused} refused, {accepted} accepted: the changes prove little"
    );
}
