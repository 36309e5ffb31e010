//! What one evaluation costs, as Prometheus itself counts it.

use std::time::Duration;

use anyhow::{Context, ensure};
use kilter_harness::Response;

/// Samples and time of one evaluation, or of several together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cost {
    pub(crate) rules: usize,
    pub(crate) samples: u64,
    pub(crate) millis: f64,
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, it| Self {
            rules: sum.rules + it.rules,
            samples: sum.samples + it.samples,
            millis: sum.millis + it.millis,
        })
    }
}

/// Evaluates a query at a time, three times, and takes the best time.
pub(crate) fn of(query: &str, time: u64, url: &str) -> anyhow::Result<Cost> {
    let mut cost = Cost { rules: 1, samples: 0, millis: f64::MAX };
    for _ in 0..3 {
        let answer = get(&format!("{url}/api/v1/query?query={}&time={time}&stats=all", encoded(query)))?.json()?;
        ensure!(answer["status"] == "success", "{query}: {}", answer["error"]);
        let stats = &answer["data"]["stats"];
        cost.samples = stats["samples"]["totalQueryableSamples"].as_u64().context("no samples in stats=all")?;
        let seconds = stats["timings"]["evalTotalTime"].as_f64().context("no time in stats=all")?;
        cost.millis = cost.millis.min(seconds * 1_000.0);
    }
    Ok(cost)
}

/// The value of a query that gives one.
pub(crate) fn value(query: &str, time: u64, url: &str) -> anyhow::Result<f64> {
    let answer = get(&format!("{url}/api/v1/query?query={}&time={time}", encoded(query)))?.json()?;
    let results = answer["data"]["result"].as_array().with_context(|| format!("{query}: {}", answer["error"]))?;
    ensure!(results.len() == 1, "{query} gives {} elements", results.len());
    Ok(results[0]["value"][1].as_str().context("no value")?.parse()?)
}

/// Raw windows of days read tens of millions of samples.
fn get(url: &str) -> anyhow::Result<Response> {
    kilter_harness::get_within(url, Duration::from_mins(2))
}

/// Percent-encoded for a query string.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
