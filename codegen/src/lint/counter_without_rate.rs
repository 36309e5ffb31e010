//! A counter that is read without `rate` only ever grows: its value says nothing about now.

use super::queries;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::Estate;
use crate::promql;

/// Endings of counters, by the naming rules of Prometheus.
const ENDINGS: &[&str] = &["_total", "_count", "_sum", "_bucket"];

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    // Maintenance can be told by whatever there is.
    for query in queries(estate, sources).into_iter().filter(|it| it.kind != "maintenance") {
        let Ok(expr) = promql::parse(query.text) else { continue };
        let counter = |it: &promql::Selector| !it.ranged && ENDINGS.iter().any(|end| it.metric.ends_with(end));
        for (selector, at) in promql::placed_selectors(query.text, &expr).into_iter().filter(|(it, _)| counter(it)) {
            let range = query.place(sources, at);
            let message = format!("the counter `{}` is read without rate()", selector.metric);
            let help = match query.kind {
                "uptime" => format!(
                    "a heartbeat is a `slices` SLI: rate({}[$window]) > bool 0; a gauge should not have a counter's name",
                    selector.metric
                ),
                _ => format!("write rate({}[$window]); a gauge should not have a counter's name", selector.metric),
            };
            Findings::new(query.file, sources, &mut all).warning(Code::CounterWithoutRate, range, message, help);
        }
    }
    all
}
