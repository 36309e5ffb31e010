//! Which case notices a mutant: the mutants of a rule are put before one proof after another, the cheapest first.

use std::collections::BTreeMap;

use super::batch::{Outcome, ask};
use super::files::{Case, Proof, Subject};
use super::mutant::Mutant;
use super::slice;

/// So many at once: promtool holds the series of all of them.
const AT_ONCE: usize = 40;

/// Where a mutant's rule cannot even be evaluated.
const ERRS: &str = " (the rule fails)";

/// The first case that notices each: `<test>, query 2 at 65m`. All are of one rule. What no case of its own SLO notices is
/// put before those of the others: it may alert for them.
pub(super) fn first_cases(subject: &Subject, mutants: &[&Mutant]) -> Vec<Option<String>> {
    let mut found: Vec<Option<String>> = vec![None; mutants.len()];
    let timelines = subject.cases_of(mutants[0].at).map(|cases| timelines(subject, mutants[0], cases));
    for (proof, cases) in timelines.into_iter().flatten() {
        let open: Vec<usize> = (0..mutants.len()).filter(|at| found[*at].is_none()).collect();
        for some in open.chunks(AT_ONCE) {
            let asked: Vec<&Mutant> = some.iter().map(|at| mutants[*at]).collect();
            for (at, outcome) in some.iter().zip(ask(subject, &asked, proof, &cases).0) {
                // The cheapest comes first.
                found[*at] = match outcome {
                    Outcome::Holds => None,
                    Outcome::Fails(failing) => cases.iter().find(|it| failing.contains(it)).map(|it| named(proof, *it)),
                    Outcome::Errs => failing(subject, mutants[*at], proof, &cases),
                };
            }
        }
    }
    found
}

/// The case that shows by itself that a rule fails: it may fail late, and only where another rule is read as well.
fn failing(subject: &Subject, mutant: &Mutant, proof: &Proof, cases: &[Case]) -> Option<String> {
    let mut late = cases.to_vec();
    late.sort_by(|one, other| proof.seconds(*other).total_cmp(&proof.seconds(*one)));
    late.into_iter().find_map(|case| match ask(subject, &[mutant], proof, &[case]).0[0] {
        Outcome::Holds => None,
        Outcome::Fails(_) => Some(named(proof, case)),
        Outcome::Errs => Some(named(proof, case) + ERRS),
    })
}

/// Those of these cases that see a rule, by their proofs; in both the cheap ones first.
fn timelines<'a>(subject: &'a Subject, mutant: &Mutant, of: Vec<(&'a Proof, Case)>) -> Vec<(&'a Proof, Vec<Case>)> {
    let mut priced: Vec<(f64, &Proof, Case)> = Vec::new();
    for (proof, case) in of {
        let places = slice::seen(&subject.rules, proof, &[case]);
        if places.contains(&mutant.at) {
            let rules: usize = places.iter().map(|at| 300 + subject.rules.groups[at.0].rules[at.1].expr.len()).sum();
            priced.push((proof.evaluations(case) * rules as f64, proof, case));
        }
    }
    let mut all: Vec<(f64, &Proof, Vec<Case>)> = Vec::new();
    for it in priced.chunk_by(|one, other| std::ptr::eq(one.1, other.1)) {
        let mut own: Vec<(f64, Case)> = it.iter().map(|it| (it.0, it.2)).collect();
        own.sort_by(|one, other| one.0.total_cmp(&other.0));
        let most = own.last().map_or(0.0, |it| it.0);
        all.push((most, it[0].1, own.into_iter().map(|(_, it)| it).collect()));
    }
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all.into_iter().map(|(_, proof, cases)| (proof, cases)).collect()
}

/// Whether each is noticed by the case that is said to; `None` when there is no such case.
pub(super) fn are_noticed(subject: &Subject, mutants: &[(&Mutant, &str)]) -> Vec<Option<bool>> {
    let mut by_case: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, (_, by)) in mutants.iter().enumerate() {
        by_case.entry(*by).or_default().push(at);
    }
    let mut noticed = vec![None; mutants.len()];
    for (by, all) in by_case {
        let Some((proof, case)) = case(subject, by.trim_end_matches(ERRS)) else { continue };
        for some in all.chunks(AT_ONCE) {
            let asked: Vec<&Mutant> = some.iter().map(|at| mutants[*at].0).collect();
            for (at, outcome) in some.iter().zip(ask(subject, &asked, proof, &[case]).0) {
                noticed[*at] = Some(outcome != Outcome::Holds);
            }
        }
    }
    noticed
}

/// `<test>, query 2 at 65m`.
fn named(proof: &Proof, case: Case) -> String {
    format!("{}, {}", proof.name, proof.title(case))
}

fn case<'a>(subject: &'a Subject, name: &str) -> Option<(&'a Proof, Case)> {
    let proofs = subject.proofs.iter();
    let mut all = proofs.filter(|it| name.strip_prefix(&it.name).is_some_and(|it| it.starts_with(", ")));
    all.find_map(|proof| proof.cases().into_iter().find(|it| named(proof, *it) == name).map(|it| (proof, it)))
}
