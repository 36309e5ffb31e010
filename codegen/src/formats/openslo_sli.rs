//! What an SLO of OpenSLO measures.

use super::draft::{Side, Sli, Text, texts};
use super::lift::{self, Counters};
use super::openslo::Objects;
use super::query::{self, Ranges};
use super::ratio;
use super::report::Report;
use super::shape::{Fields, Unknown, scalar};
use super::target::Target;
use crate::diagnostic::Code;
use crate::spec::check::printable;
use crate::yaml::Node;

/// An SLI of ours with the labels that it keeps.
pub(super) struct Measured {
    pub(super) sli: Sli,
    pub(super) by: Vec<Text>,
}

impl From<(Sli, Vec<Text>)> for Measured {
    fn from((sli, by): (Sli, Vec<Text>)) -> Self {
        Self { sli, by }
    }
}

/// Data sources that speak PromQL.
const PROMQL: &[&str] = &["prometheus", "thanos", "mimir", "cortex", "victoriametrics"];

/// The indicator of an SLO, given here or named.
pub(super) fn indicator(
    spec: Fields<'_>,
    objective: Fields<'_>,
    method: &Text,
    service: &str,
    all: &Objects<'_>,
    report: &mut Report<'_, '_>,
) -> Option<Measured> {
    let (given, path) = match (spec.get("indicator"), spec.text("indicatorRef", report)) {
        (Some(node), None) => (node.clone(), None),
        (None, Some(name)) => all.need("SLI", &name, report)?,
        (here, _) => {
            let count = if here.is_some() { "both are here" } else { "neither is here" };
            let message = format!("an SLO needs `indicator` or `indicatorRef`, but {count}");
            report.error(Code::ForeignShape, spec.place(), message, "keep one of them");
            return None;
        }
    };
    report.within(path);
    let measured = measured(&given, objective, method, service, all, report);
    report.within(None);
    if given.get("spec").and_then(|it| it.get("ratioMetric")).is_some() {
        tell_unused(objective, report);
    }
    measured
}

fn measured(
    given: &Node,
    objective: Fields<'_>,
    method: &Text,
    service: &str,
    all: &Objects<'_>,
    report: &mut Report<'_, '_>,
) -> Option<Measured> {
    let fields = Fields::of(given, "an indicator", report)?;
    fields.only(&["apiVersion", "kind", "metadata", "spec"], Unknown::Refused, report);
    let sli = fields.need_map("spec", "the spec of an SLI", report)?;
    sli.only(&["description", "ratioMetric", "thresholdMetric"], Unknown::Refused, report);
    let sliced = match method.text.as_str() {
        "Occurrences" => false,
        "Timeslices" => true,
        "RatioTimeslices" => {
            let message = "RatioTimeslices averages the ratios of slices, which weighs idle ones like busy ones";
            report.error(Code::ForeignSli, method.range, message, "use Occurrences: the budget then weighs events");
            return None;
        }
        other => {
            let message = format!("the budgeting method `{}` is none of OpenSLO", printable(other));
            let known = ["Occurrences", "Timeslices", "RatioTimeslices"];
            report.error(Code::BadValue, method.range, message, crate::spec::check::help(other, &known));
            return None;
        }
    };
    let (ratio, threshold) = (sli.get("ratioMetric"), sli.get("thresholdMetric"));
    match (ratio, threshold) {
        (Some(_), None) => {
            let fields = sli.map("ratioMetric", "a ratioMetric", report)?;
            ratio_metric(fields, sliced.then_some(objective), service, all, report)
        }
        (None, Some(_)) => {
            let metric = sli.map("thresholdMetric", "a thresholdMetric", report)?;
            threshold_metric(metric, objective, all, report)
        }
        _ => {
            let message = "an SLI is either a ratioMetric or a thresholdMetric";
            report.error(Code::ForeignShape, sli.place(), message, "keep one of them");
            None
        }
    }
}

/// `op` and `value` compare a threshold; published examples set them beside ratios too.
fn tell_unused(objective: Fields<'_>, report: &mut Report<'_, '_>) {
    for key in ["op", "value"] {
        if objective.get(key).is_some() {
            let message = format!("`{key}` means nothing beside a ratio, and is not carried");
            report.not_carried(objective.key(key), message, "remove it");
        }
    }
}

