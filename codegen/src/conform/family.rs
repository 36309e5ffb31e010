//! What only a whole family shows: its type, unit and bounds, its name, how many series it has.

use std::collections::BTreeSet;

use kilter_contract::CATALOG;

use super::expected::Expected;
use super::former;
use super::found::{Found, text};
use super::page::{Family, PAGE, Page};
use super::{Budget, Settings};
use crate::diagnostic::{Code, Severity};
use crate::spec::check::{least_edits, nearest, printable};
use crate::yaml::Range;

/// How many labels are named when a family has too many series.
const WORST: usize = 3;

impl Page<'_, '_> {
    /// Looks at every family that has series.
    pub(super) fn families(&mut self, settings: &Settings, wanted: &BTreeSet<&str>) {
        let Self { families, found, openmetrics, .. } = self;
        for (index, family) in families.iter().enumerate().filter(|(_, it)| it.series > 0) {
            histograms(family, index, *openmetrics, wanted, found);
            names(family, index, *openmetrics, found);
            values(family, index, found);
            if let Some(expected) = family.expected {
                kind(family, index, expected, *openmetrics, found);
                bounds(family, index, expected, found);
            }
            if family.series > settings.family_series.series {
                too_many(family, index, settings, found);
            }
        }
        helps(families, *openmetrics, found);
        if self.series > settings.page_series.series {
            self.page_too_large(settings);
        }
    }

    fn page_too_large(&mut self, settings: &Settings) {
        let mut largest: Vec<&Family<'_, '_>> = self.families.iter().collect();
        largest.sort_by_key(|it| (std::cmp::Reverse(it.series), it.name));
        let Some(first) = largest.first() else { return };
        let named: Vec<String> =
            largest.iter().take(WORST).map(|it| format!("{} ({})", printable(it.name), it.series)).collect();
        let (limit, series, at) = (settings.page_series, self.series, first.first);
        self.found.tell((severity(limit), Code::ManySeries), (PAGE, "page"), at, || {
            text(
                format!("the page has {series} series; the budget is {}", limit.series),
                format!("the largest families: {}; --page-series is the budget", named.join(", ")),
            )
        });
    }
}

/// A budget that somebody set is an error to exceed.
const fn severity(budget: Budget) -> Severity {
    if budget.set { Severity::Error } else { Severity::Warning }
}

fn too_many<'a>(family: &Family<'a, '_>, index: usize, settings: &Settings, found: &mut Found<'a>) {
    let limit = settings.family_series;
    found.tell((severity(limit), Code::ManySeries), (index, "family"), family.first, || {
        let mut worst: Vec<_> = family.labels.iter().filter(|(key, _)| *key != "le").collect();
        worst.sort_by_key(|(key, it)| (std::cmp::Reverse((it.more, it.distinct.len())), *key));
        let named: Vec<String> =
            worst.iter().take(WORST).map(|(key, it)| format!("`{key}` has {} values", it.count())).collect();
        text(
            format!("`{}` has {} series; the budget is {}", family.name, family.series, limit.series),
            format!("{}; --family-series is the budget", named.join(", ")),
        )
    });
}

fn values<'a>(family: &Family<'a, '_>, index: usize, found: &mut Found<'a>) {
    for (key, values) in family.labels.iter().filter(|(key, _)| !["le", "quantile"].contains(key)) {
        for (look, count, at, first) in values.looks.iter().filter(|(look, count, ..)| *count >= look.enough()) {
            found.tell((Severity::Warning, Code::Unbounded), (index, *key), *at, || {
                let so = if *count == 1 { "the value".to_owned() } else { format!("{count} values, such as") };
                text(
                    format!("`{key}` of `{}` holds {}: {so} `{}`", family.name, look.words(), printable(first)),
                    look.help(),
                )
            });
        }
    }
}

fn histograms<'a>(
    family: &Family<'a, '_>,
    index: usize,
    openmetrics: bool,
    wanted: &BTreeSet<&str>,
    found: &mut Found<'a>,
) {
    if family.kind.is_some_and(|(it, _)| it != "histogram") {
        return;
    }
    // Rules read those of the contract, and those that an SLO names.
    let matters = family.expected.is_some() || wanted.contains(family.name);
    let mut all: Vec<_> = family.histograms.values().collect();
    all.sort_by_key(|it| it.at);
    // A counter `x_count` beside nothing else is no histogram.
    let any = family.kind.is_some() || all.iter().any(|it| !it.buckets.is_empty());
    for wrong in all.into_iter().filter(|_| any).flat_map(super::histogram::Histogram::wrong) {
        let severity = if matters && (openmetrics || !wrong.order) { Severity::Error } else { Severity::Warning };
        found.tell((severity, Code::PageBuckets), (index, wrong.kind), wrong.at, || {
            text(format!("a histogram of `{}` {}", family.name, wrong.why), wrong.help)
        });
    }
}

