//! `absent` of several series.

use super::{Context, Rule};
use crate::diagnostic::Code;
use crate::lint::Flaw;
use crate::spec::check::printable;

pub(super) fn check(rule: &Rule<'_>, _: &Context<'_>) -> Vec<Flaw> {
    let mut all = Vec::new();
    for part in rule.tree.all() {
        let Some([argument]) = part.call(&["absent", "absent_over_time"]) else { continue };
        let Some((_, matchers)) = argument.selector().selects() else { continue };
        let word = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_alphanumeric() || "_-/: ".contains(c));
        let choice = |it: &str| it.contains('|') && it.split('|').all(word);
        for matcher in matchers.iter().filter(|it| it.sign == "=~" && choice(&it.value)) {
            let message = format!("this is silent while one of `{}` is there", printable(&matcher.value));
            let help = "name each: absent(x{a=\"b\"}) or absent(x{a=\"c\"})";
            all.push(Flaw::new(Code::AbsentOfMany, matcher.range, message, help));
        }
    }
    all
}
