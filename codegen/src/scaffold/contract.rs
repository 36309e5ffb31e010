//! What of the contract a page shows: routes, dependencies, databases, jobs, caches, and how they did.

use std::collections::BTreeMap;

use kilter_contract::{cache, db, error_type, http, job};

use super::{Interaction, Seen};
use crate::exposition::{Histogram, Page, Sample};
use crate::model::Family;
use crate::resolve::{is_method, is_route};

/// How many of a family get SLOs of their own: the busiest. The others share a pair.
const OWN: usize = 20;

/// How many share it. Beyond that the file would be a list that nobody reads.
const SHARED: usize = 200;

/// What the page shows, by family; sentences about what was left out go to `notes`.
pub fn interactions(page: &Page, notes: &mut Vec<String>) -> Vec<Interaction> {
    let mut all = Vec::new();
    for family in Family::ALL {
        let found = of_family(page, *family);
        let empty = found.is_empty() && page.families.contains_key(family.signal().name);
        if empty && *family == Family::HttpServer {
            // A service that has served nothing yet and declares no routes; or one whose routes are not told.
            let route = http::ROUTE.key;
            notes.push(format!("no series of the page has {route}: the SLOs of all routes wait until one has"));
            all.push(Interaction { family: *family, only: BTreeMap::new(), seen: Some(Seen::default()) });
        }
        all.extend(limited(found, *family, notes));
    }
    all
}

/// The service's name, as its own page says it.
pub fn service(page: &Page) -> Option<&str> {
    let info = page.families.get(kilter_contract::identity::TARGET_INFO.name)?;
    info.samples.iter().map(|it| it.label("service_name")).find(|it| !it.is_empty())
}

/// The key of the SLO file that tells interactions of a family apart.
const fn key(family: Family) -> &'static str {
    match family {
        Family::HttpServer => "routes",
        Family::RpcServer => "methods",
        Family::HttpClient | Family::RpcClient => "dependency",
        Family::Db => "namespace",
        Family::Messaging => "destination",
        Family::Job | Family::Cache => "name",
    }
}

fn of_family(page: &Page, family: Family) -> Vec<Interaction> {
    let Some(shown) = page.families.get(family.signal().name) else { return freshness_only(page, family) };
    let Some(filter) = family.filters().iter().find(|it| it.key == key(family)) else { return Vec::new() };
    let label = filter.label.key;
    // Primary and replica keep different promises, where both are used.
    let role =
        |sample: &Sample| if family == Family::Db { sample.label(db::ROLE.key).to_owned() } else { String::new() };
    let mut groups: BTreeMap<(String, String), Vec<&Sample>> = BTreeMap::new();
    for sample in &shown.samples {
        groups.entry((sample.label(label).to_owned(), role(sample))).or_default().push(sample);
    }
    let both = groups.keys().any(|(_, it)| it == db::ROLES[0]) && groups.keys().any(|(_, it)| it == db::ROLES[1]);
    if !both {
        let mut joined: BTreeMap<(String, String), Vec<&Sample>> = BTreeMap::new();
        for ((value, _), samples) in groups {
            joined.entry((value, String::new())).or_default().extend(samples);
        }
        groups = joined;
    }
    let sayable = |value: &str| match family {
        Family::HttpServer => is_route(value),
        Family::RpcServer => is_method(value),
        _ => !value.is_empty() && value != error_type::OTHER && !value.contains(char::is_control),
    };
    let known = groups.into_iter().filter(|((value, _), _)| sayable(value));
    known
        .map(|((value, role), samples)| {
            let mut only = BTreeMap::from([(key(family), vec![value])]);
            only.extend((!role.is_empty()).then_some(("role", vec![role])));
            Interaction { family, only, seen: Some(seen(family, &samples)) }
        })
        .collect()
}

/// A job of which only the last success is known.
fn freshness_only(page: &Page, family: Family) -> Vec<Interaction> {
    let Some(shown) = page.families.get(job::LAST_SUCCESS.name).filter(|_| family == Family::Job) else {
        return Vec::new();
    };
    let names: std::collections::BTreeSet<&str> = shown.samples.iter().map(|it| it.label(job::NAME.key)).collect();
    names.into_iter().filter(|it| !it.is_empty()).map(|it| Interaction::named(family, "name", it)).collect()
}

/// Counts as the default SLIs of the family do.
fn seen(family: Family, samples: &[&Sample]) -> Seen {
    let of_cache = family == Family::Cache;
    let counts = |it: &&&Sample| it.name.ends_with("_count") && it.value.is_finite();
    let read = |it: &Sample| !of_cache || it.label(cache::OPERATION.key) == cache::GET;
    let bad = |it: &Sample| {
        let outcome = it.label(cache::OUTCOME.key);
        let why = it.label(http::ERROR_TYPE.key);
        if of_cache {
            !outcome.is_empty() && outcome != cache::HIT
        } else {
            !["", error_type::CLIENT_DISCONNECT].contains(&why)
        }
    };
    let timed = |it: &Sample| if of_cache { it.label(cache::OUTCOME.key) != cache::ERROR } else { !bad(it) };
    let sum =
        |fits: &dyn Fn(&Sample) -> bool| samples.iter().filter(counts).filter(|it| fits(it)).map(|it| it.value).sum();
    Seen {
        events: sum(&|it| read(it)),
        bad: sum(&|it| read(it) && bad(it)),
        durations: Histogram::sum(samples.iter().copied(), &|it| read(it) && timed(it)),
    }
}

/// The busiest have SLOs of their own, the others share a pair where the key takes a list.
fn limited(mut all: Vec<Interaction>, family: Family, notes: &mut Vec<String>) -> Vec<Interaction> {
    if all.len() <= OWN {
        return all;
    }
    let events = |it: &Interaction| it.seen.as_ref().map_or(0.0, |it| it.events);
    all.sort_by(|a, b| events(b).total_cmp(&events(a)).then_with(|| a.only.cmp(&b.only)));
    let mut rest = all.split_off(OWN);
    all.sort_by(|a, b| a.only.cmp(&b.only));
    let lists = matches!(family, Family::HttpServer | Family::RpcServer);
    let (key, total) = (key(family), rest.len());
    if lists {
        let left_out = rest.split_off(total.min(SHARED)).len();
        rest.sort_by(|a, b| a.only.cmp(&b.only));
        let values = rest.iter().flat_map(|it| it.only.get(key).cloned().unwrap_or_default()).collect();
        let seen = rest
            .iter()
            .filter_map(|it| it.seen.as_ref())
            .fold(None, |sum: Option<Seen>, it| Some(sum.map_or_else(|| it.clone(), |sum| sum.plus(it))));
        all.push(Interaction { family, only: BTreeMap::from([(key, values)]), seen });
        notes.push(format!(
            "{}: the {OWN} busiest {key} have SLOs of their own, {} share a pair",
            family.key(),
            rest.len()
        ));
        if left_out > 0 {
            notes.push(format!("{}: {left_out} {key} with the least traffic are in no SLO", family.key()));
        }
    } else {
        notes.push(format!("{}: the {OWN} busiest have SLOs, {total} others are in none", family.key()));
    }
    all
}
