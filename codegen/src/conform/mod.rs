//! Whether a metrics page, whatever wrote it, is what rules expect: against the format, the contract, the service's own
//! contract, and what its SLOs count on.
//!
//! An error is what Prometheus refuses, what a rule would read wrongly, or an SLO that would have no data. A page that knows
//! nothing of the contract has none: it is not covered, and notes say what its signals would be here.

mod expected;
mod family;
mod former;
mod found;
mod histogram;
mod labels;
mod openmetrics;
mod page;
mod slo;
mod unbounded;
mod want;

use std::collections::BTreeSet;

pub use expected::Own;

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::exposition::Form;
use crate::load::{SourceFile, Sources};
use crate::model::Estate;
use crate::resolve;
use crate::spec::check::printable;
use crate::yaml::Value;
use page::Page;
use slo::Wants;

/// The most series of a family or a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many.
    pub series: usize,
    /// Whether somebody set it: then more is an error, else a warning.
    pub set: bool,
}

/// What a run asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Of each family.
    pub family_series: Budget,
    /// Of the page.
    pub page_series: Budget,
}

impl Default for Settings {
    /// A family of the SDK holds a thousand label sets; as a histogram these are seventeen thousand series.
    fn default() -> Self {
        let usual = |series| Budget { series, set: false };
        Self { family_series: usual(20_000), page_series: usual(50_000) }
    }
}

/// A page to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Where it came from.
    pub from: String,
    /// What stands on it.
    pub text: String,
    /// Its format, when whoever served it said so; else its lines say it.
    pub form: Option<Form>,
}

impl From<(String, String)> for Given {
    fn from((from, text): (String, String)) -> Self {
        Self { from, text, form: None }
    }
}

/// What was checked, and what was found.
#[derive(Debug)]
pub struct Checked {
    /// The SLO files, and the pages behind them: of those only the lines that findings are about.
    pub sources: Sources,
    /// Everything found.
    pub diagnostics: Vec<Diagnostic>,
    /// Each page in numbers.
    pub pages: Vec<Shown>,
}

/// A page in numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// Where it came from.
    pub page: String,
    /// `text` or `openmetrics`.
    pub format: &'static str,
    /// How many families have series.
    pub families: usize,
    /// How many series there are.
    pub series: usize,
    /// Families of the contract, and of the service's own.
    pub contract: Vec<String>,
    /// The families with the most series.
    pub largest: Vec<Largest>,
}

/// A family and its size.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Largest {
    /// Its name.
    pub family: String,
    /// How many series it has.
    pub series: usize,
}

/// Checks pages together: what an SLO counts on must be on one of them. Without an
/// estate they are checked against the contract alone.
pub fn check(
    pages: Vec<impl Into<Given>>,
    mut sources: Sources,
    estate: Option<&Estate>,
    settings: &Settings,
) -> Checked {
    let services: BTreeSet<&str> = sources.selected.iter().filter_map(|it| service(&sources, *it)).collect();
    let known: Vec<(usize, Own)> = match estate {
        Some(_) => sources
            .selected
            .iter()
            .filter_map(|it| Some((*it, resolve::own(*it, service(&sources, *it)?, &sources))))
            .collect(),
        None => Vec::new(),
    };
    let own: Vec<Own> = known.iter().map(|(_, own)| own.clone()).collect();
    let expected = expected::all(&own);
    let mut wants = estate.map(|it| Wants::of(it, &services, &sources)).unwrap_or_default();
    let first = sources.files.len();
    let (mut diagnostics, mut shown, mut files) = (Vec::new(), Vec::new(), Vec::new());
    let mut names: BTreeSet<String> = BTreeSet::new();
    for page in pages {
        let Given { from: path, text, form } = page.into();
        let form = form.unwrap_or_else(|| Form::of(&text));
        let mut page = Page::read(&text, form, &expected, &mut wants);
        page.families(settings, &wants.families());
        shown.push(in_numbers(&path, &page));
        names.extend(page.families.iter().filter(|it| it.series > 0).map(|it| it.name.to_owned()));
        let mut found = page.found.finish();
        let excerpt = found::excerpt(&text, &mut found);
        found.iter_mut().for_each(|it| it.span.file = first + files.len());
        diagnostics.extend(found);
        files.push(SourceFile { path, text: excerpt });
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    diagnostics.extend(wants.finish(&names, &sources));
    let there: BTreeSet<&str> = shown.iter().flat_map(|it| &it.contract).map(String::as_str).collect();
    known.iter().for_each(|it| missing(it, &there, &sources, &mut diagnostics));
    sources.trees.resize(first, None);
    sources.files.extend(files);
    sources.trees.resize(sources.files.len(), None);
    Checked { sources, diagnostics, pages: shown }
}

/// Signals that a service declares for itself and that none of the pages has.
fn missing((file, own): &(usize, Own), there: &BTreeSet<&str>, sources: &Sources, all: &mut Vec<Diagnostic>) {
    let Some(node) = sources.trees.get(*file).and_then(Option::as_ref).and_then(|it| it.get("contract")) else {
        return;
    };
    for signal in own.contract.iter().flat_map(|it| &it.signals).filter(|it| !there.contains(it.name.as_str())) {
        let message = format!("the service declares `{}`, which the page does not have", printable(&signal.name));
        let help = "is the contract file of this build? Else let the service expose it from the start, at zero";
        Findings::new(*file, sources, all).warning(Code::OwnMissing, node.range, message, help);
    }
}

/// The service that a file is about.
fn service(sources: &Sources, file: usize) -> Option<&str> {
    match &sources.trees.get(file)?.as_ref()?.get("service")?.value {
        Value::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

fn in_numbers(path: &str, page: &Page<'_, '_>) -> Shown {
    let mut families: Vec<_> = page.families.iter().filter(|it| it.series > 0).collect();
    let mut contract: Vec<String> = families.iter().filter_map(|it| Some(it.expected?.name.clone())).collect();
    contract.sort();
    let all = families.len();
    families.sort_by_key(|it| (std::cmp::Reverse(it.series), it.name));
    let largest = families.iter().take(5).map(|it| Largest { family: it.name.to_owned(), series: it.series });
    Shown {
        page: path.to_owned(),
        format: if page.openmetrics { "openmetrics" } else { "text" },
        families: all,
        series: page.series,
        contract,
        largest: largest.collect(),
    }
}
