//! Bucket bounds: what each histogram declares, and what the service's SLOs need beyond that (`rules/<service>.bounds`).

use std::collections::BTreeMap;

use kilter_contract::{CATALOG, Instrument, Signal, http, le_nanos, telemetry};

use crate::signal::histogram::MOST_BOUNDS;
use crate::signal::http::HttpBounds;

/// The bounds in force, by signal; only histograms that have more than they declare are here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bounds {
    merged: BTreeMap<&'static str, &'static [u64]>,
    /// What was added, as the file has it.
    pub(crate) added: BTreeMap<&'static str, Vec<u64>>,
}

impl Bounds {
    /// Reads the text of a bounds file: a signal and its further bounds in seconds on each line. Everything that is wrong
    /// with it is told, with the bounds that are right.
    pub(crate) fn read(text: &str, own: &'static [Signal]) -> (Self, Vec<String>) {
        let (mut bounds, mut wrong) = (Self::default(), Vec::new());
        let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default();
            let known = CATALOG.iter().copied().chain([own]).flatten().find(|it| it.name == name);
            let Some((signal, base)) = known.and_then(|it| Some((it, seconds(it)?))) else {
                wrong.push(format!("  bounds, line {number}: `{name}` is no histogram of durations of this service"));
                continue;
            };
            let mut added: Vec<u64> = Vec::new();
            for word in words {
                match le_nanos(word) {
                    Some(nanos) if nanos > 0 => added.push(nanos),
                    _ => wrong.push(format!("  bounds, line {number}: `{word}` is no bound in seconds, such as 0.3")),
                }
            }
            added.retain(|it| !base.contains(it));
            bounds.added.entry(signal.name).or_default().extend(added);
        }
        for (name, added) in &mut bounds.added {
            added.sort_unstable();
            added.dedup();
            let base = CATALOG.iter().copied().chain([own]).flatten().find(|it| it.name == *name).and_then(seconds);
            let mut all = [base.unwrap_or_default(), added].concat();
            all.sort_unstable();
            if all.len() > MOST_BOUNDS {
                wrong.push(format!("  bounds: {name} would have {} of them; {MOST_BOUNDS} are the most", all.len()));
            }
            // Once per instance, which lives as long as its process: handles hold bounds without counting.
            bounds.merged.insert(name, Box::leak(all.into_boxed_slice()));
        }
        bounds.added.retain(|_, added| !added.is_empty());
        (bounds, wrong)
    }

    /// The bounds of a signal; none when it is no histogram.
    pub(crate) fn of(&self, signal: &Signal) -> &'static [u64] {
        let declared = match signal.instrument {
            Instrument::Histogram(buckets) => buckets.nanos(),
            _ => &[],
        };
        self.merged.get(signal.name).copied().unwrap_or(declared)
    }

    /// Those of the HTTP server, whose table is made for its hot path.
    pub(crate) fn http(&self) -> HttpBounds {
        HttpBounds {
            duration: self.of(&http::SERVER_REQUEST_DURATION),
            first_byte: self.of(&http::SERVER_TIME_TO_FIRST_BYTE),
            stream: self.of(&http::SERVER_STREAM_DURATION),
        }
    }

    /// Those of scrapes.
    pub(crate) fn scrapes(&self) -> &'static [u64] {
        self.of(&telemetry::SCRAPE_DURATION)
    }
}

/// The bounds that a histogram of durations declares.
fn seconds(signal: &Signal) -> Option<&'static [u64]> {
    match signal.instrument {
        Instrument::Histogram(buckets) if !buckets.is_whole() => Some(buckets.nanos()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_adds_bounds_and_everything_wrong_in_it_is_told() {
        let text = "# by kilter\n\nhttp_server_request_duration_seconds 0.3 0.25 0.3 1.25\n";
        let (bounds, wrong) = Bounds::read(text, &[]);
        assert_eq!(wrong, Vec::<String>::new());
        let all = bounds.of(&http::SERVER_REQUEST_DURATION);
        assert!(all.len() == 16 && all.is_sorted() && all.contains(&300_000_000), "{all:?}");
        assert_eq!(bounds.added["http_server_request_duration_seconds"], [300_000_000, 1_250_000_000]);
        assert_eq!(bounds.of(&http::SERVER_TIME_TO_FIRST_BYTE).len(), 14);
        let many: String = (1..40).map(|n| format!(" {n}.5")).collect();
        let text = format!(
            "no_such 1\nhttp_server_active_requests 1\njob_run_duration_seconds 1s -1 0\nhttp_client_request_duration_seconds{many}"
        );
        let (_, wrong) = Bounds::read(&text, &[]);
        assert_eq!(wrong.len(), 6, "{wrong:#?}");
    }
}
