//! The words for what differs.

use std::collections::BTreeMap;

use crate::model::{Decimal, Duration, Estate, EventSide, Extra, NoData, Pair, Service, Severity, Sli, Slo};
use crate::numbers::{self, span};
use crate::plan::runbook::{conditions, measured};
use crate::plan::windows;

/// What an SLO promises, as a whole.
pub(super) fn whole(slo: &Slo) -> Vec<String> {
    let mut all = vec![
        format!("{} over {}, so {}", slo.objective.percent(), slo.window, allowance(slo)),
        format!("bad are {}", bad(&slo.sli)),
    ];
    all.extend(conditions::counting(slo).into_iter().map(|it| {
        let query = it.query.map(|it| format!(" {it}")).unwrap_or_default();
        format!("{}: {}{query}", it.name.to_lowercase(), it.said)
    }));
    all
}

/// What is bad, without the marks of Markdown: whoever prints this escapes it.
fn bad(sli: &Sli) -> String {
    measured::words(sli).replace('`', "")
}

fn allowance(slo: &Slo) -> String {
    format!("a budget of {}", span(numbers::budget(slo)))
}

/// What differs between two that are the same.
pub(super) fn slo(old: &Slo, new: &Slo) -> Vec<String> {
    let mut all = promise(old, new);
    all.extend(measure(old, new));
    let by =
        |it: &Slo| if it.by.is_empty() { "one for all".to_owned() } else { format!("one per {}", it.by.join(", ")) };
    all.extend(differs("groups", &by(old), &by(new)));
    all.extend(pairs(old, new));
    let guard = |it: &Slo| if it.min_errors == 0 { "the first error".to_owned() } else { conditions::least(it) };
    all.extend(differs("alerts only from", &guard(old), &guard(new)));
    all.extend(differs("missing data", missing(old.no_data), missing(new.no_data)));
    let tier = |it: &Slo| it.policy.tier.clone().unwrap_or_else(|| "none".to_owned());
    all.extend(differs("tier", &tier(old), &tier(new)));
    all.extend(maintenance(old, new));
    all.extend(extra(&old.policy.extra, &new.policy.extra));
    all.extend(differs("description", &old.description, &new.description));
    let impact = |it: &Slo| it.impact.clone().unwrap_or_else(|| "none".to_owned());
    all.extend(differs("impact", &impact(old), &impact(new)));
    if old.mitigations != new.mitigations {
        all.push("what its team does about it (mitigations) is written otherwise".to_owned());
    }
    all
}

/// When nothing counts, before and after.
fn maintenance(old: &Slo, new: &Slo) -> Option<String> {
    let times = conditions::maintenance;
    match (&old.policy.maintenance, &new.policy.maintenance) {
        (None, Some(now)) => Some(format!(
            "maintenance: there is one now, and it counts neither for the budget nor for alerts: {}",
            times(now)
        )),
        (Some(then), None) => Some(format!("maintenance: there is none any more; until now: {}", times(then))),
        (Some(then), Some(now)) => differs("maintenance", &times(then), &times(now)),
        (None, None) => None,
    }
}

/// Objective, window and what follows for the budget.
fn promise(old: &Slo, new: &Slo) -> Vec<String> {
    let mut all: Vec<String> =
        differs("objective", &old.objective.percent(), &new.objective.percent()).into_iter().collect();
    all.extend(differs("compliance window", &old.window.to_string(), &new.window.to_string()));
    if all.is_empty() {
        return all;
    }
    let budget = |it: &Slo| format!("{} per {}", span(numbers::budget(it)), it.window);
    let (before, after) = (old.objective.error_budget(), new.objective.error_budget());
    let factor = match before.cmp(&after) {
        std::cmp::Ordering::Less => format!(", {} times as much", after.over(before)),
        std::cmp::Ordering::Greater => format!(", divided by {}", before.over(after)),
        std::cmp::Ordering::Equal => String::new(),
    };
    let (old_budget, new_budget) =
        if old.window == new.window { (span(numbers::budget(old)), budget(new)) } else { (budget(old), budget(new)) };
    all.push(format!("budget {old_budget} → {new_budget}{factor}"));
    all
}

/// What is counted, and what of it is bad.
fn measure(old: &Slo, new: &Slo) -> Vec<String> {
    if old.sli == new.sli {
        return Vec::new();
    }
    let mut all: Vec<String> = differs("measures", old.sli.kind(), new.sli.kind()).into_iter().collect();
    let (before, after) = (bad(&old.sli), bad(&new.sli));
    all.extend(differs("bad", &before, &after));
    let (old, new) = (queries(&old.sli), queries(&new.sli));
    let keys = old.keys().chain(new.keys()).copied().collect::<std::collections::BTreeSet<&str>>();
    let text = |of: &BTreeMap<&str, String>, key: &str| of.get(key).cloned().unwrap_or_else(|| "none".to_owned());
    all.extend(keys.into_iter().filter_map(|key| differs(key, &text(&old, key), &text(&new, key))));
    if all.is_empty() {
        all.push("what is measured differs in a detail".to_owned());
    }
    all
}

