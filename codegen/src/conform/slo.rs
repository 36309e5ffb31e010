//! What the SLOs count on: for each SLI the series that must be on one of the pages, and the bound of its threshold.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use kilter_contract::{Signal, job, le_text};

use super::former;
use super::want::{Passed, Role, Test, Want};
use crate::diagnostic::{Code, Diagnostic, Findings, Severity};
use crate::exposition::Raw;
use crate::lint::slo_node;
use crate::load::Sources;
use crate::model::{Estate, Family, Service, Sli, Unfiltered};
use crate::promql::{self, place_in_source};
use crate::spec::check::{nearest, printable};
use crate::yaml::{Node, Range, Value};

/// Labels that the scrape adds, in most estates: what a selector asks of them says nothing about a page.
const SCRAPED: &[&str] = &[
    "job",
    "instance",
    "namespace",
    "pod",
    "container",
    "node",
    "service",
    "endpoint",
    "cluster",
    "environment",
    "env",
    "region",
    "zone",
    "team",
    "app",
];

/// Everything that the SLOs of some services count on.
#[derive(Debug, Default)]
pub(super) struct Wants {
    all: Vec<Want>,
    /// By the name of the series.
    by_series: HashMap<String, Vec<usize>>,
    /// Labels that the scrape adds.
    scraped: BTreeSet<String>,
}

impl Wants {
    /// Of the services of the files that were named.
    pub(super) fn of(estate: &Estate, services: &BTreeSet<&str>, sources: &Sources) -> Self {
        let mut wants = Self::default();
        let selector = promql::parse(&format!("up{{{}}}", estate.selector.replace("{{service}}", "x")));
        let selected = selector.map(|it| promql::selectors(&it)).unwrap_or_default();
        wants.scraped.extend(selected.into_iter().flat_map(|it| it.matchers).map(|it| it.label));
        wants.scraped.extend(estate.identity.keys().cloned());
        wants.scraped.extend(SCRAPED.iter().map(|it| (*it).to_owned()));
        for service in estate.services.iter().filter(|it| services.contains(it.name.as_str())) {
            wants.service(service, sources);
        }
        wants
    }

    /// Families whose histograms an SLO names.
    pub(super) fn families(&self) -> BTreeSet<&str> {
        self.all.iter().map(|it| it.family.as_str()).collect()
    }

    fn service(&mut self, service: &Service, sources: &Sources) {
        for slo in &service.slos {
            let Some((file, node)) = slo_node(sources, service, slo.name.as_str()) else { continue };
            let name = format!("{}/{}", service.name, slo.name);
            let before = self.all.len();
            let sli = node.get("sli").unwrap_or(node);
            let place = |path: &[&str], value: &str| place_of(sli, path, value);
            match &slo.sli {
                Sli::Red(red) => {
                    let (signal, key) = (red.family.signal(), red.family.key());
                    let tests = |but: &str| {
                        let other = |it: &&crate::model::Filter| it.label.key != but;
                        red.family
                            .filters()
                            .iter()
                            .filter(other)
                            .filter_map(|it| {
                                let (label, values) = (it.label.key.to_owned(), red.values(it.label.key));
                                match it.unfiltered {
                                    _ if !values.is_empty() => Some(Test::OneOf(label, values.to_vec())),
                                    Unfiltered::Any => None,
                                    Unfiltered::Not(value) => Some(Test::Not(label, value)),
                                    Unfiltered::Only(value) => Some(Test::OneOf(label, vec![value.to_owned()])),
                                }
                            })
                            .collect::<Vec<_>>()
                    };
                    let mut any = false;
                    for filter in red.family.filters() {
                        for value in red.values(filter.label.key) {
                            let mut tests = tests(filter.label.key);
                            tests.insert(0, Test::OneOf(filter.label.key.to_owned(), vec![value.clone()]));
                            let at = (file, place(&[key, filter.key], value));
                            self.count(&name, at, &signal, tests);
                            any = true;
                        }
                    }
                    if !any {
                        self.count(&name, (file, place(&[key], "")), &signal, tests(""));
                    }
                    if let Some(nanos) = red.slower_than_nanos {
                        let at = (file, place(&[key, "slower_than"], ""));
                        self.bound(&name, at, signal.name, tests(""), le_text(nanos).parse().ok());
                    }
                }
                Sli::Freshness { job, .. } => {
                    self.freshness(&name, (file, place(&[Family::Job.key(), "name"], "")), job);
                }
                Sli::Latency(it) => {
                    let text = if it.matchers.is_empty() { "x".to_owned() } else { format!("x{{{}}}", it.matchers) };
                    let matchers = promql::parse(&text).map(|it| promql::selectors(&it)).unwrap_or_default();
                    let tests = || matchers.iter().flat_map(|it| &it.matchers).cloned().map(Test::Matches).collect();
                    let at = (file, place(&["latency", "slower_than"], ""));
                    if !it.native {
                        let named = (file, place(&["latency", "histogram"], ""));
                        let series = format!("{}_bucket", it.metric);
                        self.add(series, Want::of(&name, named, &it.metric, tests()));
                        self.bound(&name, at, &it.metric, tests(), it.threshold.to_string().parse().ok());
                    }
                }
                _ => self.texts(&name, (file, sli), &slo.sli, sources),
            }
            // What an expression renames is on no page.
            let renames = slo.sli.texts().iter().any(|(.., text)| text.contains("label_"));
            if !renames {
                let by = slo.by.iter().map(|label| (label.clone(), place_of(node, &["by"], label)));
                let by: Vec<_> = by.filter(|(label, _)| !self.scraped.contains(label)).collect();
                self.all[before..].iter_mut().for_each(|want| want.by.clone_from(&by));
            }
        }
    }

