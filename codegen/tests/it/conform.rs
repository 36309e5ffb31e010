//! `kilter conform`: its judgement on pages that real programs wrote, and on pages with one flaw for each check.
//!
//! `tests/pages/<name>.prom`, or `tests/pages/<name>/` with a page and an SLO file, is the input; `<name>.expected` is what
//! the command says, to the byte. After a change of the words: `KILTER_ACCEPT=1 cargo test -p kilter --test it conform`, then
//! read the diff. `tests/pages/README.md` says what wrote the pages.

mod asked;
mod format;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kilter_codegen::conform::{self, Budget, Checked, Settings};
use kilter_codegen::diagnostic::{Severity, any_error, report};
use kilter_codegen::load::Sources;

use crate::bad_input::{Numbers, mutate};
use crate::cli::{kilter, said};

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages")
}

/// Arguments, the file of what is said, and the exit status.
const CASES: &[(&[&str], &str, i32)] = &[
    (&["axum_prometheus.prom"], "axum_prometheus", 0),
    (&["node_exporter.prom"], "node_exporter", 0),
    (&["prometheus.prom"], "prometheus", 0),
    (&["python_client.prom"], "python_client", 0),
    (&["python_client_openmetrics.prom"], "python_client_openmetrics", 0),
    (&["opentelemetry_former.prom"], "opentelemetry_former", 1),
    (&["opentelemetry_stable.prom", "--slo", "opentelemetry.slo.yaml"], "opentelemetry_stable", 0),
    (&["axum_prometheus.prom", "--strict"], "axum_prometheus", 1),
    (&["broken_format.prom"], "broken_format", 1),
    (&["broken_openmetrics.prom"], "broken_openmetrics", 1),
    (&["broken_end.prom"], "broken_end", 1),
    (&["broken_contract.prom"], "broken_contract", 1),
    (&["broken_series.prom", "--family-series", "3", "--page-series", "4"], "broken_series", 1),
    (&["slo/page.prom", "--slo", "slo/slo.yaml"], "slo", 1),
    (&["matchers/page.prom", "--slo", "matchers/slo.yaml"], "matchers", 1),
    (&["own/page.prom", "--slo", "own/slo.yaml"], "own", 1),
];

#[test]
fn pages_are_judged_as_they_were() {
    let accept = std::env::var_os("KILTER_ACCEPT").is_some();
    let mut wrong = Vec::new();
    for (args, name, status) in CASES {
        let out = Command::new(env!("CARGO_BIN_EXE_kilter"))
            .arg("conform")
            .args(*args)
            .current_dir(folder())
            .env("NO_COLOR", "1")
            .output()
            .expect("the command starts");
        let said = said(&out);
        let expected = folder().join(format!("{name}.expected"));
        if accept {
            fs::write(&expected, &said).expect("an expectation");
        }
        if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("=== {name} says now:\n{said}"));
        }
        assert_eq!(out.status.code(), Some(*status), "{args:?}: {said}");
        let findings = said.matches("[KLT").count();
        assert_eq!(findings, said.matches("= help: ").count(), "{name}: a finding without a next step\n{said}");
    }
    assert!(wrong.is_empty(), "{}\nnext: KILTER_ACCEPT=1, then read the diff", wrong.join("\n"));
}

/// What the goldens say, for the test that every code has a fixture.
pub(crate) fn expectations() -> String {
    let read = |name: &str| fs::read_to_string(folder().join(format!("{name}.expected"))).expect("an expectation");
    CASES.iter().map(|(_, name, _)| read(name)).collect()
}

#[test]
fn every_format_has_the_same_findings() {
    let run = |format: &str| {
        let out = kilter(&["conform", "slo/page.prom", "--slo", "slo/slo.yaml", "--format", format], &folder());
        assert_eq!(out.status.code(), Some(1), "{format}: {}", said(&out));
        String::from_utf8(out.stdout).expect("text")
    };
    let json: serde_json::Value = serde_json::from_str(&run("json")).expect("JSON");
    let findings = json["findings"].as_array().expect("findings");
    assert_eq!(json["pages"][0]["contract"], serde_json::json!(["http_server_request_duration_seconds"]));
    assert!(json["pages"][0]["largest"][0]["series"].as_u64() == Some(17), "{json}");
    let sarif: serde_json::Value = serde_json::from_str(&run("sarif")).expect("SARIF");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let github = run("github");
    assert!(findings.len() > 8 && results.len() == findings.len() && github.lines().count() == findings.len());
    let errors = findings.iter().filter(|it| it["severity"] == "error").count();
    let notes = results.iter().filter(|it| it["level"] == "note").count();
    assert!(notes > 0 && github.matches("::notice ").count() == notes, "{github}");
    assert_eq!(run("junit").matches("<failure").count(), errors);
}

