//! The timelines, and what must hold on them. Times are real here; they are scaled where they are written down.

mod policies;
mod schedule;

use kilter_contract::slo as names;

use super::super::alerting::down_severity;
use super::super::class;
use super::super::context::Context;
use super::super::windows::Severity;
use super::file::{AlertTest, InputSeries, Labels, QueryTest, Sample, Test, selector};
use super::inputs::{Fed, Inputs, Raw, Samples, identity};
use super::memory;
use super::text::{Numbers, Told, expected};
use super::theory;
use super::traffic::{self, Flow, SAMPLE_SECONDS, Timeline, Volume};
use crate::model::{Duration, NoData, Slo, Weekly};
use crate::render::engine::{TemplateError, Templates};

/// Evaluation interval: the tests' unit of tolerance. Source: DESIGN, "the rules".
const STEP: Duration = Duration::from_secs(30);
/// The rate window, and the grid of long windows.
const RATE: Duration = Duration::from_mins(5);
/// Healthy history before an incident: more than the hour that decides early, on the grid.
const HISTORY: Duration = Duration::from_mins(65);
/// How long pages stay after their condition.
const PAGE_KEPT: Duration = Duration::from_mins(5);
/// How long tickets stay.
const TICKET_KEPT: Duration = Duration::from_mins(30);
/// Just below a threshold.
const BELOW: f64 = 0.9;

/// Resets that take longer than this are not waited for.
const WAITED_FOR: Duration = Duration::from_mins(120);

const PAGE: Told<'_> = Told { alert: names::ERROR_BUDGET_BURN, template: "burn", severity: Severity::Page, range: "" };
const TICKET: Told<'_> =
    Told { alert: names::ERROR_BUDGET_BURN, template: "burn", severity: Severity::Ticket, range: "" };
const MISSING_PAGE: Told<'_> =
    Told { alert: names::DATA_MISSING, template: "missing", severity: Severity::Page, range: "6h" };
const MISSING_TICKET: Told<'_> =
    Told { alert: names::DATA_MISSING, template: "missing", severity: Severity::Ticket, range: "6h" };
const EXHAUSTED: Told<'_> =
    Told { alert: names::ERROR_BUDGET_EXHAUSTED, template: "exhausted", severity: Severity::Ticket, range: "30d" };

const fn traffic_lost(severity: Severity) -> Told<'static> {
    Told { alert: names::TRAFFIC_LOST, template: "traffic", severity, range: "6h" }
}

/// An SLO with what its tests need again and again.
struct Subject<'a> {
    context: &'a Context<'a>,
    templates: &'a Templates,
    slo: &'a Slo,
    inputs: Inputs,
    budget: f64,
    /// Texts are pinned for one SLO of the service.
    pins: bool,
    /// What would page.
    page: Vec<theory::Pair>,
    /// What would ticket.
    ticket: Vec<theory::Pair>,
    /// How missing data are told.
    missing: Option<Severity>,
}

/// The tests of one SLO.
pub(super) fn of_slo(context: &Context<'_>, slo: &Slo, templates: &Templates) -> Result<Vec<Test>, TemplateError> {
    let subject = Subject {
        context,
        templates,
        slo,
        inputs: Inputs::of(context.estate, context.service, slo),
        budget: slo.objective.error_budget().to_f64(),
        pins: pinned(context).is_some_and(|pinned| pinned.name == slo.name),
        page: theory::page(slo),
        ticket: theory::ticket(slo),
        missing: match slo.no_data {
            NoData::Page => Some(Severity::Page),
            NoData::Bad if !theory::page(slo).is_empty() => Some(Severity::Page),
            NoData::Ticket | NoData::Bad => Some(Severity::Ticket),
            NoData::Ignore => None,
        },
    };
    let mut tests = Vec::new();
    // Where missing data are bad, the rule of the errors speaks as soon as there is a total: nothing can be fed beside it.
    if subject.inputs.fed == Fed::Pair && slo.no_data == NoData::Bad {
        tests.push(subject.exhausted()?);
        tests.extend(memory::of_slo(context, slo));
        return Ok(tests);
    }
    // Errors need series that errors are counted in.
    if subject.inputs.fed != Fed::Total {
        tests.extend([subject.outage(), subject.slow_burn()]);
        if subject.pins && subject.exact() {
            tests.push(subject.burn_text()?);
        }
    }
    match subject.missing {
        None => tests.push(subject.missing_is_ignored()),
        Some(severity) => {
            tests.push(subject.missing(severity)?);
            // Time does not stop, and what leaves failures out has no rule for it.
            if !slo.sli.is_time_weighted() && !slo.sli.leaves_failures_out() {
                tests.push(subject.lost(severity)?);
            }
        }
    }
    tests.extend(subject.policies());
    if !slo.sli.is_time_weighted() {
        tests.push(subject.idle());
    }
    tests.push(subject.exhausted()?);
    tests.extend(memory::of_slo(context, slo));
    Ok(tests)
}

