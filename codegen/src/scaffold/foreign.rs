//! Metrics that are not of the contract: what of them counts failures, and what measures time.
//!
//! Names and labels are conventions at best, so only what many exporters share is believed, and the page must show both
//! sides: a rate of errors without its total is no SLI.

use std::collections::BTreeSet;

use serde_json::json;

use super::numbers::{Latency, latency, objective, told};
use super::{Names, Proposal, Seen};
use crate::exposition::{Family, Histogram, Kind, Page, Sample};

/// What every client library says about itself and its process: causes at best, promises never.
const OWN_AFFAIRS: &[&str] =
    &["go_", "jvm_", "nodejs_", "process_", "promhttp_", "prometheus_sd_", "python_", "scrape_"];

/// Labels that hold a status of HTTP.
const STATUS: &[&str] =
    &["code", "status", "status_code", "http_status", "http_status_code", "http_response_status_code", "response_code"];

/// Labels that hold how it ended, and their values for a failure.
const RESULT: &[&str] = &["result", "outcome", "status", "state"];
const FAILED: &[&str] = &["error", "errors", "fail", "failed", "failure"];

/// Words in the name of a counter of errors, and what stands in their place in the name of its total.
const ERROR_WORDS: &[&str] = &["error", "errors", "errs", "fail", "failed", "fails", "failure", "failures"];
const TOTAL_WORDS: &[&str] =
    &["requests", "packets", "attempts", "operations", "ops", "events", "messages", "calls", "jobs", "runs", "tasks"];

/// The most SLOs of one page. More is a list that nobody reads.
const MOST: usize = 20;

const EVENTS: &str = "Any two counters: $window is the range, which Kilter chooses. It sums, so no sum() stands here.";
const TIMES: &str = "Any histogram by its name without _bucket; the threshold is one of its bucket bounds.";
const UP: &str = "A gauge of 0 and 1. Every moment weighs the same, by day and by night.";

/// SLOs for what the page shows. `matchers` find the service's series.
pub fn proposals(page: &Page, matchers: &str, names: &mut Names, notes: &mut Vec<String>) -> Vec<Proposal> {
    let foreign = |name: &&String| {
        !OWN_AFFAIRS.iter().any(|it| name.starts_with(it))
            && kilter_contract::find(name).is_none()
            && kilter_contract::find_series(name).is_none()
    };
    let mut all: Vec<(f64, Proposal)> = Vec::new();
    let mut counted: BTreeSet<&str> = BTreeSet::new();
    for (name, family) in page.families.iter().filter(|(name, _)| foreign(name)) {
        let found = match family.kind {
            Kind::Counter => by_label(name, family, matchers, names).or_else(|| by_name(name, page, matchers, names)),
            Kind::Gauge | Kind::Unknown => up(name, family, matchers, names),
            Kind::Histogram | Kind::Summary => None,
        };
        counted.extend(found.is_some().then(|| first_word(name)));
        all.extend(found);
    }
    for (name, family) in page.families.iter().filter(|(name, it)| it.kind == Kind::Histogram && foreign(name)) {
        // A counter of the same thing is the plainer one.
        if !counted.contains(first_word(name)) {
            all.extend(by_label(&format!("{name}_count"), family, matchers, names));
        }
        all.extend(times(name, family, matchers, names));
    }
    if all.len() > MOST {
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        notes.push(format!("{} more metrics could have an SLO; the {MOST} busiest do", all.len() - MOST));
        all.truncate(MOST);
        all.sort_by(|a, b| a.1.name.cmp(&b.1.name));
    }
    all.into_iter().map(|(_, it)| it).collect()
}

fn first_word(name: &str) -> &str {
    name.split('_').next().unwrap_or(name)
}

/// `name{matchers,more}`.
fn select(name: &str, matchers: &str, more: &str) -> String {
    let all: Vec<&str> = [matchers, more].into_iter().filter(|it| !it.is_empty()).collect();
    if all.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", all.join(",")) }
}

