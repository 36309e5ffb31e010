//! `kilter status` on a real Prometheus: a week of traffic whose numbers are known, then the generated rules as they run.

mod answers;
mod divided;
mod served;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilter_codegen::load::LoadOptions;
use kilter_codegen::model::TimeScale;
use kilter_codegen::pipeline;
use kilter_harness::{Prometheus, PrometheusConfig, tools, until};
use serde_json::Value;

use crate::cli::{kilter, said};

/// Events of a minute.
const TOTAL: u64 = 1_000;

const DAY: u64 = 24 * 60;

/// A week and what the oldest rates need.
const MINUTES: u64 = 7 * DAY + 20;

/// What happened to one SLO or group: `bad` events in the minute that ends so many minutes before now.
struct Story {
    slo: &'static str,
    region: Option<&'static str>,
    /// Minutes before now between which there are data.
    from: u64,
    to: u64,
    bad: fn(u64) -> u64,
}

const STORIES: &[Story] = &[
    Story { slo: "quiet", region: None, from: MINUTES, to: 0, bad: |_| 3 },
    // A day of five burns: the first ticket pair is over its threshold, and the second page pair.
    Story { slo: "burning", region: None, from: MINUTES, to: 0, bad: |ago| if ago <= DAY { 50 } else { 0 } },
    Story { slo: "spent", region: None, from: MINUTES, to: 0, bad: |_| 12 },
    Story { slo: "gone", region: None, from: MINUTES, to: 40, bad: |_| 3 },
    Story { slo: "young", region: None, from: 2 * DAY, to: 0, bad: |_| 3 },
    Story { slo: "grouped", region: Some("eu"), from: MINUTES, to: 0, bad: |_| 3 },
    Story { slo: "grouped", region: Some("us"), from: MINUTES, to: 0, bad: |_| 12 },
    // Was closed three days ago: nobody misses it.
    Story { slo: "grouped", region: Some("old"), from: MINUTES, to: 3 * DAY, bad: |_| 3 },
    Story { slo: "calm", region: None, from: MINUTES, to: 0, bad: |_| 0 },
];

fn slo(name: &str, more: &str) -> String {
    let rate = |series: &str| format!("'rate({name}_{series}[$window])'");
    let sli = format!("{{events: {{errors: {}, total: {}}}}}", rate("failed_total"), rate("all_total"));
    format!("  - {{name: {name}, description: It works., objective: 99%, window: 7d, {more}sli: {sli}}}\n")
}

fn file(service: &str, slos: &str) -> String {
    format!("apiVersion: kilter/v1\nservice: {service}\nteam: store\nslos:\n{slos}")
}

/// The counters as they were scraped, and the pairs as the rules would have recorded them, every five minutes.
fn history(now: u64) -> String {
    let mut out = String::new();
    let at = |ago: u64| now - ago * 60;
    // What rules record is read on the grid of five minutes.
    let offset = at(0) / 60 % 5;
    let on_grid = |ago: &u64| (ago + 5 - offset).is_multiple_of(5);
    for story in STORIES {
        let Story { slo, region, from, to, bad } = story;
        let labels = region.map_or(String::new(), |it| format!("region=\"{it}\""));
        for (series, events) in [("all_total", None), ("failed_total", Some(bad))] {
            let mut sum = 0;
            for ago in (*to..*from).rev() {
                sum += events.map_or(TOTAL, |it| it(ago));
                // The rules that run now need the last minutes in detail.
                if ago % 5 == 0 || ago - to < 12 {
                    let _ = writeln!(out, "{slo}_{series}{{{labels}}} {sum} {}", at(ago));
                }
            }
        }
        let service = if *slo == "calm" { "calm" } else { "shop" };
        let labels = format!("service=\"{service}\",slo=\"{slo}\"{}{labels}", if region.is_some() { "," } else { "" });
        for (series, events) in [("total", None), ("error", Some(bad))] {
            for ago in (*to..from - 5).rev().filter(on_grid) {
                let events: u64 = (ago..ago + 5).map(|it| events.map_or(TOTAL, |bad| bad(it))).sum();
                let rate = events as f64 / 300.0;
                // A grid of whole minutes: seconds within one are no matter to what was constant.
                let _ = writeln!(out, "slo:{series}:rate5m{{{labels}}} {rate} {}", at(ago) / 60 * 60);
            }
        }
    }
    out + "# EOF\n"
}