/// The SLO whose alerts' texts are pinned: the first whose series no other SLO of the service counts too. promtool
/// compares all alerts of a name, so another SLO that burns with it would have to be foretold as well.
fn pinned<'a>(context: &Context<'a>) -> Option<&'a Slo> {
    let service = context.service;
    service.slos.iter().filter(|slo| schedule::of(slo).is_empty()).find(|slo| {
        let inputs = Inputs::of(context.estate, service, slo);
        service.slos.iter().all(|other| other.name == slo.name || !inputs.feed(other))
    })
}

/// The tests of a service as a whole.
pub(super) fn of_service(context: &Context<'_>, templates: &Templates) -> Result<Vec<Test>, TemplateError> {
    let schedules: Vec<Weekly> = context.service.slos.iter().flat_map(schedule::of).cloned().collect();
    // Where the schedules of all SLOs together leave no such time, each SLO is still proven.
    let Some(lead) = schedule::lead(context, &schedules, Duration::from_mins(30)) else { return Ok(Vec::new()) };
    let mut tests = vec![never_came(context, lead, templates)?];
    tests.extend(down(context, lead, templates)?);
    Ok(tests)
}

/// Nothing is scraped at all, from the beginning.
fn never_came(context: &Context<'_>, lead: Duration, templates: &Templates) -> Result<Test, TemplateError> {
    let told = context.service.slos.iter().filter(|slo| slo.no_data != NoData::Ignore).map(|slo| {
        let labels = owned(context, slo, identity(context.estate, context.service, slo), MISSING_TICKET);
        expected(context, templates, MISSING_TICKET, Some(slo), labels, Numbers::default())
    });
    let alert = |at: Duration, exp_alerts| AlertTest {
        eval_time: context.estate.time_scale.apply(lead.plus(at)),
        alertname: MISSING_TICKET.alert.to_owned(),
        exp_alerts,
    };
    let at = Duration::from_mins(15);
    let mut alerts = vec![alert(at.plus(STEP.times(2)), told.collect::<Result<Vec<_>, _>>()?)];
    // Between two maintenances other SLOs may have been missing for longer.
    if lead == Duration::from_secs(0) {
        alerts.insert(0, alert(at.minus(STEP.times(2)), vec![]));
    }
    Ok(Test {
        name: format!("{}: data that never came ticket", context.service.name),
        interval: context.estate.time_scale.apply(STEP),
        input_series: vec![],
        alert_rule_test: alerts,
        promql_expr_test: vec![],
    })
}

