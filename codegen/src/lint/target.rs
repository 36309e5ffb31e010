//! What the target's engine cannot evaluate, and what a tenant of it does not take.

use super::{Query, slo_node};
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::{Estate, Sli};
use crate::plan::Plan;
use crate::promql::lexer::{Kind, Token, lex};
use crate::promql::place_in_source;
use crate::yaml::Range;

/// Functions that read native histograms only.
const NATIVE: &[&str] = &[
    "histogram_avg",
    "histogram_count",
    "histogram_fraction",
    "histogram_stddev",
    "histogram_stdvar",
    "histogram_sum",
];

/// Native histograms where there are none.
pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let engine = estate.target.engine();
    if engine.native_histograms {
        return all;
    }
    let message = format!("{} has no native histograms", engine.name);
    let help = "name a histogram with buckets, and leave `type` out";
    for (service, slo) in estate.services.iter().flat_map(|it| it.slos.iter().map(move |slo| (it, slo))) {
        if !matches!(&slo.sli, Sli::Latency(it) if it.native) {
            continue;
        }
        let Some((file, node)) = slo_node(sources, service, slo.name.as_str()) else { continue };
        let place = node.get("sli").and_then(|it| it.get("latency")?.get("type")).unwrap_or(node);
        Findings::new(file, sources, &mut all).error(Code::NotOnTarget, place.range, message.clone(), help);
    }
    all
}

/// Functions for native histograms where there are none.
pub(super) fn check_query(query: &Query<'_>, estate: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    let engine = estate.target.engine();
    if engine.native_histograms {
        return;
    }
    let tokens = lex(query.text).unwrap_or_default();
    let native = |it: &&Token| it.kind == Kind::Name && NATIVE.contains(&it.text(query.text));
    for token in tokens.iter().filter(native) {
        let source = &sources.files[query.file].text;
        let range = place_in_source(source, query.node.range, query.text, token.start, token.end);
        let message =
            format!("{} has no native histograms, so it does not know `{}`", engine.name, token.text(query.text));
        let help = "count buckets: `rate(x_bucket{le=\"0.25\"}[$window])`";
        Findings::new(query.file, sources, all).error(Code::NotOnTarget, range, message, help);
    }
}

/// More groups than a tenant takes.
pub(super) fn of_plan(estate: &Estate, plan: &Plan, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    let Some(most) = estate.limits().groups else { return all };
    let files = plan.services.iter().map(|it| &it.rules).chain([&plan.estate_rules]);
    let groups: usize = files.map(|it| it.groups.len()).sum();
    if groups > most {
        let tree = sources.trees.first().and_then(Option::as_ref).filter(|_| sources.has_config);
        let range = tree.and_then(|it| it.get("target")).map_or_else(Range::default, |it| it.range);
        let message =
            format!("these rules are {groups} groups, but a tenant of {} takes {most}", estate.target.engine().name);
        let help = format!(
            "set ruler_max_rule_groups_per_tenant to {groups} or more there, and `targets: {{mimir: {{max_groups: ...}}}}` here; fewer groups: raise max_rules_per_group, there and here"
        );
        Findings::new(0, sources, &mut all).warning(Code::ManyGroups, range, message, help);
    }
    all
}
