//! OpenSLO `openslo/v1`: SLOs, and what they refer to in the same file or folder.

use super::draft::{Service, Slo, Text};
use super::openslo_sli::{Measured, indicator};
use super::report::Report;
use super::shape::{Fields, Unknown, scalar};
use super::target::Target;
use super::{Neighbour, Reader, carry, description, lift, openslo_alpha, relocated, team, unknown_version};
use crate::diagnostic::Code;
use crate::spec::check::printable;
use crate::yaml::{Node, Range, Value};

/// The format.
pub(super) const READER: Reader = Reader { name: "openslo", title: "OpenSLO", refers: true, owns, read };

const V1: &str = "openslo/v1";
const ALPHA: &str = "openslo/v1alpha";
const KINDS: &[&str] =
    &["SLO", "SLI", "Service", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"];

fn owns(root: &Node) -> bool {
    let version = root.get("apiVersion").and_then(scalar);
    version.is_some_and(|it| it.text.starts_with("openslo/") || it.text.starts_with("openslo.com/"))
}

fn read(documents: &[&Node], neighbours: &[Neighbour], report: &mut Report<'_, '_>) -> Vec<Service> {
    let all = Objects { documents, neighbours };
    let mut services = Vec::new();
    for root in documents {
        let Some(fields) = Fields::of(root, "an OpenSLO document", report) else { continue };
        fields.only(&["apiVersion", "kind", "metadata", "spec"], Unknown::Refused, report);
        let Some(version) = fields.need("apiVersion", V1, report) else { continue };
        let Some(kind) = fields.need("kind", "SLO", report) else { continue };
        match (version.text.as_str(), kind.text.as_str()) {
            (V1, "SLO") => services.extend(service(fields, &all, report)),
            (ALPHA, "SLO") => services.extend(openslo_alpha::service(fields, &all, report)),
            (V1 | ALPHA, it) if KINDS.contains(&it) => {}
            (V1 | ALPHA, _) => unknown_version("the kind", &kind, KINDS, report),
            _ => unknown_version("OpenSLO's apiVersion", &version, &[V1, ALPHA], report),
        }
    }
    services
}

/// Everything that a reference can name.
pub(super) struct Objects<'a> {
    documents: &'a [&'a Node],
    neighbours: &'a [Neighbour],
}

impl Objects<'_> {
    /// An object by kind and name, with its file when that is another one. It then stands where it is named.
    pub(super) fn find(&self, kind: &str, name: &Text) -> Option<(Node, Option<String>)> {
        let is = |root: &Node| {
            let text = |node: Option<&Node>| node.and_then(scalar).map(|it| it.text);
            text(root.get("kind")).as_deref() == Some(kind)
                && text(root.get("metadata").and_then(|it| it.get("name"))).as_ref() == Some(&name.text)
        };
        if let Some(own) = self.documents.iter().find(|it| is(it)) {
            return Some(((*own).clone(), None));
        }
        let other = self.neighbours.iter().find(|it| owns(&it.root) && is(&it.root))?;
        Some((relocated(&other.root, name.range), Some(other.path.clone())))
    }

    /// The same, or a finding.
    pub(super) fn need(&self, kind: &str, name: &Text, report: &mut Report<'_, '_>) -> Option<(Node, Option<String>)> {
        let found = self.find(kind, name);
        if found.is_none() {
            let message = format!("there is no {kind} `{}` in this file or beside it", printable(&name.text));
            let help = "put its file into the same folder, or name it on the command line too";
            report.error(Code::ForeignReference, name.range, message, help);
        }
        found
    }
}

/// The labels of an object; a label can have several values.
pub(super) fn labels<'a>(fields: Fields<'a>, report: &mut Report<'_, '_>) -> Vec<(&'a str, Text)> {
    let Some(metadata) = fields.map("metadata", "metadata", report) else { return Vec::new() };
    let Some(map) = metadata.map("labels", "labels", report) else { return Vec::new() };
    let first = |node: &Node| match &node.value {
        Value::List(items) => items.first().and_then(scalar),
        _ => scalar(node),
    };
    map.entries().iter().filter_map(|(key, node)| Some((key.text.as_str(), first(node)?))).collect()
}