fn down(context: &Context<'_>, lead: Duration, templates: &Templates) -> Result<Option<Test>, TemplateError> {
    let Some(labels) = Inputs::target(context.estate, context.service) else { return Ok(None) };
    let severity = down_severity(context);
    let name = format!("{}: a service that is down {}s", context.service.name, severity.as_str());
    let told = Told { alert: names::SERVICE_DOWN, template: "down", severity, range: "6h" };
    let mut owner = context.estate.identity.clone();
    owner.insert(names::SERVICE_LABEL.to_owned(), context.service.name.to_string());
    owner.insert(names::TEAM_LABEL.to_owned(), context.service.team.to_string());
    owner.extend(context.service.extra.labels.clone());
    owner.insert(names::SEVERITY_LABEL.to_owned(), context.estate.policy.severities.of(severity).to_owned());
    let firing = expected(context, templates, told, None, owner, Numbers::default())?;
    let scaled = |real| context.estate.time_scale.apply(real);
    let at = |minutes: u64, exp_alerts| AlertTest {
        eval_time: scaled(lead.plus(Duration::from_mins(minutes))),
        alertname: told.alert.to_owned(),
        exp_alerts,
    };
    // Two instances: one down is no outage, both down is; then one is back, and at last discovery forgets both.
    let instance = |number: &str, values: &str| {
        let mut labels = labels.clone();
        labels.insert("instance".to_owned(), number.to_owned());
        InputSeries { series: selector("up", &labels), values: values.to_owned() }
    };
    let ahead = lead.millis() / 60_000;
    Ok(Some(Test {
        name,
        interval: scaled(Duration::from_mins(1)),
        input_series: vec![
            instance("1", &format!("1+0x{} 0+0x14 stale", ahead + 4)),
            instance("2", &format!("1+0x{} 0+0x4 1+0x4 stale", ahead + 9)),
        ],
        alert_rule_test: vec![at(9, vec![]), at(12, vec![firing.clone()]), at(16, vec![]), at(23, vec![firing])],
        promql_expr_test: vec![],
    }))
}

