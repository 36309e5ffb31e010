//! Buckets of a histogram that are no longer told apart.

use super::{Flaw, only_exists, written};
use crate::diagnostic::Code;
use crate::promql::{Part, Tree};
use crate::yaml::Range;

const QUANTILES: &[&str] = &["histogram_quantile", "histogram_fraction"];

/// Aggregations without `le` over buckets. `summed` says that somebody sums the whole expression later.
pub(crate) fn missing_le(text: &str, tree: &Tree, summed: bool) -> Vec<Flaw> {
    let mut all = Vec::new();
    tree.visit(&mut Vec::new(), &mut |it, above| {
        if let Some(args) = it.call(QUANTILES) {
            all.extend(args.last().and_then(|of| without_le(text, it, of)));
        } else if let Some((metric, matchers)) = it.selects() {
            let buckets = metric.ends_with("_bucket") && matchers.iter().all(|it| it.label != "le");
            if buckets && !only_exists(it, above) && is_summed(above, summed) {
                let message = format!("every bucket of `{metric}` is added up, so each event counts many times");
                let help = format!(
                    "choose one bucket with le=\"...\", or count events with {}_count",
                    metric.trim_end_matches("_bucket")
                );
                all.push(Flaw::new(Code::MissingLe, it.head, message, help));
            }
        }
    });
    all
}

/// Whether buckets are added up, and no quantile is made of them.
fn is_summed(above: &[&Tree], summed: bool) -> bool {
    let adds = |it: &&Tree| matches!(&it.part, Part::Aggregation { name, .. } if name == "sum" || name == "avg");
    let quantile = above.iter().any(|it| it.call(QUANTILES).is_some());
    let outer = above.iter().rev().find(|it| adds(it));
    !quantile && outer.map_or(summed, |it| !it.kept().has("le"))
}

/// The aggregation below a quantile that drops `le`.
fn without_le(text: &str, quantile: &Tree, of: &Tree) -> Option<Flaw> {
    let parts = of.all();
    let buckets = parts.iter().filter_map(|it| it.selects()).any(|(metric, _)| metric.contains("_bucket"));
    if !buckets || of.kept().has("le") {
        return None;
    }
    let dropping: Vec<&&Tree> =
        parts.iter().filter(|it| matches!(it.part, Part::Aggregation { .. }) && !it.kept().has("le")).collect();
    let name = written(text, quantile.head);
    let message = format!("`{name}` gets buckets whose `le` was aggregated away, so it gives nothing");
    let first = dropping.first()?;
    let Part::Aggregation { grouping, .. } = &first.part else { return None };
    let at = grouping.as_ref().map_or(first.head, |it| it.range);
    let flaw = Flaw::new(Code::MissingLe, at, message, "keep it: sum by (le) (rate(x_bucket[5m]))");
    Some(match grouping {
        _ if dropping.len() > 1 => flaw,
        None => {
            // With its bracket, where that follows at once: `sum(` becomes `sum by (le) (`.
            let bracket = if text[first.head.end..].starts_with('(') { "(" } else { "" };
            let at = Range { start: first.head.start, end: first.head.end + bracket.len() };
            let with = format!("{} by (le) {bracket}", written(text, first.head));
            flaw.mended(at, with.trim_end())
        }
        Some(it) if it.keyword == "by" => match it.names.last() {
            Some((last, at)) => flaw.mended(*at, format!("{last}, le")),
            None => flaw.mended(it.range, "by (le)"),
        },
        Some(_) => flaw,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::promql::tree;

    fn mended(text: &str, summed: bool) -> Vec<String> {
        let flaws = missing_le(text, &tree(text).unwrap(), summed);
        let one = |it: Flaw| {
            let mut text = text.to_owned();
            it.edits.iter().for_each(|(at, with)| text.replace_range(at.start..at.end, with));
            text
        };
        flaws.into_iter().map(one).collect()
    }

    #[test]
    fn le_is_put_back() {
        for (text, good) in [
            (
                "histogram_quantile(0.9, sum(rate(x_bucket[5m])))",
                "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
            ),
            (
                "histogram_quantile(0.9, sum (rate(x_bucket[5m])))",
                "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
            ),
            (
                "histogram_quantile(0.9, sum by (a) (rate(x_bucket[5m])))",
                "histogram_quantile(0.9, sum by (a, le) (rate(x_bucket[5m])))",
            ),
            (
                "histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (a))",
                "histogram_quantile(0.9, sum(rate(x_bucket[5m])) by (a, le))",
            ),
        ] {
            assert_eq!(mended(text, false), [good]);
            assert!(mended(good, true).is_empty(), "{good}");
        }
    }

    #[test]
    fn buckets_are_not_added_up() {
        for (text, summed, flaws) in [
            ("sum(rate(x_bucket[5m]))", false, 1),
            ("rate(x_bucket[5m])", true, 1),
            ("rate(x_bucket[5m])", false, 0),
            ("sum(rate(x_bucket{le=\"1\"}[5m]))", true, 0),
            ("sum by (le) (rate(x_bucket[5m]))", false, 0),
            ("sum(rate(x_count[5m]) and ignoring (le) rate(x_bucket[5m]))", true, 0),
            ("histogram_quantile(0.9, sum without (le) (rate(x_bucket[5m])))", false, 1),
            ("histogram_quantile(0.9, sum(rate(x[5m])))", false, 0),
            ("count(x_bucket)", false, 0),
        ] {
            assert_eq!(missing_le(text, &tree(text).unwrap(), summed).len(), flaws, "{text}");
        }
    }
}