/// Service and team of an SLO: from its labels, then from those of the Service that it names.
pub(super) fn owner(
    name: &Text,
    own: &[(&str, Text)],
    all: &Objects<'_>,
    report: &mut Report<'_, '_>,
) -> Option<(Text, Text)> {
    let service = lift::name(name, "the service", report)?;
    let document = all.find("Service", name);
    let inherited =
        document.as_ref().and_then(|(it, _)| Fields::of(it, "a Service", report)).map(|it| labels(it, report));
    let both: Vec<(&str, Text)> = own.iter().cloned().chain(inherited.unwrap_or_default()).collect();
    let team = team(&service, &both, report)?;
    Some((service, team))
}

/// Labels as a key of our file.
pub(super) fn carried(own: &[(&str, Text)], report: &mut Report<'_, '_>) -> Vec<(Target, Node)> {
    let rest = carry(Target::Labels, own.to_vec(), report);
    let key = rest.first().map(|(_, first)| (Target::Labels, super::draft::texts(first.range, &rest)));
    key.into_iter().collect()
}

fn service(fields: Fields<'_>, all: &Objects<'_>, report: &mut Report<'_, '_>) -> Option<Service> {
    let metadata = fields.need_map("metadata", "metadata", report);
    let spec = fields.need_map("spec", "the spec of an SLO", report)?;
    let keys = [
        "description",
        "service",
        "indicator",
        "indicatorRef",
        "timeWindow",
        "budgetingMethod",
        "objectives",
        "alertPolicies",
    ];
    spec.only(&keys, Unknown::Refused, report);
    let name = metadata.and_then(|it| {
        it.only(&["name", "displayName", "labels", "annotations"], Unknown::Refused, report);
        it.need("name", "requests-availability", report)
    });
    let own_labels = labels(fields, report);
    let named = spec.need("service", "shop", report).and_then(|it| owner(&it, &own_labels, all, report));
    let window = time_window(spec, report);
    let method = spec.need("budgetingMethod", "Occurrences", report);
    let more = carried(&own_labels, report);
    policies(spec, all, report);
    let described = spec.text("description", report).or_else(|| metadata.and_then(|it| it.text("displayName", report)));
    let objectives = spec.items("objectives", report);
    if objectives.is_empty() {
        report.error(
            Code::ForeignEmpty,
            spec.key("objectives"),
            "an SLO needs one objective at least",
            "add `- target: 0.999`",
        );
    }
    let (name, (service, team), window, method) = (name?, named?, window?, method?);
    let mut notes = report.take_notes();
    let mut slos = Vec::new();
    for (index, node) in objectives.iter().enumerate() {
        let mut read = || {
            let objective = Fields::of(node, "an objective", report)?;
            let name = lift::name(&numbered(&name, index, objectives.len()), "the SLO", report);
            let (share, measured) =
                Objective { spec, goal: objective, method: &method, service: &service.text, all }.read(report)?;
            let text = objective.text("displayName", report).filter(|_| objectives.len() > 1);
            let name = name?;
            Some(Slo {
                description: description(text.or_else(|| described.clone()), &name, &share, report),
                name,
                objective: share,
                window: window.clone(),
                sli: measured.sli,
                by: measured.by,
                no_data: None,
                more: more.clone(),
                notes: report.take_notes(),
            })
        };
        let slo = read();
        slos.extend(report.or_left_out(slo, node.range, &mut notes));
    }
    Some(Service { name: service, team, slos, notes })
}

/// Several objectives are several SLOs, numbered as Sloth numbers them.
pub(super) fn numbered(name: &Text, index: usize, count: usize) -> Text {
    if count > 1 { Text::new(format!("{}-{index}", name.text), name.range) } else { name.clone() }
}

struct Objective<'a> {
    spec: Fields<'a>,
    goal: Fields<'a>,
    method: &'a Text,
    service: &'a str,
    all: &'a Objects<'a>,
}

