//! Labels that a text names and the expression does not give.

use super::{Context, Rule};
use crate::diagnostic::{Code, Findings};
use crate::promql::{Kept, place_in_source};
use crate::spec::check::nearest;
use crate::yaml::Range;

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>, findings: &mut Findings<'_>) {
    let kept = rule.tree.kept();
    let of_alerts =
        rule.tree.all().iter().filter_map(|it| it.selects()).any(|(metric, _)| metric.starts_with("ALERTS"));
    for (text, place) in &rule.texts {
        let uses = uses(text);
        for (label, at) in &uses {
            // Who asks whether a label is there knows that it need not be.
            let asked = uses.iter().any(|(it, at)| it == label && is_condition(text, at.start));
            let own = rule.labels.iter().any(|(key, _)| key == label) || (*label == "alertname" && !of_alerts);
            let lost = !kept.has(label) || (own && matches!(kept, Kept::Not(_)));
            if asked || !lost {
                continue;
            }
            let message = if own && kept.has(label) {
                format!("`$labels` has the labels of the expression, so not `{label}`, which the alert adds")
            } else {
                format!("the expression has no label `{label}` left")
            };
            let near = match &kept {
                Kept::Only(all) => {
                    nearest(label, &all.iter().map(String::as_str).collect::<Vec<_>>()).map(str::to_owned)
                }
                Kept::Not(_) => None,
            };
            let help = match (near, own) {
                (Some(near), _) => format!("did you mean `{near}`?"),
                (None, true) => "write the value itself".to_owned(),
                (None, false) => {
                    format!("keep it in the expression, as in sum by ({label}) (...), or leave it out of the text")
                }
            };
            let range = place_in_source(findings.source(), *place, text, at.start, at.end);
            findings.warning(Code::LostLabel, range, message, help);
        }
    }
}

/// Every `$labels.x`, `.Labels.x` and `index $labels "x"` of a template.
fn uses(text: &str) -> Vec<(&str, Range)> {
    // Behind `range` and `with` the labels are those of a query in the text.
    let other = ["range ", "with "].iter().any(|it| text.contains(it));
    let starts: &[&str] =
        if other { &["$labels."] } else { &["$labels.", " .Labels.", "{.Labels.", "index $labels \""] };
    let mut all = Vec::new();
    for (begin, end) in actions(text) {
        for start in starts {
            for (at, _) in text[begin..end].match_indices(start) {
                let from = begin + at + start.len();
                let rest = &text[from..end];
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                if len > 0 {
                    all.push((&rest[..len], Range { start: from, end: from + len }));
                }
            }
        }
    }
    all.sort_by_key(|(_, at)| at.start);
    all
}

/// Inside of every `{{ ... }}`, with the inner of the two braces.
fn actions(text: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|it| at + it) {
        let Some(end) = text[start..].find("}}").map(|it| start + it) else { break };
        all.push((start + 1, end));
        at = end + 2;
    }
    all
}

/// Whether a place stands in `{{ if ... }}` or `{{ with ... }}`.
fn is_condition(text: &str, at: usize) -> bool {
    let action = actions(text).into_iter().find(|(start, end)| (*start..*end).contains(&at));
    action.is_some_and(|(start, end)| {
        let inner = text[start + 1..end].trim_start_matches('-').trim_start();
        ["if ", "with ", "else if ", "or "].iter().any(|it| inner.starts_with(it))
    })
}
