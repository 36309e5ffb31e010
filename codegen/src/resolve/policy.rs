//! How SLOs are watched: tiers, alert windows, severities, and what alerts carry. The narrower scope wins: SLO, its tier,
//! service, estate, then Kilter's own defaults.

use std::collections::BTreeMap;

use kilter_contract::slo;

use super::estate::RESERVED;
use super::{Code, Findings, items, maintenance, number, printable, scalar, text, unknown, volume};
use crate::load::Sources;
use crate::model::{
    Decimal, Duration, Estate, EstatePolicy, Extra, Maintenance, NoData, Objective, Pair, Policy, Severity,
    SeverityNames,
};
use crate::plan::windows;
use crate::yaml::{self, Key, Node, Value};

/// Annotations that Kilter writes itself.
const OWN_ANNOTATIONS: &[&str] = &["summary", "description", "dashboard_url", "runbook_url"];

/// Scrapes that the shortest window must hold, so that a lost one is no lost rate.
const SCRAPES: u64 = 4;

/// A preset.
#[derive(Debug, Clone, Default)]
struct Tier {
    windows: Option<Vec<Pair>>,
    tickets_only: bool,
    no_data: Option<NoData>,
    min_errors: Option<u32>,
}

/// What services and SLOs inherit.
#[derive(Debug, Default)]
pub(super) struct Scope {
    tiers: BTreeMap<String, Tier>,
    windows: Option<Vec<Pair>>,
    tier: Option<String>,
    maintenance: Option<Maintenance>,
    /// How long Prometheus remembers.
    retention: Option<Duration>,
    /// What alerts carry.
    pub(super) extra: Extra,
}

/// Policies of `kilter.yaml`: what the whole estate shares, and what its services inherit.
pub(super) fn of_estate(sources: &Sources, estate: &mut Estate, findings: &mut Findings<'_>) -> Scope {
    let mut scope = Scope { tiers: own_tiers(), ..Scope::default() };
    let Some(tree) = sources.trees.first().and_then(Option::as_ref).filter(|_| sources.has_config) else {
        return scope;
    };
    scope.windows = tree.get("windows").and_then(|it| pairs(it, findings));
    if let Some(Value::Map(entries)) = tree.get("tiers").map(|it| &it.value) {
        scope.tiers.extend(entries.iter().map(|(key, node)| (key.text.clone(), tier(node, findings))));
    }
    scope.maintenance = tree.get("maintenance").and_then(|it| maintenance::read(it, findings));
    scope.extra = extra(tree, estate, findings);
    scope.retention = volume::retention(tree, findings);
    scrape_interval(tree, findings);
    estate.policy = EstatePolicy { severities: severities(tree, findings), extra: scope.extra.clone() };
    scope
}

/// Policies of a service, on top of the estate's.
pub(super) fn of_service(tree: &Node, outer: &Scope, estate: &Estate, findings: &mut Findings<'_>) -> Scope {
    Scope {
        tiers: outer.tiers.clone(),
        windows: outer.windows.clone(),
        tier: tier_name(tree, outer, findings),
        maintenance: tree
            .get("maintenance")
            .map_or_else(|| outer.maintenance.clone(), |it| maintenance::read(it, findings)),
        retention: outer.retention,
        extra: outer.extra.with(extra(tree, estate, findings)),
    }
}

/// What an SLO's keys and everything around it come to.
pub(super) struct Resolved {
    pub(super) policy: Policy,
    pub(super) min_errors: u32,
    pub(super) no_data: NoData,
}

