//! Pyrra `pyrra.dev/v1alpha1`: one `ServiceLevelObjective` per document.

use super::draft::{Service, Side, Sli, Slo, Text, texts};
use super::lift::{self, Counters};
use super::query::{self, Ranges};
use super::report::Report;
use super::shape::{Fields, Unknown, scalar};
use super::target::Target;
use super::{Neighbour, Reader, carry, description, team, unknown_version};
use crate::diagnostic::Code;
use crate::model::{Decimal, Name};
use crate::promql::{self, Selector};
use crate::spec::check::printable;
use crate::yaml::{Node, Value};

/// The format.
pub(super) const READER: Reader = Reader { name: "pyrra", title: "Pyrra", refers: false, owns, read };

const VERSION: &str = "pyrra.dev/v1alpha1";
const KIND: &str = "ServiceLevelObjective";
/// Labels and annotations with this prefix go to rules and alerts.
const PREFIX: &str = "pyrra.dev/";

fn owns(root: &Node) -> bool {
    root.get("apiVersion").and_then(scalar).is_some_and(|it| it.text.starts_with(PREFIX))
}

fn read(documents: &[&Node], _: &[Neighbour], report: &mut Report<'_, '_>) -> Vec<Service> {
    let mut services = Vec::new();
    for root in documents {
        let Some(fields) = Fields::of(root, "a file of Pyrra", report) else { continue };
        let Some(version) = fields.need("apiVersion", VERSION, report) else { continue };
        let Some(kind) = fields.need("kind", KIND, report) else { continue };
        if version.text != VERSION {
            unknown_version("Pyrra's apiVersion", &version, &[VERSION], report);
        } else if kind.text == KIND {
            fields.only(&["apiVersion", "kind", "metadata", "spec", "status"], Unknown::Refused, report);
            services.extend(service(fields, report));
        } else {
            unknown_version("the kind", &kind, &[KIND], report);
        }
    }
    services
}

fn service(fields: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Service> {
    let metadata = fields.need_map("metadata", "metadata", report);
    let spec = fields.need_map("spec", "the spec of an SLO", report)?;
    let keys = [
        "description",
        "target",
        "window",
        "indicator",
        "alerting",
        "partial_response_strategy",
        "performanceOverAccuracy",
        "ruleOutput",
    ];
    spec.only(&keys, Unknown::Refused, report);
    let labels = prefixed(metadata, "labels", report);
    let annotations = prefixed(metadata, "annotations", report);
    let original = metadata.and_then(|it| it.need("name", "requests-availability", report));
    let name = original.as_ref().and_then(|it| lift::name(it, "the SLO", report));
    let objective = target(spec, report);
    let window = spec.need("window", "30d", report);
    let indicator = spec.need_map("indicator", "an indicator", report).and_then(|it| Indicator::read(it, report));
    let no_data = alerting(spec, report);
    others(spec, report);
    let (original, name, objective, window, indicator) = (original?, name?, objective?, window?, indicator?);
    let service = labels.iter().find(|(key, _)| *key == "service").map(|(_, text)| text.clone());
    let service = match service.or_else(|| indicator.job.clone()) {
        Some(named) => lift::name(&named, "the service", report)?,
        None => lift::name(&original, "the service", report)?,
    };
    let team = team(&service, &labels, report)?;
    let mut more = Vec::new();
    let rest: Vec<(&str, Text)> =
        labels.into_iter().filter(|(it, _)| !["service", "team", "owner"].contains(it)).collect();
    for (target, all) in [(Target::Labels, rest), (Target::Annotations, annotations)] {
        let all = carry(target, all, report);
        let Some((_, first)) = all.first() else { continue };
        more.push((target, texts(first.range, &all)));
    }
    let (sli, by) = indicator.sli(&service.text, report);
    let description = description(spec.text("description", report), &name, &objective, report);
    let notes = report.take_notes();
    let slo = Slo { name, description, objective, window, sli, by, no_data, more, notes };
    Some(Service { name: service, team, slos: vec![slo], notes: Vec::new() })
}

/// Labels or annotations of Pyrra's own prefix, without it; the others stay with the object.
fn prefixed<'a>(metadata: Option<Fields<'a>>, key: &'static str, report: &mut Report<'_, '_>) -> Vec<(&'a str, Text)> {
    let Some(map) = metadata.and_then(|it| it.map(key, "a mapping of labels", report)) else { return Vec::new() };
    let own = |(key, node): &'a (crate::yaml::Key, Node)| Some((key.text.strip_prefix(PREFIX)?, scalar(node)?));
    map.entries().iter().filter_map(own).collect()
}

