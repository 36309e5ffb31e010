//! One thing that an SLO counts on: which series, and what the pages have of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Severity;
use crate::exposition::Raw;
use crate::promql::Matcher;
use crate::spec::check::{nearest, printable};
use crate::yaml::Range;

/// How many values are kept for a suggestion.
const MOST: usize = 200;

/// One thing that must be there.
#[derive(Debug)]
pub(super) struct Want {
    /// Service and SLO.
    pub(super) slo: String,
    /// Index of its file, and the place of what asks for it.
    pub(super) at: (usize, Range),
    /// The family, as it is named in messages.
    pub(super) family: String,
    /// What must match, the label that it is about first.
    pub(super) tests: Vec<Test>,
    /// The threshold of a latency SLO.
    pub(super) bound: Option<f64>,
    pub(super) role: Role,
    /// Labels by which it is divided, with their places.
    pub(super) by: Vec<(String, Range)>,
    /// What the pages had.
    pub(super) seen: Seen,
}

/// What becomes of it when it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The SLO has no data.
    Needed,
    /// There may have been none yet.
    Errors,
}

/// What the pages have of its metric.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) family: bool,
    /// The values of the label of each test; none when no series has the label.
    values: Vec<BTreeSet<String>>,
    /// Bounds of a histogram.
    bounds: BTreeSet<String>,
    /// Series by the tests that they pass, a bit for each: only at the end is it known which labels there are.
    passed: BTreeMap<u64, Passed>,
}

/// Series that match.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) series: usize,
    /// Histograms among them, and those of them with the bound.
    pub(super) whole: usize,
    pub(super) bounded: usize,
    /// Labels by which it is divided that one of them has.
    pub(super) by: BTreeSet<String>,
}

#[derive(Debug)]
pub(super) enum Test {
    OneOf(String, Vec<String>),
    Not(String, &'static str),
    Matches(Matcher),
}

impl Test {
    fn label(&self) -> &str {
        match self {
            Self::OneOf(label, _) | Self::Not(label, _) => label,
            Self::Matches(it) => &it.label,
        }
    }

    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::OneOf(_, all) => all.iter().any(|it| it == value),
            Self::Not(_, it) => value != *it,
            Self::Matches(it) => it.accepts(value),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::OneOf(label, all) => format!("{label}=\"{}\"", printable(&all.join("|"))),
            Self::Not(label, it) => format!("{label}!=\"{it}\""),
            Self::Matches(it) => format!("{}{}\"{}\"", it.label, it.sign(), printable(&it.value)),
        }
    }

    /// What it asks for, as far as a suggestion needs it.
    fn wanted(&self) -> &str {
        match self {
            Self::OneOf(_, all) => all.first().map_or("", String::as_str),
            Self::Matches(it) => &it.value,
            Self::Not(..) => "",
        }
    }
}

/// The bit of a test. Nobody writes more than sixty-four; what comes behind them counts as passed.
fn bit(index: usize) -> u64 {
    u32::try_from(index).ok().and_then(|it| 1u64.checked_shl(it)).unwrap_or(0)
}

fn keep(values: &mut BTreeSet<String>, value: &str) {
    if !value.is_empty() && values.len() < MOST && !values.contains(value) {
        values.insert(value.to_owned());
    }
}

impl Want {
    /// Series without a threshold, which the SLO needs.
    pub(super) fn of(slo: &str, at: (usize, Range), family: &str, tests: Vec<Test>) -> Self {
        let values = tests.iter().map(|_| BTreeSet::new()).collect();
        let seen = Seen { values, ..Seen::default() };
        let (slo, family) = (slo.to_owned(), family.to_owned());
        Self { slo, at, family, tests, bound: None, role: Role::Needed, by: Vec::new(), seen }
    }