/// Policies of an SLO. `min_errors` is its own, already read.
pub(super) fn of_slo(
    node: &Node,
    scope: &Scope,
    estate: &Estate,
    (window, objective, min_errors): (Option<Duration>, Option<Objective>, Option<u32>),
    findings: &mut Findings<'_>,
) -> Resolved {
    let name = tier_name(node, scope, findings).or_else(|| scope.tier.clone());
    let tier = name.as_ref().and_then(|it| scope.tiers.get(it)).cloned().unwrap_or_default();
    let own = node.get("windows").and_then(|it| pairs(it, findings));
    let inherited = tier.windows.clone().or_else(|| scope.windows.clone());
    if let Some((window, retention)) = window.zip(scope.retention) {
        volume::remembered(node, window, retention, findings);
    }
    if let (Some(window), Some(objective)) = (window, objective) {
        match (&own, &inherited, node.get("objective")) {
            (Some(own), ..) => reachable(own, items(node.get("windows")), window, objective, findings),
            (None, Some(inherited), Some(place)) => held(inherited, place, window, objective, findings),
            _ => {}
        }
    }
    let windows = own.or_else(|| {
        if !tier.tickets_only {
            return inherited;
        }
        let all = inherited.or_else(|| Some(windows::table(window?).pairs.clone())).unwrap_or_default();
        Some(all.into_iter().map(|pair| Pair { severity: Severity::Ticket, ..pair }).collect())
    });
    let no_data = no_data(node).unwrap_or(match tier.no_data {
        None | Some(NoData::Page) if tier.tickets_only => NoData::Ticket,
        other => other.unwrap_or(NoData::Page),
    });
    let maintenance =
        node.get("maintenance").map_or_else(|| scope.maintenance.clone(), |it| maintenance::read(it, findings));
    let extra = scope.extra.with(extra(node, estate, findings));
    for item in items(node.get("by")) {
        let Some((label, place)) = scalar(item).filter(|(label, _)| extra.labels.contains_key(*label)) else {
            continue;
        };
        let message = format!("`{}` is also a label that the alerts carry", printable(label));
        findings.error(
            Code::TakenLabel,
            place.range,
            message,
            "rename the label under `labels`, or do not group by it",
        );
    }
    let policy = Policy { tier: name, windows, maintenance, extra };
    Resolved { policy, min_errors: min_errors.or(tier.min_errors).unwrap_or(5), no_data }
}

/// A whole number of errors.
pub(super) fn min_errors(node: &Node, findings: &mut Findings<'_>) -> Option<u32> {
    let (text, place) = number(node, "min_errors")?;
    let number = text.parse::<u32>().ok().filter(|it| *it <= 1_000_000);
    if number.is_none() {
        findings.error(
            Code::BadValue,
            place.range,
            format!("`{}` is no whole number from 0 to 1000000", printable(text)),
            "for example: min_errors: 5",
        );
    }
    number
}

fn no_data(node: &Node) -> Option<NoData> {
    match text(node, "no_data")?.0 {
        "page" => Some(NoData::Page),
        "ticket" => Some(NoData::Ticket),
        "ignore" => Some(NoData::Ignore),
        "bad" => Some(NoData::Bad),
        _ => None,
    }
}

fn own_tiers() -> BTreeMap<String, Tier> {
    let tree = yaml::parse(include_str!("../../windows/tiers.yaml")).map(|it| it.root);
    let (sources, mut found) = (Sources::default(), Vec::new());
    let mut findings = Findings::new(0, &sources, &mut found);
    match tree.map(|it| it.value) {
        Ok(Value::Map(entries)) => {
            entries.iter().map(|(key, node)| (key.text.clone(), tier(node, &mut findings))).collect()
        }
        _ => unreachable!("tiers.yaml of ours is a mapping"),
    }
}

fn tier(node: &Node, findings: &mut Findings<'_>) -> Tier {
    Tier {
        windows: node.get("windows").and_then(|it| pairs(it, findings)),
        tickets_only: text(node, "pages").is_some_and(|(it, _)| it == "ticket"),
        no_data: no_data(node),
        min_errors: min_errors(node, findings),
    }
}

fn tier_name(node: &Node, scope: &Scope, findings: &mut Findings<'_>) -> Option<String> {
    let (name, place) = text(node, "tier")?;
    if scope.tiers.contains_key(name) {
        return Some(name.to_owned());
    }
    let known: Vec<&str> = scope.tiers.keys().map(String::as_str).collect();
    unknown(Code::UnknownTier, name, &known, "there is no tier", place, findings);
    None
}

/// Alert windows; `None` when any is wrong, and everything wrong is told.
fn pairs(list: &Node, findings: &mut Findings<'_>) -> Option<Vec<Pair>> {
    if items(Some(list)).is_empty() && list.kind() == "a list" {
        let help = "remove the key for the windows of docs/policies.md, or name a pair";
        findings.error(Code::BadWindows, list.range, "`windows` is empty: nothing would alert", help);
        return None;
    }
    let read: Vec<Option<Pair>> = items(Some(list)).iter().map(|it| pair(it, findings)).collect();
    read.into_iter().collect::<Option<Vec<_>>>().filter(|it| !it.is_empty())
}

