//! Links of mitigations files. Their text becomes part of `rules/runbooks/<service>/<slo>.md`, so a relative link must
//! lead somewhere from there: to a runbook that is made.

use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::{Estate, Service};
use crate::yaml::Range;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let mut seen = Vec::new();
    for named in &sources.mitigations {
        let own = |it: &&Service| it.source.split(", ").any(|path| path == sources.files[named.file].path);
        let Some(service) = estate.services.iter().find(own) else { continue };
        let file = &sources.files[named.text];
        // SLOs of one service often share a file.
        if seen.contains(&(&service.name, &file.path)) {
            continue;
        }
        seen.push((&service.name, &file.path));
        let mut findings = Findings::new(named.text, sources, &mut all);
        for range in links(&file.text) {
            let target = &file.text[range.start..range.end];
            if is_relative(target) && !is_runbook(target, service, estate) {
                let message = format!("from the runbooks of `{}` this link leads nowhere", service.name);
                let help = "a runbook is made for each SLO: link it as <slo>.md or ../<service>/<slo>.md, and everything else with its whole address";
                findings.warning(Code::StaleLink, range, message, help);
            }
        }
    }
    all
}

/// Targets of `[text](target "title")` and `[label]: target`, outside of fenced code.
fn links(text: &str) -> Vec<Range> {
    let mut all = Vec::new();
    let (mut start, mut fenced) = (0, false);
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced {
            let definition = trimmed.starts_with('[').then(|| line.find("]: ").map(|at| at + 3)).flatten();
            let inline = line.match_indices("](").map(|(at, _)| at + 2);
            for from in inline.chain(definition) {
                let end = line[from..].find([')', ' ', '\r', '\n']).map_or(line.len(), |at| from + at);
                all.push(Range { start: start + from, end: start + end });
            }
        }
        start += line.len();
    }
    all
}

/// Whether the target is a path, not an address, a heading of the same page, or a path from the root of the site.
fn is_relative(target: &str) -> bool {
    let scheme = target
        .split_once(':')
        .is_some_and(|(it, _)| it.chars().all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c)));
    !target.is_empty() && !scheme && !target.starts_with(['#', '/', '<'])
}

fn is_runbook(target: &str, service: &Service, estate: &Estate) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let path = path.strip_prefix("./").unwrap_or(path);
    let (owner, page) = match path.strip_prefix("../") {
        Some(rest) => match rest.split_once('/') {
            Some((name, page)) => (estate.services.iter().find(|it| it.name.as_str() == name), page),
            None => return false,
        },
        None => (Some(service), path),
    };
    let slo = page.strip_suffix(".md").unwrap_or_default();
    owner.is_some_and(|it| it.slos.iter().any(|it| it.name.as_str() == slo))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_outside_of_code() {
        let text = "[a](one.md#x \"t\") and [b](two.md).\n```\n[c](three.md)\n```\n[d]: four.md\r\n[e](";
        let found: Vec<&str> = links(text).into_iter().map(|it| &text[it.start..it.end]).collect();
        assert_eq!(found, ["one.md#x", "two.md", "four.md", ""]);
    }

    #[test]
    fn addresses_and_headings_are_not_relative() {
        for other in ["https://a.example/b.md", "mailto:a@b.example", "#top", "/a.md", ""] {
            assert!(!is_relative(other), "{other}");
        }
        assert!(is_relative("a.md") && is_relative("../b/c.md"));
    }
}