/// The generated rules of some files, evaluated every second and otherwise as they are.
fn rules(folder: &Path, files: &[&str]) -> Vec<PathBuf> {
    let paths = files.iter().map(PathBuf::from).collect();
    let options = LoadOptions { paths, config: None, current: folder.to_path_buf() };
    let made = pipeline::run(&options, TimeScale::REAL).expect("the pipeline runs");
    let (_, _, artifacts) = made.output.unwrap_or_else(|| panic!("refused: {:#?}", made.diagnostics));
    let rules = artifacts.iter().filter(|it| it.path.ends_with(".rules.yaml") && it.service.is_some());
    let write = |it: &kilter_codegen::render::Artifact| {
        let path = folder.join(Path::new(&it.path).file_name().expect("a name"));
        let text = it.text.replace("interval: 30s", "interval: 1s").replace("interval: 2m", "interval: 2s");
        fs::write(&path, text).expect("a file");
        path
    };
    rules.map(write).collect()
}

/// Runs `kilter status`; its exit status, its JSON or nothing, and what it said.
fn status(args: &[&str], folder: &Path) -> (Option<i32>, Value, String) {
    let out = kilter(&[&["status"], args].concat(), folder);
    (out.status.code(), serde_json::from_slice(&out.stdout).unwrap_or_default(), said(&out))
}

fn row<'a>(report: &'a Value, slo: &str, region: &str) -> &'a Value {
    let rows = report["slos"].as_array().expect("rows");
    let same = |it: &&Value| it["slo"] == slo && (region.is_empty() || it["group"]["region"] == region);
    rows.iter().find(same).unwrap_or_else(|| panic!("no row {slo} {region}: {report:#}"))
}

