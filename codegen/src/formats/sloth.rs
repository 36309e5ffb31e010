//! Sloth: `version: prometheus/v1`, and the same as a Kubernetes resource (`PrometheusServiceLevel`).

use super::draft::{Service, Side, Sli, Slo, Text, texts};
use super::lift::{self, Counters};
use super::query::{self, Ranges};
use super::report::Report;
use super::shape::{Fields, Unknown, scalar};
use super::sloth_windows::AlertWindows;
use super::target::Target;
use super::{Neighbour, Reader, carry, description, ratio, team, unknown_version};
use crate::diagnostic::Code;
use crate::yaml::{Node, Value};

/// The format.
pub(super) const READER: Reader = Reader { name: "sloth", title: "Sloth", refers: false, owns, read };

const VERSION: &str = "prometheus/v1";
const API_VERSION: &str = "sloth.slok.dev/v1";
const KINDS: &[&str] = &["PrometheusServiceLevel", "AlertWindows"];

/// Names of keys: the file writes `error_query`, the resource `errorQuery`.
struct Names {
    service_plugins: &'static str,
    errors: &'static str,
    total: &'static str,
    raw: &'static str,
    page: &'static str,
    ticket: &'static str,
}

const FILE: Names = Names {
    service_plugins: "slo_plugins",
    errors: "error_query",
    total: "total_query",
    raw: "error_ratio_query",
    page: "page_alert",
    ticket: "ticket_alert",
};

const RESOURCE: Names = Names {
    service_plugins: "sloPlugins",
    errors: "errorQuery",
    total: "totalQuery",
    raw: "errorRatioQuery",
    page: "pageAlert",
    ticket: "ticketAlert",
};

fn owns(root: &Node) -> bool {
    let starts = |key: &str, with: &str| root.get(key).and_then(scalar).is_some_and(|it| it.text.starts_with(with));
    starts("apiVersion", "sloth.slok.dev/") || (root.get("apiVersion").is_none() && starts("version", "prometheus/"))
}

/// Sloth cuts its input at every line that begins with `---` and deletes every line that begins with `#`, also inside
/// block scalars. Neither is YAML; here the same, with every other byte in its place.
pub(super) fn as_sloth_reads(text: &str) -> String {
    let line = |line: &str| {
        let (content, end) = line.split_at(line.trim_end_matches(['\n', '\r']).len());
        match content {
            it if it.starts_with('#') => " ".repeat(it.len()) + end,
            it if it.starts_with("---") => "---".to_owned() + &" ".repeat(it.len() - 3) + end,
            it => it.to_owned() + end,
        }
    };
    text.split_inclusive('\n').map(line).collect()
}

fn read(documents: &[&Node], neighbours: &[Neighbour], report: &mut Report<'_, '_>) -> Vec<Service> {
    let windows = AlertWindows::chosen(documents, neighbours, report);
    let mut services = Vec::new();
    for root in documents {
        let Some(fields) = Fields::of(root, "a Sloth file", report) else { continue };
        let Some(api_version) = fields.text("apiVersion", report) else {
            let Some(version) = fields.text("version", report) else { continue };
            if version.text == VERSION {
                services.extend(service(fields, &FILE, &["version"], windows.as_ref(), report));
            } else {
                unknown_version("Sloth's version", &version, &[VERSION], report);
            }
            continue;
        };
        if api_version.text != API_VERSION {
            unknown_version("Sloth's apiVersion", &api_version, &[API_VERSION], report);
            continue;
        }
        let Some(kind) = fields.need("kind", KINDS[0], report) else { continue };
        match kind.text.as_str() {
            "PrometheusServiceLevel" => {
                // Labels of the resource are those of the object that Sloth makes, not of the rules.
                fields.only(&["apiVersion", "kind", "metadata", "spec", "status"], Unknown::Ignored, report);
                let Some(spec) = fields.need_map("spec", "a PrometheusServiceLevel's spec", report) else { continue };
                services.extend(service(spec, &RESOURCE, &[], windows.as_ref(), report));
            }
            "AlertWindows" => {}
            _ => unknown_version("the kind", &kind, KINDS, report),
        }
    }
    services
}