impl Subject<'_> {
    fn outage(&self) -> Test {
        let (told, pairs) = self.loudest();
        let kept = if told.severity == Severity::Page { PAGE_KEPT } else { TICKET_KEPT };
        let detection = self.detected(1.0);
        let outage = up_to(detection.plus(RATE.times(2)), RATE);
        let recovered = HISTORY.plus(outage);
        let gone = recovered.plus(theory::reset(pairs)).plus(kept).plus(STEP.times(2));
        let waits = theory::reset(pairs) <= WAITED_FOR;
        let end = if waits { gone.plus(STEP) } else { recovered.plus(RATE.times(2)) };
        let timeline =
            vec![(HISTORY, Flow::Events(0.0)), (outage, Flow::Events(1.0)), (end.minus(recovered), Flow::Events(0.0))];
        let resolves = if waits { ", and recovery resolves it" } else { "" };
        let does = told.severity.as_str();
        let mut test = self.test(&format!("a full outage {does}s in time, once{resolves}"), &timeline);
        let alert = self.alert(told);
        test.asks(&alert, HISTORY, None);
        test.asks(&alert, HISTORY.plus(detection), Some(1.0));
        if waits {
            test.asks(&alert, gone, None);
        }
        // One alert is as many samples as there are evaluations from its first to its last one.
        let (all, step) = (format!("{alert}[{}:{}]", self.time(end), self.time(STEP)), self.time(STEP).secs_text());
        let time = format!("timestamp({alert})[{}:{}]", self.time(end), self.time(STEP));
        let pieces = format!("count_over_time({all}) - (max_over_time({time}) - min_over_time({time})) / {step}");
        test.asks_with(&pieces, end, &self.firing(told), 1.0);
        // What the outage cost, as it stands when the short windows are clean again: to a thousandth of the outage.
        let spent = theory::budget_spent(outage, 1.0, self.budget, self.slo.window);
        let left = selector(names::BUDGET_REMAINING, &self.recorded());
        // What went before without any event is covered time, in which the budget is taken to burn as fast; its edges are
        // no points of the grid.
        let (spent, tolerance) = match test.lead.secs_f64() {
            0.0 => (spent, spent / 1_000.0),
            lead => (spent * (1.0 + lead / end.secs_f64()), spent * (1.0 + lead / end.secs_f64()) / 10.0),
        };
        let close = format!("abs(1 - {left} - {spent}) < bool {tolerance}");
        test.asks_with(&close, end, &self.recorded(), 1.0);
        for other in self.others() {
            test.asks(&other, end, None);
        }
        test.done(self)
    }

    fn slow_burn(&self) -> Test {
        let (page, ticket) = (&self.page, &self.ticket);
        let quiet = BELOW * theory::lowest(ticket).min(theory::lowest(page));
        let slow = BELOW * theory::lowest(page);
        let before = Duration::from_mins(20);
        let after = up_to(self.enough(slow).plus(Duration::from_mins(10)), RATE).max(Duration::from_mins(25));
        let mut timeline = vec![(before, Flow::Events(quiet * self.budget))];
        // With a very low objective both severities have the same factor: nothing tickets that does not page.
        let apart = !page.is_empty() && slow > 1.2 * theory::lowest(ticket);
        if apart {
            timeline.push((after, Flow::Events(slow * self.budget)));
        }
        let mut test = self.test("slow burn tickets, and just below a threshold is silent", &timeline);
        test.asks(&self.ever("", before), before, None);
        if apart {
            // A history of twenty minutes makes every long window as young, so the ticket comes within minutes.
            let end = before.plus(after);
            test.asks(&self.alert(TICKET), end.minus(STEP.times(10)), Some(1.0));
            test.asks(&self.ever(&self.context.estate.policy.severities.page, end), end, None);
        }
        for other in self.others() {
            test.asks(&other, before.plus(after), None);
        }
        test.done(self)
    }

    /// The text of page and ticket, where every window's value follows from a division: the grid points of the windows
    /// stand exactly at the outage's minutes.
    fn burn_text(&self) -> Result<Test, TemplateError> {
        // An error ratio that makes the time to exhaustion no whole number of seconds, whose last digit would be a matter
        // of float rounding.
        const RATIO: f64 = 0.77;
        let outage = up_to(self.detected(RATIO).plus(RATE), RATE);
        let at = HISTORY.plus(outage);
        let timeline = vec![(HISTORY, Flow::Events(0.0)), (outage, Flow::Events(RATIO))];
        let mut test = self.test("the text of a burning budget", &timeline);
        let bad = outage.secs_f64() / RATE.secs_f64();
        // What is no rate of a counter has a value from the first moment on.
        let counted = self.inputs.series.iter().all(|it| matches!(it.samples, Samples::Counter(_)));
        let all = at.secs_f64() / RATE.secs_f64() + f64::from(u8::from(!counted));
        let period = self.slo.window;
        // The budget's group runs after the alerts: they see what stood there one evaluation before.
        let budget_left = 1.0 - theory::budget_spent(outage.minus(RATE), RATIO, self.budget, period);
        let mut exp_alerts = Vec::new();
        for (pairs, told) in [(&self.page, PAGE), (&self.ticket, TICKET)] {
            let burn = |pair: &theory::Pair| {
                let points = (pair.long.secs_f64() / RATE.secs_f64()).min(all);
                bad.min(points) / points * RATIO / self.budget
            };
            let (Some(fired), Some(first)) = (pairs.iter().find(|it| burn(it) > it.burn), pairs.first()) else {
                continue;
            };
            let scale = self.context.estate.time_scale.divisor() as f64;
            let exhaustion_seconds = budget_left.max(0.0) * period.secs_f64() / scale / burn(first);
            let window = fired.long.to_string();
            let numbers = Numbers { burn: burn(fired), fired: &window, budget_left, exhaustion_seconds };
            let labels = self.owned(told);
            exp_alerts.push(expected(self.context, self.templates, told, Some(self.slo), labels, numbers)?);
        }
        test.alerts.push(AlertTest {
            eval_time: self.time(at),
            alertname: names::ERROR_BUDGET_BURN.to_owned(),
            exp_alerts,
        });
        Ok(test.done(self))
    }

    fn missing(&self, severity: Severity) -> Result<Test, TemplateError> {
        let minutes = Duration::from_mins;
        // So short that a page comes before the tickets of other SLOs whose data never came.
        let healthy = minutes(5);
        let mut test = self.test("missing data alert", &vec![(healthy, Flow::Events(0.0)), (minutes(25), Flow::Gone)]);
        // The rate needs two samples, so it ends within its window; then the hold, then two evaluations of margin.
        let paged = healthy.plus(RATE).plus(minutes(3)).plus(STEP.times(2));
        let ticketed = healthy.plus(RATE).plus(minutes(15)).plus(STEP.times(2));
        let wants_page = severity == Severity::Page;
        self.starts_quiet(&mut test, healthy);
        test.asks(&self.alert(MISSING_PAGE), paged, wants_page.then_some(1.0));
        test.asks(&self.alert(MISSING_TICKET), paged, None);
        test.asks(&self.alert(MISSING_TICKET), ticketed, Some(1.0));
        for other in self.others() {
            test.asks(&other, ticketed, None);
        }
        if self.pins && wants_page {
            test.pin(self, paged, MISSING_PAGE)?;
        }
        Ok(test.done(self))
    }

    fn missing_is_ignored(&self) -> Test {
        let minutes = Duration::from_mins;
        let timeline = vec![(minutes(20), Flow::Events(0.0)), (minutes(25), Flow::Gone)];
        let mut test = self.test("missing data are ignored", &timeline);
        self.starts_quiet(&mut test, minutes(45));
        test.done(self)
    }

    fn idle(&self) -> Test {
        let length = Duration::from_mins(20);
        let mut test = self.test("zero traffic is silent", &vec![(length, Flow::Idle)]);
        test.asks(&self.ever("", length), length, None);
        test.done(self)
    }

    fn lost(&self, severity: Severity) -> Result<Test, TemplateError> {
        let minutes = Duration::from_mins;
        let healthy = minutes(10);
        let timeline = vec![(healthy, Flow::Events(0.0)), (minutes(15), Flow::Idle)];
        let told = traffic_lost(severity);
        let mut test = self.test("lost traffic alerts", &timeline);
        let lost = healthy.plus(RATE).plus(minutes(5)).plus(STEP.times(2));
        self.starts_quiet(&mut test, healthy.plus(RATE));
        test.asks(&self.alert(told), lost, Some(1.0));
        for other in self.others() {
            test.asks(&other, lost, None);
        }
        if self.pins {
            test.pin(self, lost, told)?;
        }
        Ok(test.done(self))
    }

    /// A month of data does not fit into a test, so the recorded budget itself is fed; what it must be is asked for after
    /// the outage.
    fn exhausted(&self) -> Result<Test, TemplateError> {
        let minutes = Duration::from_mins;
        let mut test = Draft::new(self, "a spent budget tickets", STEP, minutes(10));
        let left = selector(names::BUDGET_REMAINING, &self.recorded());
        let ahead = test.lead.millis() / STEP.millis();
        test.input.push(InputSeries { series: left, values: format!("0.05+0x{} -0.05+0x9", ahead + 9) });
        let alert = self.alert(EXHAUSTED);
        test.asks(&alert, minutes(4), None);
        test.asks(&alert, minutes(6), Some(1.0));
        if self.pins {
            let numbers = Numbers { budget_left: -0.05, ..Numbers::default() };
            let alert =
                expected(self.context, self.templates, EXHAUSTED, Some(self.slo), self.owned(EXHAUSTED), numbers)?;
            test.alerts.push(AlertTest {
                eval_time: self.time(minutes(8)),
                alertname: EXHAUSTED.alert.to_owned(),
                exp_alerts: vec![alert],
            });
        }
        Ok(test.done(self))
    }

    /// How long it takes, at a burn rate, until there are as many errors as the low-traffic guard asks for. Tests choose the
    /// number of events, but not the length of a second.
    fn enough(&self, burn: f64) -> Duration {
        if !self.slo.sli.is_time_weighted() {
            return Duration::from_secs(0);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a test")]
        let seconds = (f64::from(self.slo.min_errors) / (burn * self.budget)).ceil() as u64;
        Duration::from_secs(seconds)
    }

    /// Nothing fired until then. A total without its errors says nothing about errors.
    fn starts_quiet(&self, test: &mut Draft, until: Duration) {
        if self.inputs.fed != Fed::Total {
            test.asks(&self.ever("", until), until, None);
        }
    }

    /// The workbook's time, rounded up to the evaluation that sees it, plus one evaluation.
    fn detected(&self, error_ratio: f64) -> Duration {
        let (_, pairs) = self.loudest();
        // A factor is at most half of a total outage, so that every ratio asked for here is detected.
        let detection = theory::detection(pairs, self.budget, error_ratio, HISTORY).unwrap_or(HISTORY);
        up_to(detection, STEP).plus(STEP)
    }

    /// What a total outage raises first, and its pairs.
    fn loudest(&self) -> (Told<'static>, &[theory::Pair]) {
        if self.page.is_empty() { (TICKET, &self.ticket) } else { (PAGE, &self.page) }
    }

    /// Whether every long window's value follows from a division: it is a sum of tiles, or read from one point a step.
    fn exact(&self) -> bool {
        let tiled = self.loudest().1.first().map(|it| it.long);
        let exact =
            |it: &theory::Pair| it.long > RATE.times(24) || (Some(it.long) == tiled && it.long <= RATE.times(12));
        self.page.iter().chain(&self.ticket).all(exact)
    }

    fn test(&self, proves: &str, timeline: &Timeline) -> Draft {
        let step = if self.inputs.fed == Fed::Series { Duration::from_secs(SAMPLE_SECONDS) } else { STEP };
        let length = timeline.iter().fold(Duration::from_secs(0), |sum, (length, _)| sum.plus(*length));
        let mut draft = Draft::new(self, proves, step, length);
        let volume = Volume::for_objective(self.budget, self.slo.min_errors);
        let healthy: Timeline = vec![(length, Flow::Events(0.0))];
        // What never has traffic, never has any in all its groups.
        let calm = if timeline.iter().all(|(_, flow)| *flow == Flow::Idle) { timeline } else { &healthy };
        for Raw { metric, labels, samples, group, share } in &self.inputs.series {
            let mut timeline = if *group == 0 { timeline.clone() } else { calm.clone() };
            if draft.lead > Duration::from_secs(0) {
                // Series without events: they are there, and in no ratio.
                timeline.insert(0, (draft.lead, Flow::Idle));
            }
            let volume = volume.share(*share);
            let values = match *samples {
                Samples::Counter(counts) => traffic::counter(&timeline, step, volume, counts),
                Samples::Rate(counts) => traffic::rate(&timeline, step, volume, counts),
                Samples::Time(counts) => traffic::rate(&timeline, step, Volume::of_time(step), counts),
                Samples::Up => traffic::up(&timeline, step),
            };
            draft.input.push(InputSeries { series: selector(metric, labels), values });
        }
        draft
    }

    fn time(&self, real: Duration) -> Duration {
        self.context.estate.time_scale.apply(real)
    }

    /// Labels of the struck group's recorded series.
    fn recorded(&self) -> Labels {
        let mut labels = identity(self.context.estate, self.context.service, self.slo);
        labels.extend(self.inputs.groups.first().cloned().unwrap_or_default());
        labels
    }

    /// Labels of an alert of the struck group.
    fn owned(&self, told: Told<'_>) -> Labels {
        owned(self.context, self.slo, self.recorded(), told)
    }

    fn firing(&self, told: Told<'_>) -> Labels {
        let mut labels = self.owned(told);
        labels.insert("alertname".to_owned(), told.alert.to_owned());
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        labels
    }

    /// The firing alert of the struck group.
    fn alert(&self, told: Told<'_>) -> String {
        selector("ALERTS", &self.firing(told))
    }

    /// Anything of this SLO that fired until then, of one severity or any.
    fn ever(&self, severity: &str, until: Duration) -> String {
        let mut labels = identity(self.context.estate, self.context.service, self.slo);
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        labels.insert(names::SEVERITY_LABEL.to_owned(), severity.to_owned());
        format!("count_over_time({}[{}])", selector("ALERTS", &labels), self.time(until))
    }

    /// Alerts of the groups that nothing struck.
    fn others(&self) -> Vec<String> {
        let others = self.inputs.groups.iter().skip(1).map(|group| {
            let mut labels = identity(self.context.estate, self.context.service, self.slo);
            labels.extend(group.clone());
            selector("ALERTS", &labels)
        });
        others.collect()
    }
}

