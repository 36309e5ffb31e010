//! What a metrics page says of requests.

use std::collections::{BTreeMap, BTreeSet};

/// Families that count requests, of any stack.
const COUNTS: [&str; 3] =
    ["http_server_request_duration_seconds_count", "axum_http_requests_total", "function_calls_total"];
/// Families of requests in flight.
const ACTIVE: [&str; 4] = [
    "http_server_active_requests",
    "http_server_active_requests_ratio",
    "axum_http_requests_pending",
    "function_calls_concurrent",
];

/// One reading.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    counts: BTreeMap<BTreeMap<String, String>, f64>,
    /// Requests in flight, on all series.
    pub(crate) active: f64,
    /// Lines that are samples.
    pub(crate) samples: usize,
}

impl Page {
    /// Reads the text format.
    pub(crate) fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines().filter(|it| !it.is_empty() && !it.starts_with('#')) {
            page.samples += 1;
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let value: f64 = value.parse().unwrap_or(0.0);
            if COUNTS.contains(&name) {
                *page.counts.entry(parsed(labels)).or_default() += value;
            } else if ACTIVE.contains(&name) {
                page.active += value;
            }
        }
        page
    }

    /// Label sets under which requests are counted.
    pub(crate) fn label_sets(&self) -> usize {
        self.counts.len()
    }

    /// What was counted since `before`, in words: `5 × 200`, with method and error where they tell something.
    pub(crate) fn counted_since(&self, before: &Self) -> String {
        let mut said: BTreeMap<String, f64> = BTreeMap::new();
        for (labels, value) in &self.counts {
            let more = value - before.counts.get(labels).copied().unwrap_or(0.0);
            if more > 0.0 {
                *said.entry(words(labels)).or_default() += more;
            }
        }
        if said.is_empty() {
            return "**not counted**".to_owned();
        }
        let all: BTreeSet<String> = said.iter().map(|(words, count)| format!("{count} × {words}")).collect();
        all.into_iter().collect::<Vec<_>>().join("; ")
    }
}

fn parsed(labels: &str) -> BTreeMap<String, String> {
    labels
        .trim_end_matches('}')
        .split("\",")
        .filter_map(|pair| pair.split_once("=\""))
        .map(|(key, value)| (key.to_owned(), value.trim_end_matches('"').to_owned()))
        .collect()
}

fn words(labels: &BTreeMap<String, String>) -> String {
    let get = |keys: &[&str]| keys.iter().find_map(|key| labels.get(*key)).map_or("", String::as_str);
    // autometrics knows functions and whether they returned an error, not requests.
    let status = get(&["http_response_status_code", "status", "result"]);
    let mut words = if status.is_empty() { "no status".to_owned() } else { status.to_owned() };
    if let Some(error) = labels.get("error_type").filter(|it| !it.is_empty()) {
        words.push_str(&format!(", error `{error}`"));
    }
    if labels.contains_key("function") {
        return words;
    }
    let method = get(&["http_request_method", "method"]);
    if method.is_empty() {
        words.push_str(", method empty");
    } else if method != "GET" {
        words.push_str(&format!(", method `{method}`"));
    }
    words
}
