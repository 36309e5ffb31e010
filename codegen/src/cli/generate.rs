//! `kilter generate`.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use super::Status;
use super::args::{Generate, Input};
use crate::diagnostic::{Diagnostic, Severity, report};
use crate::load::LoadOptions;
use crate::model::{Compat, TimeScale};
use crate::output::{self, Mode};
use crate::pipeline::{self, Made};
use crate::render::Kind;
use crate::yaml::Value;

pub(super) fn generate(args: &Generate) -> Result<Status, String> {
    let mut made = run_with(&args.input, args.time_scale, &args.compat, &args.only)?;
    eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
    let Some((estate, plan, mut chosen)) = made.output.take() else {
        eprintln!("{}; nothing was written", counted(&made.diagnostics));
        return Ok(Status::Findings);
    };
    let others = usize::from(made.sources.has_config) + usize::from(made.sources.alertmanager_base.is_some());
    // Templates and the like have no tree.
    let slo_files = made.sources.trees.len() - others;
    let whole = args.only.is_empty() && made.sources.selected.len() == slo_files;
    let selected = selected(&made);
    chosen.retain(|it| args.only.is_empty() || args.only.contains(&it.kind));
    chosen.retain(|it| it.service.as_deref().is_none_or(|name| selected.contains(name)));
    let folder = args.out.clone().unwrap_or_else(|| made.sources.root.clone());
    let how = if args.check { Mode::Check } else { Mode::Write };
    let done = output::apply(&chosen, &folder, how, whole).map_err(|error| error.to_string())?;
    if args.check {
        print!("{}", done.diff);
        if done.changed.is_empty() && done.removed.is_empty() {
            eprintln!("{} files are fresh", done.unchanged);
            return Ok(Status::Fine);
        }
        eprintln!("stale: {}\n  next: kilter generate", [done.changed, done.removed].concat().join(", "));
        return Ok(Status::Findings);
    }
    for path in &done.changed {
        eprintln!("wrote {}", folder.join(path).display());
    }
    for path in &done.removed {
        eprintln!("removed {} (nothing makes it any more)", folder.join(path).display());
    }
    let services = estate.services.len();
    eprintln!(
        "{services} service{}, {} files written, {} unchanged",
        plural(services),
        done.changed.len(),
        done.unchanged
    );
    // The process ends here: nobody needs to take a whole estate apart first.
    std::mem::forget((estate, plan, chosen, made));
    Ok(Status::Fine)
}

/// Services of the files that a PATH named.
pub(super) fn selected(made: &Made) -> BTreeSet<&str> {
    let service = |index: &usize| match &made.sources.trees[*index].as_ref()?.get("service")?.value {
        Value::Scalar { text, .. } => Some(text.as_str()),
        _ => None,
    };
    made.sources.selected.iter().filter_map(service).collect()
}

pub(super) fn run(input: &Input, scale: TimeScale) -> Result<Made, String> {
    run_with(input, scale, &[], &[])
}

fn run_with(input: &Input, scale: TimeScale, compat: &[Compat], only: &[Kind]) -> Result<Made, String> {
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let options = LoadOptions { paths: input.paths.clone(), config: input.config.clone(), current };
    pipeline::run_with(&options, scale, compat, only).map_err(|error| error.to_string())
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
