//! A threshold that no histogram has yet flows from `slo.yaml` to the exposed `le`, and a rollout in which only half of the
//! instances have it alerts nobody.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use kilter::Service;
use kilter::testing::TestTelemetry;
use kilter_harness::{binary, tools};

kilter::routes! {
    /// One order.
    ORDER = GET "/orders/{id}";
}

const SLO: &str = r#"apiVersion: kilter/v1
service: shop
team: store
contract: kilter.contract.json
slos:
  - name: orders-latency
    description: An order is shown within 300 milliseconds.
    objective: 99%
    sli: {http_server: {routes: ["/orders/{id}"], methods: [GET], slower_than: 300ms}}
"#;

/// A build of the service, with what it embeds. Its contract lies where the SLO file names it.
fn built(bounds: &str, folder: &Path) -> anyhow::Result<TestTelemetry> {
    let service = Service::new("shop", "1").routes(ROUTES).bounds(bounds.to_owned().leak());
    let telemetry = TestTelemetry::new(service);
    fs::write(folder.join("kilter.contract.json"), telemetry.contract())?;
    Ok(telemetry)
}

/// What the command says, and whether it was content.
fn kilter(args: &[&str], folder: &Path) -> anyhow::Result<(bool, String)> {
    let out = Command::new(binary("kilter")?).args(args).current_dir(folder).output()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    Ok((out.status.success(), said))
}

fn files(folder: &Path) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(folder.join("rules"))
        .map(|it| it.flatten().map(|it| it.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    all.sort();
    all
}

#[test]
fn a_new_threshold_flows_to_the_page_and_its_rollout_alerts_nobody() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    fs::write(folder.join("slo.yaml"), SLO)?;
    let old = built("", folder)?;
    let (fine, said) = kilter(&["lint", "slo.yaml"], folder)?;
    ensure!(!fine && said.contains("error[KLT0010]: 300ms is no bucket bound") && files(folder).is_empty(), "{said}");
    let (fine, said) = kilter(&["generate", "--check", "slo.yaml"], folder)?;
    ensure!(!fine && said.contains("nothing was written") && files(folder).is_empty(), "{said}");

    // The bounds come first and alone: rules would ask for a bound that no instance exposes.
    let (fine, said) = kilter(&["generate", "slo.yaml"], folder)?;
    ensure!(!fine && said.contains("next: build the service with it"), "{said}");
    ensure!(files(folder) == ["shop.bounds"], "{:?}", files(folder));
    let bounds = fs::read_to_string(folder.join("rules/shop.bounds"))?;
    ensure!(bounds.ends_with("\nhttp_server_request_duration_seconds 0.3\n"), "{bounds}");
    let (fine, said) = kilter(&["generate", "slo.yaml"], folder)?;
    ensure!(!fine && said.contains("error[KLT0072]: rules/shop.bounds has the bound 300ms"), "{said}");

    let new = built(&bounds, folder)?;
    let (fine, said) = kilter(&["generate", "slo.yaml"], folder)?;
    ensure!(fine && files(folder).contains(&"shop.rules.yaml".to_owned()), "{said}");
    let (fine, said) = kilter(&["generate", "--check", "slo.yaml"], folder)?;
    ensure!(fine, "{said}");
    ensure!(bounds_of(&old).iter().all(|it| it != "0.3") && bounds_of(&new).contains(&"0.3".to_owned()));

    // Half of the instances are of the new build. All requests are fast; then half of those of the new build are slow.
    let test = format!(
        "rule_files: [rules/shop.rules.yaml]\nevaluation_interval: 1m\ntests:\n{}{}",
        case(&[series(&old, "old", 60), series(&new, "new", 60)].concat(), [0.0, 0.0]),
        case(&[series(&old, "old", 60), series(&new, "new", 30)].concat(), [0.5, 1.0]),
    );
    fs::write(folder.join("rollout.test.yaml"), &test)?;
    let out = Command::new(tools::require("promtool")?)
        .args(["test", "rules", "rollout.test.yaml"])
        .current_dir(folder)
        .output()?;
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{said}\n{test}");
    Ok(())
}

/// The `le` values of the route's successes.
fn bounds_of(build: &TestTelemetry) -> Vec<String> {
    let page = build.page();
    let lines = page.lines().filter(|it| it.starts_with("http_server_request_duration_seconds_bucket{"));
    let success = lines.filter(|it| it.contains("status_code=\"200\""));
    success.filter_map(|it| Some(it.split("le=\"").nth(1)?.split('"').next()?.to_owned())).collect()
}

/// The series of an instance as its page has them, for a request each second. `fast` of 60 are below 0.3 s, the others
/// below 0.5 s.
fn series(build: &TestTelemetry, instance: &str, fast: u32) -> Vec<(String, u32)> {
    let page = build.page();
    let name = "http_server_request_duration_seconds_";
    let lines = page.lines().filter_map(|it| it.strip_prefix(name)?.rsplit_once(' '));
    let success = lines.filter(|(it, _)| it.contains("status_code=\"200\"") && !it.starts_with("sum"));
    success
        .map(|(it, _)| {
            let le: Option<f64> = it.split("le=\"").nth(1).and_then(|it| it.split('"').next()?.parse().ok());
            let rise = if le.is_some_and(|le| le < 0.5) { fast } else { 60 };
            (format!("{name}{}", it.replacen('{', &format!("{{job=\"shop\",instance=\"{instance}\","), 1)), rise)
        })
        .collect()
}

/// A promtool test: errors per second and firing alerts after two hours.
fn case(series: &[(String, u32)], [errors, alerts]: [f64; 2]) -> String {
    let mut text = "- interval: 1m\n  input_series:\n".to_owned();
    for (series, rise) in series {
        let _ = writeln!(text, "  - {{series: '{series}', values: '0+{rise}x180'}}");
    }
    // What a threshold costs without the guard: the instances that lack the bound would count as slow.
    let all = "sum(rate(http_server_request_duration_seconds_count[5m]))";
    let fast = "sum(rate(http_server_request_duration_seconds_bucket{le=\"0.3\"}[5m]))";
    let unguarded = 1.0 - (1.0 - errors) / 2.0;
    for (expr, value) in [
        ("sum(slo:total:rate5m)".to_owned(), 1.0),
        ("sum(slo:error:rate5m)".to_owned(), errors),
        (
            "count(ALERTS{alertname=\"ErrorBudgetBurn\",severity=\"page\",alertstate=\"firing\"}) or vector(0)"
                .to_owned(),
            alerts,
        ),
        ("count(ALERTS{slo=\"orders-latency\"}) > bool 0 or vector(0)".to_owned(), alerts),
        (format!("1 - {fast} / {all}"), unguarded),
    ] {
        if !text.contains("promql_expr_test") {
            text.push_str("  promql_expr_test:\n");
        }
        let _ =
            writeln!(text, "  - {{expr: '{expr}', eval_time: 2h, exp_samples: [{{labels: '{{}}', value: {value}}}]}}");
    }
    text
}

/// The text of a bounds file is refused by a build that it was not made for, at its start.
#[test]
fn bounds_of_another_service_do_not_start() -> anyhow::Result<()> {
    let wrong = std::panic::catch_unwind(|| {
        TestTelemetry::new(Service::new("shop", "1").bounds("orders_packing_seconds 0.3\n"));
    });
    let said = wrong.err().context("a histogram that the service does not have was taken")?;
    let said = said.downcast_ref::<String>().context("a text")?;
    ensure!(said.contains("`orders_packing_seconds` is no histogram of durations of this service"), "{said}");
    Ok(())
}
