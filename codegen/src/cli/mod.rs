//! The command line: arguments in, exit status out. Data go to stdout, talk to stderr.

// First: its macros are those of the others.
#[macro_use]
mod out;

mod args;
mod backtest;
mod checks;
mod conform;
mod contract;
mod export;
mod generate;
mod import;
mod init;
mod lint;
mod manual;
mod progress;
mod reach;
mod report;
mod simulate;
mod status;
mod test;

use std::process::ExitCode;

use clap::Parser as _;

use crate::diagnostic::explain;
use args::{Args, Command, SchemaOf, TextFormat};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nothing to complain about.
    Fine,
    /// Findings, stale files or failing tests.
    Findings,
    /// It could not run.
    Failed,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(match status {
            Status::Fine => 0,
            Status::Findings => 1,
            Status::Failed => 2,
        })
    }
}

/// Parses the arguments and runs the command.
pub fn main() -> ExitCode {
    let args = Args::parse();
    let status = match args.command {
        Command::Init(it) => init::init(&it),
        Command::Generate(it) => generate::generate(&it),
        Command::Lint(it) => lint::lint(&it),
        Command::Explain { code, format, .. } => {
            match format {
                TextFormat::Human => print!("{}", code.map_or_else(explain::page, explain::text)),
                TextFormat::Json => println!("{:#}", code.map_or_else(explain::all_json, explain::json)),
            }
            Ok(Status::Fine)
        }
        Command::Test(it) => test::run(&it),
        Command::Simulate(it) => simulate::run(&it),
        Command::Conform(it) => conform::conform(&it),
        Command::Backtest(it) => backtest::run(&it),
        Command::Import(it) => import::import(&it),
        Command::Export(it) => export::export(&it),
        Command::Report(it) => report::report(&it),
        Command::Status(it) => status::status(&it),
        Command::Contract(it) => {
            print!("{}", contract::text(it.format));
            Ok(Status::Fine)
        }
        Command::Completions { shell } => {
            manual::completions(shell);
            Ok(Status::Fine)
        }
        Command::Man { out } => manual::man(out.as_deref()),
        Command::Schema { of } => {
            let (object, title) = match of {
                SchemaOf::Slo => (&crate::spec::SLO_FILE, "Kilter SLO file"),
                SchemaOf::Estate => (&crate::spec::ESTATE, "Kilter estate (kilter.yaml)"),
                SchemaOf::Scenario => (&crate::spec::SCENARIO, "Kilter scenario"),
            };
            println!("{:#}", crate::spec::json_schema(object, title));
            Ok(Status::Fine)
        }
    };
    let failed = |error: String| {
        eprintln!("error: {error}");
        Status::Failed
    };
    let status = status.unwrap_or_else(failed);
    out::end().map_or_else(failed, |()| status).into()
}