fn events(
    (name, errors, total): (&str, String, String),
    (sum, bad): (f64, f64),
    names: &mut Names,
) -> Option<(f64, Proposal)> {
    let seen = Seen { events: sum, bad, durations: Histogram::default() };
    let proposal = Proposal {
        name: names.name(&words(name), "availability")?,
        description: format!("What {name} counts succeeds."),
        objective: objective("99.9%", &seen),
        sli: json!({"events": {"errors": format!("rate({errors}[$window])"), "total": format!("rate({total}[$window])")}}),
        lesson: EVENTS,
        why: Some(told(&seen, "events", "bad")),
    };
    Some((sum, proposal))
}

/// One metric whose label tells how it ended.
fn by_label(name: &str, family: &Family, matchers: &str, names: &mut Names) -> Option<(f64, Proposal)> {
    let samples: Vec<&Sample> = family.samples.iter().filter(|it| it.name == name && it.value.is_finite()).collect();
    let (bad, more) = failures(&samples)?;
    let sum = |samples: &mut dyn Iterator<Item = &&Sample>| samples.map(|it| it.value).sum::<f64>();
    let counts = (sum(&mut samples.iter()), sum(&mut samples.iter().filter(|it| bad(it))));
    events((name, select(name, matchers, &more), select(name, matchers, "")), counts, names)
}

/// Whether a series is of failures.
type IsBad = Box<dyn Fn(&Sample) -> bool>;

/// Which series are failures, and the matcher that selects them.
fn failures(samples: &[&Sample]) -> Option<(IsBad, String)> {
    let values =
        |key: &str| samples.iter().map(|it| it.label(key)).filter(|it| !it.is_empty()).collect::<BTreeSet<_>>();
    for key in STATUS.iter().copied() {
        let values = values(key);
        let code = |it: &&str| it.len() == 3 && it.parse::<u16>().is_ok_and(|it| (100..600).contains(&it));
        let class = |it: &&str| it.len() == 3 && it.ends_with("xx") && it.starts_with(|c| ('1'..='5').contains(&c));
        let fails = move |it: &Sample| it.label(key).starts_with('5');
        if !values.is_empty() && values.iter().all(code) {
            return Some((Box::new(fails), format!("{key}=~\"5..\"")));
        }
        if !values.is_empty() && values.iter().all(class) {
            return Some((Box::new(fails), format!("{key}=\"5xx\"")));
        }
    }
    for key in RESULT.iter().copied() {
        let bad: Vec<&str> = values(key).into_iter().filter(|it| FAILED.contains(it)).collect();
        let matcher = match bad.as_slice() {
            [] => continue,
            [one] => format!("{key}=\"{one}\""),
            many => format!("{key}=~\"{}\"", many.join("|")),
        };
        return Some((Box::new(move |it| FAILED.contains(&it.label(key))), matcher));
    }
    None
}

/// A counter of errors beside the counter of everything.
fn by_name(name: &str, page: &Page, matchers: &str, names: &mut Names) -> Option<(f64, Proposal)> {
    let words: Vec<&str> = name.split('_').collect();
    let at = words.iter().position(|it| ERROR_WORDS.contains(it))?;
    let with = |word: Option<&str>| [&words[..at], word.as_slice(), &words[at + 1..]].concat().join("_");
    let totals = std::iter::once(with(None)).chain(TOTAL_WORDS.iter().map(|it| with(Some(it))));
    let mut counters =
        totals.filter(|it| it != name && page.families.get(it).is_some_and(|it| it.kind == Kind::Counter));
    let total = counters.next()?;
    let sum =
        |name: &str| page.families[name].samples.iter().map(|it| it.value).filter(|it| it.is_finite()).sum::<f64>();
    let (of, bad) = (sum(&total), sum(name));
    // What is larger than everything counts something else.
    (bad <= of).then(|| events((&total, select(name, matchers, ""), select(&total, matchers, "")), (of, bad), names))?
}

/// A gauge that says whether something works.
fn up(name: &str, family: &Family, matchers: &str, names: &mut Names) -> Option<(f64, Proposal)> {
    let says_so = name.ends_with("_up") || name.ends_with("probe_success");
    let yes_or_no = family.samples.iter().all(|it| [0.0, 1.0].contains(&it.value));
    if !says_so || !yes_or_no {
        return None;
    }
    let proposal = Proposal {
        name: names.name(&words(name), "uptime")?,
        description: format!("{name} is 1."),
        objective: "99.9%",
        sli: json!({"uptime": {"up": select(name, matchers, "")}}),
        lesson: UP,
        why: None,
    };
    Some((0.0, proposal))
}

