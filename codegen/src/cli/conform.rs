//! `kilter conform`: whether metrics pages are what rules expect.

use std::path::Path;

use serde_json::json;

use super::Status;
use super::args::{Conform, ReportFormat};
use super::generate::{color, counted, current};
use super::progress::Progress;
use crate::conform::{self, Budget, Checked, Given, Settings, Shown};
use crate::diagnostic::{Diagnostic, Severity, any_error, report};
use crate::exposition::Form;
use crate::fetch;
use crate::load::{self, LoadOptions, STDIN, Sources};
use crate::model::{Estate, TimeScale};
use crate::resolve;

pub(super) fn conform(args: &Conform) -> Result<Status, String> {
    let current = current();
    let (sources, found, estate) = slos(args, &current)?;
    let progress = Progress::start("reading the page", args.format != ReportFormat::Human);
    let form = if args.openmetrics { Form::OpenMetrics } else { Form::Text };
    let mut pages = Vec::new();
    for from in &args.pages {
        let page =
            fetch::page_as(from, &current, form).map_err(|it| it.to_string().replace("init --from", "conform"))?;
        let shown = if from == "-" { STDIN } else { from };
        pages.push(Given { from: shown.to_owned(), text: page.text, form: page.form });
    }
    let budget = |given: Option<usize>, usual: Budget| given.map_or(usual, |series| Budget { series, set: true });
    let usual = Settings::default();
    let settings = Settings {
        family_series: budget(args.family_series, usual.family_series),
        page_series: budget(args.page_series, usual.page_series),
    };
    let mut checked = conform::check(pages, sources, estate.as_ref(), &settings);
    checked.diagnostics.extend(found);
    drop(progress);
    print(args.format, &checked);
    let strict = args.strict && checked.diagnostics.iter().any(|it| it.severity == Severity::Warning);
    Ok(if any_error(&checked.diagnostics) || strict { Status::Findings } else { Status::Fine })
}

/// The SLO files with their errors; no estate when there are any, or no file.
fn slos(args: &Conform, current: &Path) -> Result<(Sources, Vec<Diagnostic>, Option<Estate>), String> {
    if args.slo.is_empty() {
        return Ok((Sources::in_folder(current.to_path_buf()), Vec::new(), None));
    }
    let options = LoadOptions { paths: args.slo.clone(), config: args.config.clone(), current: current.to_path_buf() };
    let (mut sources, mut found) = load::sources(&options).map_err(|error| error.to_string())?;
    sources.bounds = load::bounds(&sources.root);
    let (estate, more) = resolve::estate(&sources, TimeScale::REAL);
    // Which bounds there are is what the page says.
    found.extend(more.into_iter().filter(|it| it.severity == Severity::Error && !resolve::awaits_bounds(it)));
    let estate = estate.filter(|_| !any_error(&found));
    Ok((sources, found, estate))
}

fn print(format: ReportFormat, checked: &Checked) {
    let Checked { sources, diagnostics: all, pages } = checked;
    match format {
        ReportFormat::Human => {
            print!("{}", report::human(all, sources, color()));
            pages.iter().for_each(|it| eprintln!("{}", in_words(it)));
            eprintln!("{}", counted(all));
        }
        ReportFormat::Json => {
            println!("{:#}", json!({"pages": pages, "findings": report::json_value(all, sources)}));
        }
        ReportFormat::Github => print!("{}", report::github(all, sources)),
        ReportFormat::Sarif => print!("{}", report::sarif(all, sources)),
        ReportFormat::Junit => print!("{}", report::junit("kilter conform", all, sources)),
    }
}

fn in_words(page: &Shown) -> String {
    let Shown { page: from, families, series, contract, .. } = page;
    let of = match contract.len() {
        0 => "none of the contract".to_owned(),
        some => format!("{some} of the contract"),
    };
    let families_of = if *families == 1 { "family" } else { "families" };
    format!("{from}: {series} series in {families} {families_of}, {of}")
}
