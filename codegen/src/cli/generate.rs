//! `kilter generate`.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Status;
use super::args::{Generate, Input, OutcomeFormat};
use super::progress::Progress;
use crate::change::{self, words};
use crate::diagnostic::{Diagnostic, Severity, report};
use crate::load::{self, LoadOptions, Sources};
use crate::model::TimeScale;
use crate::output::{self, Difference, Mode, Report, lock};
use crate::pipeline::{self, Made, Options};
use crate::yaml::Value;

pub(super) fn generate(args: &Generate) -> Result<Status, String> {
    if args.format == OutcomeFormat::Markdown && !args.diff {
        return Err("--format markdown tells what would change\n  next: add --diff".to_owned());
    }
    let how = if args.check || args.diff { Mode::Check } else { Mode::Write };
    let folder = args.out.clone().unwrap_or_else(|| load::root(&options(&args.input)));
    // From before the first file is read, so that of two runs the later one writes what the later files say.
    let mut waiting = || eprintln!("another kilter is at work in {}: waiting for it", folder.display());
    let lock = lock::lock(&folder, how, lock::PATIENCE, &mut waiting).map_err(|error| error.to_string())?;
    let progress = Progress::start("reading and planning", args.quiet);
    let mut made = run_with(&args.input, &wanted(args))?;
    let done = if let Some((_, _, chosen)) = &mut made.output {
        let others = usize::from(made.sources.has_config) + usize::from(made.sources.alertmanager_base.is_some());
        // Templates and the like have no tree.
        let slo_files = made.sources.trees.len() - others;
        let whole = args.only.is_empty() && made.sources.selected.len() == slo_files;
        let selected = selected(&made.sources);
        chosen.retain(|it| args.only.is_empty() || args.only.contains(&it.kind));
        chosen.retain(|it| it.service.as_deref().is_none_or(|name| selected.contains(name)));
        progress.say(|| format!("{} {} files", if how == Mode::Write { "writing" } else { "comparing" }, chosen.len()));
        Some(output::apply(chosen, &folder, how, whole).map_err(|error| error.to_string())?)
    } else if how == Mode::Write {
        let selected = selected(&made.sources);
        made.bounds.retain(|it| it.service.as_deref().is_some_and(|name| selected.contains(name)));
        // Only these: rules would ask for bounds that no instance exposes.
        output::apply(&made.bounds, &folder, how, false).map_err(|error| error.to_string())?;
        None
    } else {
        None
    };
    drop((progress, lock));
    let status = tell(args, &made, &folder, done);
    // The process ends here: nobody needs to take a whole estate apart first.
    std::mem::forget(made);
    Ok(status)
}

/// What the arguments ask of the stages.
fn wanted(args: &Generate) -> Options<'_> {
    Options {
        scale: args.time_scale,
        compat: &args.compat,
        target: args.target,
        only: &args.only,
        out: args.out.as_deref(),
    }
}

/// Data to stdout, talk to stderr.
fn tell(args: &Generate, made: &Made, folder: &Path, done: Option<Report>) -> Status {
    let json = args.format == OutcomeFormat::Json;
    if !json {
        eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
    }
    let Some(done) = done else {
        if json {
            println!("{:#}", json!({"findings": report::json_value(&made.diagnostics, &made.sources)}));
        }
        eprintln!("{}; {}", counted(&made.diagnostics), bounds_written(args, made, folder));
        return Status::Findings;
    };
    let stale = !(done.changed.is_empty() && done.removed.is_empty());
    let diff: String = done.differences.iter().map(Difference::unified).collect();
    let change = change::of(&done.differences);
    match args.format {
        OutcomeFormat::Json => {
            let findings = report::json_value(&made.diagnostics, &made.sources);
            let mut outcome = json!({"changed": done.changed, "removed": done.removed, "unchanged": done.unchanged, "findings": findings});
            if args.diff || args.check {
                outcome["change"] = words::json(&change, &diff);
            }
            println!("{outcome:#}");
        }
        OutcomeFormat::Markdown => print!("{}", words::markdown(&change, &diff)),
        OutcomeFormat::Human if args.diff => print!("{}{diff}", words::human(&change)),
        OutcomeFormat::Human => print!("{diff}"),
    }
    if args.check && stale {
        eprintln!("stale: {}\n  next: kilter generate", [done.changed, done.removed].concat().join(", "));
        return Status::Findings;
    }
    if args.quiet {
        return Status::Fine;
    }
    if args.check || args.diff {
        let (changed, removed) = (done.changed.len(), done.removed.len());
        if stale {
            eprintln!("{changed} files would be written, {removed} removed; {} are fresh", done.unchanged);
        } else {
            eprintln!("{} files are fresh", done.unchanged);
        }
        return Status::Fine;
    }
    for path in &done.changed {
        eprintln!("wrote {}", folder.join(path).display());
    }
    for path in &done.removed {
        eprintln!("removed {} (nothing makes it any more)", folder.join(path).display());
    }
    let services = made.output.as_ref().map_or(0, |(estate, ..)| estate.services.len());
    eprintln!(
        "{services} service{}, {} files written, {} unchanged",
        plural(services),
        done.changed.len(),
        done.unchanged
    );
    Status::Fine
}

/// What was written although something is wrong: the bounds that services must be built with first.
fn bounds_written(args: &Generate, made: &Made, folder: &Path) -> String {
    if made.bounds.is_empty() || args.check || args.diff {
        return "nothing was written".to_owned();
    }
    let files: Vec<String> = made.bounds.iter().map(|it| folder.join(&it.path).display().to_string()).collect();
    format!(
        "wrote {} and nothing else\n  next: build the service with it, as in kilter::service!(bounds: \"path/to/{}\"), roll it out, then kilter generate",
        files.join(", "),
        made.bounds[0].path
    )
}

/// Services of the files that a PATH named.
pub(super) fn selected(sources: &Sources) -> BTreeSet<&str> {
    let service = |index: &usize| match &sources.trees[*index].as_ref()?.get("service")?.value {
        Value::Scalar { text, .. } => Some(text.as_str()),
        _ => None,
    };
    sources.selected.iter().filter_map(service).collect()
}

pub(super) fn run(input: &Input, scale: TimeScale) -> Result<Made, String> {
    run_with(input, &Options { scale, ..Options::default() })
}

/// The current folder.
pub(super) fn current() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

fn options(input: &Input) -> LoadOptions {
    LoadOptions { paths: input.paths.clone(), config: input.config.clone(), current: current() }
}

pub(super) fn run_with(input: &Input, wanted: &Options<'_>) -> Result<Made, String> {
    pipeline::run_with(&options(input), wanted).map_err(|error| error.to_string())
}

pub(super) fn counted(all: &[Diagnostic]) -> String {
    let count = |severity: Severity| all.iter().filter(|it| it.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    format!("{errors} error{}, {warnings} warning{}", plural(errors), plural(warnings))
}

pub(super) const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Colour for a terminal, unless `NO_COLOR` is set (no-color.org).
pub(super) fn color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
        && std::io::stderr().is_terminal()
        && std::io::stdout().is_terminal()
}
