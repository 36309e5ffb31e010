//! `kilter export`: SLOs in another tool's format.

use super::Status;
use super::args::{Export, ExportFormat};
use super::generate::{color, counted, run, selected};
use crate::diagnostic::report;
use crate::formats::export;
use crate::model::TimeScale;

pub(super) fn export(args: &Export) -> Result<Status, String> {
    let made = run(&args.input, TimeScale::REAL)?;
    eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
    let Some((estate, ..)) = &made.output else {
        eprintln!("{}; nothing was exported", counted(&made.diagnostics));
        return Ok(Status::Findings);
    };
    let selected = selected(&made.sources);
    let ExportFormat::Openslo = args.to;
    let exported = export::openslo(estate, &|name| selected.contains(name))?;
    print!("{}", exported.text);
    exported.missing.iter().for_each(|it| eprintln!("not exported: {it}"));
    Ok(if exported.missing.is_empty() { Status::Fine } else { Status::Findings })
}
