//! The series that an SLO's rules read, invented from the SLO and the estate's selector alone: a wrong selector in the
//! plan finds none of them.

use kilter_contract as contract;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};

use super::super::maintenance::has_measured;
use super::file::Labels;
use super::matching::{accepted, accepted_but_refused};
use super::traffic::Counts;
use crate::model::{Estate, EventSide, Service, Sli, Slo};

const ALL: Counts = Counts { good: true, bad: true };
const GOOD: Counts = Counts { good: true, bad: false };
const BAD: Counts = Counts { good: false, bad: true };

/// What an SLO is fed with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inputs {
    /// Values of the `by` labels; one group without labels when there are none. Incidents strike the first group only.
    pub(super) groups: Vec<Labels>,
    /// Everything that is scraped.
    pub(super) series: Vec<Raw>,
    /// Whether the recorded total is fed, because the SLI's own series cannot be invented from its expression.
    pub(super) recorded: bool,
}

/// One series of counters (or, when recorded, of rates).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Raw {
    pub(super) metric: String,
    pub(super) labels: Labels,
    pub(super) counts: Counts,
    /// Index into [`Inputs::groups`].
    pub(super) group: usize,
    /// Part of its group's events that it counts: `1 / share`.
    pub(super) share: u64,
}

impl Inputs {
    /// The inputs of one SLO.
    pub(super) fn of(estate: &Estate, service: &Service, slo: &Slo) -> Self {
        match &slo.sli {
            Sli::HttpServer { routes, methods, slower_than_nanos } => {
                http_server(estate, service, slo, routes, methods, *slower_than_nanos)
            }
            Sli::Events { side, total } => events(slo, side, total),
        }
        .unwrap_or_else(|| recorded(estate, service, slo))
    }

