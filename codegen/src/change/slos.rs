//! What a change of the SLO files says, read from both estates: promises, what is measured, windows, routes, teams.

mod said;

use std::collections::BTreeMap;

use super::What;
use crate::model::{Estate, Name, Service, Slo};

/// Everything that differs.
#[derive(Debug, Default)]
pub struct EstateChange<'a> {
    /// What all services share, in words.
    pub said: Vec<String>,
    /// Services with a difference, by name.
    pub services: Vec<ServiceChange<'a>>,
}

impl EstateChange<'_> {
    /// Nothing that an SLO file or the estate says is different.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty() && self.services.is_empty()
    }
}

/// A service that differs.
#[derive(Debug)]
pub struct ServiceChange<'a> {
    /// Its name: the new one when it has two.
    pub name: &'a Name,
    /// What happens to it as a whole.
    pub what: What,
    /// Its name before, when that was another.
    pub from: Option<&'a Name>,
    /// What differs beside its SLOs, in words.
    pub said: Vec<String>,
    /// SLOs that differ: in the order of the new file, then those that went.
    pub slos: Vec<SloChange<'a>>,
}

/// An SLO that differs.
#[derive(Debug)]
pub struct SloChange<'a> {
    /// Its name: the new one when it has two.
    pub name: &'a Name,
    /// What happens to it.
    pub what: What,
    /// Its name before, when that was another.
    pub from: Option<&'a Name>,
    /// What differs, in words.
    pub said: Vec<String>,
    /// As it was.
    pub old: Option<&'a Slo>,
    /// As it becomes.
    pub new: Option<&'a Slo>,
}

/// Compares two estates.
pub fn between<'a>(old: &'a Estate, new: &'a Estate) -> EstateChange<'a> {
    let mut services: Vec<ServiceChange<'a>> = Vec::new();
    for (before, after) in paired(&old.services, &new.services, |it| &it.name, same_service) {
        services.extend(service((old, before), (new, after)));
    }
    services.sort_by_key(|it| it.name);
    EstateChange { said: said::estate(old, new), services }
}

/// A service under another name: the same file, or the same promises.
fn same_service(old: &Service, new: &Service) -> bool {
    let promises = |it: &Service| it.slos.iter().map(|it| (it.name.clone(), it.sli.clone())).collect::<Vec<_>>();
    old.source == new.source || (!old.slos.is_empty() && promises(old) == promises(new))
}

/// Items of the same name, then those that only changed their name, then the rest: in the order of the new ones.
fn paired<'a, T>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> &Name,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut left: BTreeMap<&Name, &T> = old.iter().map(|it| (name(it), it)).collect();
    let mut pairs: Vec<(Option<&T>, Option<&T>)> = new.iter().map(|it| (left.remove(name(it)), Some(it))).collect();
    for pair in &mut pairs {
        if let (None, Some(after)) = *pair {
            let renamed = left.iter().find(|(_, before)| same(before, after)).map(|(key, _)| *key);
            pair.0 = renamed.and_then(|key| left.remove(key));
        }
    }
    // In the order of their own file.
    pairs.extend(old.iter().filter(|it| left.contains_key(name(it))).map(|it| (Some(it), None)));
    pairs
}

fn service<'a>(
    (old_estate, old): (&'a Estate, Option<&'a Service>),
    (new_estate, new): (&'a Estate, Option<&'a Service>),
) -> Option<ServiceChange<'a>> {
    let slos = |it: Option<&'a Service>| it.map_or(&[][..], |it| it.slos.as_slice());
    let same = |old: &Slo, new: &Slo| old.sli == new.sli && old.by == new.by;
    let pairs = paired(slos(old), slos(new), |it| &it.name, same);
    let slos: Vec<SloChange<'a>> = pairs.into_iter().filter_map(|(old, new)| slo(old, new)).collect();
    let (name, what) = fate(old.map(|it| &it.name), new.map(|it| &it.name))?;
    let said = match (old, new) {
        (Some(old), Some(new)) => said::service((old_estate, old), (new_estate, new)),
        _ => Vec::new(),
    };
    let from = old.map(|it| &it.name).filter(|it| new.is_some() && *it != name);
    let differs = what != What::Changed || from.is_some() || !said.is_empty() || !slos.is_empty();
    differs.then_some(ServiceChange { name, what, from, said, slos })
}

fn slo<'a>(old: Option<&'a Slo>, new: Option<&'a Slo>) -> Option<SloChange<'a>> {
    let (name, what) = fate(old.map(|it| &it.name), new.map(|it| &it.name))?;
    let said = match (old, new) {
        (Some(old), Some(new)) => said::slo(old, new),
        (Some(it), None) | (None, Some(it)) => said::whole(it),
        (None, None) => Vec::new(),
    };
    let from = old.map(|it| &it.name).filter(|it| new.is_some() && *it != name);
    let differs = what != What::Changed || from.is_some() || !said.is_empty();
    differs.then_some(SloChange { name, what, from, said, old, new })
}

fn fate<'a>(old: Option<&'a Name>, new: Option<&'a Name>) -> Option<(&'a Name, What)> {
    match (old, new) {
        (Some(_), Some(name)) => Some((name, What::Changed)),
        (Some(name), None) => Some((name, What::Removed)),
        (None, Some(name)) => Some((name, What::Added)),
        (None, None) => None,
    }
}
