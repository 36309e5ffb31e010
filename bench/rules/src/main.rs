//! What the rules cost a real Prometheus, beside raw long windows: `cargo run --release --bin rules` prints the table of
//! `docs/benchmarks.md`; `-- --scrape 15` does it with scrapes every 15 s.
//!
//! | file | holds |
//! |---|---|
//! | `estate` | one service with one SLO, and the rules that `kilter generate` makes of it |
//! | `history` | three days of raw and recorded series, as blocks |
//! | `cost` | samples and time of an evaluation, from `stats=all` |
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

mod cost;
mod estate;
mod history;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use kilter_harness::{Prometheus, PrometheusConfig, until};

use crate::cost::Cost;
use crate::estate::Rule;
use crate::history::Span;

const DAY: u64 = 86_400;
/// The windows of the SRE workbook's table, without the 30 days of the budget.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
/// Rules of an SLO in the shape of Sloth: eight ratios, seven of metadata, two alerts.
const SLOTH: usize = 17;

fn main() -> anyhow::Result<()> {
    let scrape = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => 60,
        [flag, seconds] if flag == "--scrape" => seconds.parse().context("--scrape takes seconds")?,
        _ => bail!("nothing, or --scrape SECONDS"),
    };
    let folder = tempfile::tempdir()?;
    let file = estate::read(&estate::generate(&folder.path().join("estate"))?)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    // All of it in the past: Prometheus writes its own samples from now on.
    let end = (now - 120) / 300 * 300;
    // A quarter of an hour more than the longest window, so that the first recorded sample has its five minutes.
    let span = Span { start: (end - 3 * DAY - 900) / scrape * scrape, end, scrape };
    let prometheus = fill(folder.path(), &file, span)?;
    table(&file, &prometheus, span)
}

/// Makes the history and gives a Prometheus at rest on it.
fn fill(folder: &Path, file: &estate::RuleFile, span: Span) -> anyhow::Result<Prometheus> {
    let (home, scratch) = (folder.join("prometheus"), folder.join("scratch"));
    let data = home.join("data");
    std::fs::create_dir_all(&data)?;
    std::fs::create_dir_all(&scratch)?;
    let started = Instant::now();
    history::raw(span, &data, &scratch)?;
    eprintln!("{:.0} s: the raw series are written", started.elapsed().as_secs_f64());
    let mut prometheus =
        Prometheus::start(&home, PrometheusConfig { scrape_seconds: 60, ..PrometheusConfig::new(vec![]) })?;
    let rules: Vec<Rule> = file.groups.iter().flat_map(|it| it.rules.clone()).collect();
    for stage in history::stages(&rules) {
        // The pair is read over days, everything else at the moment of an evaluation.
        let (pair, rest): (Vec<Rule>, Vec<Rule>) =
            stage.into_iter().partition(|it| it.record.as_deref().is_some_and(|name| name.ends_with(":rate5m")));
        let days = Span { start: span.end - 3 * DAY, ..span };
        let minutes = Span { start: span.end - 600, ..span };
        for (rules, span) in [(pair, days), (rest, minutes)] {
            if !rules.is_empty() {
                history::recorded(&history::file(&rules), span, &prometheus.url(), &data, &scratch)?;
            }
        }
        // It loads blocks when it starts.
        prometheus.restart()?;
        eprintln!("{:.0} s: a stage of the recorded series is written", started.elapsed().as_secs_f64());
    }
    rest(&prometheus)?;
    eprintln!("{:.0} s: Prometheus is at rest", started.elapsed().as_secs_f64());
    Ok(prometheus)
}

/// Waits until Prometheus has compacted the blocks: their number stays the same for a while.
fn rest(prometheus: &Prometheus) -> anyhow::Result<()> {
    let mut seen = (String::new(), Instant::now());
    until("Prometheus to be at rest", Duration::from_mins(10), || {
        let page = kilter_harness::get(&format!("{}/metrics", prometheus.url()))?.text();
        let line = |name: &str| page.lines().find(|it| it.starts_with(name)).unwrap_or_default().to_owned();
        let state = line("prometheus_tsdb_blocks_loaded ") + &line("prometheus_tsdb_compactions_total ");
        if state != seen.0 {
            seen = (state, Instant::now());
        }
        // Compaction is looked for once a minute.
        Ok((seen.1.elapsed() > Duration::from_secs(75)).then_some(()))
    })
}