fn kind<'a>(family: &Family<'a, '_>, index: usize, expected: &Expected, openmetrics: bool, found: &mut Found<'a>) {
    let fits = |it: &str| it == expected.instrument || expected.instrument == "info" && it == "gauge";
    let wanted = if expected.instrument == "info" && !openmetrics { "gauge" } else { expected.instrument };
    let help = format!("announce it: # TYPE {} {wanted}", family.name);
    match family.kind {
        Some((said, _)) if fits(said) => {}
        Some((said, at)) if !["untyped", "unknown"].contains(&said) => {
            found.tell((Severity::Error, Code::ContractType), (index, "type"), at, || {
                let whose = expected.whose();
                text(format!("`{}` is a {wanted} in {whose}, here a {}", expected.name, printable(said)), help)
            });
        }
        other => {
            let at = other.map_or(family.first, |(_, at)| at);
            found.tell((Severity::Warning, Code::ContractType), (index, "type"), at, || {
                text(format!("the page does not say the type of `{}`", expected.name), help)
            });
        }
    }
    if let Some((said, at)) = family.unit.filter(|(it, _)| *it != expected.unit) {
        found.tell((Severity::Error, Code::ContractUnit), (index, "unit"), at, || {
            let unit = if expected.unit.is_empty() { "no unit" } else { expected.unit };
            text(
                format!("`{}` is in {unit} in {}, here in {}", expected.name, expected.whose(), printable(said)),
                "convert the values, or leave the line out when they are right",
            )
        });
    }
}

fn bounds<'a>(family: &Family<'a, '_>, index: usize, expected: &Expected, found: &mut Found<'a>) {
    if !expected.is_histogram() {
        return;
    }
    let mut all: Vec<_> = family.histograms.values().filter(|it| !it.buckets.is_empty()).collect();
    all.sort_by_key(|it| it.at);
    let listed = |of: &[f64]| of.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
    for histogram in &all {
        let has = histogram.bounds();
        let missing: Vec<f64> = expected.bounds.iter().copied().filter(|it| !has.contains(it)).collect();
        let known = |it: &f64| expected.bounds.contains(it) || expected.further.contains(it);
        let more: Vec<f64> = has.iter().copied().filter(|it| !known(it)).collect();
        let thousandth = |it: &f64| has.iter().any(|had| (had / 1_000.0 - it).abs() < f64::EPSILON);
        // A library's own milliseconds need not be those of the contract one by one.
        let scaled = missing.iter().filter(|it| thousandth(it)).count();
        if expected.unit == "seconds" && missing.len() * 2 > expected.bounds.len() && scaled * 2 > missing.len() {
            found.tell((Severity::Error, Code::ContractUnit), (index, "bounds"), histogram.at, || {
                text(
                    format!("the bounds of `{}` are milliseconds", expected.name),
                    format!("measure in seconds; the bounds are {}", listed(&expected.bounds)),
                )
            });
            continue;
        }
        if !missing.is_empty() {
            found.tell((Severity::Error, Code::ContractBounds), (index, "missing"), histogram.at, || {
                text(
                    format!("`{}` lacks bounds of {}: {}", expected.name, expected.whose(), listed(&missing)),
                    format!("give the histogram these: {}", listed(&expected.bounds)),
                )
            });
        }
        if !more.is_empty() {
            found.tell((Severity::Note, Code::ContractBounds), (index, "more"), histogram.at, || {
                text(
                    format!("`{}` has bounds beyond those of {}: {}", expected.name, expected.whose(), listed(&more)),
                    "each costs a series for every label set; latency SLOs can use them when the service's contract lists them",
                )
            });
        }
    }
    if let Some(slow) = all.iter().find(|it| expected.unit == "seconds" && it.all_beyond()) {
        found.tell((Severity::Warning, Code::ContractUnit), (index, "values"), slow.at, || {
            text(
                format!("every event of this `{}` is beyond its last bound", expected.name),
                "are these milliseconds? The contract measures in seconds",
            )
        });
    }
}

