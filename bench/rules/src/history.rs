//! Three days of history as blocks of a real Prometheus: raw series by way of OpenMetrics text, recorded series by the
//! generated rules themselves.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use kilter_harness::tools;
use serde_json::json;

use crate::estate::Rule;

/// Instances of the service; each has ten series on the route, one of them of errors.
pub(crate) const INSTANCES: usize = 100;
/// Status codes; the last is the error.
const STATUSES: [u32; 10] = [200, 201, 202, 204, 301, 304, 400, 404, 409, 500];
/// Span of a block.
const BLOCK: u64 = 2 * 3_600;

/// The range of time that is filled, in Unix seconds, and the time between two scrapes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) scrape: u64,
}

/// Writes 1,000 request series, and `up` of each instance.
pub(crate) fn raw(span: Span, data: &Path, scratch: &Path) -> anyhow::Result<()> {
    let promtool = tools::require("promtool")?;
    // One file for each block: promtool reads a file once for every block that it makes of it.
    for block in (span.start / BLOCK)..=(span.end / BLOCK) {
        let (from, to) = ((block * BLOCK).max(span.start), ((block + 1) * BLOCK - 1).min(span.end));
        let path = scratch.join("block.om");
        text(BufWriter::new(File::create(&path)?), from, to, span)?;
        let out = Command::new(&promtool)
            .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
            .args([&path, data])
            .output()?;
        ensure!(out.status.success(), "promtool: {}", String::from_utf8_lossy(&out.stderr));
        fs::remove_file(&path)?;
    }
    Ok(())
}

fn text(mut file: impl Write, from: u64, to: u64, span: Span) -> anyhow::Result<()> {
    let times = || (from.next_multiple_of(span.scrape)..=to).step_by(usize::try_from(span.scrape).unwrap_or(1));
    writeln!(file, "# TYPE http_server_request_duration_seconds_count unknown")?;
    for instance in 0..INSTANCES {
        for (at, status) in STATUSES.iter().enumerate() {
            let error = if *status == 500 { "500" } else { "" };
            let labels = format!(
                "instance=\"10.0.0.{instance}:9464\",job=\"orders\",http_request_method=\"GET\",http_route=\"/orders/{{id}}\",\
                 http_response_status_code=\"{status}\",error_type=\"{error}\""
            );
            // Ten requests a second of each good status, and one failure in 20,000: less than the objective allows.
            let per_scrape = span.scrape * (10 + at as u64);
            for time in times() {
                let scrapes = (time - span.start) / span.scrape;
                let value = if *status == 500 {
                    (scrapes * per_scrape + 20 * instance as u64) / 2_000
                } else {
                    scrapes * per_scrape
                };
                writeln!(file, "http_server_request_duration_seconds_count{{{labels}}} {value} {time}")?;
            }
        }
    }
    writeln!(file, "# TYPE up gauge")?;
    for instance in 0..INSTANCES {
        for time in times() {
            writeln!(file, "up{{instance=\"10.0.0.{instance}:9464\",job=\"orders\"}} 1 {time}")?;
        }
    }
    writeln!(file, "# EOF")?;
    file.flush()?;
    Ok(())
}

/// Writes what recording rules would have recorded, every 30 s, from what the Prometheus at `url` knows. `rules` must
/// not read one another.
pub(crate) fn recorded(rules: &str, span: Span, url: &str, data: &Path, scratch: &Path) -> anyhow::Result<()> {
    let path = scratch.join("stage.yaml");
    fs::write(&path, rules)?;
    let out = Command::new(tools::require("promtool")?)
        .args(["tsdb", "create-blocks-from", "rules", "--eval-interval=30s"])
        .arg(format!("--start={}", span.start))
        .arg(format!("--end={}", span.end))
        .arg(format!("--url={url}"))
        .arg(format!("--output-dir={}", data.display()))
        .arg(&path)
        .output()?;
    ensure!(out.status.success(), "promtool: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}

/// Recording rules in stages: none reads what a rule of its own stage or a later one records.
pub(crate) fn stages(rules: &[Rule]) -> Vec<Vec<Rule>> {
    let mut left: Vec<Rule> = rules.iter().filter(|it| it.record.is_some()).cloned().collect();
    let mut stages = Vec::new();
    while !left.is_empty() {
        let names: Vec<String> = left.iter().filter_map(|it| it.record.clone()).collect();
        let (now, later): (Vec<Rule>, Vec<Rule>) =
            left.into_iter().partition(|it| !names.iter().any(|name| it.expr.contains(name)));
        if now.is_empty() {
            // They read themselves: what remains is recorded together.
            stages.push(later);
            break;
        }
        stages.push(now);
        left = later;
    }
    stages
}

/// A rule file with these rules; JSON is YAML.
pub(crate) fn file(rules: &[Rule]) -> String {
    let rules: Vec<_> =
        rules.iter().map(|it| json!({"record": it.record, "expr": it.expr, "labels": it.labels})).collect();
    json!({"groups": [{"name": "stage", "rules": rules}]}).to_string()
}
