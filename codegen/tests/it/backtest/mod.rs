//! `kilter backtest` on a real Prometheus: over a history whose incidents are known, and against what the deployed rules
//! really fired on the same data.

mod answered;
mod deployed;
mod known;

use std::path::Path;
use std::process::Output;

use kilter_codegen::backtest::Backtest;

use crate::cli::{kilter, said};

/// One SLO over counters of the contract.
const SLO: &str = "apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n  - name: pay\n    description: Payments succeed.\n    objective: 99.9%\n    window: 7d\n    sli: {http_server: {routes: [\"/pay\"]}}\n";

/// A series of requests by how they ended.
fn requests(failed: bool) -> String {
    let outcome = if failed {
        "http_response_status_code=\"500\",error_type=\"500\""
    } else {
        "http_response_status_code=\"200\""
    };
    format!(
        "http_server_request_duration_seconds_count{{job=\"shop\",http_route=\"/pay\",http_request_method=\"POST\",{outcome}}}"
    )
}

/// Runs the command in a folder.
fn backtest(server: &str, args: &[&str], folder: &Path) -> Output {
    kilter(&[&["backtest", "slo.yaml", "--prometheus", server], args].concat(), folder)
}

/// Runs it for programs: the outcome as `kilter report` reads it.
fn outcome(server: &str, args: &[&str], folder: &Path) -> (Backtest, Option<i32>) {
    let out = backtest(server, &[args, &["--format", "json"]].concat(), folder);
    let text = String::from_utf8_lossy(&out.stdout);
    let parsed = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {}", said(&out)));
    (parsed, out.status.code())
}

/// The list that the guide shows is accepted: what fails is the server, which is not there.
#[test]
fn the_list_of_the_guide_is_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let page = std::fs::read_to_string(root.join("docs/backtest.md")).expect("the guide");
    let list = page.split("```yaml\n").nth(1).and_then(|it| it.split("```").next()).expect("a list");
    let folder = crate::cli::folder(&SLO.replace("name: pay", "name: checkout"));
    std::fs::write(folder.path().join("incidents.yaml"), list).expect("a file");
    let out = backtest("http://127.0.0.1:1", &["--incidents", "incidents.yaml"], folder.path());
    assert!(out.status.code() == Some(2) && said(&out).contains("is it running"), "{}", said(&out));
}
