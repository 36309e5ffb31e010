//! What the proofs are worth: every rule is broken in every way by one part, and a case of the generated proofs must
//! notice.
//!
//! A mutant changes one part of one rule as it is rendered: a number, a comparison, a window, a step, an offset, a label
//! of a join, of a grouping or of a selector, a function, a side of an operator, `for`, `keep_firing_for`, a label; or the
//! rule is gone. The proofs stay as they are. Rules of one kind, such as the totals of five availability SLOs, are
//! broken once: in the first. An alert is broken at every place, a recorded rule at one for each way.
//!
//! `codegen/tests/mutants/noticed.list` says which case notices which mutant, and each is put before just that case, with
//! as many rules as it can see; the mutants of one rule that have one case share a run of promtool (`batch`). A mutant
//! that nothing notices needs a reason in `excused.yaml`; a reason without such a mutant is an error too.
//!
//! With `KILTER_ACCEPT` the list is written: what is new in it, or no longer noticed, is put before all cases. With
//! `KILTER_MUTANTS=all` (`cargo xtask test --all`) there are more kinds of SLIs, and what is excused is put before all
//! cases again; with `KILTER_MUTANTS=time`, or the name of another subject, only those of one.

mod batch;
mod files;
mod kinds;
mod list;
mod mutant;
mod run;
mod search;
mod slice;
mod words;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use files::Subject;
use kilter_codegen::load::LoadOptions;
use kilter_codegen::pipeline::{self, Options};
use list::{Excuse, Key, Noticed};
use mutant::Mutant;
use search::{are_noticed, first_cases};

use crate::support::artifacts;

