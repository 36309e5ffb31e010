//! `kilter generate`.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use super::Status;
use super::args::{Generate, Input};
use crate::diagnostic::{Diagnostic, Severity, report};
use crate::load::LoadOptions;
use crate::model::TimeScale;
use crate::output::{self, Mode};
use crate::pipeline::{self, Made};
use crate::render::Artifact;

pub(super) fn generate(args: &Generate) -> Result<Status, String> {
    let made = run(&args.input, args.time_scale)?;
    eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
    let Some((estate, _, artifacts)) = &made.output else {
        eprintln!("{}; nothing was written", counted(&made.diagnostics));
        return Ok(Status::Findings);
    };
    let whole = args.only.is_empty() && made.sources.selected.len() == estate.services.len();
    let selected: BTreeSet<&str> =
        made.sources.selected.iter().map(|index| made.sources.files[*index].path.as_str()).collect();
    let chosen: Vec<Artifact> = artifacts
        .iter()
        .filter(|it| args.only.is_empty() || args.only.contains(&it.kind))
        .filter(|it| {
            let service = |name: &str| {
                estate.services.iter().any(|s| s.name.as_str() == name && selected.contains(s.source.as_str()))
            };
            it.service.as_deref().is_none_or(service)
        })
        .cloned()
        .collect();
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
    Ok(Status::Fine)
}

pub(super) fn run(input: &Input, scale: TimeScale) -> Result<Made, String> {
    let current = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let options = LoadOptions { paths: input.paths.clone(), config: input.config.clone(), current };
    pipeline::run(&options, scale).map_err(|error| error.to_string())
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