/// A test in the making.
struct Draft {
    name: String,
    step: Duration,
    /// The beginning, in a time without scheduled maintenance; what is asked for is counted from here.
    lead: Duration,
    input: Vec<InputSeries>,
    alerts: Vec<AlertTest>,
    queries: Vec<(String, Duration, Vec<Sample>)>,
}

impl Draft {
    fn new(subject: &Subject<'_>, proves: &str, step: Duration, length: Duration) -> Self {
        let how = match subject.inputs.fed {
            Fed::Series => "",
            Fed::Pair => " (fed at its recorded pair)",
            Fed::Total => " (fed at its recorded total)",
        };
        let name = format!("{}/{}: {proves}{how}", subject.context.service.name, subject.slo.name);
        // A week always has such a time: `resolve` refuses a schedule that leaves none.
        let lead = schedule::lead(subject.context, schedule::of(subject.slo), length).unwrap_or(Duration::from_secs(0));
        Self { name, step, lead, input: vec![], alerts: vec![], queries: vec![] }
    }

    /// A selector of one alert has this value at this time, or no sample.
    fn asks(&mut self, query: &str, at: Duration, value: Option<f64>) {
        let samples = value.map(|value| Sample { labels: query.to_owned(), value });
        self.queries.push((query.to_owned(), at, samples.into_iter().collect()));
    }

