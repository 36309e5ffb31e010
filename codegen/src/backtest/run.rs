//! Everything in order: what it costs, then SLO after SLO, so that the history of one is all that is held.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::ask::Asking;
use super::history::{self, Answers, Group};
use super::judge::{self, By, Seen};
use super::moment::{Night, Offset};
use super::questions::{self, Asked, AskedAlert, Cost, Question, millis, points_at_once};
use super::result::{Backtest, Fired, NotJudged, Slo as SloResult};
use super::{Incident, Period, Variant, advice, service, words};
use crate::model::{Duration, Estate, Service, Slo};
use crate::plan::Plan;
use crate::plan::context::{Context, Layout};
use crate::prometheus::{PromError, Series};
use crate::replay::Rules;

/// What the files themselves are called beside what-ifs.
pub const AS_IT_IS: &str = "as it is";

/// Points of a budget over time.
const BUDGET_POINTS: usize = 500;

/// What is run over which time.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The estate as its files say.
    pub estate: &'a Estate,
    /// Its plan.
    pub plan: &'a Plan,
    /// What-ifs.
    pub variants: &'a [Variant],
    /// The SLOs: service and name.
    pub chosen: &'a BTreeSet<(String, String)>,
    /// What alerts are judged by.
    pub incidents: Option<&'a [Incident]>,
    /// The judged time.
    pub period: Period,
    /// The clock of nights.
    pub offset: Offset,
    /// The night.
    pub night: Night,
    /// How long after an incident a page may still tell of it.
    pub grace: Duration,
    /// The distance of scrapes, for the estimate.
    pub scrape: Duration,
    /// Whether the server's ranges leave out their first moment, as since Prometheus 3.
    pub left_open: bool,
}

/// What is asked, with the series that each expression reads.
#[derive(Debug)]
pub struct Questions<'a> {
    services: Vec<OfService<'a>>,
    alive: Question,
    series: BTreeMap<String, usize>,
    /// What it costs the server.
    pub cost: Cost,
}

#[derive(Debug)]
struct OfService<'a> {
    service: &'a Service,
    layout: Layout,
    slos: Vec<(&'a Slo, Asked)>,
    alerts: Vec<AskedAlert>,
    left: Vec<String>,
}

/// Everything that will be asked, and the estimate of its cost: a cheap count for each selector, at both ends of the time.
pub fn cost<'a>(input: &Input<'a>, asking: Asking<'_>) -> Result<Questions<'a>, PromError> {
    let mut services = Vec::new();
    for (service, plan) in input.estate.services.iter().zip(&input.plan.services) {
        let context = in_layout(input.estate, service, plan.layout);
        let chosen = |it: &&Slo| input.chosen.contains(&(service.name.to_string(), it.name.to_string()));
        let asked = |slo: &'a Slo| {
            let memories: Vec<_> = (estates(input))
                .filter_map(|(_, estate)| Some((estate, counterpart(estate, service, slo)?.1)))
                .map(|(estate, slo)| questions::memory(estate, slo))
                .collect();
            (slo, questions::of_slo(&context, slo, &memories, &input.period))
        };
        let slos: Vec<(&Slo, Asked)> = service.slos.iter().filter(chosen).map(asked).collect();
        if slos.is_empty() {
            continue;
        }
        let (alerts, left) = questions::of_service(&plan.rules, service, &input.period);
        services.push(OfService { service, layout: plan.layout, slos, alerts, left });
    }
    let Period { from, to, step } = input.period;
    let alive = Question { query: history::ALIVE.to_owned(), start: from, end: to, step };
    let all = || {
        services
            .iter()
            .flat_map(|it| it.slos.iter().flat_map(|(_, it)| it.all()).chain(it.alerts.iter().map(|it| &it.question)))
            .chain([&alive])
    };
    let queries: BTreeSet<&str> = all().map(|it| it.query.as_str()).collect();
    let selectors: BTreeMap<&str, Vec<String>> = queries.into_iter().map(|it| (it, questions::counts(it))).collect();
    let counts: BTreeSet<(&str, i64)> =
        selectors.values().flatten().flat_map(|it| [(it.as_str(), from), (it.as_str(), to)]).collect();
    let counts: Vec<(&str, i64)> = counts.into_iter().collect();
    let answers = asking.each(&counts, |(query, at)| (asking.count)(query, *at))?;
    let mut most: BTreeMap<&str, usize> = BTreeMap::new();
    for ((query, _), answer) in counts.iter().zip(answers) {
        let known = most.entry(query).or_default();
        *known = (*known).max(answer);
    }
    let sum = |all: &[String]| all.iter().map(|it| most.get(it.as_str()).copied().unwrap_or(0)).sum::<usize>().max(1);
    let series: BTreeMap<String, usize> =
        selectors.iter().map(|(query, all)| ((*query).to_owned(), sum(all))).collect();
    let mut cost = Cost { counts: counts.len(), ..Cost::default() };
    for it in all() {
        cost.add(it, series.get(&it.query).copied().unwrap_or(1), input.scrape);
    }
    Ok(Questions { services, alive, series, cost })
}