    fn add(&mut self, series: String, want: Want) {
        self.by_series.entry(series).or_default().push(self.all.len());
        self.all.push(want);
    }

    fn count(&mut self, slo: &str, at: (usize, Range), signal: &Signal, tests: Vec<Test>) {
        self.add(format!("{}_count", signal.name), Want::of(slo, at, signal.name, tests));
    }

    fn freshness(&mut self, slo: &str, at: (usize, Range), job: &str) {
        let family = job::LAST_SUCCESS.name;
        let tests = vec![Test::OneOf(job::NAME.key.to_owned(), vec![job.to_owned()])];
        self.add(family.to_owned(), Want::of(slo, at, family, tests));
    }

    fn bound(&mut self, slo: &str, at: (usize, Range), family: &str, tests: Vec<Test>, bound: Option<f64>) {
        self.add(format!("{family}_bucket"), Want { bound, ..Want::of(slo, at, family, tests) });
    }

    /// The selectors of PromQL.
    fn texts(&mut self, slo: &str, (file, sli): (usize, &Node), of: &Sli, sources: &Sources) {
        for (kind, key, text) in of.texts() {
            let Some(node) = sli.get(kind).and_then(|it| it.get(key)) else { continue };
            let Ok(expr) = promql::parse(text) else { continue };
            for (selector, range) in promql::placed_selectors(text, &expr) {
                let metric = selector.metric.clone();
                let prometheus = kilter_contract::PROMETHEUS_SERIES.contains(&metric.as_str());
                // What Prometheus makes or records by itself is on no page.
                if metric.is_empty() || prometheus || metric.starts_with("scrape_") || metric.contains(':') {
                    continue;
                }
                let end = (range.start + metric.len()).min(text.len());
                let at = place_in_source(sources.text(file), node.range, text, range.start, end);
                let role = if key == "errors" || key == "error" { Role::Errors } else { Role::Needed };
                let family = ["_bucket", "_count", "_sum"].iter().find_map(|it| metric.strip_suffix(it));
                let family = family.unwrap_or(&metric).to_owned();
                let tests = selector.matchers.into_iter().map(Test::Matches).collect();
                self.add(metric, Want { role, ..Want::of(slo, (file, at), &family, tests) });
            }
        }
    }

    /// A series of a page.
    pub(super) fn see(&mut self, raw: &Raw<'_>) {
        let Some(indices) = self.by_series.get(raw.name) else { return };
        for index in indices {
            self.all[*index].see(raw, &self.scraped);
        }
    }

