//! The change report of a pull request: what its SLO files promise otherwise, what that does to pages, rules and budgets.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::detection::{self, Detection, Fault};
use super::history;
use super::routed::Alerts;
use super::slo::cells;
use crate::backtest::Backtest;
use crate::change::slos::{self, ServiceChange, SloChange};
use crate::change::{self, What, words};
use crate::model::{Estate, Name};
use crate::numbers::{counted, list, percent};
use crate::output::Difference;
use crate::plan::Plan;
use crate::render::engine::{TemplateError, Templates};
use crate::render::{Artifact, Kind};
use crate::replay::Rules;

/// The longest comment that code hosting services take is 65,536 characters (GitHub).
const LONGEST: usize = 60_000;

/// An estate with what it becomes.
pub type Made = (Estate, Plan, Vec<Artifact>);

/// The earlier files.
#[derive(Debug)]
pub enum Base {
    /// They make an estate: [`Input::earlier`].
    Made,
    /// They make an estate, but no kilter.yaml names them: they are those that the one of now matches.
    Matched,
    /// There is none: everything is new.
    Nothing,
    /// There are some that nothing names, in words: everything is new.
    Unnamed(String),
    /// They are broken, in words.
    Broken(String),
}

/// Everything that the report says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeReport {
    /// Nothing is different.
    pub unchanged: bool,
    /// The change in a sentence.
    pub summary: String,
    /// What must be known about the comparison.
    pub note: Option<String>,
    /// What all services share.
    pub estate: Vec<String>,
    /// Services that differ.
    pub services: Vec<ServicePart>,
    /// How many more there are than the report has room for.
    pub more: usize,
    /// How costs are counted.
    pub how: String,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ServicePart {
    /// Its name.
    pub name: String,
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// Its name before.
    pub from: Option<String>,
    /// What differs beside its SLOs.
    pub said: Vec<String>,
    /// SLOs that differ.
    pub slos: Vec<SloPart>,
    /// What its rules cost, before and after; nothing when that stays.
    pub cost: Option<String>,
}

/// An SLO.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SloPart {
    /// Its name.
    pub name: String,
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// Its name before.
    pub from: Option<String>,
    /// What differs.
    pub said: Vec<String>,
    /// When faults are noticed, when that differs.
    pub faults: Vec<FaultPart>,
    /// What its alerts would have done, before and after.
    pub history: Vec<String>,
}

/// A fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultPart {
    /// Share of events that are bad.
    pub errors: String,
    /// When somebody is woken.
    pub page: String,
    /// Budget spent by then.
    pub spent: String,
    /// When there is a ticket.
    pub ticket: String,
}

/// What a report is made of.
#[derive(Debug)]
pub struct Input<'a> {
    /// The earlier files.
    pub base: &'a Base,
    /// What they make, when they make an estate.
    pub earlier: Option<&'a Made>,
    /// The files as they are now.
    pub now: &'a Made,
    /// Services that are asked about; all when `None`.
    pub wanted: Option<&'a BTreeSet<&'a str>>,
    /// What the past says of SLOs, by service and name as they are now.
    pub history: History,
}

/// What the past says of SLOs, by service and name, in sentences.
pub type History = BTreeMap<(String, String), Vec<String>>;

impl Input<'_> {
    fn wants(&self, service: &str) -> bool {
        self.wanted.is_none_or(|it| it.contains(service))
    }
}

/// Compares.
pub fn report(input: &Input<'_>) -> ChangeReport {
    let nothing = empty(&input.now.0);
    let old = input.earlier;
    let note = match input.base {
        Base::Made => None,
        Base::Matched => Some(
            "The base has no kilter.yaml: its SLO files are those that the services of this one match, without its settings."
                .to_owned(),
        ),
        Base::Unnamed(why) => Some(format!("{why}, so everything here is new.")),
        Base::Nothing => Some("The base has no SLO files, so everything here is new.".to_owned()),
        Base::Broken(why) => Some(format!(
            "The SLO files of the base cannot be compared: {why}. What follows is all that is promised from now on."
        )),
    };
    let old_estate = old.map_or(&nothing, |(estate, ..)| estate);
    let mut difference = slos::between(old_estate, &input.now.0);
    difference.services.retain(|it| input.wants(it.name.as_str()));
    let costs = costs(old.map_or(&[][..], |(.., artifacts)| artifacts), &input.now.2);
    let detections = detections(old, input.now, &difference.services);
    let alerts = Alerts::of(old, input.now);
    let mut services: Vec<ServicePart> =
        difference.services.iter().map(|it| service(it, &detections, &costs, &alerts, input)).collect();
    // What costs otherwise although no promise is: the estate's own settings.
    let names = |it: &ServicePart| [Some(it.name.clone()), it.from.clone()];
    let told: BTreeSet<String> = services.iter().flat_map(names).flatten().collect();
    services.extend(costs.iter().filter_map(|(name, cost)| {
        let silent = cost.0 != cost.1 && !told.contains(name) && input.wants(name);
        silent.then(|| ServicePart { cost: Some(words::cost(cost)), ..ServicePart::named(name) })
    }));
    services.sort_by(|a, b| a.name.cmp(&b.name));
    ChangeReport {
        unchanged: services.is_empty() && difference.said.is_empty(),
        summary: summary(&difference.services),
        note,
        estate: difference.said,
        services,
        more: 0,
        how: words::HOW.to_owned(),
    }
}

