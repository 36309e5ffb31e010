//! Warnings about what is legal but will hurt. One file per check, one line in the list.

mod counter_ratio;
mod counter_without_rate;
mod division;
mod flaw;
mod flaws;
mod idle_minute;
mod inhibition;
mod leadership;
mod near_contract;
mod near_label;
mod no_latency;
mod no_runbook;
mod no_teams;
mod rejected_methods;
mod slow_slices;
mod stale_link;
mod target;

use std::cell::OnceCell;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Edit, Findings};
use crate::load::Sources;
use crate::model::{Estate, Service};
use crate::plan::Plan;
use crate::promql::{self, Expression, Selector, Tree, edit_in_source, place_in_source};
use crate::rulefile::{self, Dialect};
use crate::yaml::{Node, Range, Value};
pub(crate) use flaw::{Flaw, only_exists, rate_of_aggregate};
pub(crate) use flaws::in_expression;

/// A check of the estate: everything that it finds.
type Check = fn(&Estate, &Sources) -> Vec<Diagnostic>;

/// Every check of the estate.
const CHECKS: &[Check] = &[
    no_latency::check,
    rejected_methods::check,
    stale_link::check,
    target::check,
    no_runbook::check,
    no_teams::check,
    leadership::check,
];

/// A check of one query: it adds what it finds.
type QueryCheck = fn(&Query<'_>, &Estate, &Sources, &mut Vec<Diagnostic>);

/// Every check of a query.
const QUERY_CHECKS: &[QueryCheck] = &[
    counter_without_rate::check,
    division::check,
    near_contract::check,
    counter_ratio::check,
    idle_minute::check,
    target::check_query,
    flaws::check,
    near_label::check,
    slow_slices::check,
];

/// Runs them all.
pub fn lint(estate: &Estate, plan: &Plan, sources: &Sources) -> Vec<Diagnostic> {
    let found: Vec<Vec<Diagnostic>> = CHECKS.par_iter().map(|check| check(estate, sources)).collect();
    let mut all = found.concat();
    // Query by query, so that each is taken apart once.
    let of_query = |query: Query<'_>| {
        let mut found = Vec::new();
        QUERY_CHECKS.iter().for_each(|check| check(&query, estate, sources, &mut found));
        found
    };
    let of_services = estate.services.par_iter().flat_map_iter(|it| of_service(it, sources));
    let of_files = (0..sources.trees.len()).into_par_iter().flat_map_iter(|it| conditions(it, sources));
    all.par_extend(of_services.chain(of_files).flat_map_iter(of_query));
    all.extend(inhibition::check(estate, plan, sources));
    all.extend(target::of_plan(estate, plan, sources));
    all
}

/// What a target does otherwise with the PromQL of SLO files.
pub fn on_target(estate: &Estate, sources: &Sources, target: Dialect) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for query in queries(estate, sources) {
        for (flaw, severity) in rulefile::on_target(query.text, target) {
            query.tell(flaw, sources, &mut all);
            if let Some(last) = all.last_mut() {
                last.severity = severity;
                // A change in our words would break a file of another tool.
                if sources.foreign.contains_key(&last.span.file) {
                    last.fix.clear();
                }
            }
        }
    }
    all
}

/// A PromQL text of an SLI or of maintenance, with its place.
struct Query<'a> {
    /// `events`, `ratio` and so on, or `maintenance`.
    kind: &'static str,
    /// `errors`, `good`, `total` and so on.
    key: &'static str,
    /// As written.
    text: &'a str,
    /// Its node.
    node: &'a Node,
    /// Index of its file.
    file: usize,
    /// What it was found to be, once a check asked.
    parsed: Parsed,
}

#[derive(Default)]
struct Parsed {
    expr: OnceCell<Option<Expression>>,
    selectors: OnceCell<Vec<(Selector, Range)>>,
    tree: OnceCell<Option<Tree>>,
}

impl<'a> Query<'a> {
    fn new(kind: &'static str, key: &'static str, node: &'a Node, file: usize) -> Option<Self> {
        let Value::Scalar { text, .. } = &node.value else { return None };
        Some(Self { kind, key, text, node, file, parsed: Parsed::default() })
    }

