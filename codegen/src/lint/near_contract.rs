//! A metric whose name is nearly one of the contract's: most likely misspelt, and then silent for ever.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use kilter_contract::{CATALOG, Signal, find, find_series};

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::spec::check::{least_edits, nearest};

static SERIES: LazyLock<Vec<String>> =
    LazyLock::new(|| CATALOG.iter().flat_map(|it| it.iter()).flat_map(Signal::series).collect());
static NAMES: LazyLock<Vec<String>> =
    LazyLock::new(|| CATALOG.iter().flat_map(|it| it.iter()).map(|it| it.name.to_owned()).collect());

/// Answers by the metric: most SLOs of an estate name the same few.
type Asked = RefCell<HashMap<String, Option<&'static str>>>;

/// Answers that are remembered; beyond that all are forgotten.
const MOST: usize = 1 << 12;

thread_local! {
    static ASKED_SERIES: Asked = RefCell::default();
    static ASKED_NAMES: Asked = RefCell::default();
}

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    // A `latency` SLI names a histogram, all others its series.
    let (asked, known) = if query.kind == "latency" { (&ASKED_NAMES, &NAMES) } else { (&ASKED_SERIES, &SERIES) };
    for (selector, at) in query.selectors() {
        let Some(near) = asked.with_borrow_mut(|it| near(&selector.metric, known, it)) else { continue };
        let range = query.place(sources, *at);
        let message = format!("the contract has no metric `{}`, but it has `{near}`", selector.metric);
        let help = "correct the name; if the service has a metric of its own with this name, rename that";
        Findings::new(query.file, sources, all).warning(Code::NearContract, range, message, help);
    }
}

fn near(
    metric: &str,
    known: &'static [String],
    asked: &mut HashMap<String, Option<&'static str>>,
) -> Option<&'static str> {
    if let Some(near) = asked.get(metric) {
        return *near;
    }
    let near = misspelt(metric, &known.iter().map(String::as_str).collect::<Vec<_>>());
    if asked.len() == MOST {
        asked.clear();
    }
    asked.insert(metric.to_owned(), near);
    near
}

/// The contract's series that a name most likely means. Two edits at most: services have similar names of their own.
fn misspelt<'a>(metric: &str, known: &[&'a str]) -> Option<&'a str> {
    if known.iter().all(|it| least_edits(metric, it) > 2) {
        return None;
    }
    let near = nearest(metric, known).filter(|_| find_series(metric).is_none() && find(metric).is_none())?;
    (strsim::damerau_levenshtein(metric, near) <= 2).then_some(near)
}