/// An SLO that differs, before and after: service and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// As it was.
    pub old: Option<(String, String)>,
    /// As it becomes.
    pub new: Option<(String, String)>,
}

/// The SLOs that differ, so that only their past is asked for.
pub fn differing(input: &Input<'_>) -> Vec<Differing> {
    let nothing = empty(&input.now.0);
    let difference = slos::between(input.earlier.map_or(&nothing, |(estate, ..)| estate), &input.now.0);
    let services = difference.services.iter().filter(|it| input.wants(it.name.as_str()));
    let one = |service: &ServiceChange<'_>, it: &SloChange<'_>| Differing {
        old: it.old.map(|slo| (service.from.unwrap_or(service.name).to_string(), slo.name.to_string())),
        new: it.new.map(|slo| (service.name.to_string(), slo.name.to_string())),
    };
    services.flat_map(|service| service.slos.iter().map(move |it| one(service, it))).collect()
}

/// What their alerts would have done, before and after.
pub fn history(all: &[Differing], before: Option<&Backtest>, after: &Backtest) -> History {
    let one = |it: &Differing| {
        let (service, slo) = it.new.as_ref()?;
        let old =
            before.zip(it.old.as_ref()).map(|(outcome, (service, slo))| (outcome, service.as_str(), slo.as_str()));
        let said = history::compared(old, (after, service, slo))?;
        Some(((service.clone(), slo.clone()), vec![said]))
    };
    all.iter().filter_map(one).collect()
}

/// As Markdown, no longer than a comment may be.
pub fn markdown(report: &ChangeReport, templates: &Templates) -> Result<String, TemplateError> {
    let mut shown = report.clone();
    loop {
        let text = templates.render("report/change", &shown)?;
        if text.len() <= LONGEST || shown.services.is_empty() {
            return Ok(text);
        }
        let kept = shown.services.len() / 2;
        shown.services.truncate(kept);
        shown.more = report.services.len() - kept;
    }
}

/// The same estate without any service.
fn empty(estate: &Estate) -> Estate {
    Estate { services: Vec::new(), ..estate.clone() }
}

