//! The draft as text: YAML that passes, with comments that teach.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::Proposal;
use super::propose::untold;
use crate::model::Name;
use crate::spec::check::printable;
use crate::yaml;

const SCHEMA: &str =
    "# yaml-language-server: $schema=https://raw.githubusercontent.com/kilter-rs/kilter/main/codegen/schema";

/// An SLO file that is to be.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The service.
    pub service: Name,
    /// The team.
    pub team: Name,
    /// Where the numbers come from, when from a page.
    pub page: Option<String>,
    /// What was left out, and what to look at.
    pub notes: Vec<String>,
    /// The SLOs.
    pub slos: Vec<Proposal>,
}

/// The text of an SLO file.
pub fn slo_file(draft: &Draft) -> Result<String, String> {
    let version = env!("CARGO_PKG_VERSION");
    let from = draft.page.as_ref().map_or("the contract".to_owned(), |it| printable(it));
    let mut out = format!("{SCHEMA}/slo.v1.json\n");
    out.push_str(&comment(
        "",
        &format!(
            "A first draft by kilter {version}, from {from}. Objectives and thresholds are proposals: ask what users"
        ),
    ));
    out.push_str("# need, change them, and delete what nobody would get up for. Then: kilter lint, kilter generate, kilter test.\n");
    draft.notes.iter().for_each(|it| out.push_str(&comment("", it)));
    out.push_str(&yaml::to_string(&Head { api_version: "kilter/v1", service: draft.service.as_str() })?);
    out.push_str("# Who is told. Its receivers stand below `teams` in kilter.yaml.\n");
    out.push_str(&yaml::to_string(&Team { team: draft.team.as_str() })?);
    out.push_str("slos:\n");
    let mut told = BTreeSet::new();
    for slo in &draft.slos {
        untold(slo, &mut told).into_iter().chain(slo.why.as_deref()).for_each(|it| out.push_str(&comment("  ", it)));
        out.push_str(&item(slo)?);
    }
    out.push_str(
        "# Pools, queues, disks, circuit breakers, replicas and restarts alert without a line here; `resources` has exceptions.\n\
         # Other keys: window, min_errors, no_data, by, tier, maintenance, windows. `kilter schema slo` knows them all.\n",
    );
    Ok(out)
}

/// The text of `kilter.yaml`.
pub fn estate(glob: &str, team: &Name) -> Result<String, String> {
    let version = concat!(env!("CARGO_PKG_VERSION_MAJOR"), ".", env!("CARGO_PKG_VERSION_MINOR"));
    let services = yaml::to_string(&Services { services: [glob] })?;
    let selector = yaml::to_string(&Selector { selector: "job=\"{{service}}\"" })?;
    let receivers = Receivers { page: format!("{team}-pager"), ticket: format!("{team}-tickets") };
    let teams = yaml::to_string(&Teams { teams: BTreeMap::from([(team.as_str(), receivers)]) })?;
    Ok(format!(
        "{SCHEMA}/estate.v1.json\n\
         # The estate: what all services share.\n\
         version: {version}\n\
         # SLO files, relative to this one; * and ** are wildcards.\n\
         {services}\
         # How the series of a service are found: its scrape job has the service's name.\n\
         {selector}\
         # Who is told: receivers of Alertmanager.\n\
         {teams}\
         # Your Alertmanager file, in which these receivers have their destinations:\n\
         # alertmanager: {{base: alertmanager.base.yaml}}\n\
         # What alerts and runbooks link to:\n\
         # links: {{grafana: https://grafana.example, runbooks: https://runbooks.example, prometheus: https://prometheus.example}}\n"
    ))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    api_version: &'a str,
    service: &'a str,
}

#[derive(Serialize)]
struct Team<'a> {
    team: &'a str,
}

#[derive(Serialize)]
struct Services<'a> {
    services: [&'a str; 1],
}

#[derive(Serialize)]
struct Selector<'a> {
    selector: &'a str,
}

#[derive(Serialize)]
struct Teams<'a> {
    teams: BTreeMap<&'a str, Receivers>,
}

#[derive(Serialize)]
struct Receivers {
    page: String,
    ticket: String,
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    description: &'a str,
    objective: &'a str,
    sli: &'a Value,
}

/// One SLO as an item of the list.
fn item(slo: &Proposal) -> Result<String, String> {
    let item = Item { name: slo.name.as_str(), description: &slo.description, objective: slo.objective, sli: &slo.sli };
    let body = yaml::to_string(&item)?;
    Ok(body
        .lines()
        .enumerate()
        .map(|(index, line)| format!("{}{line}\n", if index == 0 { "  - " } else { "    " }))
        .collect())
}

/// A comment, whatever the text holds.
fn comment(indent: &str, text: &str) -> String {
    format!("{indent}# {}\n", text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim_end())
}
