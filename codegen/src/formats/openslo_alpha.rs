//! OpenSLO `openslo/v1alpha`: the queries stand in the objectives.

use super::description;
use super::draft::{Service, Side, Slo, Text};
use super::lift::{self, Counters};
use super::openslo::{Objects, carried, labels, numbered, owner, tell_calendar};
use super::query::{self, Ranges};
use super::report::Report;
use super::shape::{Fields, Unknown};
use crate::diagnostic::Code;
use crate::spec::check::{help, printable};

/// The service of one SLO document.
pub(super) fn service(fields: Fields<'_>, all: &Objects<'_>, report: &mut Report<'_, '_>) -> Option<Service> {
    let metadata = fields.need_map("metadata", "metadata", report);
    let spec = fields.need_map("spec", "the spec of an SLO", report)?;
    let keys = ["description", "service", "timeWindows", "budgetingMethod", "indicator", "objectives"];
    spec.only(&keys, Unknown::Refused, report);
    let name = metadata.and_then(|it| {
        it.only(&["name", "displayName", "labels", "annotations"], Unknown::Refused, report);
        it.need("name", "requests-availability", report)
    });
    let own_labels = labels(fields, report);
    let named = spec.need("service", "shop", report).and_then(|it| owner(&it, &own_labels, all, report));
    let more = carried(&own_labels, report);
    let window = time_window(spec, report);
    if let Some(method) = spec.need("budgetingMethod", "Occurrences", report).filter(|it| it.text != "Occurrences") {
        let message = format!("the budgeting method `{}` cannot be carried", printable(&method.text));
        report.error(Code::ForeignSli, method.range, message, "Occurrences weighs events, as Kilter does");
    }
    if spec.get("indicator").is_some() {
        let message = "a threshold over a query cannot be carried from v1alpha";
        report.error(Code::ForeignSli, spec.key("indicator"), message, "write it as openslo/v1, or name two counters");
    }
    let objectives = spec.items("objectives", report);
    if objectives.is_empty() {
        report.error(
            Code::ForeignEmpty,
            spec.key("objectives"),
            "an SLO needs one objective at least",
            "add `- target: 0.999`",
        );
    }
    let described = spec.text("description", report);
    let (name, (service, team), window) = (name?, named?, window?);
    let mut notes = report.take_notes();
    let mut slos = Vec::new();
    for (index, node) in objectives.iter().enumerate() {
        let mut read = || {
            let it = Fields::of(node, "an objective", report)?;
            let keys = ["displayName", "value", "op", "target", "timeSliceTarget", "ratioMetrics"];
            it.only(&keys, Unknown::Refused, report);
            let share = it.need("target", "0.999", report).and_then(|it| lift::objective(&it, false, report));
            let counters = ratio(it, report);
            let name = lift::name(&numbered(&name, index, objectives.len()), "the SLO", report);
            let (share, counters, name) = (share?, counters?, name?);
            let (sli, by) = lift::sli(&service.text, counters, report);
            let text = it.text("displayName", report).filter(|_| objectives.len() > 1);
            Some(Slo {
                description: description(text.or_else(|| described.clone()), &name, &share, report),
                name,
                objective: share,
                window: window.clone(),
                sli,
                by,
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

fn ratio(objective: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Counters> {
    let fields = objective.need_map("ratioMetrics", "ratioMetrics", report)?;
    fields.only(&["incremental", "counter", "good", "total"], Unknown::Refused, report);
    let counter = fields.flag("incremental", false, report) || fields.flag("counter", false, report);
    let side = |key: &'static str, report: &mut Report<'_, '_>| {
        let side = fields.need_map(key, "a side of a ratio", report)?;
        side.only(&["source", "queryType", "query"], Unknown::Refused, report);
        if let Some(kind) = side.text("queryType", report).filter(|it| !it.text.eq_ignore_ascii_case("promql")) {
            let message = format!("a query of the type `{}` is no PromQL", printable(&kind.text));
            report.error(Code::ForeignSli, kind.range, message, help(&kind.text, &["promql"]));
            return None;
        }
        query::read(&side.need("query", "sum(rate(requests_total[5m]))", report)?, Ranges::Any { counter }, report)
    };
    let (good, total) = (side("good", report), side("total", report));
    Some(Counters { side: Side::Good, part: good?, total: total? })
}

fn time_window(spec: Fields<'_>, report: &mut Report<'_, '_>) -> Option<Text> {
    let items = spec.items("timeWindows", report);
    let Some(first) = items.first() else {
        report.assumed(spec.key("timeWindows"), "no time window is given, so 30d is taken", "add `timeWindows`");
        return Some(Text::new("30d", spec.key("timeWindows")));
    };
    if items.len() > 1 {
        let message = format!("a time window is one, but here are {}", items.len());
        report.error(Code::ForeignShape, items[1].range, message, "write an SLO for each");
    }
    let fields = Fields::of(first, "a time window", report)?;
    fields.only(&["unit", "count", "isRolling", "calendar"], Unknown::Refused, report);
    let unit = fields.need("unit", "Day", report);
    let count = fields.need("count", "30", report);
    if !fields.flag("isRolling", fields.get("calendar").is_none(), report) {
        tell_calendar(fields.place(), report);
    }
    let (unit, count) = (unit?, count?);
    let units = [("Day", 1), ("Week", 7), ("Month", 30), ("Quarter", 90)];
    let Some((_, days)) = units.iter().find(|(word, _)| *word == unit.text) else {
        let known: Vec<&str> = units.iter().map(|(word, _)| *word).collect();
        let message = format!("a window of the unit `{}` cannot be carried", printable(&unit.text));
        report.error(Code::BadValue, unit.range, message, help(&unit.text, &known));
        return None;
    };
    let days = count.text.parse::<u32>().ok().and_then(|it| it.checked_mul(*days)).filter(|it| *it > 0);
    if days.is_none() {
        let message = format!("`{}` is no number of {}s", printable(&count.text), unit.text.to_lowercase());
        report.error(Code::BadValue, count.range, message, "for example: count: 30");
    }
    Some(Text::new(format!("{}d", days?), count.range))
}