fn service(
    fields: Fields<'_>,
    names: &Names,
    more_keys: &[&str],
    windows: Option<&AlertWindows>,
    report: &mut Report<'_, '_>,
) -> Option<Service> {
    let keys = ["service", "labels", names.service_plugins, "slos"];
    fields.only(&[&keys, more_keys].concat(), Unknown::Ignored, report);
    plugins(fields, names.service_plugins, report);
    let labels = labels(fields, "labels", report);
    let name = fields.need("service", "myservice", report).and_then(|it| lift::name(&it, "the service", report));
    let items = fields.items("slos", report);
    if items.is_empty() {
        let message = "a Sloth file needs one SLO at least";
        report.error(Code::ForeignEmpty, fields.key("slos"), message, "add it below `slos`");
    }
    let name = name?;
    // A team can stand beside one SLO too; the first decides, as a service has one.
    let per_slo = items.iter().filter_map(|it| it.get("labels")).flat_map(texts_of).collect::<Vec<_>>();
    let all: Vec<(&str, Text)> = labels.iter().cloned().chain(per_slo).collect();
    let team = team(&name, &all, report)?;
    let labels = carry(Target::Labels, labels, report);
    let mut notes = report.take_notes();
    let mut slos = Vec::new();
    for node in items {
        let slo = slo(node, &name, &labels, names, windows, report);
        slos.extend(report.or_left_out(slo, node.range, &mut notes));
    }
    Some(Service { name, team, slos, notes })
}

fn slo(
    node: &Node,
    service: &Text,
    inherited: &[(&str, Text)],
    names: &Names,
    windows: Option<&AlertWindows>,
    report: &mut Report<'_, '_>,
) -> Option<Slo> {
    let fields = Fields::of(node, "an SLO of Sloth", report)?;
    let keys = ["name", "description", "objective", "labels", "plugins", "sli", "alerting"];
    fields.only(&keys, Unknown::Ignored, report);
    plugins(fields, "plugins", report);
    let name = fields.need("name", "requests-availability", report).and_then(|it| lift::name(&it, "the SLO", report));
    let objective = fields.need("objective", "99.9", report).and_then(|it| lift::objective(&it, true, report));
    let own = labels(fields, "labels", report);
    let sli = fields.need_map("sli", "an SLI of Sloth", report).and_then(|it| sli(it, &service.text, names, report));
    let mut carried = Carried { inherited, labels: own, annotations: Vec::new() };
    if let Some(it) = fields.map("alerting", "Sloth's alerting", report) {
        alerting(it, names, &mut carried, report);
    }
    let (name, objective, (sli, by)) = (name?, objective?, sli?);
    let description = description(fields.text("description", report), &name, &objective, report);
    let mut more = carried.keys(report);
    let window = match windows {
        Some(it) => {
            more.extend(it.own_windows(name.range, report));
            Text::new(it.period.clone(), name.range)
        }
        None => Text::new("30d", name.range),
    };
    Some(Slo { name, description, objective, window, sli, by, no_data: None, more, notes: report.take_notes() })
}

fn sli(fields: Fields<'_>, service: &str, names: &Names, report: &mut Report<'_, '_>) -> Option<(Sli, Vec<Text>)> {
    fields.only(&["events", "raw", "plugin"], Unknown::Ignored, report);
    let kinds: Vec<&str> = ["events", "raw", "plugin"].into_iter().filter(|it| fields.get(it).is_some()).collect();
    let [kind] = kinds.as_slice() else {
        let message = format!("an SLI of Sloth is exactly one kind, but here are {}", kinds.len());
        report.error(Code::ForeignShape, fields.place(), message, "keep one of: events, raw, plugin");
        return None;
    };
    let query = |fields: Fields<'_>, key: &'static str, report: &mut Report<'_, '_>| {
        let text = fields.need(key, "'sum(rate(failed_total[{{.window}}]))'", report)?;
        query::read(&text, Ranges::Template, report)
    };
    match *kind {
        "events" => {
            let events = fields.map("events", "Sloth's events", report)?;
            events.only(&[names.errors, names.total], Unknown::Ignored, report);
            let (part, total) = (query(events, names.errors, report), query(events, names.total, report));
            let (part, total) = (part?, total?);
            if query::same(&part.text, &total.text) {
                let message = "errors and total are the same query, so every event would be an error";
                report.error(Code::ForeignShape, part.range, message, "name what failed, such as code=~\"5..\"");
                return None;
            }
            Some(lift::sli(service, Counters { side: Side::Errors, part, total }, report))
        }
        "raw" => {
            let raw = fields.map("raw", "Sloth's raw SLI", report)?;
            raw.only(&[names.raw], Unknown::Ignored, report);
            Some(ratio::sli(service, &query(raw, names.raw, report)?, false, report))
        }
        _ => {
            let place = fields.key("plugin");
            let message = "an SLI plugin of Sloth is a program: what it measures is not in this file";
            report.error(Code::ForeignSli, place, message, "write out the queries that the plugin makes as `events`");
            None
        }
    }
}