/// A percentage as a text: Pyrra refuses a number.
fn target(spec: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Text> {
    let text = spec.need("target", "\"99.9\"", report)?;
    if let Some(Node { value: Value::Scalar { string: false, .. }, .. }) = spec.get("target") {
        let message = "`target` is a number, but Pyrra takes a text";
        report.error(
            Code::WrongType,
            text.range,
            message,
            format!("write it in quotes: \"{}\"", printable(&text.text)),
        );
        return None;
    }
    let small = text.text.parse::<Decimal>().is_ok_and(|it| !it.is_zero() && it < Decimal::new(1, 0));
    if small {
        let message = format!("a target of \"{0}\" is {0}% here as in Pyrra, not a share", printable(&text.text));
        report.differs(text.range, message, "write the percentage: \"99.9\"");
    }
    lift::objective(&text, true, report)
}

/// The policy for missing data; what else Pyrra's alerts have is told.
fn alerting(spec: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Text> {
    let fields = spec.map("alerting", "Pyrra's alerting", report)?;
    let keys = ["disabled", "burnrates", "absent", "name", "absentName", "severities"];
    fields.only(&keys, Unknown::Refused, report);
    if fields.flag("disabled", false, report) || !fields.flag("burnrates", true, report) {
        let key = if fields.get("disabled").is_some() { "disabled" } else { "burnrates" };
        let message = "burn-rate alerts are off here, but Kilter has no switch for them: they will fire";
        report.differs(fields.key(key), message, "give the team's receivers in kilter.yaml nobody to tell");
    }
    for (key, ours) in [("name", "ErrorBudgetBurn"), ("absentName", "SLODataMissing")] {
        if let Some(name) = fields.text(key, report).filter(|it| it.text != ours) {
            let message =
                format!("the alert `{}` becomes `{ours}` with the labels service and slo", printable(&name.text));
            report.differs(name.range, message, "use those labels in routes and silences");
        }
    }
    let severities = fields.map("severities", "severities", report);
    let known = ["absent", "fastBurn", "mediumBurn", "slowBurn", "longTermBurn"];
    let mut absent = None;
    if let Some(map) = severities {
        map.only(&known, Unknown::Refused, report);
        absent = map.text("absent", report);
        if let Some((key, _)) = map.entries().iter().find(|(key, _)| key.text != "absent") {
            let message = "severities of burn alerts are not carried: they are page and ticket";
            report.not_carried(key.range, message, "kilter.yaml names a receiver for each severity of a team");
        }
    }
    if !fields.flag("absent", true, report) {
        return Some(Text::new("ignore", fields.key("absent")));
    }
    absent.map(|it| Text::new(if it.text == "critical" { "page" } else { "ticket" }, it.range))
}

/// Keys about where Pyrra's rules go and what they cost.
fn others(spec: Fields<'_>, report: &mut Report<'_, '_>) {
    if spec.flag("performanceOverAccuracy", false, report) {
        let message =
            "performanceOverAccuracy has no counterpart: Kilter's long windows read few samples and are exact";
        report.not_carried(spec.key("performanceOverAccuracy"), message, "nothing to do");
    }
    if spec.get("ruleOutput").is_some() {
        let message = "ruleOutput is not carried: all rules of a service are one file";
        report.not_carried(spec.key("ruleOutput"), message, "load rules/<service>.rules.yaml where the data are");
    }
    let strategy =
        spec.text("partial_response_strategy", report).filter(|it| !["", "abort"].contains(&it.text.as_str()));
    if let Some(it) = strategy {
        let message = "partial_response_strategy is not carried: a rule over half of the data would be wrong";
        report.not_carried(it.range, message, "nothing to do: abort is what Thanos does by itself");
    }
}

/// What is measured, and the job of its series.
struct Indicator {
    kind: Kind,
    job: Option<Text>,
    grouping: Vec<Text>,
}

enum Kind {
    Counters(Counters),
    Other(Target, Node),
}

impl Indicator {
    fn read(fields: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Self> {
        let kinds = ["ratio", "latency", "latencyNative", "bool_gauge"];
        fields.only(&kinds, Unknown::Refused, report);
        let there: Vec<&str> = kinds.into_iter().filter(|it| fields.get(it).is_some()).collect();
        let [kind] = there.as_slice() else {
            let message = format!("an indicator is exactly one kind, but here are {}", there.len());
            report.error(Code::ForeignShape, fields.place(), message, format!("keep one of: {}", kinds.join(", ")));
            return None;
        };
        match *kind {
            "ratio" => counters(fields.map("ratio", "a ratio", report)?, "errors", Side::Errors, report),
            "latency" => counters(fields.map("latency", "a latency", report)?, "success", Side::Good, report),
            "latencyNative" => native(fields.map("latencyNative", "a native latency", report)?, report),
            _ => gauge(fields.map("bool_gauge", "a bool_gauge", report)?, report),
        }
    }

    fn sli(self, service: &str, report: &mut Report<'_, '_>) -> (Sli, Vec<Text>) {
        match self.kind {
            Kind::Counters(counters) => (lift::sli(service, counters, report).0, self.grouping),
            Kind::Other(target, node) => (Sli::Other(target, node), self.grouping),
        }
    }
}

/// A plain selector of one metric.
fn metric(fields: Fields<'_>, key: &'static str, report: &mut Report<'_, '_>) -> Option<(Text, Selector)> {
    let side = fields.need_map(key, "a metric of Pyrra", report)?;
    side.only(&["metric"], Unknown::Refused, report);
    selector(side, report)
}

fn selector(side: Fields<'_>, report: &mut Report<'_, '_>) -> Option<(Text, Selector)> {
    let text = side.need("metric", "requests_total{job=\"shop\"}", report)?;
    match promql::parse(&text.text) {
        Ok(expr) => {
            let selectors = promql::selectors(&expr);
            match selectors.as_slice() {
                [one] if !one.ranged && one.kept.is_none() && is_plain(&text.text) => {
                    return Some((text.clone(), one.clone()));
                }
                _ => {
                    let message = "Pyrra takes the selector of one metric here, not an expression";
                    report.error(Code::ForeignShape, text.range, message, "for example: requests_total{job=\"shop\"}");
                }
            }
        }
        Err(error) => {
            let range = promql::place_in_source(report.source(), text.range, &text.text, error.start, error.end);
            report.error(Code::PromQl, range, error.message, error.help);
        }
    }
    None
}

/// Whether a text is a selector and nothing else: no word stands behind its name and braces.
fn is_plain(text: &str) -> bool {
    let text = text.trim();
    let name = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len());
    text[name..].trim().is_empty() || (text[name..].trim_start().starts_with('{') && text.ends_with('}'))
}

fn counters(fields: Fields<'_>, key: &'static str, side: Side, report: &mut Report<'_, '_>) -> Option<Indicator> {
    fields.only(&[key, "total", "grouping"], Unknown::Refused, report);
    let (part, total) = (metric(fields, key, report), metric(fields, "total", report));
    let grouping = fields.texts("grouping", report);
    let ((mut part, part_selector), (total, selector)) = (part?, total?);
    if side == Side::Good {
        let Some(le) = part_selector.matchers.iter().find(|it| it.label == "le") else {
            let message = "a latency needs the bound in `success`, as le=\"0.25\"";
            report.error(Code::ForeignShape, part.range, message, "add le to the selector of the bucket");
            return None;
        };
        if let Some(whole) = le.value.parse::<u64>().ok().filter(|_| le.is_equality()) {
            // Prometheus 3 stores whole bounds as `1.0`, earlier versions as they are exposed.
            for quote in ['"', '\''] {
                let old = format!("le={quote}{whole}{quote}");
                part.text = part.text.replace(&old, &format!("le=~\"{whole}(\\\\.0)?\""));
            }
        }
    }
    let part = query::read(&part, Ranges::Selector, report);
    let total = query::read(&total, Ranges::Selector, report);
    let counters = Counters { side, part: part?, total: total? };
    Some(Indicator { job: job(&selector, &counters.total), kind: Kind::Counters(counters), grouping })
}

fn native(fields: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Indicator> {
    fields.only(&["total", "latency", "grouping"], Unknown::Refused, report);
    let total = metric(fields, "total", report);
    let latency = fields.need("latency", "250ms", report);
    let grouping = fields.texts("grouping", report);
    let ((text, selector), latency) = (total?, latency?);
    let kind = Text::new("native", text.range);
    let node = texts(text.range, &[("histogram", text.clone()), ("slower_than", latency), ("type", kind)]);
    Some(Indicator { job: job(&selector, &text), kind: Kind::Other(Target::Latency, node), grouping })
}

fn gauge(fields: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Indicator> {
    fields.only(&["metric", "grouping"], Unknown::Refused, report);
    let found = selector(fields, report);
    let grouping = fields.texts("grouping", report);
    let (text, selector) = found?;
    let node = texts(text.range, &[("up", text.clone())]);
    Some(Indicator { job: job(&selector, &text), kind: Kind::Other(Target::Uptime, node), grouping })
}

/// The job that a selector names: the nearest that Pyrra has to a service.
fn job(selector: &Selector, at: &Text) -> Option<Text> {
    let job = selector.matchers.iter().find(|it| it.label == "job" && it.is_equality())?;
    let legal = job.value.parse::<Name>().is_ok() || crate::resolve::suggestion(&job.value).is_some();
    legal.then(|| Text::new(job.value.clone(), at.range))
}