impl Questions<'_> {
    fn sized<'q>(&self, all: impl Iterator<Item = &'q Question>) -> Vec<(&'q Question, usize)> {
        all.map(|it| (it, points_at_once(self.series.get(&it.query).copied().unwrap_or(1)))).collect()
    }
}

/// Asks and judges. `server` is how whoever answers is shown.
pub fn run(input: &Input<'_>, asked: &Questions<'_>, server: &str, asking: Asking<'_>) -> Result<Backtest, PromError> {
    let period = &input.period;
    let alive = asking.all(&asked.sized(std::iter::once(&asked.alive)))?;
    let server_gaps = history::silent(&asked.alive, &alive[0], period);
    let mut run = Run { server_gaps, ..Run::new(input) };
    for of in &asked.services {
        for name in &of.left {
            let why = "its condition reads what only deployed rules record";
            run.not_judged.push(NotJudged { what: name.clone(), why: why.to_owned() });
        }
        let all: Vec<&Question> = of.alerts.iter().map(|it| &it.question).collect();
        let answers = asking.all(&asked.sized(all.into_iter()))?;
        for (alert, answer) in of.alerts.iter().zip(answers) {
            run.alert(of.service, of.layout, alert, &answer);
        }
        for (slo, questions) in &of.slos {
            let all: Vec<&Question> = questions.all().collect();
            let mut answers = asking.all(&asked.sized(all.into_iter()))?.into_iter();
            let mut side = |of: &[Option<Question>; 2]| {
                of.each_ref().map(|it| it.as_ref().and_then(|_| answers.next()).unwrap_or_default())
            };
            let answers = Answers {
                total: side(&questions.total),
                error: side(&questions.error),
                maintenance: side(&questions.maintenance),
            };
            run.slo(of.service, of.layout, slo, &history::groups(questions, &answers, rate(input.estate)));
        }
    }
    Ok(run.finish(asked.cost, server))
}

/// The range of the recorded pair, scaled.
fn rate(estate: &Estate) -> Duration {
    crate::plan::windows::timing().scaled(estate.time_scale).rate
}

/// The files as they are, then each what-if.
fn estates<'a>(input: &Input<'a>) -> impl Iterator<Item = (&'a str, &'a Estate)> {
    let variants = input.variants.iter().map(|it| (it.name.as_str(), &it.estate));
    std::iter::once((AS_IT_IS, input.estate)).chain(variants)
}

/// The same SLO in another estate.
fn counterpart<'a>(estate: &'a Estate, service: &Service, slo: &Slo) -> Option<(&'a Service, &'a Slo)> {
    let service = estate.services.iter().find(|it| it.name == service.name)?;
    service.slos.iter().find(|it| it.name == slo.name).map(|it| (service, it))
}

fn in_layout<'a>(estate: &'a Estate, service: &'a Service, layout: Layout) -> Context<'a> {
    let mut context = Context::new(estate, service);
    if layout != Layout::Whole {
        context.divide(layout);
    }
    context
}

/// What a variant does not change.
fn left(variant: &Variant) -> impl Iterator<Item = NotJudged> {
    variant.left.iter().map(|(service, slo)| NotJudged {
        what: format!("{service}/{slo} with --what-if {}", variant.name),
        why: "it weighs time and counts no events, so `min_errors` is nothing for it".to_owned(),
    })
}