#[test]
fn every_broken_rule_is_noticed() {
    let asked = std::env::var("KILTER_MUTANTS").ok();
    let everything = asked.as_deref() == Some("all");
    let only = asked.filter(|_| !everything).map(|it| format!("{it}.rules.yaml"));
    let accept = std::env::var_os("KILTER_ACCEPT").is_some();
    let mut subjects = example();
    if everything || only.is_some() {
        subjects.extend(kinds::subjects());
    }
    let mut noticed = Noticed::read();
    let excuses = Excuse::read();
    let mut known = BTreeSet::new();
    let (mut wrong, mut used, mut counts) = (Vec::new(), BTreeSet::new(), (0, 0));
    for subject in &subjects {
        let mutants = mutant::all(&subject.rules, &mut known);
        if only.as_ref().is_some_and(|it| *it != subject.name) {
            continue;
        }
        let key = |it: &Mutant| -> Key { (subject.name.clone(), it.rule.clone(), it.what.clone()) };
        let all: BTreeSet<Key> = mutants.iter().map(key).collect();
        assert_eq!(all.len(), mutants.len(), "two mutants of {} have one name", subject.name);
        let stale: Vec<Key> =
            noticed.0.keys().filter(|it| it.0 == subject.name && !all.contains(*it)).cloned().collect();
        for it in stale {
            if accept {
                noticed.0.remove(&it);
            } else {
                wrong.push(format!("{}: {}: {}: the list has it, the rules do not", it.0, it.1, it.2));
            }
        }
        let of_rules: Vec<&[Mutant]> = mutants.chunk_by(|one, other| one.at == other.at).collect();
        let file = Mutex::new(noticed);
        let found = run::each(&of_rules, |all| {
            let listed: Vec<Option<String>> = {
                let file = file.lock().expect("no panic elsewhere");
                all.iter().map(|it| file.0.get(&key(it)).cloned()).collect()
            };
            let known: Vec<(&Mutant, &str)> =
                all.iter().zip(&listed).filter_map(|(it, by)| Some((it, by.as_deref()?))).collect();
            let mut still = are_noticed(subject, &known).into_iter();
            let mut found: Vec<Found> = Vec::new();
            for (it, by) in all.iter().zip(listed) {
                found.push(match by {
                    Some(by) if still.next() == Some(Some(true)) => Found::By(by),
                    Some(by) => Found::NoLonger(by),
                    None if excuse(&excuses, it).is_some() => Found::Excused,
                    None => Found::New,
                });
            }
            let open = |it: &Found| match it {
                Found::By(_) | Found::Nothing => false,
                Found::Excused => everything || only.is_some(),
                Found::NoLonger(_) | Found::New => accept,
            };
            let places: Vec<usize> = (0..all.len()).filter(|at| open(&found[*at])).collect();
            let searched: Vec<&Mutant> = places.iter().map(|at| &all[*at]).collect();
            if !searched.is_empty() {
                for (at, by) in places.into_iter().zip(first_cases(subject, &searched)) {
                    found[at] = by.map_or(Found::Nothing, Found::By);
                }
            }
            if accept {
                let mut file = file.lock().expect("no panic elsewhere");
                for (it, found) in all.iter().zip(&found) {
                    match found {
                        Found::By(by) => drop(file.0.insert(key(it), by.clone())),
                        _ => drop(file.0.remove(&key(it))),
                    }
                    if matches!(found, Found::Nothing) {
                        println!("no case notices {}: {}: {}", subject.name, it.rule, it.what);
                    }
                }
                // What was found is not lost when this is ended.
                file.write();
            }
            found
        });
        noticed = file.into_inner().expect("no panic elsewhere");
        for (it, found) in mutants.iter().zip(found.into_iter().flatten()) {
            let name = format!("{}: {}: {}", subject.name, it.rule, it.what);
            let reason = excuse(&excuses, it);
            used.extend(reason.clone().filter(|_| !matches!(found, Found::By(_))));
            counts.0 += 1;
            counts.1 += usize::from(matches!(found, Found::By(_)));
            match found {
                // A pattern of reasons may fit more than it excuses.
                Found::By(_) | Found::Excused => {}
                Found::Nothing if reason.is_some() => {}
                Found::Nothing => {
                    wrong.push(format!("{name}: no case notices it: mend the proofs, or say in excused.yaml why"));
                }
                Found::NoLonger(by) => wrong.push(format!("{name}: no longer noticed by {by}: accept the list anew")),
                Found::New => wrong.push(format!("{name}: a new mutant: accept the list anew")),
            }
        }
    }
    if everything {
        let lines = excuses.iter().enumerate().flat_map(|(at, it)| it.lines().map(move |line| (at, line)));
        let stale = lines.filter(|(at, (rule, what))| !used.contains(&(*at, (*rule).to_owned(), (*what).to_owned())));
        wrong.extend(stale.map(|(_, (rule, what))| format!("excused.yaml: {rule}: {what}: excuses no mutant")));
    }
    let holes = used.iter().filter(|(at, ..)| excuses[*at].hole.is_some()).count();
    println!("{} mutants, {} noticed; {holes} lines of the others are holes in the proofs", counts.0, counts.1);
    assert!(
        wrong.is_empty(),
        "{}\n\nto accept: KILTER_ACCEPT=1 KILTER_MUTANTS=all cargo test -p kilter --test it -- mutants",
        wrong.join("\n")
    );
}

enum Found {
    By(String),
    Excused,
    Nothing,
    NoLonger(String),
    New,
}

/// The line of the reasons that a mutant falls under.
fn excuse(excuses: &[Excuse], mutant: &Mutant) -> Option<(usize, String, String)> {
    let lines = excuses.iter().enumerate().flat_map(|(at, it)| it.lines().map(move |line| (at, line)));
    let mut fits = lines.filter(|(_, (rule, what))| list::fits(rule, &mutant.rule) && list::fits(what, &mutant.what));
    fits.next().map(|(at, (rule, what))| (at, rule.to_owned(), what.to_owned()))
}

/// What is broken on every run: the service and the estate of `codegen/tests/mutants/estate`.
fn example() -> Vec<Subject> {
    let current = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants/estate");
    let options = LoadOptions { paths: Vec::new(), config: None, current };
    let made = pipeline::run_with(&options, &Options::default()).expect("the pipeline runs");
    let (estate, ..) = made.output.expect("an estate without errors");
    let all = artifacts(&estate);
    ["git-https", "kilter"].into_iter().map(|name| files::subject(&all, name)).collect()
}
