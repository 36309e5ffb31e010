//! Templates of the estate's own, in place of ours. Whatever is wrong with one is told with its line and column, and what
//! it renders must be able to stand in an alert: a page with a broken text helps nobody at night.

use handlebars::{RenderErrorReason, TemplateErrorReason};

use super::engine::{TemplateError, Templates};
use super::{Artifact, Kind};
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::plan::words::Words;
use crate::spec::check::help;
use crate::yaml::Range;

/// Our templates, with the estate's own in their place, and what is wrong with those.
pub fn of(sources: &Sources) -> (Templates, Vec<Diagnostic>) {
    let (mut templates, mut all) = (Templates::new(), Vec::new());
    for (file, name) in &sources.templates {
        let mut findings = Findings::new(*file, sources, &mut all);
        let known = Templates::names();
        if !known.contains(&name.as_str()) {
            let message = format!("Kilter renders no template `{name}`");
            findings.error(Code::BadTemplate, Range::default(), message, help(name, &known));
            continue;
        }
        let text = &sources.files[*file].text;
        if let Err(error) = templates.replace(name, text) {
            let (line, column) = error.pos().unwrap_or((1, 1));
            let said = match error.reason() {
                TemplateErrorReason::InvalidSyntax(_) => {
                    "something before this place is not closed, or not known".to_owned()
                }
                reason => first_line(&reason.to_string()),
            };
            let message = format!("not a Handlebars template: {said}");
            let help = "expressions are {{name}}, blocks {{#if name}}...{{/if}}; see handlebarsjs.com/guide";
            findings.error(Code::BadTemplate, place(text, line, column), message, help);
            // Ours again, so that the others can still be looked at.
            templates.restore(name);
        } else if name.starts_with("alerts/") {
            probe(&templates, name, text, &mut findings);
        }
    }
    (templates, all)
}

/// Renders an alert's text with words of an example.
fn probe(templates: &Templates, name: &str, text: &str, findings: &mut Findings<'_>) {
    let whole = Range { start: 0, end: text.trim_end().len() };
    match templates.line(name, &Words::example()) {
        Err(error) => failed(&error, text, findings),
        Ok(rendered) if rendered.is_empty() => {
            let message = "this renders to nothing, so the alert would have no text";
            findings.error(Code::BadTemplate, Range::default(), message, format!("see Kilter's own {name}.hbs"));
        }
        Ok(rendered) if rendered.contains("{{") || rendered.contains("}}") => {
            let start = text.find("\\{{").unwrap_or(whole.start);
            let message = "this renders to a placeholder of Prometheus, which no test could prove";
            let help = format!("use Kilter's variables: {}", Words::variables().join(", "));
            findings.error(Code::BadTemplate, Range { start, end: whole.end.max(start) }, message, help);
        }
        Ok(_) => {}
    }
}

/// A template of the estate's own that failed while the plan was made; `None` when it is one of ours, which is a bug.
pub fn diagnostic(error: &TemplateError, sources: &Sources) -> Option<Vec<Diagnostic>> {
    let (file, _) = sources.templates.iter().find(|(_, name)| *name == error.name)?;
    let mut all = Vec::new();
    failed(error, &sources.files[*file].text, &mut Findings::new(*file, sources, &mut all));
    Some(all)
}

fn failed(error: &TemplateError, text: &str, findings: &mut Findings<'_>) {
    let at = (error.source.line_no.unwrap_or(1), error.source.column_no.unwrap_or(1));
    let message = match error.source.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => format!("there is no variable `{name}`"),
        reason => first_line(&reason.to_string()),
    };
    let help = if error.name.starts_with("alerts/") {
        format!("its variables are: {}", Words::variables().join(", "))
    } else {
        format!("its variables are those of Kilter's own codegen/templates/{}.hbs", error.name)
    };
    findings.error(Code::BadTemplate, place(text, at.0, at.1), message, help);
}

/// Alerts link sections of the runbook; a runbook of the estate's own must have them.
pub fn check_runbooks(sources: &Sources, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let Some((file, _)) = sources.templates.iter().find(|(_, name)| name == "runbook/slo") else { return all };
    let rules = artifacts.iter().filter(|it| it.kind == Kind::Rules);
    let mut missing: Vec<String> = Vec::new();
    for (service, text) in rules.filter_map(|it| Some((it.service.as_ref()?, &it.text))) {
        let books = || artifacts.iter().filter(|it| it.kind == Kind::Runbooks && it.service.as_ref() == Some(service));
        for section in text.lines().filter_map(|it| it.split_once("runbook_url:")?.1.split_once('#')) {
            let section = section.1.trim_end_matches(['"', '\'']);
            let has = |book: &Artifact| book.text.lines().any(|line| anchor(line).as_deref() == Some(section));
            if !books().all(has) && !missing.iter().any(|it| it == section) {
                missing.push(section.to_owned());
            }
        }
    }
    if !missing.is_empty() {
        let message = format!("alerts link sections that this runbook does not have: #{}", missing.join(", #"));
        let help = "add its heading, such as `## {{sections.burn_page}}`: Kilter's own template shows all of them";
        Findings::new(*file, sources, &mut all).error(Code::BadTemplate, Range::default(), message, help);
    }
    all
}

/// The anchor that Markdown renderers make from a heading.
pub(crate) fn anchor(line: &str) -> Option<String> {
    let heading = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
    let lower = heading.trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    Some(kept.collect::<String>().replace(' ', "-"))
}

fn first_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|it| !it.is_empty()).unwrap_or("it cannot be rendered");
    line.trim_end_matches('.').to_owned()
}

/// The expression at a line and a column, both counted from 1.
fn place(text: &str, line: usize, column: usize) -> Range {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let Some(rest) = text.get(before..) else { return Range::default() };
    let own = rest.lines().next().unwrap_or_default();
    let offset = own.char_indices().nth(column.saturating_sub(1)).map_or(own.len(), |(at, _)| at);
    let length = own[offset..].find("}}").map_or(own.len() - offset, |at| at + 2);
    Range { start: before + offset, end: before + offset + length }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_expressions() {
        let text = "one\ntwö {{three}} four\n";
        let at = place(text, 2, 5);
        assert_eq!(&text[at.start..at.end], "{{three}}");
        assert_eq!(place(text, 9, 9), Range { start: text.len(), end: text.len() });
        assert_eq!(anchor("## ErrorBudgetBurn (page)").as_deref(), Some("errorbudgetburn-page"));
    }
}