#[test]
fn what_is_no_page_could_not_be_checked() {
    for args in
        [&["conform", "nowhere.prom"][..], &["conform", "https://"], &["conform", "slo/page.prom", "--slo", "no.yaml"]]
    {
        let out = kilter(args, &folder());
        assert_eq!(out.status.code(), Some(2), "{args:?}: {}", said(&out));
    }
}

fn checked(text: String) -> Checked {
    let sources = Sources::in_folder(PathBuf::from("/"));
    conform::check(vec![("page".to_owned(), text)], sources, None, &Settings::default())
}

/// Reads a page and prints what is found: neither may panic, and every place lies on the page.
fn survives(text: String) -> Checked {
    let lines = text.split('\n').count() as u64;
    let checked = checked(text);
    let (all, sources) = (&checked.diagnostics, &checked.sources);
    let human = report::human(all, sources, false);
    assert_eq!(human.is_empty(), all.is_empty());
    let found = report::json_value(all, sources);
    for it in found.as_array().expect("a list") {
        let at = |key: &str| it[key].as_u64().expect("a number");
        assert!((1..=lines).contains(&at("line")) && at("line") == at("end_line"), "{it}");
        assert!(it["help"].as_str().is_some_and(|it| !it.is_empty()), "{it}");
    }
    checked
}

#[test]
fn no_bytes_make_it_panic() {
    let pages: Vec<Vec<u8>> =
        ["broken_format", "broken_openmetrics", "broken_contract", "broken_series", "axum_prometheus"]
            .iter()
            .map(|it| fs::read(folder().join(format!("{it}.prom"))).expect("a page"))
            .collect();
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..600 {
        let mut page = pages[numbers.below(pages.len())].clone();
        for _ in 0..=numbers.below(6) {
            mutate(&mut page, &mut numbers);
        }
        survives(String::from_utf8_lossy(&page).into_owned());
    }
    let le = |n: usize| format!("x_bucket{{le=\"{n}\"}} 1\n");
    for (what, text) in [
        ("one long line", "x".repeat(1 << 20)),
        ("one long label", format!("x{{a=\"{}\"}} 1 1 1", "é".repeat(1 << 19))),
        ("backslashes", format!("x{{a=\"{}", "\\".repeat(100_001))),
        ("labels", format!("x{{{}}} 1 x", (0..2_000).map(|n| format!("a{n}=\"1\",")).collect::<String>())),
        ("bounds", (0..5_000).rev().map(le).collect()),
        ("families", (0..5_000).map(|n| format!("# TYPE f{n} what\nf{n} NaN\n")).collect()),
    ] {
        assert!(!survives(text).diagnostics.is_empty(), "{what}");
    }
}

/// A large page is read once, within seconds, and what is printed of it is short.
#[test]
fn a_large_page_is_read_in_one_go() {
    let mut page = String::from("# TYPE orders_total counter\n");
    for n in 0.. {
        if page.len() > 5 << 20 {
            break;
        }
        page.push_str(&format!("orders_total{{customer=\"customer-{n}\",region=\"eu\",outcome=\"delivered\"}} 1\n"));
    }
    let (bytes, series) = (page.len(), page.lines().count() - 1);
    let began = std::time::Instant::now();
    let checked = survives(page);
    assert!(began.elapsed().as_secs() < 60, "{bytes} bytes took {:?}", began.elapsed());
    assert_eq!(checked.pages[0].series, series);
    let found: Vec<&str> = checked.diagnostics.iter().map(|it| it.message.as_str()).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        checked.diagnostics.iter().all(|it| it.help.contains("more than 10000") || it.message.contains("the page"))
    );
    let kept = checked.sources.files[0].text.len();
    assert!(kept < series + 1_000, "{kept} bytes are kept of {bytes}");
}

#[test]
fn a_budget_that_somebody_set_is_an_error_to_exceed() {
    let text = || "a 1\nb{c=\"d\"} 1\n".to_owned();
    let with = |page_series| {
        let settings = Settings { page_series, ..Settings::default() };
        let sources = Sources::in_folder(PathBuf::from("/"));
        conform::check(vec![("page".to_owned(), text())], sources, None, &settings).diagnostics
    };
    assert!(with(Budget { series: 2, set: true }).is_empty());
    assert!(any_error(&with(Budget { series: 1, set: true })));
    assert_eq!(with(Budget { series: 1, set: false })[0].severity, Severity::Warning);
}
