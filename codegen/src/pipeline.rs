//! The stages in order: the only place that knows it.

use std::path::Path;

use clap::ValueEnum as _;

use crate::diagnostic::{Diagnostic, any_error};
use crate::load::{self, Drafts, LoadError, LoadOptions, Sources};
use crate::model::{Compat, Estate, Target, TimeScale};
use crate::plan::{self, Plan};
use crate::render::engine::TemplateError;
use crate::render::{self, Artifact, Kind, RenderError, patch, templates};
use crate::{lint, resolve};

/// Everything that the pure stages made.
#[derive(Debug)]
pub struct Made {
    /// What was read.
    pub sources: Sources,
    /// Everything found, warnings included.
    pub diagnostics: Vec<Diagnostic>,
    /// The estate and its outputs; `None` when anything is an error.
    pub output: Option<(Estate, Plan, Vec<Artifact>)>,
    /// The bounds files that services must be built with first, when that is all that is wrong.
    pub bounds: Vec<Artifact>,
}

impl Made {
    /// Nothing but findings.
    fn stopped(sources: Sources, diagnostics: Vec<Diagnostic>) -> Self {
        Self { sources, diagnostics, output: None, bounds: Vec::new() }
    }
}

/// Not a mistake in the user's files.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// Nothing could be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A template failed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A plan could not be written as text.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// Load, parse, resolve, plan, lint, render.
pub fn run(options: &LoadOptions, scale: TimeScale) -> Result<Made, PipelineError> {
    run_with(options, &Options { scale, ..Options::default() })
}

/// What a run asks for beside its files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// Divides every window and interval.
    pub scale: TimeScale,
    /// Tools whose series are recorded beside those that the estate asks for.
    pub compat: &'a [Compat],
    /// Another target than the estate says.
    pub target: Option<Target>,
    /// What belongs only to other outputs is not planned; everything when empty.
    pub only: &'a [Kind],
    /// Where generated files are; the folder of the configuration when `None`.
    pub out: Option<&'a Path>,
}

/// The same, as the options ask.
pub fn run_with(options: &LoadOptions, wanted: &Options<'_>) -> Result<Made, PipelineError> {
    run_drafts(options, &[], wanted)
}

/// The same, as if drafts were on disk.
pub fn run_drafts(options: &LoadOptions, drafts: &Drafts, wanted: &Options<'_>) -> Result<Made, PipelineError> {
    let (mut sources, diagnostics) = load::sources_with(options, drafts)?;
    sources.bounds = load::bounds(wanted.out.unwrap_or(&sources.root));
    let mut made = stages((sources, diagnostics), wanted)?;
    // A change in our words would break a file of another tool.
    let foreign = made.diagnostics.iter_mut().filter(|it| made.sources.foreign.contains_key(&it.span.file));
    foreign.for_each(|it| it.fix.clear());
    Ok(made)
}

fn stages(loaded: (Sources, Vec<Diagnostic>), wanted: &Options<'_>) -> Result<Made, PipelineError> {
    let (sources, mut diagnostics) = loaded;
    let Options { scale, compat, target, only, .. } = *wanted;
    // A template or a patch of the estate's own is checked against everything that it can touch.
    let own = !sources.templates.is_empty() || !sources.patches.is_empty();
    let only = match only {
        _ if !own => only,
        it if it.contains(&Kind::Backfill) => Kind::value_variants(),
        _ => &[],
    };
    let (estate, found) = resolve::estate(&sources, scale);
    diagnostics.extend(found);
    let (templates, found) = templates::of(&sources);
    diagnostics.extend(found);
    if let Some(estate) = estate.as_ref().filter(|_| any_error(&diagnostics)) {
        let all = any_error(diagnostics.iter().filter(|it| !resolve::awaits_bounds(it)));
        let bounds = if all { Vec::new() } else { render::bounds::all(estate) };
        return Ok(Made { bounds, ..Made::stopped(sources, diagnostics) });
    }
    let Some(mut estate) = estate else { return Ok(Made::stopped(sources, diagnostics)) };
    estate.compat.extend(compat);
    estate.target = target.unwrap_or(estate.target);
    let plan = match plan::plan_only(&estate, &templates, only) {
        Ok(plan) => plan,
        Err(error) => {
            diagnostics.extend(templates::diagnostic(&error, &sources).ok_or(error)?);
            return Ok(Made::stopped(sources, diagnostics));
        }
    };
    diagnostics.extend(lint::lint(&estate, &plan, &sources));
    if any_error(&diagnostics) {
        return Ok(Made::stopped(sources, diagnostics));
    }
    let mut artifacts = render::render_only(&estate, &plan, only)?;
    if !sources.templates.is_empty() {
        render::rules::parsed_back(&plan, &artifacts)?;
        diagnostics.extend(templates::check_runbooks(&sources, &artifacts));
    }
    diagnostics.extend(patch::apply(&sources, &estate, &mut artifacts));
    if any_error(&diagnostics) {
        return Ok(Made::stopped(sources, diagnostics));
    }
    // From the files as they are proven, patches included.
    render::target::add(&estate, &mut artifacts)?;
    Ok(Made { sources, diagnostics, output: Some((estate, plan, artifacts)), bounds: Vec::new() })
}