fn ratio_metric(
    fields: Fields<'_>,
    sliced: Option<Fields<'_>>,
    service: &str,
    all: &Objects<'_>,
    report: &mut Report<'_, '_>,
) -> Option<Measured> {
    fields.only(&["counter", "good", "bad", "total", "raw", "rawType"], Unknown::Refused, report);
    let ranges = Ranges::Any { counter: fields.flag("counter", false, report) };
    let query = |key: &'static str, report: &mut Report<'_, '_>| {
        let side = fields.map(key, "a side of a ratio", report)?;
        query::read(&source(side, all, report)?, ranges, report)
    };
    let there = |key: &str| fields.get(key).is_some();
    match (there("good"), there("bad"), there("total"), there("raw")) {
        (good, bad, true, false) if good != bad => {
            let (side, key) = if good { (Side::Good, "good") } else { (Side::Errors, "bad") };
            let (part, total) = (query(key, report), query("total", report));
            let counters = Counters { side, part: part?, total: total? };
            match sliced {
                Some(objective) => slices(&counters, objective, report),
                None => Some(lift::sli(service, counters, report).into()),
            }
        }
        (false, false, false, true) if sliced.is_some() => {
            let message = "slices of a raw ratio cannot be carried";
            report.error(Code::ForeignSli, fields.key("raw"), message, "name good or bad, and total");
            None
        }
        (false, false, false, true) => {
            let kind = fields.need("rawType", "failure", report)?;
            let success = match kind.text.as_str() {
                "success" => true,
                "failure" => false,
                other => {
                    let message = format!("`rawType` cannot be `{}`", printable(other));
                    report.error(Code::BadValue, kind.range, message, "known are: success, failure");
                    return None;
                }
            };
            Some(ratio::sli(service, &query("raw", report)?, success, report).into())
        }
        _ => {
            let message = "a ratio is `good` and `total`, or `bad` and `total`, or `raw` alone";
            report.error(Code::ForeignShape, fields.place(), message, "keep one of these");
            None
        }
    }
}

/// The query of a metric source, when it is PromQL.
fn source(fields: Fields<'_>, all: &Objects<'_>, report: &mut Report<'_, '_>) -> Option<Text> {
    fields.only(&["metricSource"], Unknown::Refused, report);
    let source = fields.need_map("metricSource", "a metric source", report)?;
    source.only(&["metricSourceRef", "type", "spec"], Unknown::Refused, report);
    let mut kind = source.text("type", report);
    if let Some(name) = source.text("metricSourceRef", report).filter(|_| kind.is_none()) {
        let (found, _) = all.need("DataSource", &name, report)?;
        let text = found.get("spec").and_then(|it| it.get("type")).and_then(scalar);
        kind = text.map(|it| Text::new(it.text, name.range));
    }
    if let Some(kind) = kind.filter(|kind| !PROMQL.iter().any(|it| kind.text.to_lowercase().contains(it))) {
        let message = format!("a source of the type `{}` does not speak PromQL", printable(&kind.text));
        report.error(Code::ForeignSli, kind.range, message, "name a Prometheus source, with a query in PromQL");
        return None;
    }
    let spec = source.need_map("spec", "the spec of a metric source", report)?;
    let only = match spec.entries() {
        [(_, only)] => Some(only),
        _ => None,
    };
    let found = spec.get("query").or_else(|| spec.get("promql")).or(only).and_then(scalar);
    if found.is_none() {
        report.error(Code::MissingKey, spec.place(), "a metric source needs `query`", "add `query: sum(rate(...))`");
    }
    found
}

/// Each moment is good or bad: a gauge of 0 and 1.
fn threshold_metric(
    fields: Fields<'_>,
    objective: Fields<'_>,
    all: &Objects<'_>,
    report: &mut Report<'_, '_>,
) -> Option<Measured> {
    let query = source(fields, all, report);
    // What follows stands in the SLO itself.
    report.within(None);
    let op = objective.need("op", "lte", report);
    let value = objective.need("value", "0.5", report);
    let (query, op, value) = (query?, op?, value?);
    let signs = [("gt", ">"), ("lt", "<"), ("gte", ">="), ("lte", "<=")];
    let Some((_, sign)) = signs.iter().find(|(word, _)| *word == op.text) else {
        let known: Vec<&str> = signs.iter().map(|(word, _)| *word).collect();
        let message = format!("`op` cannot be `{}`", printable(&op.text));
        report.error(Code::BadValue, op.range, message, crate::spec::check::help(&op.text, &known));
        return None;
    };
    let up = Text::new(format!("({}) {sign} bool {}", query.text.trim(), value.text), query.range);
    Some(Measured { sli: Sli::Other(Target::Uptime, texts(query.range, &[("up", up)])), by: Vec::new() })
}

/// Good minutes: a slice is good while its share of good events is at least the target.
fn slices(counters: &Counters, objective: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Measured> {
    report.within(None);
    let target = objective.need("timeSliceTarget", "0.95", report);
    let length = objective.need("timeSliceWindow", "1m", report);
    let (target, length) = (target?, length?);
    if length.text != "1m" {
        let message = format!("slices of {} become minutes", printable(&length.text));
        report.differs(length.range, message, "Kilter's slices are minutes: look at the objective again");
    }
    let ratio = format!("({}) / ({})", counters.part.text, counters.total.text);
    let share = if counters.side == Side::Good { ratio } else { format!("1 - {ratio}") };
    let good = Text::new(format!("{share} >= bool {}", target.text), counters.part.range);
    let node = texts(target.range, &[("good", good)]);
    Some(Measured { sli: Sli::Other(Target::Slices, node), by: Vec::new() })
}