fn table(file: &estate::RuleFile, prometheus: &Prometheus, span: Span) -> anyhow::Result<()> {
    let url = prometheus.url();
    let one = |expr: &str| cost::of(expr, span.end, &url);
    let (main, budget): (Vec<_>, Vec<_>) = file.groups.iter().partition(|it| !it.name.ends_with("-budget"));
    let of = |part: &dyn Fn(&Rule) -> bool| -> anyhow::Result<Cost> {
        main.iter().flat_map(|it| &it.rules).filter(|it| part(it)).map(|it| one(&it.expr)).sum()
    };
    let records = |it: &Rule, name: &str| it.record.as_deref().is_some_and(|record| record.starts_with(name));
    let alerts = |it: &Rule| it.alert.is_some();
    let down = |it: &Rule| it.alert.as_deref() == Some("ServiceDown");
    let own = of(&|it| it.record.is_some() && !records(it, "slo:burn_rate:"))?;
    let burn = of(&|it| records(it, "slo:burn_rate:"))?;
    let alerting = of(&|it| alerts(it) && !down(it))?;
    let service_down = of(&|it| down(it))?;
    let ours: Cost = [own, burn, alerting, service_down].into_iter().sum();
    let budget: Cost = budget.iter().flat_map(|it| &it.rules).map(|it| one(&it.expr)).sum::<anyhow::Result<Cost>>()?;
    let raw: Cost = WINDOWS.iter().map(|window| one(&raw_ratio(window))).sum::<anyhow::Result<Cost>>()?;
    ensure!(ours.samples > 0 && raw.samples > 0, "nothing was read: there is no history");
    check(&url, span)?;

    println!(
        "1,000 raw series of one route, scraped every {} s for three days; Prometheus {}; one evaluation, best of three.\n",
        span.scrape,
        version(prometheus)?
    );
    println!("| | rules | samples read | ms |\n|---|---:|---:|---:|");
    for (name, it) in [
        ("Kilter: the SLO's own recording rules", own),
        ("Kilter: burn rates, one set for all SLOs of the service", burn),
        ("Kilter: alerts, one set for all SLOs of the service", alerting),
        ("Kilter: `ServiceDown`, reads `up` of 100 instances for 1 h", service_down),
        ("**Kilter, all of it**", ours),
        ("Kilter's budget group, every 2 m, apart", budget),
        ("**raw long windows, 5m to 3d, without the 30d**", raw),
    ] {
        println!("| {name} | {} | {} | {:.1} |", it.rules, thousands(it.samples), it.millis);
    }
    println!(
        "| **raw / Kilter** | | **{:.0}** | **{:.0}** |",
        raw.samples as f64 / ours.samples as f64,
        raw.millis / ours.millis
    );
    println!(
        "\nRules: {} per SLO and {} per service and class, against {SLOTH} per SLO in the shape of Sloth.",
        own.rules,
        ours.rules - own.rules + budget.rules
    );
    Ok(())
}

/// The ratio of errors over a window of the raw series, as the SRE workbook and Sloth record it.
fn raw_ratio(window: &str) -> String {
    let all = "http_server_request_duration_seconds_count{job=\"orders\",http_route=\"/orders/{id}\"";
    format!(
        "sum(rate({all},error_type!=\"\",error_type!=\"client_disconnect\"}}[{window}])) / sum(rate({all}}}[{window}]))"
    )
}

/// Both sides must have computed the same: the burn rate of each window, from raw series and from recorded ones.
fn check(url: &str, span: Span) -> anyhow::Result<()> {
    for window in WINDOWS {
        let recorded = cost::value(&format!("slo:burn_rate:{window}"), span.end, url)?;
        let raw = cost::value(&format!("({}) / 0.001", raw_ratio(window)), span.end, url)?;
        eprintln!("burn rate over {window}: {recorded:.4} by the rules, {raw:.4} by raw series");
        ensure!((recorded / raw - 1.0).abs() < 0.02, "the two disagree over {window}");
    }
    Ok(())
}

fn version(prometheus: &Prometheus) -> anyhow::Result<String> {
    let answer = kilter_harness::get(&format!("{}/api/v1/status/buildinfo", prometheus.url()))?.json()?;
    Ok(answer["data"]["version"].as_str().unwrap_or("of an unknown version").to_owned())
}

/// `12345` as `12,345`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|it| std::str::from_utf8(it).ok()).collect();
    groups.join(",")
}
