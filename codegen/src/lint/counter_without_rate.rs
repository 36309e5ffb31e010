//! A counter that is read without `rate` only ever grows: its value says nothing about now.

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql::Selector;

/// Endings of counters, by the naming rules of Prometheus.
const ENDINGS: &[&str] = &["_total", "_count", "_sum", "_bucket"];

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    // Maintenance can be told by whatever there is.
    if query.kind != "maintenance" {
        let counter = |it: &Selector| !it.ranged && ENDINGS.iter().any(|end| it.metric.ends_with(end));
        for (selector, at) in query.selectors().iter().filter(|(it, _)| counter(it)) {
            let range = query.place(sources, *at);
            let message = format!("the counter `{}` is read without rate()", selector.metric);
            let help = match query.kind {
                "uptime" => format!(
                    "a heartbeat is a `slices` SLI: rate({}[$window]) > bool 0; a gauge should not have a counter's name",
                    selector.metric
                ),
                _ => format!("write rate({}[$window]); a gauge should not have a counter's name", selector.metric),
            };
            Findings::new(query.file, sources, all).warning(Code::CounterWithoutRate, range, message, help);
        }
    }
}
