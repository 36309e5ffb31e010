//! The series that an SLO's rules read, invented from the SLO and the estate's selector alone: a wrong selector in the
//! plan finds none of them.

mod events;
mod red;
mod series;

use kilter_contract as contract;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{Expr, VectorSelector};

use super::super::maintenance::has_measured;
use super::file::Labels;
use super::matching::{accepted, accepted_but_refused, refused};
use super::traffic::Counts;
use crate::model::{Estate, EventSide, Red, Service, Sli, Slo};
use crate::promql;

const ALL: Counts = Counts { good: true, bad: true };
const GOOD: Counts = Counts { good: true, bad: false };
const BAD: Counts = Counts { good: false, bad: true };

/// What an SLO is fed with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    /// Values of the `by` labels; one group without labels when there are none. Incidents strike the first group only.
    pub(super) groups: Vec<Labels>,
    /// Everything that is scraped, or recorded.
    pub(super) series: Vec<Raw>,
    /// Where in the chain of rules the tests begin.
    pub(super) fed: Fed,
}

/// Where in the chain of rules the tests begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fed {
    /// At what is scraped.
    Series,
    /// At the recorded pair: the series of an expression cannot be invented, but it alone makes both sides, so that the
    /// rules of the pair are silent.
    Pair,
    /// At the recorded total: the errors are filled with zeros from it, so they cannot be fed beside it.
    Total,
}

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub(super) metric: String,
    pub(super) labels: Labels,
    pub(super) samples: Samples,
    /// Index into [`Inputs::groups`].
    pub(super) group: usize,
    /// Part of its group's events that it counts: `1 / share`.
    pub(super) share: u64,
    /// Of labels that the rules ask for: what they refuse.
    pub(super) refused: Vec<Refused>,
}

/// A label with a value that the rules of an SLO do not ask for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused {
    pub(super) label: String,
    pub(super) value: String,
    /// No SLI about the contract's interactions asks for it: it is of another service.
    pub(super) elsewhere: bool,
}

/// What a series shows of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Samples {
    /// A counter.
    Counter(Counts),
    /// A recorded rate of events.
    Rate(Counts),
    /// A recorded share of time: all of it, or what was bad.
    Time(Counts),
    /// A gauge: the share that is good.
    Up,
}

impl Inputs {
    /// The inputs of one SLO.
    pub(super) fn of(estate: &Estate, service: &Service, slo: &Slo) -> Self {
        match &slo.sli {
            Sli::Red(red) => red::red(estate, service, slo, red),
            Sli::Events { side, total } => events::events(slo, side, total),
            Sli::Uptime { up } => series::uptime(slo, up).or_else(|| Some(pair(estate, service, slo))),
            Sli::Latency(it) if !it.native => series::latency(slo, it),
            Sli::Latency(_) | Sli::Freshness { .. } | Sli::Ratio(_) | Sli::Slices { .. } => {
                Some(pair(estate, service, slo))
            }
        }
        .unwrap_or_else(|| match &slo.sli {
            // Where the errors are not made of the recorded total, nothing but the expressions makes them.
            Sli::Events { side: EventSide::Good(_), .. } if !estate.target.engine().reads_own => {
                pair(estate, service, slo)
            }
            _ => recorded(estate, service, slo),
        })
    }

    /// Whether another SLO counts some of these series too. In doubt it does: a false alarm costs a pinned text, not a
    /// failing test.
    pub(super) fn feed(&self, other: &Slo) -> bool {
        match &other.sli {
            Sli::Red(red) => self.series.iter().any(|raw| counts(red, raw)),
            Sli::Freshness { .. } => false,
            Sli::Latency(histogram) => self.series.iter().any(|raw| raw.metric.starts_with(&histogram.metric)),
            sli => self.series.iter().any(|raw| sli.texts().iter().any(|(.., text)| text.contains(&raw.metric))),
        }
    }

    /// A neighbour of one of its series, which the SLO does not count, and no other one of the service.
    pub(super) fn neighbour(service: &Service, slo: &Slo, raw: &Raw, by: &Refused) -> Option<Raw> {
        let mut labels = raw.labels.clone();
        labels.insert(by.label.clone(), by.value.clone());
        let raw = Raw { labels, ..raw.clone() };
        let alone = Self { groups: vec![], series: vec![raw.clone()], fed: Fed::Series };
        let mut others = service.slos.iter().filter(|it| it.name != slo.name);
        others.all(|it| by.elsewhere && it.sli.red().is_some() || !alone.feed(it)).then_some(raw)
    }

