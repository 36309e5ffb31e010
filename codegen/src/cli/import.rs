//! `kilter import`: files of other tools as ours. The YAML goes to stdout, what was not carried to stderr and into comments.

use super::Status;
use super::args::Import;
use super::generate::{color, counted, current};
use crate::diagnostic::{Code, Diagnostic, Findings, any_error, report};
use crate::formats::{self, draft, print};
use crate::load::{self, Services, Sources};
use crate::model::TimeScale;
use crate::resolve;
use crate::yaml::Range;

pub(super) fn import(args: &Import) -> Result<Status, String> {
    let current = current();
    let (sources, drafts, mut diagnostics) = load::foreign(&args.files, &current).map_err(|error| error.to_string())?;
    if args.from != "auto" {
        check_format(&args.from, &sources, &mut diagnostics);
    }
    // What our own file cannot say either, such as a window of a day, is told now rather than at the next command.
    diagnostics.extend(resolve::estate(&sources, TimeScale::REAL).1);
    diagnostics.iter_mut().for_each(|it| it.fix.clear());
    eprint!("{}", report::human(&diagnostics, &sources, color()));
    let services = joined(drafts);
    let wanted: Vec<_> =
        services.iter().filter(|(_, it)| args.service.as_ref().is_none_or(|name| *name == it.name.text)).collect();
    let names: Vec<&str> = services.iter().map(|(_, it)| it.name.text.as_str()).collect();
    if let (Some(name), true) = (&args.service, wanted.is_empty()) {
        return Err(format!("there is no service `{name}` here\n  next: choose one of: {}", names.join(", ")));
    }
    let texts = wanted.iter().map(|(index, service)| {
        let file = &sources.files[*index];
        print::text(service, &file.path, &file.text)
    });
    print!("{}", texts.collect::<Result<Vec<_>, _>>()?.join("---\n"));
    if wanted.len() > 1 {
        eprintln!("{} services, but one file holds one: choose with --service {}", wanted.len(), names.join("|"));
    }
    eprintln!("{}", counted(&diagnostics));
    Ok(if any_error(&diagnostics) { Status::Findings } else { Status::Fine })
}

/// Files of one service are one service, as `generate` reads them.
fn joined(drafts: Services) -> Vec<(usize, draft::Service)> {
    let mut all: Vec<(usize, draft::Service)> = Vec::new();
    for (index, service) in drafts.into_iter().flat_map(|(index, all)| all.into_iter().map(move |it| (index, it))) {
        match all.iter_mut().find(|(_, it)| it.name.text == service.name.text) {
            Some((_, other)) => other.slos.extend(service.slos),
            None => all.push((index, service)),
        }
    }
    all
}

fn check_format(from: &str, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    for (index, file) in sources.files.iter().enumerate().filter(|(index, _)| sources.foreign.get(index) == Some(index))
    {
        let formats::Read::Foreign(foreign) = formats::recognise(&file.text) else { continue };
        for other in foreign.formats().into_iter().filter(|it| it.name != from) {
            let message = format!("this is a file of {}, not of {from}", other.title);
            let mut findings = Findings::new(index, sources, diagnostics);
            findings.error(Code::ForeignVersion, Range::default(), message, "leave --from out: formats are recognised");
        }
    }
}
