//! `kilter lint`: everything that is wrong, and with `--fix` the mechanical part of it mended.

use super::Status;
use super::args::{Lint, ReportFormat};
use super::generate::{color, counted, plural, run};
use crate::diagnostic::{any_error, fix, report};
use crate::load::STDIN;
use crate::model::TimeScale;
use crate::output;
use crate::pipeline::Made;

pub(super) fn lint(args: &Lint) -> Result<Status, String> {
    let mut made = run(&args.input, TimeScale::REAL)?;
    if args.fix && mend(&made)? {
        made = run(&args.input, TimeScale::REAL)?;
    }
    match args.format {
        ReportFormat::Human => {
            print!("{}", report::human(&made.diagnostics, &made.sources, color()));
            eprintln!("{}", counted(&made.diagnostics));
        }
        ReportFormat::Json => print!("{}", report::json(&made.diagnostics, &made.sources)),
        ReportFormat::Github => print!("{}", report::github(&made.diagnostics, &made.sources)),
        ReportFormat::Sarif => print!("{}", report::sarif(&made.diagnostics, &made.sources)),
        ReportFormat::Junit => print!("{}", report::junit(&made.diagnostics, &made.sources)),
    }
    Ok(if any_error(&made.diagnostics) { Status::Findings } else { Status::Fine })
}

/// Writes every mechanical change; whether there was any.
fn mend(made: &Made) -> Result<bool, String> {
    let mut any = false;
    for (index, file) in made.sources.files.iter().enumerate() {
        let Some((text, count)) = fix::applied(&file.text, index, &made.diagnostics) else { continue };
        if file.path == STDIN {
            return Err("the standard input cannot be mended\n  next: name the file that --fix shall write".to_owned());
        }
        let path = made.sources.root.join(&file.path);
        output::replace(&path, &file.text, &text).map_err(|error| error.to_string())?;
        eprintln!("fixed {count} finding{} in {}", plural(count), file.path);
        any = true;
    }
    Ok(any)
}
