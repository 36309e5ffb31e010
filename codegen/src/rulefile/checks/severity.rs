//! Alerts that nobody can route, and alerts that tell nobody what to do.

use super::{Context, Rule, RuleKind};
use crate::diagnostic::{Code, Findings};
use crate::spec::check::printable;

/// Labels that say as much as `severity`.
const AS_GOOD: &[&str] = &["severity", "priority", "level", "urgency"];

/// Parts of the names of annotations that tell what is going on.
const ADVICE: &[&str] = &["runbook", "playbook", "description", "message", "dashboard", "documentation", "action"];

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>, findings: &mut Findings<'_>) {
    // A dead-man's switch always fires, and is for no person.
    let reads = rule.tree.all().iter().any(|it| it.selects().is_some());
    if rule.kind != RuleKind::Alert || !reads {
        return;
    }
    let name = printable(rule.name);
    if !rule.labels.iter().any(|(key, _)| AS_GOOD.contains(key)) {
        let message = format!("`{name}` has no label `severity`, so no route can tell whether to wake somebody");
        findings.warning(Code::NoSeverity, rule.name_at, message, "add labels: {severity: page}, or ticket");
    }
    let advice = |key: &&str| ADVICE.iter().any(|it| key.to_ascii_lowercase().contains(it));
    if !rule.annotations.iter().any(|(key, _)| advice(key)) {
        let message = format!("`{name}` links no runbook and has no description");
        let help = "add annotations: {runbook_url: ...}, or a description of what to do";
        findings.warning(Code::NoAdvice, rule.name_at, message, help);
    }
}