fn names<'a>(family: &Family<'a, '_>, index: usize, openmetrics: bool, found: &mut Found<'a>) {
    let (name, at) = (family.name, family.first);
    let kind = family.kind.map_or("", |(it, _)| it);
    if openmetrics {
        if kind == "counter" && !family.totals {
            found.tell((Severity::Error, Code::OpenMetrics), (index, "total"), at, || {
                text(format!("the series of the counter `{name}` end in no _total"), format!("name them {name}_total"))
            });
        }
        if let Some((unit, at)) = family.unit.filter(|(it, _)| !it.is_empty() && !name.ends_with(&format!("_{it}"))) {
            found.tell((Severity::Error, Code::OpenMetrics), (index, "unit"), at, || {
                let unit = printable(unit);
                text(format!("`{name}` has the unit {unit} and does not end in it"), format!("name it {name}_{unit}"))
            });
        }
    }
    if family.expected.is_some() {
        return;
    }
    let counter = kind == "counter" && !name.ends_with("_total") && !family.totals && !openmetrics;
    let no_counter = ["gauge", "histogram", "summary"].contains(&kind) && name.ends_with("_total");
    if counter || no_counter {
        let help =
            if counter { format!("name it {name}_total") } else { "is it a counter? Else leave _total out".to_owned() };
        let what = if counter { "is a counter and does not end" } else { "is no counter and ends" };
        found.tell((Severity::Warning, Code::CounterName), (index, "name"), at, || {
            text(format!("`{name}` {what} in _total"), help)
        });
    }
    let asked = if family.totals { format!("{name}_total") } else { name.to_owned() };
    if let Some((signal, more)) = former::signal(&asked) {
        let new: Vec<&str> = signal.labels.iter().map(|it| it.key).collect();
        let renamed: Vec<String> = (family.labels.iter())
            .filter_map(|(key, _)| Some((key, former::label(key, new.iter().copied())?)))
            .filter(|(key, new)| *key != new)
            .map(|(key, new)| format!("{key} is {new}"))
            .collect();
        let renamed = if renamed.is_empty() { String::new() } else { format!("; {}", renamed.join(", ")) };
        found.tell((Severity::Note, Code::FormerName), (index, "name"), at, || {
            text(
                format!("`{asked}` is `{}` in the contract", signal.name),
                format!("rename it when SLOs of the contract shall see it{more}{renamed}"),
            )
        });
    } else if let Some(near) = misspelt(&asked) {
        found.tell((Severity::Warning, Code::NearName), (index, "name"), at, || {
            text(
                format!("`{asked}` is nearly `{near}` of the contract"),
                "correct the name, or choose one that nobody takes for it",
            )
        });
    }
}

/// The signal that a name most likely means. Two edits at most: services have similar names of their own.
fn misspelt(name: &str) -> Option<&'static str> {
    let known: Vec<&str> = CATALOG.iter().flat_map(|it| it.iter()).map(|it| it.name).collect();
    let close = |it: &&str| least_edits(name, it) <= 2 && strsim::damerau_levenshtein(name, it) <= 2;
    if name.len() > 100 {
        return None;
    }
    let near: Vec<&'static str> = known.into_iter().filter(close).collect();
    nearest(name, &near)
}

/// What is not as in the contract and matters to readers only: one finding for all families.
fn helps<'a>(families: &[Family<'a, '_>], openmetrics: bool, found: &mut Found<'a>) {
    let ours = || families.iter().filter(|it| it.series > 0).filter_map(|it| Some((it, it.expected?)));
    let missing: Vec<(&str, Range)> =
        ours().filter(|(it, _)| it.help.is_none()).map(|(it, _)| (it.name, it.first)).collect();
    let other: Vec<(&str, Range)> = ours()
        .filter_map(|(it, expected)| Some((it, it.help?, expected)))
        .filter(|(_, (said, _), expected)| *said != expected.help)
        .map(|(it, (_, at), _)| (it.name, at))
        .collect();
    let units: Vec<(&str, Range)> = ours()
        .filter(|(it, expected)| openmetrics && it.unit.is_none() && !expected.unit.is_empty())
        .map(|(it, _)| (it.name, it.first))
        .collect();
    let all = [
        (missing, Severity::Warning, Code::ContractHelp, "no HELP"),
        (other, Severity::Note, Code::ContractHelp, "another HELP than in the contract"),
        (units, Severity::Note, Code::ContractUnit, "no UNIT"),
    ];
    for (all, severity, code, what) in all {
        let Some((_, at)) = all.first() else { continue };
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        found.tell((severity, code), (PAGE, what), *at, || {
            let have = if names.len() == 1 { "has" } else { "have" };
            text(
                format!("{} of the contract {have} {what}", counted(names.len())),
                format!("`kilter contract` prints what it is there: {}", names.join(", ")),
            )
        });
    }
}

fn counted(families: usize) -> String {
    if families == 1 { "a family".to_owned() } else { format!("{families} families") }
}
