//! `kilter simulate`: what the alerts of an SLO do in a scenario, without a Prometheus.

use std::path::Path;

use serde_json::{Value, json};

use super::Status;
use super::args::{Simulate, SimulateFormat};
use super::generate::{color, counted, run_with, selected};
use super::progress::Progress;
use crate::diagnostic::{Diagnostic, Findings, report};
use crate::load::{self, SourceFile, Sources};
use crate::model::Name;
use crate::pipeline::Options;
use crate::plan::context::Context;
use crate::plot;
use crate::render::Kind;
use crate::scenario::{self, Scenario};
use crate::simulate::{self, Simulated};
use crate::spec::check::nearest;

pub(super) fn run(args: &Simulate) -> Result<Status, String> {
    let (mut sources, mut found) = (Sources::default(), Vec::new());
    let scenario = scenario(args, &mut sources, &mut found)?;
    let Some(scenario) = scenario.filter(|_| found.is_empty()) else {
        eprint!("{}", report::human(&found, &sources, color()));
        eprintln!("{}", counted(&found));
        return Ok(Status::Findings);
    };
    let progress = Progress::start("reading and planning", false);
    let made = run_with(&args.input, &Options { only: &[Kind::Rules], ..Options::default() })?;
    let Some((estate, ..)) = &made.output else {
        drop(progress);
        eprint!("{}", report::human(&made.diagnostics, &made.sources, color()));
        eprintln!("{}", counted(&made.diagnostics));
        return Ok(Status::Findings);
    };
    let chosen = selected(&made.sources);
    let mut all: Vec<Simulated> = Vec::new();
    let mut names: Vec<&Name> = Vec::new();
    for service in estate.services.iter().filter(|it| chosen.contains(it.name.as_str())) {
        let context = Context::new(estate, service);
        for slo in &service.slos {
            names.push(&slo.name);
            if args.slo.is_empty() || args.slo.contains(&slo.name) {
                progress.say(|| format!("playing it to {}/{}", service.name, slo.name));
                all.extend(simulate::simulate(&context, slo, &scenario));
            }
        }
    }
    drop(progress);
    if let Some(unknown) = args.slo.iter().find(|it| !names.contains(it)) {
        return Err(nobody(unknown, &names));
    }
    tell(args.format, &all)?;
    Ok(Status::Fine)
}

/// Reads the scenario, from a file when there is one of that name.
fn scenario(args: &Simulate, sources: &mut Sources, found: &mut Vec<Diagnostic>) -> Result<Option<Scenario>, String> {
    let path = Path::new(&args.scenario);
    let named = path.extension().is_some_and(|it| it == "yaml" || it == "yml");
    // No step has a slash in it.
    let is_file = named || path.is_file() || args.scenario.contains('/');
    sources.files.push(if is_file {
        load::one(path).map_err(|error| error.to_string())?
    } else {
        SourceFile { path: "--scenario".to_owned(), text: args.scenario.clone() }
    });
    if let Some(text) = &args.traffic {
        sources.files.push(SourceFile { path: "--traffic".to_owned(), text: text.clone() });
    }
    let mut findings = Findings::new(0, sources, found);
    let mut read = if is_file { scenario::read(&mut findings) } else { scenario::inline(&mut findings) };
    if args.traffic.is_some() {
        let traffic = scenario::traffic(&mut Findings::new(1, sources, found));
        if let (Some(read), Some(traffic)) = (&mut read, traffic) {
            read.traffic = traffic;
        }
    }
    Ok(read)
}

fn nobody(unknown: &Name, names: &[&Name]) -> String {
    let known: Vec<&str> = names.iter().map(|it| it.as_str()).collect();
    let near = nearest(unknown.as_str(), &known).map(|it| format!("did you mean `{it}`? ")).unwrap_or_default();
    format!("there is no SLO `{unknown}`\n  next: {near}there are: {}", known.join(", "))
}

fn tell(format: SimulateFormat, all: &[Simulated]) -> Result<(), String> {
    match format {
        SimulateFormat::Human => {
            for (number, it) in all.iter().enumerate() {
                print!("{}{}", if number == 0 { "" } else { "\n\n" }, simulate::human(it));
            }
        }
        SimulateFormat::Json => {
            let slos: Vec<Value> = all.iter().map(simulate::json).collect();
            println!("{:#}", json!({"slos": slos}));
        }
        SimulateFormat::Svg => match all {
            [one] => print!("{}", plot::svg(&simulate::plot(one, "kilter"))),
            several => {
                let names: Vec<&str> = several.iter().map(|it| it.slo.as_str()).collect();
                return Err(format!("a drawing shows one SLO\n  next: --slo NAME, one of: {}", names.join(", ")));
            }
        },
    }
    Ok(())
}