    /// Labels of a target of the service, as `up` carries them; `None` when no label value can be found for the estate's
    /// selector.
    pub(super) fn target(estate: &Estate, service: &Service) -> Option<Labels> {
        let mut labels = estate.identity.clone();
        for (key, matchers) in selection(&estate.selector.replace("{{service}}", service.name.as_str()))? {
            labels.insert(key, accepted(&matchers.iter().collect::<Vec<_>>(), &[])?);
        }
        Some(labels)
    }

    /// The same of another service; `None` where the selector takes every one.
    pub(super) fn stranger(estate: &Estate, service: &Service) -> Option<Labels> {
        let mut labels = Self::target(estate, service)?;
        let selection = selection(&estate.selector.replace("{{service}}", service.name.as_str()))?;
        let apart = selection.iter().find(|(_, all)| !all.iter().all(|it| it.is_match(STRANGER)))?;
        labels.insert(apart.0.clone(), STRANGER.to_owned());
        Some(labels)
    }
}

/// What no selector takes, or nearly so.
const STRANGER: &str = "stranger";

/// Whether an SLI counts a series.
fn counts(red: &Red, raw: &Raw) -> bool {
    let allowed = |key: &str| {
        let (wanted, has) = (red.values(key), raw.labels.get(key));
        wanted.is_empty() || has.is_some_and(|value| wanted.contains(value))
    };
    if raw.metric == contract::resilience::DEPENDENCY_REJECTED.name {
        return red.counts_rejected() && allowed(contract::http_client::DEPENDENCY.key);
    }
    // A latency SLI needs its bucket; any other a count.
    let wanted = match red.slower_than_nanos {
        Some(nanos) => raw.labels.get("le") == Some(&contract::le_text(nanos)),
        None => raw.metric.ends_with("_count"),
    };
    raw.metric.starts_with(red.family.signal().name)
        && wanted
        && red.family.filters().iter().all(|filter| allowed(filter.label.key))
}

/// Labels of everything that is recorded for an SLO, without its `by` labels.
pub(super) fn identity(estate: &Estate, service: &Service, slo: &Slo) -> Labels {
    let mut labels = estate.identity.clone();
    labels.insert(contract::slo::SERVICE_LABEL.to_owned(), service.name.to_string());
    labels.insert(contract::slo::SLO_LABEL.to_owned(), slo.name.to_string());
    labels
}

/// Two groups whose values nothing narrows.
fn invented_groups(slo: &Slo) -> Vec<Labels> {
    (0..if slo.by.is_empty() { 1 } else { 2 })
        .map(|group| slo.by.iter().map(|label| (label.clone(), ["a", "b"][group].to_owned())).collect())
        .collect()
}

/// Both recorded sides.
fn pair(estate: &Estate, service: &Service, slo: &Slo) -> Inputs {
    let groups = invented_groups(slo);
    let mut series = Vec::new();
    for (group, by) in groups.iter().enumerate() {
        let mut labels = identity(estate, service, slo);
        labels.extend(by.clone());
        for (metric, counts) in [(total_of(slo), ALL), (contract::slo::ERROR_RATE, BAD)] {
            let samples = if slo.sli.is_time_weighted() { Samples::Time(counts) } else { Samples::Rate(counts) };
            series.push(Raw {
                metric: metric.to_owned(),
                labels: labels.clone(),
                samples,
                group,
                share: 1,
                refused: vec![],
            });
        }
    }
    Inputs { groups, series, fed: Fed::Pair }
}

/// The recorded total of everything that happened, of which policies may leave a part out.
pub(super) const fn total_of(slo: &Slo) -> &'static str {
    if has_measured(slo) { contract::slo::MEASURED_RATE } else { contract::slo::TOTAL_RATE }
}