    /// The expression, unless it is refused.
    fn expr(&self) -> Option<&Expression> {
        self.parsed.expr.get_or_init(|| promql::parse(self.text).ok()).as_ref()
    }

    /// Its selectors with their places.
    fn selectors(&self) -> &[(Selector, Range)] {
        let read = || self.expr().map(|it| promql::placed_selectors(self.text, it)).unwrap_or_default();
        self.parsed.selectors.get_or_init(read)
    }

    fn tree(&self) -> Option<&Tree> {
        self.parsed.tree.get_or_init(|| promql::tree(self.text)).as_ref()
    }

    /// The place of a part of it.
    fn place(&self, sources: &Sources, at: Range) -> Range {
        place_in_source(sources.text(self.file), self.node.range, self.text, at.start, at.end)
    }

    /// Adds a warning about a part of it.
    fn tell(&self, flaw: Flaw, sources: &Sources, all: &mut Vec<Diagnostic>) {
        let range = self.place(sources, flaw.at);
        let mut findings = Findings::new(self.file, sources, all);
        findings.warning(flaw.code, range, flaw.message, flaw.help);
        let source = findings.source();
        let edit = |(at, with): &(Range, String)| edit_in_source(source, self.node.range, self.text, *at, with);
        // Half a fix is none.
        let edits: Option<Vec<Edit>> = flaw.edits.iter().map(edit).collect();
        findings.fix(edits.unwrap_or_default());
    }
}

/// Every PromQL text of the estate.
fn queries<'a>(estate: &Estate, sources: &'a Sources) -> Vec<Query<'a>> {
    let of_services = estate.services.iter().flat_map(|it| of_service(it, sources));
    of_services.chain((0..sources.trees.len()).flat_map(|it| conditions(it, sources))).collect()
}

/// Those of a service's SLIs.
fn of_service<'a>(service: &Service, sources: &'a Sources) -> Vec<Query<'a>> {
    let mut all = Vec::new();
    for slo in &service.slos {
        let texts = slo.sli.texts();
        let Some((file, node)) = slo_node(sources, service, slo.name.as_str()).filter(|_| !texts.is_empty()) else {
            continue;
        };
        let query =
            |(kind, key, _)| Query::new(kind, key, node.get("sli").and_then(|it| it.get(kind)?.get(key))?, file);
        all.extend(texts.into_iter().filter_map(query));
    }
    all
}

/// `maintenance: {while: ...}` of a file: of the estate, of a service and of its SLOs.
fn conditions<'a>(file: usize, sources: &'a Sources) -> Vec<Query<'a>> {
    let Some(tree) = &sources.trees[file] else { return Vec::new() };
    let slos = match tree.get("slos").map(|it| &it.value) {
        Some(Value::List(slos)) => slos.as_slice(),
        _ => &[],
    };
    let condition = |it: &'a Node| it.get("maintenance")?.get("while");
    let nodes = std::iter::once(tree).chain(slos).filter_map(condition);
    nodes.filter_map(|it| Query::new("maintenance", "while", it, file)).collect()
}

/// The first key of a file: where something is missing.
fn first_key(sources: &Sources, file: usize) -> Range {
    match sources.trees.get(file).and_then(Option::as_ref).map(|it| &it.value) {
        Some(Value::Map(entries)) => entries.first().map_or(Range::default(), |(key, _)| key.range),
        _ => Range::default(),
    }
}

/// The node of an SLO in its file, with the file's index. Files of other tools can share a service.
pub(crate) fn slo_node<'a>(sources: &'a Sources, service: &Service, name: &str) -> Option<(usize, &'a Node)> {
    let says = |node: &Node, key: &str, wanted: &str| matches!(node.get(key).map(|it| &it.value), Some(Value::Scalar { text, .. }) if text == wanted);
    sources.trees_of(service.name.as_str()).find_map(|(index, tree)| {
        let Value::List(items) = &tree.get("slos")?.value else { return None };
        items.iter().find(|node| says(node, "name", name)).map(|node| (index, node))
    })
}
