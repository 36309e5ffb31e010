//! `kilter.yaml`, or the defaults where there is none.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;

use super::{Code, Diagnostic, Findings, alertmanager, check, number, printable, scalar, target, text};
use crate::load::Sources;
use crate::model::{
    Alertmanager, Board, Compat, Datasources, Duration, Estate, EstatePolicy, Leadership, Links, Name, OfficeHours,
    Settings, Target, Team, TimeScale,
};
use crate::plan::class::POLICY_LABEL;
use crate::plan::windows;
use crate::promql::{self, place_in_source};
use crate::spec::ESTATE;
use crate::yaml::{Node, Range, Value};

/// Labels that Kilter or Prometheus sets itself.
pub(super) const RESERVED: &[&str] = &[
    slo::SERVICE_LABEL,
    slo::SLO_LABEL,
    slo::SEVERITY_LABEL,
    slo::TEAM_LABEL,
    "alertname",
    "alertstate",
    POLICY_LABEL,
    "page",
    "le",
    "quantile",
    "__name__",
];

const DEFAULT_SELECTOR: &str = "job=\"{{service}}\"";

/// Reads the configuration; services are added by the caller.
pub(super) fn read(sources: &Sources, time_scale: TimeScale, all: &mut Vec<Diagnostic>) -> Estate {
    let mut estate = Estate {
        source: sources.files.first().map(|it| it.path.clone()).unwrap_or_default(),
        selector: DEFAULT_SELECTOR.to_owned(),
        identity: BTreeMap::new(),
        links: Links::default(),
        teams: BTreeMap::new(),
        leadership: None,
        alertmanager: Alertmanager::default(),
        services: Vec::new(),
        time_scale,
        policy: EstatePolicy::default(),
        compat: BTreeSet::new(),
        boards: BTreeSet::from([Board::Grafana]),
        datasources: Datasources::default(),
        target: Target::default(),
        settings: Settings::default(),
    };
    let Some(tree) = sources.trees.first().and_then(Option::as_ref).filter(|_| sources.has_config) else {
        return estate;
    };
    let mut findings = Findings::new(0, sources, all);
    check(tree, &ESTATE, &mut findings);
    version(tree, &mut findings);
    if let Some((selector, node)) = text(tree, "selector") {
        selector.clone_into(&mut estate.selector);
        check_selector(selector, node, &mut findings);
    }
    estate.identity = identity(tree, &mut findings);
    if let Some(links) = tree.get("links") {
        let mut link = |key: &str| link(links, key, &mut findings);
        let [grafana, runbooks, prometheus] = ["grafana", "runbooks", "prometheus"].map(&mut link);
        let [traces, logs] = ["traces", "logs"].map(|key| of_service(links, key, &mut findings));
        estate.links = Links { grafana, runbooks, prometheus, traces, logs };
    }
    super::boards::read(tree, &mut estate, &mut findings);
    let (alertmanager, hours) = alertmanager::read(tree, sources, &mut findings);
    estate.alertmanager = alertmanager;
    estate.teams = teams(tree, hours.as_ref(), &mut findings);
    estate.leadership = tree.get("leadership").and_then(|it| leadership(it, &mut findings));
    let compat = super::items(tree.get("compat")).iter().filter_map(scalar).filter(|(it, _)| *it == "sloth");
    estate.compat = compat.map(|_| Compat::Sloth).collect();
    estate.target = target::read(tree, &mut findings);
    estate.settings = target::settings(tree, &mut findings);
    estate
}

/// Matchers with the placeholder of the service in one of them.
fn check_selector(selector: &str, node: &Node, findings: &mut Findings<'_>) {
    const BEFORE: &str = "up{";
    // A name as long as its placeholder, so that places stay where they are; in a regex braces would be syntax.
    let filled = selector.replace("{{service}}", "a-service-x");
    let example = format!("for example: selector: '{DEFAULT_SELECTOR}'");
    let mut refuse = |code: Code, message: String, help: String, at: Range| {
        let range = place_in_source(findings.source(), node.range, selector, at.start, at.end);
        findings.error(code, range, message, help);
    };
    if let Err(error) = promql::parse(&format!("{BEFORE}{filled}}}")) {
        let inside = |at: usize| at.saturating_sub(BEFORE.len()).min(selector.len());
        let at = Range { start: inside(error.start), end: inside(error.end) };
        refuse(Code::PromQl, error.message, error.help, at);
    } else if !selector.contains("{{service}}") {
        let message = "the selector is a list of PromQL matchers with {{service}} in one of them".to_owned();
        // Another placeholder is most likely a misspelt one.
        let start = selector.find("{{");
        let end = start.and_then(|it| Some(it + selector[it..].find("}}")? + 2));
        let at = Range { start: start.unwrap_or(0), end: end.unwrap_or(selector.len()) };
        refuse(Code::BadValue, message, example, at);
    }
}