    /// Whether another SLO counts some of these series too.
    pub(super) fn feed(&self, other: &Slo) -> bool {
        match &other.sli {
            Sli::HttpServer { routes, methods, slower_than_nanos } => self.series.iter().any(|raw| {
                let is = |label: &contract::Label, wanted: &[String]| {
                    wanted.is_empty() || raw.labels.get(label.key).is_some_and(|value| wanted.contains(value))
                };
                // A latency SLI needs its bucket; an availability SLI any count.
                let wanted = match slower_than_nanos {
                    Some(nanos) => raw.labels.get("le") == Some(&contract::le_text(*nanos)),
                    None => raw.metric.ends_with("_count"),
                };
                raw.metric.starts_with(contract::http::SERVER_REQUEST_DURATION.name)
                    && wanted
                    && is(&contract::http::ROUTE, routes)
                    && is(&contract::http::METHOD, methods)
            }),
            // By the metric's name alone: a false alarm costs a pinned text, not a failing test.
            Sli::Events { total, .. } => self.series.iter().any(|raw| total.contains(&raw.metric)),
        }
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
}

/// Labels of everything that is recorded for an SLO, without its `by` labels.
pub(super) fn identity(estate: &Estate, service: &Service, slo: &Slo) -> Labels {
    let mut labels = estate.identity.clone();
    labels.insert(contract::slo::SERVICE_LABEL.to_owned(), service.name.to_string());
    labels.insert(contract::slo::SLO_LABEL.to_owned(), slo.name.to_string());
    labels
}

fn http_server(
    estate: &Estate,
    service: &Service,
    slo: &Slo,
    routes: &[String],
    methods: &[String],
    slower_than_nanos: Option<u64>,
) -> Option<Inputs> {
    use contract::http::{ERROR_TYPE, METHOD, ROUTE, STATUS};
    let found = selection(&estate.selector.replace("{{service}}", service.name.as_str()))?;
    let routes = if routes.is_empty() { vec!["/a".to_owned(), "/b".to_owned()] } else { routes.to_vec() };
    let method = methods.first().map_or("GET", String::as_str);
    let name = contract::http::SERVER_REQUEST_DURATION.name;

    let mut groups: Vec<Labels> = Vec::new();
    let mut series = Vec::new();
    // A route that is told apart is a group of its own; otherwise the traffic is spread over all routes of the SLO.
    let by_route = slo.by.iter().any(|label| label == ROUTE.key);
    let wanted = if by_route { routes.len().min(2) } else { 2 };
    for group in 0..wanted {
        let mut by = Labels::new();
        let mut base = Inputs::target(estate, service)?;
        base.insert(METHOD.key.to_owned(), method.to_owned());
        for label in &slo.by {
            let value = if label == ROUTE.key {
                routes[group].clone()
            } else if label == METHOD.key {
                methods.get(group).cloned().unwrap_or_else(|| method.to_owned())
            } else {
                let matchers: Vec<&Matcher> =
                    found.iter().filter(|(key, _)| key == label).flat_map(|(_, m)| m).collect();
                group_value(&matchers, group)?
            };
            by.insert(label.clone(), value);
        }
        if groups.contains(&by) {
            continue;
        }
        base.extend(by.clone());
        groups.push(by);
        let spread = if by_route { std::slice::from_ref(&routes[group]) } else { routes.as_slice() };
        for route in spread {
            let mut push = |suffix: &str, extra: &[(&str, String)], counts| {
                let mut labels = base.clone();
                labels.insert(ROUTE.key.to_owned(), route.clone());
                labels.extend(extra.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
                let (metric, group, share) = (format!("{name}_{suffix}"), groups.len() - 1, spread.len() as u64);
                series.push(Raw { metric, labels, counts, group, share });
            };
            let ok = (STATUS.key, "200".to_owned());
            if let Some(nanos) = slower_than_nanos {
                push("count", std::slice::from_ref(&ok), ALL);
                push("bucket", &[ok.clone(), ("le", contract::le_text(nanos))], GOOD);
                push("bucket", &[ok, ("le", "+Inf".to_owned())], ALL);
            } else {
                push("count", &[ok], GOOD);
                push("count", &[(STATUS.key, "500".to_owned()), (ERROR_TYPE.key, "500".to_owned())], BAD);
            }
        }
    }
    Some(Inputs { groups, series, recorded: false })
}

/// Counters for an `events` SLI: `rate(selector[$window])` on both sides, in parentheses, aggregated and added if need be.
fn events(slo: &Slo, side: &EventSide, total: &str) -> Option<Inputs> {
    let (part, counts) = match side {
        EventSide::Errors(text) => (text, BAD),
        EventSide::Good(text) => (text, GOOD),
    };
    let rest = Counts { good: !counts.good, bad: !counts.bad };
    let (parts, totals) = (counted(part)?, counted(total)?);
    if parts.function != totals.function {
        return None;
    }
    let (parts, totals) = (parts.selectors, totals.selectors);
    let (mut groups, mut series) = (Vec::new(), Vec::new());
    for group in 0..2 {
        let mut by = Labels::new();
        for label in &slo.by {
            let matchers: Vec<&Matcher> = parts.iter().chain(&totals).flat_map(|it| of_label(it, label)).collect();
            by.insert(label.clone(), group_value(&matchers, group)?);
        }
        if groups.contains(&by) {
            continue;
        }
        let mut push = |metric: String, labels: Labels, counts, share: usize| {
            series.push(Raw { metric, labels, counts, group: groups.len(), share: share as u64 });
        };
        let invented: Vec<(String, Labels)> =
            parts.iter().map(|it| Some((name_of(it)?, invent(it, &by, None)?))).collect::<Option<_>>()?;
        let counts_part = |total: &&VectorSelector| {
            invented.iter().any(|(name, labels)| name_of(total).as_ref() == Some(name) && accepts(total, labels))
        };
        let (shared, apart): (Vec<&VectorSelector>, Vec<&VectorSelector>) = totals.iter().partition(counts_part);
        for (metric, labels) in &invented {
            push(metric.clone(), labels.clone(), counts, parts.len());
        }
        // The total may count the part's own series: then what is left is counted by its other selectors, or by series of
        // the shared ones that the part refuses.
        let (left, refused, counts) = match (shared.len(), apart.len()) {
            (0, _) => (apart, None, ALL),
            (n, 0) if n == parts.len() => (shared, Some(&parts), rest),
            (n, _) if n == parts.len() => (apart, None, rest),
            _ => return None,
        };
        for total in &left {
            push(name_of(total)?, invent(total, &by, refused.map(Vec::as_slice))?, counts, left.len());
        }
        groups.push(by);
    }
    Some(Inputs { groups, series, recorded: false })
}

/// The total that the SLO's first rule records, for expressions that cannot be fed. Its errors cannot be fed too: the
/// error rule fills zeros from that total, and one series cannot be written twice.
fn recorded(estate: &Estate, service: &Service, slo: &Slo) -> Inputs {
    let groups: Vec<Labels> = (0..if slo.by.is_empty() { 1 } else { 2 })
        .map(|group| slo.by.iter().map(|label| (label.clone(), ["a", "b"][group].to_owned())).collect())
        .collect();
    let series = if has_measured(slo) { contract::slo::MEASURED_RATE } else { contract::slo::TOTAL_RATE };
    let series = groups.iter().enumerate().map(|(group, by)| {
        let mut labels = identity(estate, service, slo);
        labels.extend(by.clone());
        Raw { metric: series.to_owned(), labels, counts: ALL, group, share: 1 }
    });
    let series = series.collect();
    Inputs { groups, series, recorded: true }
}

/// The matchers of a selection such as `job="git-https",cluster=~"eu.*"`, by label.
fn selection(matchers: &str) -> Option<Vec<(String, Vec<Matcher>)>> {
    let Expr::VectorSelector(selector) = parser::parse(&format!("m{{{matchers}}}")).ok()? else { return None };
    let mut found: Vec<(String, Vec<Matcher>)> = Vec::new();
    for matcher in selector.matchers.matchers {
        match found.iter_mut().find(|(key, _)| *key == matcher.name) {
            Some((_, list)) => list.push(matcher),
            None => found.push((matcher.name.clone(), vec![matcher])),
        }
    }
    Some(found)
}

/// What one side of an `events` SLI counts.
struct Counted {
    /// `rate` or `increase`.
    function: &'static str,
    selectors: Vec<VectorSelector>,
}

/// A sum of simple counts; `None` for anything else.
fn counted(text: &str) -> Option<Counted> {
    counted_by(parser::parse(&text.replace("$window", "5m")).ok()?)
}

fn counted_by(expr: Expr) -> Option<Counted> {
    match expr {
        Expr::Paren(inner) => counted_by(*inner.expr),
        Expr::Aggregate(sum) if sum.op.to_string() == "sum" => counted_by(*sum.expr),
        Expr::Binary(added) if added.op.to_string() == "+" => {
            let (mut left, right) = (counted_by(*added.lhs)?, counted_by(*added.rhs)?);
            left.selectors.extend(right.selectors);
            (left.function == right.function).then_some(left)
        }
        Expr::Call(call) => {
            let function = ["rate", "increase"].into_iter().find(|name| *name == call.func.name)?;
            let Expr::MatrixSelector(matrix) = *call.args.args.into_iter().next()? else { return None };
            let selector = matrix.vs;
            let plain = selector.offset.is_none() && selector.at.is_none() && selector.matchers.or_matchers.is_empty();
            plain.then(|| Counted { function, selectors: vec![selector] })
        }
        _ => None,
    }
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

/// A value for a `by` label: another one for the second group where the matchers leave a choice.
fn group_value(matchers: &[&Matcher], group: usize) -> Option<String> {
    let first = accepted(matchers, &[""])?;
    if group == 0 { Some(first) } else { accepted(matchers, &["", &first]).or(Some(first)) }
}