#[test]
fn a_week_is_told_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let known = ["quiet", "burning", "spent", "gone", "young", "never"].map(|it| slo(it, "")).concat();
    let known = known + &slo("grouped", "by: [region], ");
    fs::write(path.join("shop.yaml"), file("shop", &known)).expect("a file");
    fs::write(path.join("calm.yaml"), file("calm", &slo("calm", ""))).expect("a file");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    fs::write(path.join("history.txt"), history(now)).expect("a file");
    let made = Command::new(tools::require("promtool").expect("promtool"))
        .args(["tsdb", "create-blocks-from", "--max-block-duration=192h", "openmetrics", "history.txt", "data"])
        .current_dir(path)
        .output()
        .expect("promtool runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut config = PrometheusConfig::new(vec![]);
    config.rule_files = rules(path, &["shop.yaml", "calm.yaml"]);
    let prometheus = Prometheus::start(path, config).expect("Prometheus starts");
    prometheus.rules_evaluated(Duration::from_secs(30)).expect("rules");
    until("the alerts", Duration::from_secs(30), || {
        let firing =
            prometheus.value("count(count by (slo) (ALERTS{alertstate=\"firing\",slo=~\"spent|burning\"}))")?;
        Ok((firing == Some(2.0)).then_some(()))
    })
    .expect("alerts");
    // Until its first scrape a Prometheus is empty but for what rules recorded, and says so.
    until("a scrape", Duration::from_secs(30), || Ok(prometheus.value("count(up)")?.map(|_| ()))).expect("a scrape");

    // What the server does not know yet: another SLO of a service, and a whole service.
    fs::write(path.join("shop.yaml"), file("shop", &(known + &slo("added", "")))).expect("a file");
    fs::write(path.join("mall.yaml"), file("mall", &slo("opened", ""))).expect("a file");
    let url = prometheus.url();
    let all = ["shop.yaml", "calm.yaml", "mall.yaml", "--prometheus", &url, "--format", "json"];
    let (code, report, said) = status(&all, path);
    assert_eq!(code, Some(0), "{said}");
    numbers(&prometheus, &report);
    states(&report);

    gate(&url, path);
    let human = kilter(&["status", "shop.yaml", "mall.yaml", "--prometheus", &url], path);
    let text = String::from_utf8_lossy(&human.stdout).into_owned();
    assert!(text.lines().all(|it| it.chars().count() <= 100), "{text}");
    for words in [
        "ErrorBudgetBurn (page) fires",
        "the data are gone: recorded until about 4",
        "no data came within 7d: is the service scraped, and by this selector?",
        "no such SLO on the server: it runs rules of shop, but none of this SLO",
        "the rules of mall are not deployed: the server records nothing of it",
        "data for 28% of the 7d only",
        "this group is gone and others are there: recorded until about 3 d",
    ] {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
}

/// Every number is that of the raw counters, within 1%.
fn numbers(prometheus: &Prometheus, report: &Value) {
    let of_raw = |story: &Story, series: &str| {
        let labels = story.region.map_or(String::new(), |it| format!("region=\"{it}\""));
        let name = format!("{}_{series}{{{labels}}}", story.slo);
        let expr = format!("max_over_time({name}[7d]) - min_over_time({name}[7d])");
        prometheus.value(&expr).expect("an answer").unwrap_or_else(|| panic!("nothing for {expr}"))
    };
    let near = |is: &Value, truth: f64, what: &str| {
        let is = is.as_f64().unwrap_or_else(|| panic!("no {what}: {is}"));
        assert!((is - truth).abs() <= 0.01 * truth.abs(), "{what}: {is}, but the raw series say {truth}");
    };
    for story in STORIES {
        let name = format!("{} {}", story.slo, story.region.unwrap_or_default());
        let row = row(report, story.slo, story.region.unwrap_or_default());
        let (failed, total) = (of_raw(story, "failed_total"), of_raw(story, "all_total"));
        // A history that is younger than the window has had its share of the budget.
        let covered = (story.from.min(7 * DAY) - story.to) as f64 / (7 * DAY) as f64;
        let error = 1.0 - row["sli"].as_f64().expect("an SLI");
        near(&error.into(), failed / total, &format!("{name}: error ratio"));
        let left = 1.0 - failed / total / 0.01 * covered;
        // A small rest is the difference of two larger numbers.
        let spent = 1.0 - row["budget"]["left"].as_f64().expect("a budget");
        near(&spent.into(), 1.0 - left, &format!("{name}: budget spent"));
        let is = row["budget"]["left"].as_f64().expect("a budget");
        near(&row["budget"]["outage_minutes"], is * 0.01 * (7 * DAY) as f64, &format!("{name}: outage"));
        near(&row["budget"]["events"], is * 0.01 * total / covered, &format!("{name}: failures"));
        near(&row["coverage"], covered, &format!("{name}: coverage"));
        if story.to > 0 {
            continue;
        }
        let burn = ((story.bad)(30) as f64 / TOTAL as f64) / 0.01;
        near(&row["burn_rates"]["1h"], burn, &format!("{name}: burn of the last hour"));
        let until_spent = match is {
            _ if is <= 0.0 => Some(0.0),
            _ if burn <= is => None,
            _ => Some(is * (7 * DAY * 60) as f64 / row["burn"]["rate"].as_f64().expect("a burn rate")),
        };
        match until_spent {
            Some(truth) => near(&row["exhausted_in_seconds"], truth, &format!("{name}: until it is spent")),
            None => assert!(row["exhausted_in_seconds"].is_null(), "{name}: {row:#}"),
        }
    }
}

/// What is urgent, and in this order.
fn states(report: &Value) {
    let rows = report["slos"].as_array().expect("rows");
    let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
    let is: BTreeMap<String, (String, String)> = rows
        .iter()
        .map(|it| {
            let name = format!("{} {}", text(&it["slo"]), text(&it["group"]["region"])).trim().to_owned();
            (name, (text(&it["state"]), text(&it["data"]["state"])))
        })
        .collect();
    for (name, state, data) in [
        ("quiet", "fine", "recorded"),
        ("burning", "page", "recorded"),
        ("spent", "exhausted", "recorded"),
        ("gone", "missing", "gone"),
        ("young", "fine", "recorded"),
        ("never", "missing", "never"),
        ("grouped eu", "fine", "recorded"),
        ("grouped us", "exhausted", "recorded"),
        ("grouped old", "fine", "retired"),
        ("calm", "fine", "recorded"),
        ("added", "missing", "no_such_slo"),
        ("opened", "missing", "not_deployed"),
    ] {
        assert_eq!(is.get(name), Some(&(state.to_owned(), data.to_owned())), "{name}");
    }
    let order: Vec<String> = rows.iter().map(|it| text(&it["state"])).collect();
    let mut sorted = order.clone();
    let ranks = ["page", "missing", "exhausted", "ticket", "pending", "fine"];
    sorted.sort_by_key(|it| ranks.iter().position(|rank| rank == it));
    assert_eq!(order, sorted);
    let since = row(report, "gone", "")["data"]["since"].as_i64().expect("a time");
    let ago = (report["at"].as_i64().expect("a time") - since) / 60_000;
    assert!((40..48).contains(&ago), "gone for {ago} minutes");
    let alerts = row(report, "burning", "")["alerts"].as_array().expect("alerts");
    let pages =
        alerts.iter().any(|it| it["name"] == "ErrorBudgetBurn" && it["severity"] == "page" && it["firing"] == true);
    assert!(pages, "{alerts:?}");
}

/// The gate's exit status, and a line of reason for each SLO.
fn gate(url: &str, folder: &Path) {
    for (args, code, words) in [
        (&["calm.yaml", "--gate"][..], 0, "open    calm/calm: 100.0% of the budget is left"),
        (&["shop.yaml", "calm.yaml", "--gate", "--service", "calm"], 0, "open    calm/calm: "),
        (&["shop.yaml", "--gate"], 1, "blocked shop/burning: ErrorBudgetBurn (page) fires"),
        (&["shop.yaml", "--gate"], 1, "blocked shop/spent: "),
        (&["shop.yaml", "--gate"], 1, "the budget is spent: -2"),
        (&["shop.yaml", "--gate"], 1, "blocked shop/never: "),
        (&["shop.yaml", "--gate"], 1, "open    shop/quiet: "),
        (&["shop.yaml", "--gate"], 1, "open    shop/grouped {region=\"old\"}: "),
        (&["mall.yaml", "--gate"], 1, "blocked mall/opened: the rules of mall are not deployed"),
        (&["mall.yaml", "--gate", "--fail-on", "page"], 0, "open    mall/opened: "),
        (&["calm.yaml", "--fail-on", "page,ticket,exhausted,missing"], 0, "calm/calm"),
        (&["mall.yaml", "--fail-on", "missing"], 1, "mall/opened"),
        (&["mall.yaml", "--fail-on", "exhausted"], 0, "mall/opened"),
        (&["shop.yaml", "--fail-on", "exhausted"], 1, "shop/spent"),
        (&["shop.yaml"], 0, "shop/spent"),
        (&["calm.yaml", "--service", "clam"], 2, "no SLO file has the service clam"),
        (&["calm.yaml", "--prometheus-timeout", "never"], 2, "never"),
    ] {
        let (is, _, said) = status(&[args, &["--prometheus", url]].concat(), folder);
        assert_eq!(is, Some(code), "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: no `{words}` in:\n{said}");
    }
    let (code, _, said) = status(&["calm.yaml", "--gate", "--prometheus", "http://127.0.0.1:1"], folder);
    assert_eq!(code, Some(2), "nobody knows, so nothing is deployed: {said}");
    assert!(said.contains("next: is it running"), "{said}");
    fs::write(folder.join("broken.yaml"), "service: [").expect("a file");
    let (code, _, said) = status(&["broken.yaml", "--prometheus", url], folder);
    assert_eq!(code, Some(2), "{said}");
}
