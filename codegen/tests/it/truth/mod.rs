//! Each kind of SLI, measured by a real Prometheus over traffic whose true error ratio is known.
//!
//! The history is written into its storage before it starts; native histograms, which no text format carries, are scraped
//! from a page of ours. Then it evaluates the generated rules, and what they record must be within 1% of the truth.
//!
//! The traffic changes every five seconds between much with few errors and little with many: an average of ratios would
//! be nearly twice the truth.

mod backfill;
mod history;
mod native;
mod victoria;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::Target;
use kilter_codegen::pipeline::{self, Options};
use kilter_codegen::plan::context::Context;
use kilter_codegen::plan::raw;
use kilter_harness::{Prometheus, PrometheusConfig, Sample, Target as Scraped, tools, until};

use crate::runbooks::queries;
use history::History;

/// Bad events of all events, by [`history::bad`] and [`history::good`].
const EVENTS: f64 = 100.0 / 600.0;

/// Every SLO with its SLI and the true error ratio.
const SLOS: &[(&str, &str, f64)] = &[
    ("served", r#"{http_server: {routes: ["/a", "/b"]}}"#, EVENTS),
    (
        "served-own-bad",
        r#"{http_server: {routes: ["/own"], bad: {status_codes: [5xx, 429], error_types: [timeout]}}}"#,
        EVENTS,
    ),
    ("served-slowly", r#"{http_server: {routes: ["/slow"], slower_than: 250ms}}"#, EVENTS),
    ("called", "{http_client: {dependency: identity}}", EVENTS),
    ("called-slowly", "{http_client: {dependency: ledger, slower_than: 1s}}", EVENTS),
    ("rpc-served", "{rpc_server: {methods: [users.v1.Users/Get]}}", EVENTS),
    ("rpc-called", "{rpc_client: {dependency: users}}", EVENTS),
    ("replica", "{db: {namespace: main, role: replica}}", EVENTS),
    ("messages", "{messaging: {destination: orders}}", EVENTS),
    ("job", "{job: {name: gc}}", EVENTS),
    ("job-slowly", "{job: {name: report, slower_than: 15m}}", EVENTS),
    ("job-fresh", "{job: {name: gc, succeeded_within: 26h}}", 0.0),
    ("job-stale", "{job: {name: report, succeeded_within: 1h}}", 1.0),
    ("cache", "{cache: {name: sessions}}", EVENTS),
    ("events", "{events: {errors: 'rate(hooks_failed_total[$window])', total: 'rate(hooks_total[$window])'}}", EVENTS),
    ("events-good", "{events: {good: 'rate(hooks_ok_total[$window])', total: 'rate(hooks_total[$window])'}}", EVENTS),
    ("ratio", "{ratio: {error: 'avg_over_time(loss_ratio[$window])'}}", 0.15),
    ("ratio-good", "{ratio: {good: '1 - avg_over_time(loss_ratio[$window])'}}", 0.15),
    ("histogram", "{latency: {histogram: 'legacy_millis{zone=\"a\"}', slower_than: 2s, unit: milliseconds}}", EVENTS),
    ("native", "{latency: {histogram: native_seconds, slower_than: 250ms, type: native}}", 0.25),
    ("uptime", "{uptime: {up: 'probe_success{target=\"shop\"}'}}", 0.5),
    ("uptime-any", "{uptime: {up: 'max(backend_up)'}}", 0.1),
    ("minutes", "{slices: {good: 'sum(rate(sold_total[$window])) > bool 1'}}", 0.2),
];

/// An SLO that burns fast enough to page, and has no guard that waits for five minutes.
const BROKEN: &str = "events: {errors: 'rate(hooks_total[$window])', total: 'rate(hooks_total[$window])'}";

/// Groups of one SLO: its `by` label has these values, with these ratios.
const GROUPS: &[(&str, f64)] = &[("eu", EVENTS), ("us", 0.0)];

#[test]
fn every_kind_of_sli_measures_the_truth() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = native::serve();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    fs::write(folder.path().join("history.txt"), History::until(now).text()).expect("a file");
    let made = Command::new(tools::require("promtool").expect("promtool"))
        .args(["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"])
        .current_dir(folder.path())
        .output()
        .expect("promtool runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let mut config = PrometheusConfig::new(vec![Scraped { job: "shop".to_owned(), address: page }]);
    config.rule_files = vec![rules(folder.path(), Target::default(), &[])];
    config.features = vec!["native-histograms".to_owned()];
    let prometheus = Prometheus::start(folder.path(), config).expect("Prometheus starts");
    prometheus.rules_evaluated(Duration::from_secs(40)).expect("rules");
    let now = || prometheus.query(MEASURED).map(|it| measured(&it));
    until("every SLO is measured", Duration::from_secs(20), || {
        Ok((now()?.len() > SLOS.len() + GROUPS.len()).then_some(()))
    })
    .expect("measures");

    let wrong = wrong(&now().expect("an answer"), &[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    runbooks_name_who_spends(&prometheus, folder.path());
    scraped_series_alone_say_the_same(&prometheus, folder.path());
    prometheus.no_rule_errs().expect("no rule errs");
}

/// However a runbook divides what is spent (by error, route, instance), the parts are the whole that is recorded.
fn runbooks_name_who_spends(prometheus: &Prometheus, folder: &Path) {
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for (slo, sli, _) in SLOS.iter().filter(|(_, _, truth)| *truth == EVENTS) {
        let text = fs::read_to_string(folder.join(format!("{slo}.md"))).expect("a runbook");
        let divided = |it: &&str| it.starts_with("sum by (") && !it.contains("target_info") && !it.contains("\nor ");
        for query in queries(&text).into_iter().filter(divided).filter(|it| !it.starts_with("sum by (reason)")) {
            asked += 1;
            let whole = format!("sum({query}) / sum(slo:error:rate5m{{slo=\"{slo}\"}})");
            let part = prometheus.query(&whole).expect("an answer").first().map(|it| it.value);
            if part.is_none_or(|it| (it - 1.0).abs() > 0.02) {
                wrong.push(format!("{slo} {sli}: {part:?} of it by {query}"));
            }
        }
    }
    assert!(asked > 40, "{asked} queries");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A backtest asks for each pair before any rule has recorded anything.
fn scraped_series_alone_say_the_same(prometheus: &Prometheus, folder: &Path) {
    let options = LoadOptions { paths: vec!["slo.yaml".into()], config: None, current: folder.to_path_buf() };
    let made = pipeline::run_with(&options, &Options::default()).expect("the pipeline runs");
    let (estate, ..) = made.output.expect("an estate");
    let context = Context::new(&estate, &estate.services[0]);
    let mut measured = Vec::new();
    for slo in &estate.services[0].slos {
        let raw::RawPair { total, error, maintenance } = raw::pair(&context, slo);
        assert!(![&total, &error].iter().any(|it| it.contains("slo:")) && maintenance.is_none(), "{error} of {total}");
        let query = format!("({error}) / (({total}) > 0)");
        let samples = prometheus.query(&query).unwrap_or_else(|error| panic!("{}: {error}", slo.name));
        let region = |it: &Sample| it.labels.get("region").cloned().unwrap_or_default();
        measured.extend(samples.iter().map(|it| (slo.name.to_string(), region(it), it.value)));
    }
    let wrong = wrong(&measured, &[]);
    assert!(wrong.is_empty(), "over what was scraped: {}", wrong.join("\n"));
}

const MEASURED: &str = "slo:error:rate5m / (slo:total:rate5m > 0)";

/// SLO, group and error ratio of everything that is measured now.
fn measured(samples: &[Sample]) -> Vec<(String, String, f64)> {
    let label = |of: &Sample, name: &str| of.labels.get(name).cloned().unwrap_or_default();
    samples.iter().map(|it| (label(it, "slo"), label(it, "region"), it.value)).collect()
}

/// Everything that is not within 1% of the truth, leaving out some SLOs.
fn wrong(measured: &[(String, String, f64)], without: &[&str]) -> Vec<String> {
    let groups = GROUPS.iter().map(|(region, truth)| ("grouped", *region, *truth)).chain([("broken", "", 1.0)]);
    let slos = SLOS.iter().map(|(slo, _, truth)| (*slo, "", *truth)).filter(|(slo, ..)| !without.contains(slo));
    let mut wrong = Vec::new();
    for (slo, region, truth) in slos.chain(groups) {
        let found = measured.iter().find(|(name, group, _)| name == slo && group == region);
        let (.., is) = found.unwrap_or_else(|| panic!("{slo} {region} is not measured: {measured:?}"));
        if (is - truth).abs() > 0.01 * truth {
            wrong.push(format!("{slo} {region}: {is}, but the truth is {truth}"));
        }
    }
    wrong
}

/// The rules that are generated for a target, without those of some SLOs, evaluated every second (the budget every five)
/// and otherwise as they are.
fn rules(folder: &Path, target: Target, without: &[&str]) -> std::path::PathBuf {
    let grouped = "events: {errors: 'rate(shared_failed_total[$window])', total: 'rate(shared_total[$window])'}";
    let slo = |name: &str, sli: &str, by: &str| {
        format!("  - {{name: {name}, description: It works., objective: 90%, {by}sli: {sli}}}\n")
    };
    let slos = SLOS.iter().filter(|(name, ..)| !without.contains(name));
    let slos: String = slos.map(|(name, sli, _)| slo(name, sli, "")).collect();
    let slos = slos + &slo("grouped", &format!("{{{grouped}}}"), "by: [region], ");
    let slos = slos + &slo("broken", &format!("{{{BROKEN}}}"), "min_errors: 0, ");
    let text = format!("apiVersion: kilter/v1\nservice: shop\nteam: store\nslos:\n{slos}");
    fs::write(folder.join("slo.yaml"), text).expect("a file");
    let options = LoadOptions { paths: vec!["slo.yaml".into()], config: None, current: folder.to_path_buf() };
    let made = pipeline::run_with(&options, &Options { target: Some(target), ..Options::default() })
        .expect("the pipeline runs");
    let (_, _, artifacts) = made.output.unwrap_or_else(|| panic!("refused: {:#?}", made.diagnostics));
    let rules = artifacts.iter().find(|it| it.path == "rules/shop.rules.yaml").expect("rules");
    for book in artifacts.iter().filter(|it| it.kind == kilter_codegen::render::Kind::Runbooks) {
        let name = Path::new(&book.path).file_name().expect("a name");
        fs::write(folder.join(name), &book.text).expect("a file");
    }
    let path = folder.join("shop.rules.yaml");
    assert!(rules.text.contains("interval: 30s"), "the rules have another interval");
    fs::write(&path, rules.text.replace("interval: 30s", "interval: 1s").replace("interval: 2m", "interval: 5s"))
        .expect("a file");
    path
}