fn pair(node: &Node, findings: &mut Findings<'_>) -> Option<Pair> {
    let severity = match text(node, "severity").map(|(it, _)| it) {
        Some("page") => Some(Severity::Page),
        Some("ticket") => Some(Severity::Ticket),
        _ => None,
    };
    let share = share(node, findings);
    let (long, short) = (window(node, "long", findings), window(node, "short", findings));
    let (long, short) = (long?, short?);
    if short >= long {
        let place = node.get("short").unwrap_or(node).range;
        let message = format!("the short window {short} is not shorter than the long one, {long}");
        let help = format!("a twelfth of the long window is usual: short: {}", twelfth(long));
        findings.error(Code::BadWindows, place, message, help);
        return None;
    }
    Some(Pair { severity: severity?, share: share?, long, short })
}

/// A twelfth, in whole steps.
fn twelfth(long: Duration) -> Duration {
    let step = windows::timing().rate;
    step.times((long.millis() / 12 / step.millis()).max(1))
}

/// Whether an alert window can have this length: whole steps of what is recorded, and within every compliance window.
pub(crate) fn can_be_window(length: Duration) -> bool {
    let (step, longest) = (windows::timing().rate, windows::shortest_window());
    length <= longest && length >= step && length.millis().is_multiple_of(step.millis())
}

/// An alert window: whole steps of the recorded rate, so that it is a sum of what was recorded.
fn window(node: &Node, key: &str, findings: &mut Findings<'_>) -> Option<Duration> {
    let (text, place) = text(node, key)?;
    let (step, longest) = (windows::timing().rate, windows::shortest_window());
    let read = text.parse::<Duration>();
    let message = match read {
        Ok(it) if can_be_window(it) => return Some(it),
        Ok(it) if it > longest => format!("an alert window of {it} is longer than {longest}"),
        Ok(it) => format!("an alert window of {it} is no multiple of {step}, the range of the recorded rates"),
        Err(error) => format!("`{}` is {error}", printable(text)),
    };
    let example = if key == "long" { "1h" } else { "5m" };
    findings.error(Code::BadWindows, place.range, message, format!("for example: {key}: {example}"));
    None
}

/// A share of the budget from 0.1% to 100%.
fn share(node: &Node, findings: &mut Findings<'_>) -> Option<Decimal> {
    let (text, place) = number(node, "share")?;
    let read = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<Decimal>().map(|it| it.shift_left(2)),
        None => text.trim().parse::<Decimal>(),
    };
    let possible = |it: &Decimal| *it >= Decimal::new(1, 3) && *it <= Decimal::new(1, 0);
    let share = read.ok().filter(possible);
    if share.is_none() {
        let percent = read.ok().filter(|it| !text.contains('%') && possible(&it.shift_left(2)));
        let help = percent.map_or("for example: share: 2%".to_owned(), |_| format!("did you mean `share: {text}%`?"));
        let message = format!("`{}` is no share of the error budget from 0.1% to 100%", printable(text));
        findings.error(Code::BadWindows, place.range, message, help);
    }
    share
}

/// Windows that an SLO names for itself must be able to fire.
fn reachable(pairs: &[Pair], nodes: &[Node], window: Duration, objective: Objective, findings: &mut Findings<'_>) {
    for (pair, node) in pairs.iter().zip(nodes) {
        let Some((factor, errors)) = beyond(pair, window, objective) else { continue };
        let place = node.get("share").unwrap_or(node).range;
        let message = format!(
            "{} of the budget of {window} in {} is a burn rate of {factor}, so {errors} errors: nothing reaches that",
            percent(pair.share),
            pair.long
        );
        let most = Decimal::new(u128::from(pair.long.millis()), 0)
            .over(objective.error_budget().times(Decimal::new(u128::from(window.millis()), 0)));
        let help = format!(
            "a total outage of {} spends {} of this budget: take a smaller share, or a longer window",
            pair.long,
            percent(most)
        );
        findings.error(Code::BadWindows, place, message, help);
    }
}

/// Windows that an SLO inherits are held at half of a total outage, as those of the tables are; it is told.
fn held(pairs: &[Pair], place: &Node, window: Duration, objective: Objective, findings: &mut Findings<'_>) {
    let Some((pair, (factor, errors))) =
        pairs.iter().find_map(|pair| beyond(pair, window, objective).map(|it| (pair, it)))
    else {
        return;
    };
    let message = format!(
        "the inherited window of {} would alert above a burn rate of {factor}, which is {errors} errors: it is held at half of a total outage",
        pair.long
    );
    let help = "give this SLO `windows` of its own, or another objective";
    findings.warning(Code::HeldWindows, place.range, message, help);
}