/// The total that the SLO's first rule records, for expressions that cannot be fed. Its errors cannot be fed too: the
/// error rule fills zeros from that total, and one series cannot be written twice.
fn recorded(estate: &Estate, service: &Service, slo: &Slo) -> Inputs {
    let groups = invented_groups(slo);
    let total = total_of(slo);
    let series = groups.iter().enumerate().map(|(group, by)| {
        let mut labels = identity(estate, service, slo);
        labels.extend(by.clone());
        Raw { metric: total.to_owned(), labels, samples: Samples::Rate(ALL), group, share: 1, refused: vec![] }
    });
    let series = series.collect();
    Inputs { groups, series, fed: Fed::Total }
}

/// The matchers of a selection such as `job="git-https",cluster=~"eu.*"`, by label.
fn selection(matchers: &str) -> Option<Vec<(String, Vec<Matcher>)>> {
    let parsed = promql::parse(&format!("m{{{matchers}}}")).ok()?.whole();
    let Expr::VectorSelector(selector) = parsed else { return None };
    let mut found: Vec<(String, Vec<Matcher>)> = Vec::new();
    for matcher in selector.matchers.matchers {
        match found.iter_mut().find(|(key, _)| *key == matcher.name) {
            Some((_, list)) => list.push(matcher),
            None => found.push((matcher.name.clone(), vec![matcher])),
        }
    }
    Some(found)
}

fn name_of(selector: &VectorSelector) -> Option<String> {
    selector.name.clone().or_else(|| {
        let by_label = selector.matchers.matchers.iter().find(|m| m.name == "__name__" && m.op == MatchOp::Equal);
        by_label.map(|matcher| matcher.value.clone())
    })
}

fn of_label<'a>(selector: &'a VectorSelector, label: &str) -> Vec<&'a Matcher> {
    selector.matchers.matchers.iter().filter(|matcher| matcher.name == label).collect()
}

fn accepts(selector: &VectorSelector, labels: &Labels) -> bool {
    let value = |name: &str| labels.get(name).map_or("", String::as_str);
    selector
        .matchers
        .matchers
        .iter()
        .filter(|m| m.name != "__name__")
        .all(|matcher| matcher.is_match(value(&matcher.name)))
}

/// Labels that the selector accepts and all of `refused_by` refuse.
fn invent(selector: &VectorSelector, by: &Labels, refused_by: Option<&[VectorSelector]>) -> Option<Labels> {
    let mut labels = by.clone();
    for name in selector.matchers.matchers.iter().map(|matcher| &matcher.name).filter(|name| *name != "__name__") {
        if !labels.contains_key(name) {
            labels.insert(name.clone(), accepted(&of_label(selector, name), &[])?);
        }
    }
    let others: Vec<&VectorSelector> =
        refused_by.unwrap_or_default().iter().filter(|other| name_of(other) == name_of(selector)).collect();
    let refused = |labels: &Labels| others.iter().all(|other| !accepts(other, labels));
    if refused(&labels) {
        return Some(labels);
    }
    let mut keys = others.iter().flat_map(|other| &other.matchers.matchers).map(|matcher| &matcher.name);
    keys.find_map(|key| {
        let refuse: Vec<&Matcher> = others.iter().flat_map(|other| of_label(other, key)).collect();
        let mut labels = labels.clone();
        labels.insert(key.clone(), accepted_but_refused(&of_label(selector, key), &refuse)?);
        (key != "__name__" && !by.contains_key(key) && refused(&labels)).then_some(labels)
    })
}

/// What a selector refuses, and all others of its metric, of each label that it asks for.
fn refused_by(selector: &VectorSelector, labels: &Labels, all: &[&VectorSelector]) -> Vec<Refused> {
    let asked = selector.matchers.matchers.iter().map(|it| &it.name).filter(|it| *it != "__name__");
    asked
        .filter_map(|label| {
            let value = refused(&of_label(selector, label))?;
            let mut labels = labels.clone();
            labels.insert(label.clone(), value.clone());
            let counted = all.iter().any(|it| name_of(it) == name_of(selector) && accepts(it, &labels));
            (!counted).then(|| Refused { label: label.clone(), value, elsewhere: false })
        })
        .collect()
}

/// A value for a `by` label: another one for the second group where the matchers leave a choice.
fn group_value(matchers: &[&Matcher], group: usize) -> Option<String> {
    let first = accepted(matchers, &[""])?;
    if group == 0 { Some(first) } else { accepted(matchers, &["", &first]).or(Some(first)) }
}