impl Objective<'_> {
    fn read(&self, report: &mut Report<'_, '_>) -> Option<(Text, Measured)> {
        let it = self.goal;
        let keys = [
            "displayName",
            "op",
            "value",
            "target",
            "targetPercent",
            "timeSliceTarget",
            "timeSliceWindow",
            "indicator",
            "indicatorRef",
            "compositeWeight",
        ];
        it.only(&keys, Unknown::Refused, report);
        let share = match (it.text("target", report), it.text("targetPercent", report)) {
            (Some(_), Some(percent)) => {
                let message = "`target` and `targetPercent` are both here";
                report.error(Code::ForeignShape, percent.range, message, "keep one of them");
                None
            }
            (Some(share), None) => lift::objective(&share, false, report),
            (None, Some(percent)) => lift::objective(&percent, true, report),
            (None, None) => it.need("target", "0.999", report),
        };
        if let Some(place) = it.get("compositeWeight").or(it.get("indicator")).or(it.get("indicatorRef")) {
            let message = "a composite SLO weighs several indicators, which Kilter does not";
            report.error(
                Code::ForeignSli,
                place.range,
                message,
                "write one SLO per indicator: each has its own budget",
            );
            return None;
        }
        let measured = indicator(self.spec, it, self.method, self.service, self.all, report);
        Some((share?, measured?))
    }
}

/// The compliance window; 30 days when the file has none.
fn time_window(spec: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Text> {
    let items = spec.items("timeWindow", report);
    let Some(first) = items.first() else {
        report.assumed(spec.key("timeWindow"), "no time window is given, so 30d is taken", "add `timeWindow`");
        return Some(Text::new("30d", spec.key("timeWindow")));
    };
    if items.len() > 1 {
        let message = format!("a time window is one, but here are {}", items.len());
        report.error(Code::ForeignShape, items[1].range, message, "write an SLO for each");
    }
    let fields = Fields::of(first, "a time window", report)?;
    fields.only(&["duration", "isRolling", "calendar"], Unknown::Refused, report);
    let duration = fields.need("duration", "30d", report);
    let rolling = fields.flag("isRolling", fields.get("calendar").is_none(), report);
    if let (Some(_), true) = (fields.get("calendar"), rolling) {
        let message = "a window is either rolling or bound to the calendar, but here it is both";
        report.error(Code::ForeignShape, fields.key("calendar"), message, "keep one of them");
    }
    if !rolling {
        tell_calendar(fields.place(), report);
    }
    days(&duration?, report)
}

/// A window of the calendar becomes one that rolls.
pub(super) fn tell_calendar(at: Range, report: &mut Report<'_, '_>) {
    let message = "a window bound to the calendar becomes a rolling one of the same length";
    report.differs(at, message, "alerts are the same; the budget no longer starts anew on the first");
}

/// `4w`, `1M`, `1Q`. Minutes cannot be meant: the published example writes `1m` for a month.
fn days(duration: &Text, report: &mut Report<'_, '_>) -> Option<Text> {
    let text = duration.text.as_str();
    let (count, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).len());
    let days = match unit {
        "d" => 1,
        "w" => 7,
        "M" => 30,
        "Q" => 90,
        "Y" => 365,
        "m" => {
            let message =
                format!("a window of `{text}` is minutes, which cannot be meant: months of 30 days are taken");
            report.differs(duration.range, message, "write `1M` for a month, or `30d`");
            30
        }
        "h" => return Some(duration.clone()),
        _ => 0,
    };
    let days = count.parse::<u32>().ok().and_then(|it| it.checked_mul(days)).filter(|it| *it > 0);
    if days.is_none() {
        let message = format!("`{}` is no duration of OpenSLO", printable(text));
        report.error(Code::BadValue, duration.range, message, "a number and one of d, w, M, Q, Y: 30d");
    }
    Some(Text::new(format!("{}d", days?), duration.range))
}

/// Alert policies: Kilter has its own, which page and ticket by burn rates over two windows each.
fn policies(spec: Fields<'_>, all: &Objects<'_>, report: &mut Report<'_, '_>) {
    for node in spec.items("alertPolicies", report) {
        let Some(fields) = Fields::of(node, "an alert policy", report) else { continue };
        let mut place = fields.place();
        if let Some(name) = fields.text("alertPolicyRef", report) {
            place = name.range;
            all.need("AlertPolicy", &name, report);
        }
        let message = "an alert policy is not carried: Kilter alerts on four pairs of windows by burn rate";
        report.not_carried(place, message, "docs/migrating.md lists the alerts; receivers stand in kilter.yaml");
    }
}