/// What the words about an SLI leave out.
fn queries(sli: &Sli) -> BTreeMap<&'static str, String> {
    match sli {
        Sli::Latency(it) => BTreeMap::from([("matchers", it.matchers.clone())]),
        Sli::Red(red) => red.only.iter().map(|(key, values)| (*key, values.join(", "))).collect(),
        Sli::Ratio(EventSide::Errors(text)) => BTreeMap::from([("error ratio", text.clone())]),
        Sli::Ratio(EventSide::Good(text)) => BTreeMap::from([("good ratio", text.clone())]),
        other => other.texts().into_iter().map(|(_, key, text)| (key, text.to_owned())).collect(),
    }
}

/// Alert windows with their factors: those that come and those that go.
fn pairs(old: &Slo, new: &Slo) -> Vec<String> {
    let of = |slo: &Slo| {
        let pair = |it: &Pair| (it.severity, it.long, it.short, it.factor(slo.window, slo.objective));
        windows::pairs(slo).iter().map(pair).collect::<Vec<_>>()
    };
    let (before, after) = (of(old), of(new));
    let said = |it: &(Severity, Duration, Duration, Decimal)| {
        format!("{} above {} times the budget over {} and {}", it.0.as_str(), it.3, it.1, it.2)
    };
    let gone = before.iter().filter(|it| !after.contains(it)).map(|it| format!("no {} any more", said(it)));
    let come = after.iter().filter(|it| !before.contains(it)).map(|it| format!("now a {}", said(it)));
    gone.chain(come).collect()
}

const fn missing(policy: NoData) -> &'static str {
    match policy {
        NoData::Page => "page",
        NoData::Ticket => "ticket",
        NoData::Ignore => "ignored",
        NoData::Bad => "count as errors",
    }
}

/// Labels and annotations of alerts.
fn extra(old: &Extra, new: &Extra) -> Vec<String> {
    let maps = [("label", &old.labels, &new.labels), ("annotation", &old.annotations, &new.annotations)];
    maps.into_iter().flat_map(|(what, old, new)| keyed(&format!("{what} of alerts"), old, new)).collect()
}

/// Entries of a map that differ.
fn keyed(what: &str, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |of: &BTreeMap<String, String>, key: &str| of.get(key).cloned().unwrap_or_else(|| "none".to_owned());
    keys.into_iter().filter_map(|key| differs(&format!("{what} {key}"), &text(old, key), &text(new, key))).collect()
}

/// What differs in a service beside its SLOs.
pub(super) fn service((old_estate, old): (&Estate, &Service), (new_estate, new): (&Estate, &Service)) -> Vec<String> {
    let mut all: Vec<String> = differs("team", old.team.as_str(), new.team.as_str()).into_iter().collect();
    let to = |estate: &Estate, service: &Service, severity| estate.receiver(&service.team, severity).to_owned();
    for severity in [Severity::Page, Severity::Ticket] {
        let what = format!("{}s go to", severity.as_str());
        all.extend(differs(&what, &to(old_estate, old, severity), &to(new_estate, new, severity)));
    }
    let next = |estate: &Estate, it: &Service| {
        estate.teams.get(&it.team).and_then(|it| it.escalation.clone()).unwrap_or_else(|| "nobody".to_owned())
    };
    all.extend(differs("pages that last go to", &next(old_estate, old), &next(new_estate, new)));
    let hours = |estate: &Estate, it: &Service| {
        let hours = estate.teams.get(&it.team).and_then(|it| it.office_hours.as_ref());
        hours.map_or("at any time".to_owned(), |it| {
            format!("{}, {} to {} {}", it.days.join(", "), it.from, it.to, it.location)
        })
    };
    all.extend(differs("tickets are delivered", &hours(old_estate, old), &hours(new_estate, new)));
    let needs = |it: &Service| {
        let all: Vec<&str> = it.depends_on.iter().map(|it| it.service.as_str()).collect();
        if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
    };
    let needed = differs("depends on", &needs(old), &needs(new));
    if needed.is_none() && old.depends_on != new.depends_on {
        all.push("what an outage of a dependency silences is different".to_owned());
    }
    all.extend(needed);
    if old.resources != new.resources {
        all.push("its resources are watched otherwise".to_owned());
    }
    if old.mitigations != new.mitigations {
        all.push("what its team does about outages (mitigations) is written otherwise".to_owned());
    }
    all
}

/// What all services share.
pub(super) fn estate(old: &Estate, new: &Estate) -> Vec<String> {
    let mut all: Vec<String> = [
        differs("selector of every series", &old.selector, &new.selector),
        differs("target", &old.target.to_string(), &new.target.to_string()),
        differs("alerts of no team go to", &old.alertmanager.default, &new.alertmanager.default),
        differs("the dead-man's switch goes to", &old.alertmanager.deadmans_switch, &new.alertmanager.deadmans_switch),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.extend(keyed("identity", &old.identity, &new.identity));
    let (before, after) = (&old.policy.severities, &new.policy.severities);
    all.extend(differs("severity of pages", &before.page, &after.page));
    all.extend(differs("severity of tickets", &before.ticket, &after.ticket));
    let links = |it: &Estate| {
        let all =
            [("grafana", &it.links.grafana), ("runbooks", &it.links.runbooks), ("prometheus", &it.links.prometheus)];
        all.into_iter().filter_map(|(key, url)| Some((key.to_owned(), url.clone()?))).collect::<BTreeMap<_, _>>()
    };
    all.extend(keyed("link to", &links(old), &links(new)));
    all
}

/// `what old → new` when they differ.
fn differs(what: &str, old: &str, new: &str) -> Option<String> {
    (old != new).then(|| format!("{what}: {old} → {new}"))
}