/// The burn rate and the error ratio that a pair's share asks for, when no outage reaches it.
fn beyond(pair: &Pair, window: Duration, objective: Objective) -> Option<(Decimal, String)> {
    let factor = pair.factor_by_share(window);
    let errors = factor.times(objective.error_budget());
    (errors >= Decimal::new(1, 0)).then(|| (factor, percent(errors)))
}

fn percent(ratio: Decimal) -> String {
    format!("{}%", ratio.shift_right(2))
}

/// Whether an alert may carry a label or annotation of this name beside those of Kilter.
pub(crate) fn may_carry(key: &str, annotation: bool) -> bool {
    let taken =
        if annotation { OWN_ANNOTATIONS.contains(&key) } else { RESERVED.contains(&key) || key.starts_with("__") };
    is_name(key) && !taken
}

/// Whether a label or annotation can have this value: every alert carries it as it is.
pub(crate) fn is_plain(value: &str) -> bool {
    !value.trim().is_empty() && !value.contains("{{")
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What alerts carry at this scope.
fn extra(node: &Node, estate: &Estate, findings: &mut Findings<'_>) -> Extra {
    let taken_label = |key: &str| !may_carry(key, false) || estate.identity.contains_key(key);
    let taken_annotation = |key: &str| !may_carry(key, true);
    Extra {
        labels: texts(node, "labels", "label", &taken_label, findings),
        annotations: texts(node, "annotations", "annotation", &taken_annotation, findings),
    }
}

fn texts(
    node: &Node,
    key: &str,
    what: &str,
    taken: &dyn Fn(&str) -> bool,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let Some(Value::Map(entries)) = node.get(key).map(|it| &it.value) else { return all };
    for (Key { text: name, range }, node) in entries {
        let Some((value, place)) = scalar(node) else { continue };
        if !is_name(name) {
            let message = format!("`{}` is no name for {what}s", printable(name));
            findings.error(Code::BadName, *range, message, "letters, digits and underscores, such as cost_center");
        } else if taken(name) {
            let message = format!("`{name}` is {} {what} that Kilter or Prometheus sets itself", article(what));
            findings.error(Code::TakenLabel, *range, message, format!("choose another name for the {what}"));
        } else if !is_plain(value) {
            let message = format!("the {what} `{name}` takes a plain text, which every alert carries as it is");
            findings.error(Code::BadValue, place.range, message, format!("for example: {key}: {{{name}: store}}"));
        } else {
            all.insert(name.clone(), value.to_owned());
        }
    }
    all
}

fn article(word: &str) -> &'static str {
    if word.starts_with('a') { "an" } else { "a" }
}

fn severities(tree: &Node, findings: &mut Findings<'_>) -> SeverityNames {
    let mut names = SeverityNames::default();
    let Some(node) = tree.get("severities") else { return names };
    for (key, name) in [("page", &mut names.page), ("ticket", &mut names.ticket)] {
        let Some((text, place)) = text(node, key) else { continue };
        if text.is_empty()
            || text == slo::ESCALATION
            || text == slo::LEADERSHIP
            || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        {
            let message = format!("`{}` cannot name a severity", printable(text));
            findings.error(Code::BadName, place.range, message, "letters, digits, dashes and underscores");
        } else {
            text.clone_into(name);
        }
    }
    if names.page == names.ticket {
        let message = format!("pages and tickets are both `{}`, so nothing could tell them apart", names.page);
        findings.error(Code::Duplicate, node.range, message, "for example: {page: critical, ticket: warning}");
    }
    names
}

fn scrape_interval(tree: &Node, findings: &mut Findings<'_>) {
    let Some((text, place)) = text(tree, "scrape_interval") else { return };
    let rate = windows::timing().rate;
    let most = Duration::from_millis(rate.millis() / SCRAPES);
    match text.parse::<Duration>() {
        Ok(it) if it <= most => {}
        Ok(it) => {
            let message = format!(
                "{rate} hold fewer than {SCRAPES} scrapes that are {it} apart: one lost scrape would be lost data"
            );
            findings.error(Code::ScrapeTooSlow, place.range, message, format!("scrape at least every {most}"));
        }
        Err(error) => findings.error(
            Code::BadValue,
            place.range,
            format!("`{}` is {error}", printable(text)),
            "for example: scrape_interval: 15s",
        ),
    }
}
