//! The comparison for people.

use super::super::print::wrapped;
use super::{Comparison, Difference, Kind};

/// One paragraph per difference.
pub fn human(of: &Comparison) -> String {
    of.differences.iter().map(paragraph).collect()
}

fn paragraph(of: &Difference) -> String {
    let word = match of.kind {
        Kind::Missing => "missing",
        Kind::Failing => "failing",
        Kind::Stale => "stale",
        Kind::Extra => "extra",
        Kind::Slow => "slow",
    };
    let labels: Vec<String> = of.labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let rule = of.rule.as_deref().map_or_else(String::new, |it| format!(" {it}{labels}"));
    let mut out = wrapped(&format!("{word} {}{rule}", of.group), "    ");
    let mut note = |text: &str| out.push_str(&wrapped(&format!("    {text}"), "      "));
    match (of.kind, of.rule.is_some()) {
        (Kind::Missing, false) => note("the server does not run this group"),
        (Kind::Missing, true) => note("the server's group does not have this rule"),
        (Kind::Extra, true) => note("this rule is not generated any more"),
        (Kind::Extra, false) => note(&match of.what.first().and_then(|it| it.generated.as_ref()) {
            Some(other) => format!("the group runs twice: also from {other}"),
            None => "no SLO file makes this group any more".to_owned(),
        }),
        (Kind::Slow, _) => {
            let (took, most) = of.what.first().map_or(("", ""), |it| {
                (it.served.as_deref().unwrap_or_default(), it.generated.as_deref().unwrap_or_default())
            });
            note(&format!("the last evaluation took {took}, more than half of the interval ({most})"));
        }
        (Kind::Failing, _) => {
            let why = of.what.first().and_then(|it| it.served.as_deref()).unwrap_or("no reason is told");
            note(&format!("the last evaluation failed: {why}"));
        }
        (Kind::Stale, _) => {
            for what in &of.what {
                let text = |it: &Option<String>| it.as_deref().unwrap_or("nothing").trim().to_owned();
                note(&format!("{} is {}", what.field, text(&what.served)));
                note(&format!("generated: {}", text(&what.generated)));
            }
        }
    }
    if let Some(file) = of.file.as_ref().filter(|it| !it.is_empty()) {
        note(&format!("in {file}"));
    }
    out
}