    /// A query has one sample with these labels.
    fn asks_with(&mut self, query: &str, at: Duration, labels: &Labels, value: f64) {
        self.queries.push((query.to_owned(), at, vec![Sample { labels: selector("", labels), value }]));
    }

    /// Only this alert of its name fires, with exactly this text.
    fn pin(&mut self, subject: &Subject<'_>, at: Duration, told: Told<'_>) -> Result<(), TemplateError> {
        let (context, templates, labels) = (subject.context, subject.templates, subject.owned(told));
        let alert = expected(context, templates, told, Some(subject.slo), labels, Numbers::default())?;
        let (eval_time, alertname) = (subject.time(at), told.alert.to_owned());
        self.alerts.push(AlertTest { eval_time, alertname, exp_alerts: vec![alert] });
        Ok(())
    }

    fn done(self, subject: &Subject<'_>) -> Test {
        let name = self.name;
        let queries = self.queries.into_iter().map(|(expr, at, exp_samples)| QueryTest {
            expr: format!("{expr} # {name}"),
            eval_time: subject.time(self.lead.plus(at)),
            exp_samples,
        });
        let later = |it: AlertTest| AlertTest { eval_time: it.eval_time.plus(subject.time(self.lead)), ..it };
        Test {
            promql_expr_test: queries.collect(),
            interval: subject.time(self.step),
            input_series: self.input,
            alert_rule_test: self.alerts.into_iter().map(later).collect(),
            name,
        }
    }
}

/// Labels of an alert, from those of its recorded series.
fn owned(context: &Context<'_>, slo: &Slo, recorded: Labels, told: Told<'_>) -> Labels {
    let mut labels = recorded;
    labels.extend(slo.policy.extra.labels.clone());
    let severities = &context.estate.policy.severities;
    labels.insert(names::SEVERITY_LABEL.to_owned(), severities.of(told.severity).to_owned());
    labels.insert(names::TEAM_LABEL.to_owned(), context.service.team.to_string());
    let classes = context.classes();
    let number =
        classes.iter().find(|it| it.slos.iter().any(|member| member.name == slo.name)).and_then(|it| it.number);
    labels.extend(number.map(|number| (class::POLICY_LABEL.to_owned(), number.to_string())));
    labels
}

/// The first multiple of `unit` that is not before `duration`.
fn up_to(duration: Duration, unit: Duration) -> Duration {
    unit.times(duration.millis().div_ceil(unit.millis()))
}
