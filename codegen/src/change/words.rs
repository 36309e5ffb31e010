//! A change for a terminal, for a pull request, and for programs.

use serde_json::{Value, json};

use super::{Change, Cost, RulesChange, What};

/// How the numbers come about; whoever reads them shall not take them for measurements.
pub const HOW: &str = "Series: one per rule and SLO; SLOs with `by` have one per value. Evaluations: rules times how often their group runs.";

impl What {
    const fn sign(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Removed => "-",
            Self::Changed => "~",
        }
    }

    /// As programs read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// For people at a terminal. Every line begins with `#`, so that what follows is still a patch.
pub fn human(change: &Change) -> String {
    let mut out = String::new();
    for it in &change.rules {
        out.push_str(&format!("{}\n", title(it)));
        items(it).iter().for_each(|(what, text)| out.push_str(&format!("  {} {text}\n", what.sign())));
        out.push_str(&format!("  {}\n", cost(&it.cost)));
    }
    if !change.others.is_empty() {
        out.push_str("other files\n");
        change.others.iter().for_each(|(path, what)| out.push_str(&format!("  {} {path}\n", what.sign())));
    }
    if !change.rules.is_empty() {
        out.push_str(&format!("{HOW}\n"));
    }
    out.lines().map(|line| format!("# {line}\n")).collect()
}

/// For the description or a comment of a pull request.
pub fn markdown(change: &Change, diff: &str) -> String {
    if change.rules.is_empty() && change.others.is_empty() {
        return "Generated files do not change.\n".to_owned();
    }
    let mut out = "### What changes in generated files\n".to_owned();
    for it in &change.rules {
        out.push_str(&format!("\n**{}**\n\n", title(it)));
        items(it).iter().for_each(|(what, text)| out.push_str(&format!("- {}: {text}\n", what.word())));
        out.push_str(&format!("- {}\n", cost(&it.cost)));
    }
    if !change.others.is_empty() {
        out.push_str("\n**other files**\n\n");
        change.others.iter().for_each(|(path, what)| out.push_str(&format!("- {}: `{path}`\n", what.word())));
    }
    if !change.rules.is_empty() {
        out.push_str(&format!("\n{HOW}\n"));
    }
    // A fence longer than any within.
    let fence = "`".repeat(diff.split(|c| c != '`').map(str::len).max().unwrap_or(0).max(2) + 1);
    out + &format!("\n<details><summary>The diff</summary>\n\n{fence}diff\n{diff}{fence}\n\n</details>\n")
}

/// For programs.
pub fn json(change: &Change, diff: &str) -> Value {
    let parts = |all: &[(What, String, Vec<String>)]| -> Vec<Value> {
        all.iter().map(|(what, name, said)| json!({"change": what.word(), "name": name, "said": said})).collect()
    };
    let cost = |it: &Cost| json!({"rules": it.rules, "series": it.series, "evaluations_per_minute": it.evaluations_per_minute});
    let rules = change.rules.iter().map(|it| {
        json!({
            "path": it.path, "service": it.service, "slos": parts(&it.slos), "alerts": parts(&it.alerts),
            "before": cost(&it.cost.0), "after": cost(&it.cost.1),
        })
    });
    let others = change.others.iter().map(|(path, what)| json!({"path": path, "change": what.word()}));
    json!({"rules": rules.collect::<Vec<_>>(), "others": others.collect::<Vec<_>>(), "diff": diff})
}

fn title(it: &RulesChange) -> String {
    it.service
        .as_ref()
        .map_or_else(|| format!("the estate ({})", it.path), |service| format!("{service} ({})", it.path))
}

fn items(it: &RulesChange) -> Vec<(What, String)> {
    let slos = it.slos.iter().map(|all| ("SLO", all));
    let all = slos.chain(it.alerts.iter().map(|all| ("alert", all)));
    let text = |kind: &str, name: &str, said: &[String]| {
        if said.is_empty() { format!("{kind} {name}") } else { format!("{kind} {name}: {}", said.join("; ")) }
    };
    all.map(|(kind, (what, name, said))| (*what, text(kind, name, said))).collect()
}

/// Before and after, in words.
pub fn cost((old, new): &(Cost, Cost)) -> String {
    let pair = |old: String, new: String, what: &str| {
        if old == new { format!("{new} {what}") } else { format!("{old} → {new} {what}") }
    };
    let parts = [
        pair(old.rules.to_string(), new.rules.to_string(), "rules"),
        pair(old.series.to_string(), new.series.to_string(), "recorded series"),
        pair(
            format!("{:.0}", old.evaluations_per_minute),
            format!("{:.0}", new.evaluations_per_minute),
            "evaluations a minute",
        ),
    ];
    parts.join(", ")
}
