//! The stages in order: the only place that knows it.

use crate::diagnostic::{Diagnostic, any_error};
use crate::load::{self, LoadError, LoadOptions, Sources};
use crate::model::{Compat, Estate, TimeScale};
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
    run_with(options, scale, &[], &[])
}

/// The same, with series of other tools beside those that the estate asks for, and without what belongs only to outputs
/// that nobody asks for; all are asked for when none is named.
pub fn run_with(
    options: &LoadOptions,
    scale: TimeScale,
    compat: &[Compat],
    only: &[Kind],
) -> Result<Made, PipelineError> {
    let mut made = stages(options, scale, compat, only)?;
    // A change in our words would break a file of another tool.
    let foreign = made.diagnostics.iter_mut().filter(|it| made.sources.foreign.contains_key(&it.span.file));
    foreign.for_each(|it| it.fix.clear());
    Ok(made)
}

fn stages(options: &LoadOptions, scale: TimeScale, compat: &[Compat], only: &[Kind]) -> Result<Made, PipelineError> {
    let (sources, mut diagnostics) = load::sources(options)?;
    // A template or a patch of the estate's own is checked against everything that it can touch.
    let own = !sources.templates.is_empty() || !sources.patches.is_empty();
    let only = if own { &[] } else { only };
    let (estate, found) = resolve::estate(&sources, scale);
    diagnostics.extend(found);
    let (templates, found) = templates::of(&sources);
    diagnostics.extend(found);
    let Some(mut estate) = estate.filter(|_| !any_error(&diagnostics)) else {
        return Ok(Made { sources, diagnostics, output: None });
    };
    estate.compat.extend(compat);
    let plan = match plan::plan_only(&estate, &templates, only) {
        Ok(plan) => plan,
        Err(error) => {
            diagnostics.extend(templates::diagnostic(&error, &sources).ok_or(error)?);
            return Ok(Made { sources, diagnostics, output: None });
        }
    };
    diagnostics.extend(lint::lint(&estate, &sources));
    if any_error(&diagnostics) {
        return Ok(Made { sources, diagnostics, output: None });
    }
    let mut artifacts = render::render_only(&estate, &plan, only)?;
    if !sources.templates.is_empty() {
        render::rules::parsed_back(&plan, &artifacts)?;
        diagnostics.extend(templates::check_runbooks(&sources, &artifacts));
    }
    diagnostics.extend(patch::apply(&sources, &mut artifacts));
    if any_error(&diagnostics) {
        return Ok(Made { sources, diagnostics, output: None });
    }
    Ok(Made { sources, diagnostics, output: Some((estate, plan, artifacts)) })
}