fn summary(services: &[ServiceChange<'_>]) -> String {
    let slos = || services.iter().flat_map(|it| &it.slos);
    let counted_of = |what: What, renamed: bool, word: &str| {
        let count = slos().filter(|it| it.what == what && it.from.is_some() == renamed).count();
        (count > 0).then(|| format!("{} {word}", counted(count, "SLO")))
    };
    let renamed = services.iter().filter(|it| it.from.is_some()).count();
    let parts = [
        (renamed > 0).then(|| format!("{} renamed", counted(renamed, "service"))),
        counted_of(What::Added, false, "added"),
        counted_of(What::Removed, false, "removed"),
        counted_of(What::Changed, true, "renamed"),
        counted_of(What::Changed, false, "changed"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "No SLO is promised otherwise.".to_owned() } else { format!("{}.", list(&parts)) }
}

/// Rules, series and evaluations of each service that differs, before and after.
fn costs(old: &[Artifact], new: &[Artifact]) -> BTreeMap<String, (change::Cost, change::Cost)> {
    let rules = |all: &[Artifact]| -> BTreeMap<String, String> {
        let rules = all.iter().filter(|it| it.kind == Kind::Rules && it.service.is_some());
        rules.map(|it| (it.path.clone(), it.text.clone())).collect()
    };
    let (mut before, after) = (rules(old), rules(new));
    let mut differences: Vec<Difference> = after
        .into_iter()
        .map(|(path, text)| Difference { old: before.remove(&path), new: Some(text), path })
        .filter(|it| it.old != it.new)
        .collect();
    differences.extend(before.into_iter().map(|(path, text)| Difference { path, old: Some(text), new: None }));
    let all = change::of(&differences).rules.into_iter();
    // Objects of the Operator hold the same rules once more.
    let plain = all.filter(|it| it.path.ends_with(".rules.yaml"));
    plain.filter_map(|it| Some((it.service?, it.cost))).collect()
}

/// When faults are noticed before and after, by service and SLO as they are named now.
type Detections = BTreeMap<(String, String), (Vec<Detection>, Vec<Detection>)>;

fn detections(old: Option<&Made>, new: &Made, services: &[ServiceChange<'_>]) -> Detections {
    let mut keys = Vec::new();
    let mut before: Vec<(Rules, Vec<Fault>)> = Vec::new();
    let mut after: Vec<(Rules, Vec<Fault>)> = Vec::new();
    for service in services {
        let then = old.map(|made| rules(made, service.from.unwrap_or(service.name))).unwrap_or_default();
        let now = rules(new, service.name);
        for slo in service.slos.iter().filter(|it| it.new.is_some()) {
            let Some(rules) = now.get(slo.name) else { continue };
            // The same share of errors on both sides: that of the earlier budget.
            let faults = slo.old.or(slo.new).map(detection::faults).unwrap_or_default();
            let earlier = then.get(slo.from.unwrap_or(slo.name)).filter(|_| slo.old.is_some());
            keys.push(((service.name.to_string(), slo.name.to_string()), earlier.is_some()));
            before.extend(earlier.map(|it| (it.clone(), faults.clone())));
            after.push((rules.clone(), faults));
        }
    }
    let mut before = old.map(|(estate, ..)| detection::all(estate, &before)).unwrap_or_default().into_iter();
    let after = detection::all(&new.0, &after);
    let pair = |((key, known), after): ((_, bool), _)| {
        let before = if known { before.next().unwrap_or_default() } else { Vec::new() };
        (key, (before, after))
    };
    keys.into_iter().zip(after).map(pair).collect()
}

/// The rules of a service, by SLO.
fn rules((estate, plan, _): &Made, service: &Name) -> BTreeMap<Name, Rules> {
    let found = estate.services.iter().zip(&plan.services).find(|(it, _)| it.name == *service);
    let rules = found.map(|(service, planned)| detection::rules(estate, service, planned.layout)).unwrap_or_default();
    rules.into_iter().map(|it| (it.slo.clone(), it)).collect()
}

impl ServicePart {
    fn named(name: &str) -> Self {
        let (name, change) = (name.to_owned(), What::Changed.word().to_owned());
        Self { name, change, from: None, said: Vec::new(), slos: Vec::new(), cost: None }
    }
}

fn service(
    it: &ServiceChange<'_>,
    detections: &Detections,
    costs: &BTreeMap<String, (change::Cost, change::Cost)>,
    alerts: &Alerts,
    input: &Input<'_>,
) -> ServicePart {
    let name = it.name.to_string();
    let zero = change::Cost::default();
    let before = it.from.and_then(|it| costs.get(it.as_str())).map(|it| it.0);
    let cost = costs.get(&name).map(|it| (before.unwrap_or(it.0), it.1)).or(before.map(|it| (it, zero)));
    ServicePart {
        change: it.what.word().to_owned(),
        from: it.from.map(Name::to_string),
        said: it.said.iter().cloned().chain(alerts.of_service(it)).collect(),
        slos: it.slos.iter().map(|slo| slo_part(it, slo, detections, alerts, input)).collect(),
        // A new name is a new file of rules, even when it costs the same.
        cost: cost.filter(|cost| cost.0 != cost.1 || it.from.is_some()).map(|it| words::cost(&it)),
        name,
    }
}

fn slo_part(
    service: &ServiceChange<'_>,
    it: &SloChange<'_>,
    detections: &Detections,
    alerts: &Alerts,
    input: &Input<'_>,
) -> SloPart {
    let key = (service.name.to_string(), it.name.to_string());
    let (before, after) = detections.get(&key).cloned().unwrap_or_default();
    let faults = if before == after { Vec::new() } else { faults(&before, &after) };
    SloPart {
        name: it.name.to_string(),
        change: it.what.word().to_owned(),
        from: it.from.map(Name::to_string),
        said: it.said.iter().cloned().chain(alerts.of_slo(service, it)).collect(),
        faults,
        history: input.history.get(&key).cloned().unwrap_or_default(),
    }
}

/// A row for each fault. What is the same before and after is said once.
fn faults(before: &[Detection], after: &[Detection]) -> Vec<FaultPart> {
    let row = |(index, now): (usize, &Detection)| {
        let then = before.get(index);
        let both = |of: &dyn Fn(&Detection) -> String| match then.map(of) {
            Some(then) if then != of(now) => format!("{then} → {}", of(now)),
            _ => of(now),
        };
        FaultPart {
            errors: percent(now.fault.ratio),
            page: both(&|it| it.page.as_ref().map_or("no page".to_owned(), |it| cells(it).after)),
            spent: both(&|it| it.page.as_ref().map_or("-".to_owned(), |it| cells(it).spent)),
            ticket: both(&|it| it.ticket.as_ref().map_or("no ticket".to_owned(), |it| cells(it).after)),
        }
    };
    after.iter().enumerate().map(row).collect()
}