    /// What none of the pages has.
    pub(super) fn finish(self, names: &[&str], sources: &Sources) -> Vec<Diagnostic> {
        let mut all = Vec::new();
        let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut grouped: BTreeSet<(String, String)> = BTreeSet::new();
        let passed: Vec<Passed> = self.all.iter().map(Want::passed).collect();
        for (want, found) in self.all.iter().zip(&passed) {
            let Want { slo, at: (file, at), family, bound, role, seen, .. } = want;
            let mut findings = Findings::new(*file, sources, &mut all);
            let mut tell = |severity, code, message: String, help: String| match severity {
                Severity::Error => findings.error(code, *at, message, help),
                _ => findings.warning(code, *at, message, help),
            };
            let weak = if *role == Role::Errors { Severity::Warning } else { Severity::Error };
            if !seen.family {
                if told.entry(slo.clone()).or_default().insert(family.clone()) {
                    let message = format!("`{slo}` counts on `{family}`, which the page does not have");
                    tell(weak, Code::SloUnmet, message, instead(family, names, *role));
                }
                continue;
            }
            // A threshold of series that are not there was told with them.
            let with_them = |(other, passed): (&Want, &Passed)| {
                other.slo == *slo && other.family == *family && other.bound.is_none() && passed.series == 0
            };
            let was_told = bound.is_some() && (found.series > 0 || self.all.iter().zip(&passed).any(with_them));
            if let Some((severity, message, help)) =
                want.unmatched(found).filter(|_| *role == Role::Needed && !was_told)
            {
                tell(severity, Code::SloUnmet, message, help);
            }
            if let Some(bound) = bound.filter(|_| found.series > 0) {
                let bounds = want.bounds();
                if found.bounded == 0 {
                    let message =
                        format!("`{slo}` has the threshold {bound}, which is no bound of `{family}` on the page");
                    let help = format!("its bounds are {bounds}: choose one, or give the histogram the bound {bound}");
                    tell(Severity::Error, Code::SloBound, message, help);
                } else if found.bounded < found.whole {
                    let message = format!(
                        "only {} of {} histograms of `{family}` that `{slo}` counts have the bound {bound}",
                        found.bounded, found.whole
                    );
                    tell(
                        Severity::Warning,
                        Code::SloBound,
                        message,
                        "the others are left out of the SLO: give all of them one set of bounds".to_owned(),
                    );
                }
            }
            if found.series == 0 || *role == Role::Errors {
                continue;
            }
            for (label, at) in want.by.iter().filter(|(label, _)| !found.by.contains(label)) {
                if grouped.insert((slo.clone(), label.clone())) {
                    let message =
                        format!("`{slo}` is measured by `{label}`, which no series of `{family}` that it counts has");
                    let help = "let the service set it, or name the label that it does set; when the scrape adds it, nothing is wrong";
                    Findings::new(*file, sources, &mut all).warning(Code::SloGroup, *at, message, help);
                }
            }
        }
        all
    }
}

/// What the page may have in place of a family.
fn instead(family: &str, names: &[&str], role: Role) -> String {
    let former = former::names_of(family).find(|it| names.contains(it));
    let former = former
        .or_else(|| former::names_of(family).filter_map(|it| it.strip_suffix("_total")).find(|it| names.contains(it)));
    if let Some(former) = former {
        return format!(
            "the page has `{former}`, which is its name elsewhere: rename that, or write the SLI with `events` or `latency`"
        );
    }
    // A counter of failures that is not there yet resembles the counter of everything.
    let sure = |it: &&str| role == Role::Needed || strsim::damerau_levenshtein(family, it) <= 2;
    if let Some(near) = nearest(family, names).filter(sure) {
        return format!("did you mean `{}`?", printable(near));
    }
    if role == Role::Errors {
        return "when nothing has failed yet, it may still come: expose it at zero from the start".to_owned();
    }
    "is this the page of this service, and has it done yet what the SLO is about? Declared routes are there from the start".to_owned()
}

/// Where a value stands below some keys; the nearest that there is of that.
fn place_of(sli: &Node, path: &[&str], value: &str) -> Range {
    let mut node = sli;
    let mut range = first_line(node);
    for key in path {
        let Some(next) = node.get(key) else { return range };
        node = next;
        range = first_line(node);
    }
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => &[],
    };
    let says = |it: &&Node| matches!(&it.value, Value::Scalar { text, .. } if text == value);
    items.iter().find(says).map_or(range, |it| it.range)
}

/// The first key of a mapping, so that the caret is one line.
fn first_line(node: &Node) -> Range {
    match &node.value {
        Value::Map(entries) => entries.first().map_or(node.range, |(key, _)| key.range),
        _ => node.range,
    }
}
