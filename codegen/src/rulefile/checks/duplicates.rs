//! Two rules that nothing tells apart.

use std::collections::BTreeSet;

use super::{Context, Rule};
use crate::diagnostic::{Code, Findings};
use crate::spec::check::printable;

/// Within a file as promtool does. Files can be those of several servers, so between them only copies are told.
pub(super) fn check(rule: &Rule<'_>, context: &Context<'_>, findings: &mut Findings<'_>) {
    let before = context.named(rule.name).take_while(|it| it.place != rule.place || it.file != rule.file);
    let labels = |it: &Rule<'_>| -> BTreeSet<(String, String)> {
        it.labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let words = |it: &Rule<'_>| it.expr.split_whitespace().collect::<String>();
    let same = |it: &&Rule<'_>| {
        it.kind == rule.kind && (it.file == rule.file || words(it) == words(rule)) && labels(it) == labels(rule)
    };
    let mut before = before.filter(same);
    if let Some(other) = before.next() {
        let name = printable(rule.name);
        let message = if other.file == rule.file {
            format!("the file has another rule `{name}` with these labels")
        } else {
            format!("another file has this very rule `{name}`")
        };
        findings.warning(Code::DuplicateRule, rule.name_at, message, "remove it, or give it a label of its own");
    }
}