fn version(tree: &Node, findings: &mut Findings<'_>) {
    let own = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    if let Some((wanted, node)) = number(tree, "version").filter(|(wanted, _)| *wanted != own) {
        let message = format!("this estate is made with version {} of kilter, but this is {own}", printable(wanted));
        findings.error(
            Code::BadValue,
            node.range,
            message,
            format!("install that version, or review the changelog and write version: {own}"),
        );
    }
}

fn identity(tree: &Node, findings: &mut Findings<'_>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let Some(Value::Map(entries)) = tree.get("identity").map(|it| &it.value) else { return all };
    for (key, node) in entries {
        let legal = key.text.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !legal || RESERVED.contains(&key.text.as_str()) {
            let message = format!("`{}` cannot be an identity label", printable(&key.text));
            findings.error(
                Code::BadValue,
                key.range,
                message,
                "a Prometheus label name that Kilter does not use itself, such as environment",
            );
        } else if let Some((value, _)) = scalar(node) {
            all.insert(key.text.clone(), value.to_owned());
        }
    }
    all
}

pub(super) fn link(links: &Node, key: &str, findings: &mut Findings<'_>) -> Option<String> {
    address(links, key, "", findings)
}

/// An address in which `{{service}}` stands for the service.
fn of_service(links: &Node, key: &str, findings: &mut Findings<'_>) -> Option<String> {
    address(links, key, "{{service}}", findings)
}

fn address(links: &Node, key: &str, placeholder: &str, findings: &mut Findings<'_>) -> Option<String> {
    let (url, node) = text(links, key)?;
    let rest = if placeholder.is_empty() { url.to_owned() } else { url.replace(placeholder, "") };
    let plain = !rest.contains(char::is_whitespace) && !rest.contains("{{") && !rest.contains('"');
    if plain && (url.starts_with("https://") || url.starts_with("http://")) {
        return Some(url.trim_end_matches('/').to_owned());
    }
    findings.error(
        Code::BadValue,
        node.range,
        format!("`{}` is no web address", printable(url)),
        format!("for example: {key}: https://{key}.example"),
    );
    None
}

fn teams(tree: &Node, hours: Option<&OfficeHours>, findings: &mut Findings<'_>) -> BTreeMap<Name, Team> {
    let mut all = BTreeMap::new();
    let Some(Value::Map(entries)) = tree.get("teams").map(|it| &it.value) else { return all };
    for (key, node) in entries {
        let Ok(name) = key.text.parse::<Name>() else {
            let message = format!("`{}` is no name for a team", printable(&key.text));
            findings.error(Code::BadName, key.range, message, "1 to 40 lower-case letters, digits and inner dashes");
            continue;
        };
        let receiver = |key: &str| text(node, key).map(|(it, _)| it.to_owned());
        if let (Some(page), Some(ticket)) = (receiver("page"), receiver("ticket")) {
            let office_hours = alertmanager::hours(node, findings).or_else(|| hours.cloned());
            all.insert(name, Team { page, ticket, escalation: receiver("escalation"), office_hours });
        }
    }
    all
}

/// How many teams are paged at once before it is more than a matter of each, unless the file says otherwise.
const TEAMS: u32 = 2;

fn leadership(node: &Node, findings: &mut Findings<'_>) -> Option<Leadership> {
    let (receiver, _) = text(node, "receiver")?;
    let (shortest, longest) = (windows::timing().escalation_hold, Duration::from_mins(24 * 60));
    let mut after = windows::timing().leadership_hold;
    if let Some((written, place)) = text(node, "after") {
        if let Some(it) = written.parse::<Duration>().ok().filter(|it| (shortest..=longest).contains(it)) {
            after = it;
        } else {
            let message = format!("`{}` is no duration from {shortest} to {longest}", printable(written));
            let help = "teams' own escalation comes first, half an hour after the page; for example: after: 1h";
            findings.error(Code::BadValue, place.range, message, help);
        }
    }
    let mut teams = TEAMS;
    if let Some((written, place)) = number(node, "teams") {
        if let Some(it) = written.parse::<u32>().ok().filter(|it| (2..=1_000).contains(it)) {
            teams = it;
        } else {
            let message = format!("`{}` is no number of teams from 2 to 1000", printable(written));
            findings.error(Code::BadValue, place.range, message, "one team's pages are its own; for example: teams: 2");
        }
    }
    Some(Leadership { receiver: receiver.to_owned(), after, teams })
}