/// What is carried where this version has the keys.
struct Carried<'a> {
    inherited: &'a [(&'a str, Text)],
    labels: Vec<(&'a str, Text)>,
    annotations: Vec<(&'a str, Text)>,
}

impl Carried<'_> {
    /// Labels and annotations as keys of our file. As Sloth merges them: what stands nearer to the alert wins.
    fn keys(self, report: &mut Report<'_, '_>) -> Vec<(Target, Node)> {
        let own = carry(Target::Labels, self.labels, report);
        let labels = self.inherited.iter().cloned().chain(own).collect();
        let annotations = carry(Target::Annotations, self.annotations, report);
        let mut more = Vec::new();
        for (target, all) in [(Target::Labels, labels), (Target::Annotations, annotations)] {
            let mut all: Vec<(&str, Text)> = all;
            let Some(range) = all.first().map(|(_, text)| text.range) else { continue };
            all.reverse();
            all.sort_by_key(|(key, _)| *key);
            all.dedup_by_key(|(key, _)| *key);
            more.push((target, texts(range, &all)));
        }
        more
    }
}

fn alerting<'a>(fields: Fields<'a>, names: &Names, carried: &mut Carried<'a>, report: &mut Report<'_, '_>) {
    fields.only(&["name", "labels", "annotations", names.page, names.ticket], Unknown::Ignored, report);
    if let Some(name) = fields.text("name", report).filter(|it| it.text != kilter_contract::slo::ERROR_BUDGET_BURN) {
        let shown = crate::spec::check::printable(&name.text);
        let message = format!("the alert `{shown}` becomes `ErrorBudgetBurn` with the labels service and slo");
        report.differs(name.range, message, "use those labels in routes and silences");
    }
    carried.labels.extend(labels(fields, "labels", report));
    carried.annotations.extend(labels(fields, "annotations", report));
    for (key, severity) in [(names.page, "page"), (names.ticket, "ticket")] {
        let Some(alert) = fields.map(key, "an alert of Sloth", report) else { continue };
        alert.only(&["disable", "labels", "annotations"], Unknown::Ignored, report);
        if alert.flag("disable", false, report) {
            let message =
                format!("the {severity} alert is disabled here, but Kilter has no switch for it: it will fire");
            report.differs(alert.key("disable"), message, "give its receiver in kilter.yaml nobody to tell");
        }
        let own = labels(alert, "labels", report).into_iter().chain(labels(alert, "annotations", report));
        let own: Vec<(&str, Text)> = own.collect();
        if let Some((_, first)) = own.first() {
            let keys: Vec<&str> = own.iter().map(|(key, _)| *key).collect();
            let message = format!("what only the {severity} alert has is not carried: {}", keys.join(", "));
            report.not_carried(first.range, message, "kilter.yaml names a receiver for each severity of a team");
        }
    }
}

fn plugins(fields: Fields<'_>, key: &str, report: &mut Report<'_, '_>) {
    if fields.get(key).is_some() {
        let message = "plugins of Sloth are programs, and are not carried";
        report.not_carried(
            fields.key(key),
            message,
            "what they add to the rules must be asked of Kilter in other ways",
        );
    }
}

/// A mapping of texts.
fn labels<'a>(fields: Fields<'a>, key: &'static str, report: &mut Report<'_, '_>) -> Vec<(&'a str, Text)> {
    let Some(map) = fields.map(key, "a mapping of labels", report) else { return Vec::new() };
    for (key, node) in map.entries().iter().filter(|(_, node)| scalar(node).is_none()) {
        let message = format!("the label `{}` takes a text, but here is {}", key.text.escape_debug(), node.kind());
        report.error(Code::WrongType, node.range, message, "write it as a text");
    }
    fields.get(key).map(texts_of).unwrap_or_default()
}

fn texts_of(node: &Node) -> Vec<(&str, Text)> {
    let Value::Map(entries) = &node.value else { return Vec::new() };
    entries.iter().filter_map(|(key, node)| Some((key.text.as_str(), scalar(node)?))).collect()
}