    /// A series of its name; a label that the scrape adds need not be there.
    pub(super) fn see(&mut self, raw: &Raw<'_>, scraped: &BTreeSet<String>) {
        self.seen.family = true;
        let mut mask = 0;
        for (index, (test, values)) in self.tests.iter().zip(&mut self.seen.values).enumerate() {
            let value = raw.label(test.label());
            keep(values, value);
            if test.accepts(value) || value.is_empty() && scraped.contains(test.label()) {
                mask |= bit(index);
            }
        }
        let le = raw.label("le");
        if self.bound.is_some() {
            keep(&mut self.seen.bounds, le);
        }
        let passed = self.seen.passed.entry(mask).or_default();
        passed.series += 1;
        for (label, _) in &self.by {
            if !raw.label(label).is_empty() && !passed.by.contains(label) {
                passed.by.insert(label.clone());
            }
        }
        let le = le.parse::<f64>().unwrap_or(f64::NAN);
        passed.whole += usize::from(le.is_infinite());
        // Both are the nearest number to the same decimal.
        passed.bounded += usize::from(self.bound.is_some_and(|it| it.to_bits() == le.to_bits()));
    }

    /// Tests on labels that no series has are set aside: the scrape may add them. Those of the contract it does not add.
    fn held(&self) -> impl Iterator<Item = (usize, &Test)> {
        let there =
            |(index, test): &(usize, &Test)| !matches!(test, Test::Matches(_)) || !self.seen.values[*index].is_empty();
        self.tests.iter().enumerate().filter(there)
    }

    /// Whether any series passes a test.
    fn any(&self, index: usize) -> bool {
        self.seen.passed.keys().any(|it| it & bit(index) == bit(index))
    }

    /// The series that pass every test which is held.
    pub(super) fn passed(&self) -> Passed {
        let needed = self.held().fold(0, |all, (index, _)| all | bit(index));
        let mut sum = Passed::default();
        for it in self.seen.passed.iter().filter(|(mask, _)| *mask & needed == needed).map(|(_, it)| it) {
            sum.series += it.series;
            sum.whole += it.whole;
            sum.bounded += it.bounded;
            sum.by.extend(it.by.iter().cloned());
        }
        sum
    }

    pub(super) fn bounds(&self) -> String {
        let mut all: Vec<f64> =
            self.seen.bounds.iter().filter_map(|it| it.parse().ok()).filter(|it: &f64| it.is_finite()).collect();
        all.sort_by(f64::total_cmp);
        all.dedup();
        all.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
    }

    /// There are series of this name, and none that it counts, or only if the scrape adds a label.
    pub(super) fn unmatched(&self, passed: &Passed) -> Option<(Severity, String, String)> {
        let Self { slo, family, seen, .. } = self;
        let unlabelled = |it: &(usize, &Test)| seen.values[it.0].is_empty() && !self.any(it.0);
        let lacks = |test: &Test| {
            let label = test.label();
            format!("`{slo}` asks for `{}`, and no series of `{family}` has the label `{label}`", test.text())
        };
        if passed.series > 0 {
            let (_, test) = self.tests.iter().enumerate().find(unlabelled)?;
            let help = "correct the label; when the scrape adds it, nothing is wrong";
            return Some((Severity::Warning, lacks(test), help.to_owned()));
        }
        if let Some((_, test)) = self.held().find(unlabelled) {
            let help = "let the service serve such a request before the page is checked, or declare its routes";
            return Some((Severity::Error, lacks(test), help.to_owned()));
        }
        let asked: Vec<String> = self.held().map(|(_, it)| it.text()).collect();
        let message = format!("`{slo}` counts `{family}{{{}}}`, and the page has no such series", asked.join(","));
        let Some((index, test)) = self.held().find(|(index, _)| !self.any(*index)) else {
            let help = "each is on some series, and no series has all of them: is one of another metric?";
            return Some((Severity::Error, message, help.to_owned()));
        };
        let values: Vec<&str> = seen.values[index].iter().map(String::as_str).collect();
        let wanted = test.wanted();
        let near =
            nearest(wanted, &values).filter(|it| *it != wanted).map(|it| format!("did you mean `{}`? ", printable(it)));
        let shown: Vec<String> = values.iter().take(12).map(|it| printable(it)).collect();
        let help = format!("{}`{}` on the page is: {}", near.unwrap_or_default(), test.label(), shown.join(", "));
        Some((Severity::Error, message, help))
    }
}