/// A histogram of times.
fn times(name: &str, family: &Family, matchers: &str, names: &mut Names) -> Option<(f64, Proposal)> {
    let milliseconds = name.ends_with("_milliseconds") || name.ends_with("_ms");
    if !milliseconds && !name.ends_with("_seconds") {
        return None;
    }
    let mut seen = Histogram::sum(&family.samples, &|_| true);
    if milliseconds {
        seen.buckets.iter_mut().for_each(|(bound, _)| *bound /= 1_000.0);
    }
    if seen.buckets.is_empty() {
        return None;
    }
    let Latency { threshold, objective, why } = latency(&seen, "events", None)?;
    let mut sli = json!({"histogram": select(name, matchers, ""), "slower_than": threshold.to_string()});
    if milliseconds {
        sli["unit"] = json!("milliseconds");
    }
    let proposal = Proposal {
        name: names.name(&words(name), "latency")?,
        description: format!("What {name} measures takes at most {threshold}."),
        objective,
        sli: json!({"latency": sli}),
        lesson: TIMES,
        why: Some(why),
    };
    Some((seen.count, proposal))
}

/// The words of a metric that say what it is about.
fn words(name: &str) -> String {
    let noise = ["total", "count", "seconds", "milliseconds", "ms", "duration", "latency", "up"];
    let words: Vec<&str> = name.split(['_', ':']).filter(|it| !noise.contains(it)).collect();
    if words.is_empty() { name.replace('_', "-") } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposition::parse;

    fn found(page: &str) -> Vec<String> {
        let all = proposals(&parse(page), "job=\"x\"", &mut Names::default(), &mut Vec::new());
        all.iter().map(|it| format!("{} {} {}", it.name, it.objective, it.sli)).collect()
    }

    #[test]
    fn labels_and_names_tell_failures() {
        assert_eq!(
            found(
                "# TYPE a_requests_total counter\na_requests_total{code=\"200\"} 9900\na_requests_total{code=\"503\"} 100\n"
            ),
            [
                r#"a-requests-availability 99% {"events":{"errors":"rate(a_requests_total{job=\"x\",code=~\"5..\"}[$window])","total":"rate(a_requests_total{job=\"x\"}[$window])"}}"#
            ]
        );
        let pair = found(
            "# TYPE rx_errs_total counter\nrx_errs_total 0\n# TYPE rx_packets_total counter\nrx_packets_total 7\n",
        );
        assert!(pair.len() == 1 && pair[0].contains("rate(rx_errs_total{job"), "{pair:?}");
        let result =
            found("jobs_total{result=\"ok\"} 1\njobs_total{result=\"failed\"} 1\njobs_total{result=\"error\"} 0\n");
        assert!(result.len() == 1 && result[0].contains("result=~\\\"error|failed\\\""), "{result:?}");
    }

    #[test]
    fn what_only_looks_like_it_is_left_out() {
        for page in [
            "# TYPE a_errors_total counter\na_errors_total 3\n",
            "# TYPE a_errors_total counter\na_errors_total 9\n# TYPE a_total counter\na_total 3\n",
            "# TYPE a_total counter\na_total{code=\"SE\"} 3\na_total{code=\"200\"} 3\n",
            "# TYPE a_bytes histogram\na_bytes_bucket{le=\"1\"} 1\na_bytes_count 1\n",
            "# TYPE promhttp_metric_handler_requests_total counter\npromhttp_metric_handler_requests_total{code=\"500\"} 1\n",
            "# TYPE a_up gauge\na_up 0.5\n",
        ] {
            assert_eq!(found(page), Vec::<String>::new(), "{page}");
        }
    }

    #[test]
    fn histograms_keep_their_unit() {
        let page = "# TYPE a_ms histogram\na_ms_bucket{le=\"5\"} 10\na_ms_bucket{le=\"50\"} 5000\na_ms_count 5000\n";
        assert_eq!(
            found(page),
            [r#"a-latency 99% {"latency":{"histogram":"a_ms{job=\"x\"}","slower_than":"50ms","unit":"milliseconds"}}"#]
        );
    }
}
