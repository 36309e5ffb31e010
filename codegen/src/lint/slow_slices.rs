//! A rate over the minute of a slice, where scrapes are so far apart that a minute does not hold four of them.

use super::Query;
use super::flaw::{Flaw, RATES};
use crate::diagnostic::{Code, Diagnostic};
use crate::load::Sources;
use crate::model::{Duration, Estate};
use crate::plan::sli::SLICE;
use crate::promql::Part;
use crate::yaml::{Node, Value};

/// Scrapes that a range must hold, so that a lost one is no lost rate.
const SCRAPES: u64 = 4;

pub(super) fn check(query: &Query<'_>, _: &Estate, sources: &Sources, all: &mut Vec<Diagnostic>) {
    if query.kind != "slices" {
        return;
    }
    let config = sources.trees.first().filter(|_| sources.has_config).and_then(Option::as_ref);
    let Some(interval) = config.and_then(|it| it.get("scrape_interval")).and_then(duration) else { return };
    let most = Duration::from_millis(SLICE.millis() / SCRAPES);
    if interval <= most {
        return;
    }
    let Some(tree) = query.tree() else { return };
    for part in tree.all() {
        let Some([argument]) = part.call(RATES) else { continue };
        let Part::Ranged { length: None, brackets, .. } = &argument.part else { continue };
        let message = format!(
            "a slice is {SLICE} and holds fewer than {SCRAPES} scrapes that are {interval} apart: minutes can be missing"
        );
        let help = format!("scrape at least every {most}, or count with an `events` SLI");
        query.tell(Flaw::new(Code::ScrapeTooSlow, *brackets, message, help), sources, all);
    }
}

fn duration(node: &Node) -> Option<Duration> {
    match &node.value {
        Value::Scalar { text, .. } => text.parse().ok(),
        _ => None,
    }
}