/// What was found so far.
struct Run<'a> {
    input: &'a Input<'a>,
    server_gaps: Vec<[i64; 2]>,
    slos: Vec<SloResult>,
    /// For each variant what fired.
    seen: Vec<Vec<Seen>>,
    /// Incidents that something is known of.
    known: BTreeSet<usize>,
    /// The first data of any SLO.
    begins: Option<i64>,
    advice: Vec<super::result::Advice>,
    not_judged: Vec<NotJudged>,
}

impl<'a> Run<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        Self {
            input,
            server_gaps: Vec::new(),
            slos: Vec::new(),
            seen: estates(input).map(|_| Vec::new()).collect(),
            known: BTreeSet::new(),
            begins: None,
            advice: Vec::new(),
            not_judged: input.variants.iter().flat_map(left).collect(),
        }
    }

    fn incidents(&self) -> impl Iterator<Item = (usize, &'a Incident)> + use<'a> {
        self.input.incidents.unwrap_or_default().iter().enumerate()
    }

    /// One SLO: each group under each variant.
    fn slo(&mut self, service: &Service, layout: Layout, slo: &Slo, groups: &[Group]) {
        let (input, period) = (self.input, &self.input.period);
        let what = format!("{}/{}", service.name, slo.name);
        let begins = groups.iter().map(Group::first).min();
        self.begins = [self.begins, begins].into_iter().flatten().min();
        let judged = period.since(begins.unwrap_or(period.from));
        // What the whole time is too short for is told once.
        let short = advice::too_short(&judged).filter(|it| begins.is_some() && advice::too_short(period) != Some(it));
        self.not_judged.extend(short.map(|it| advice::withheld(it, Some(&what), &judged)));
        let known = groups.iter().any(|it| it.knows(period.from, period.to));
        if !known {
            let why = "the server has no data of it in this time";
            self.not_judged.push(NotJudged { what, why: why.to_owned() });
        }
        let concerned = |it: &Incident| it.concerns(service.name.as_str(), Some(slo.name.as_str()));
        let before = millis(crate::plan::windows::timing().scaled(input.estate.time_scale).missing_page_memory);
        for (index, incident) in self.incidents().filter(|(_, it)| concerned(it)) {
            if groups.iter().any(|it| it.knows(incident.start - before, incident.end)) {
                self.known.insert(index);
            }
        }
        let variants: Vec<(usize, Rules, Duration, f64)> = (estates(input).enumerate())
            .filter_map(|(index, (_, estate))| {
                let (service, slo) = counterpart(estate, service, slo)?;
                let mut rules = Rules::of(&in_layout(estate, service, layout), &slo.name)?;
                rules.left_open = input.left_open;
                let (window, budget) = (rules.window, rules.error_budget);
                Some((index, rules, window, budget))
            })
            .collect();
        let pairs: Vec<_> = groups.iter().flat_map(|group| variants.iter().map(move |it| (group, it))).collect();
        let replayed: Vec<_> = pairs.par_iter().map(|(group, it)| it.1.replay(&group.pair)).collect();
        let mut shown = Vec::new();
        for ((group, (variant, _, window, budget)), replay) in pairs.into_iter().zip(replayed) {
            let mut fired = Vec::new();
            for (alert, firing) in replay.alerts.iter().flat_map(|it| it.firings.iter().map(move |firing| (it, firing)))
            {
                fired.push((
                    firing.active,
                    Fired {
                        service: service.name.to_string(),
                        slo: Some(slo.name.to_string()),
                        labels: group.labels.clone(),
                        alert: alert.name.to_owned(),
                        severity: alert.severity,
                        from: firing.from,
                        since_before: false,
                        until: firing.until,
                        windows: firing.pair.map(|(long, short)| [long.to_string(), short.to_string()]),
                    },
                ));
            }
            let spent = |from, to| group.spent((from, to), *window, *budget);
            self.note(*variant, fired, &spent);
            if *variant == 0 {
                shown.push(advice::described(group, &replay, period, BUDGET_POINTS));
                match advice::of(service, slo, group, &replay, &variants[0].1, &judged) {
                    Ok(all) => self.advice.extend(all),
                    // Of what is not known at all that is told.
                    Err(_) if !known => {}
                    Err(why) => {
                        let of = words::named(service.name.as_str(), Some(slo.name.as_str()), &group.labels);
                        let what = format!("advice on {of}");
                        self.not_judged.push(NotJudged { what, why });
                    }
                }
            }
        }
        self.slos.push(SloResult {
            service: service.name.to_string(),
            slo: slo.name.to_string(),
            objective: slo.objective.percent(),
            window: slo.window.to_string(),
            groups: shown,
        });
    }

    /// An alert about a service: it fires alike under each variant, and is not delivered alike.
    fn alert(&mut self, service: &Service, layout: Layout, alert: &AskedAlert, answer: &[Series]) {
        let base = service::severity(alert, self.input.estate, None);
        let fired = service::fired(service.name.as_str(), alert, base, answer);
        for (variant, (_, estate)) in estates(self.input).enumerate() {
            let own = estate.services.iter().find(|it| it.name == service.name);
            let context = own.map(|it| in_layout(estate, it, layout));
            let severity = service::severity(alert, estate, context.as_ref());
            let delivered = fired.iter().map(|(at, it)| (*at, Fired { severity, ..it.clone() })).collect();
            self.note(variant, delivered, &|_, _| None);
        }
    }

    /// Keeps what fired in the judged time, unless the server itself was away then: its rules would have been too.
    fn note(&mut self, variant: usize, fired: Vec<(i64, Fired)>, spent: &dyn Fn(i64, i64) -> Option<f64>) {
        let (period, before) = (self.input.period, millis(rate(self.input.estate)));
        for (active, fired) in fired {
            if fired.from > period.to || fired.until.is_some_and(|it| it <= period.from) {
                continue;
            }
            if self.server_gaps.iter().any(|[from, until]| (*from..=until + before).contains(&active)) {
                if variant == 0 {
                    let of = fired.slo.as_ref().map(|it| format!("/{it}")).unwrap_or_default();
                    let (severity, at) = (fired.severity.as_str(), self.input.offset.show(active));
                    let what = format!("{}{of}: {} ({severity}) at {at}", fired.service, fired.alert);
                    let why = "the server recorded nothing at that time, so its rules would not have run either";
                    self.not_judged.push(NotJudged { what, why: why.to_owned() });
                }
                continue;
            }
            let spent = (self.incidents())
                .filter(|(_, it)| judge::tells_of(&fired, it, self.input.grace, period.to))
                .filter_map(|(index, it)| Some((index, spent(it.start, fired.from.max(it.start))?)))
                .collect();
            self.seen[variant].push(Seen { fired, spent });
        }
    }

    fn finish(self, cost: Cost, server: &str) -> Backtest {
        let (input, period) = (self.input, self.input.period);
        let judged = period.since(self.begins.unwrap_or(period.from));
        let length = judged.without(&self.server_gaps);
        let by = By {
            incidents: input.incidents,
            known: &self.known,
            grace: input.grace,
            period,
            judged: length,
            server_gaps: &self.server_gaps,
            night: (input.night, input.offset),
        };
        let variants = estates(input).map(|(name, _)| name).zip(self.seen);
        let variants = variants.map(|(name, seen)| judge::judge(name, seen, &by)).collect();
        let mut not_judged = self.not_judged;
        not_judged.extend(advice::too_short(&period).map(|it| advice::withheld(it, None, &period)));
        Backtest {
            version: 1,
            server: server.to_owned(),
            from: input.period.from,
            to: input.period.to,
            begins: (judged.from > period.from).then_some(judged.from),
            judged: Some(length),
            step: millis(input.period.step),
            interval: millis(crate::plan::windows::timing().scaled(input.estate.time_scale).interval),
            utc_offset: input.offset.to_string(),
            night: input.night.to_string(),
            cost,
            slos: self.slos,
            incidents: input.incidents.map(<[Incident]>::to_vec),
            variants,
            advice: self.advice,
            server_gaps: self.server_gaps,
            not_judged,
            warnings: Vec::new(),
        }
    }
}
