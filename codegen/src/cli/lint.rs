//! `kilter lint`: everything that is wrong, and with `--fix` the mechanical part of it mended.

use super::Status;
use super::args::{Input, Lint, ReportFormat};
use super::generate::{color, counted, current, plural, run};
use crate::diagnostic::{Diagnostic, any_error, fix, report};
use crate::lint::on_target;
use crate::load::{self, LoadOptions, RuleFiles, STDIN, Sources};
use crate::model::{Duration, TimeScale};
use crate::output;
use crate::rulefile::{self, Setting};

pub(super) fn lint(args: &Lint) -> Result<Status, String> {
    let mut found = everything(args)?;
    if args.fix && mend(&found)? {
        found = everything(args)?;
    }
    let (all, sources) = (&found.diagnostics, &found.sources);
    match args.format {
        ReportFormat::Human => {
            print!("{}", report::human(all, sources, color()));
            eprintln!("{}", counted(all));
        }
        ReportFormat::Json => print!("{}", report::json(all, sources)),
        ReportFormat::Github => print!("{}", report::github(all, sources)),
        ReportFormat::Sarif => print!("{}", report::sarif(all, sources)),
        ReportFormat::Junit => print!("{}", report::junit("kilter lint", all, sources)),
    }
    Ok(if any_error(all) { Status::Findings } else { Status::Fine })
}

/// Findings and the files that they are about.
struct Found {
    sources: Sources,
    diagnostics: Vec<Diagnostic>,
}

/// Lints the SLO files and the rule files that PATHs name; without a PATH what kilter.yaml names.
fn everything(args: &Lint) -> Result<Found, String> {
    let options =
        LoadOptions { paths: args.input.paths.clone(), config: args.input.config.clone(), current: current() };
    let rules = load::rule_files(&options);
    let mut found = if rules.files.is_empty() || !rules.others.is_empty() {
        let input = Input { paths: rules.others.clone(), config: args.input.config.clone() };
        let made = run(&input, TimeScale::REAL)?;
        let mut diagnostics = made.diagnostics;
        if let (Some((estate, ..)), Some(target)) = (&made.output, args.target) {
            diagnostics.extend(on_target(estate, &made.sources, target));
        }
        Found { sources: made.sources, diagnostics }
    } else {
        Found { sources: Sources::in_folder(rules.sources.root.clone()), diagnostics: Vec::new() }
    };
    found.add(rules, args);
    Ok(found)
}

impl Found {
    /// Lints rule files, and puts their texts behind the others.
    fn add(&mut self, rules: RuleFiles, args: &Lint) {
        let stated = rules.scrape_interval.and_then(|it| it.parse::<Duration>().ok());
        let setting = Setting { target: args.target, scrape_interval: args.scrape_interval.or(stated) };
        let mut all = rulefile::lint(&rules.files, &rules.sources, setting);
        let before = self.sources.files.len();
        for it in &mut all {
            // What is generated is mended at its source.
            if output::is_ours(&rules.sources.files[it.span.file].text) {
                it.fix.clear();
            }
            it.span.file += before;
        }
        self.sources.trees.resize(before, None);
        self.sources.trees.extend(rules.sources.trees);
        self.sources.files.extend(rules.sources.files);
        self.diagnostics.extend(all);
    }
}

/// Writes every mechanical change; whether there was any.
fn mend(found: &Found) -> Result<bool, String> {
    let mut any = false;
    for (index, file) in found.sources.files.iter().enumerate() {
        let Some((text, count)) = fix::applied(&file.text, index, &found.diagnostics) else { continue };
        if file.path == STDIN {
            return Err("the standard input cannot be mended\n  next: name the file that --fix shall write".to_owned());
        }
        let path = found.sources.root.join(&file.path);
        output::replace(&path, &file.text, &text).map_err(|error| error.to_string())?;
        eprintln!("fixed {count} finding{} in {}", plural(count), file.path);
        any = true;
    }
    Ok(any)
}
