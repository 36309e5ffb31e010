//! Proofs of the alerts on causes: each fires when it must and no later than promised, is silent just before and just
//! below, whatever its neighbours do and whatever happens to other services, and ends in time.

mod clock;
mod resilience;
mod usage;

use super::super::context::Context;
use super::super::resources::{self, Cause, DB_POOL, NAME, PROCESS, Settings, TOKIO, TYPE, settings};
use super::super::words::{self, Words};
use super::cases::schedule;
use super::file::{AlertTest, ExpectedAlert, InputSeries, Labels, QueryTest, Sample, Test, selector};
use super::inputs::Inputs;
use super::stage::Made;
use crate::model::{Check, Duration, Resource, Weekly};
use crate::render::engine::{TemplateError, Templates};
use clock::{Clock, LONG};
use kilter_contract::db;

/// How long trouble lasts: longer than every hold.
const TROUBLE: Duration = Duration::from_mins(22);
/// When a cause's text is compared, after its trouble began: what is short has fired.
const TOLD: Duration = Duration::from_secs(390);
/// What takes longer is not awaited.
const PATIENCE: Duration = Duration::from_mins(6 * 60);
/// Where tests begin: multiples of this.
const RATE: Duration = Duration::from_mins(5);

/// A metric, its labels and its samples.
type Series = (&'static str, Labels, String);

/// Something in trouble, beside something that is nearly so.
struct Scene {
    alert: &'static str,
    series: Vec<Series>,
    /// What is in trouble: these alerts, and no other.
    struck: Vec<Struck>,
    /// Whether they fire at these times.
    moments: Vec<(Duration, bool)>,
    /// When their texts are compared.
    told: Duration,
}

/// An alert that must fire.
struct Struck {
    labels: Vec<(&'static str, String)>,
    value: String,
}

/// The tests of a service.
pub(super) fn tests(context: &Context<'_>, templates: &Templates) -> Result<Vec<Made>, TemplateError> {
    let Some(target) = Inputs::target(context.estate, context.service) else { return Ok(vec![]) };
    let stranger = Inputs::stranger(context.estate, context.service);
    let schedules: Vec<Weekly> = context.service.slos.iter().flat_map(schedule::of).cloned().collect();
    let stage = |clock, exception| Stage {
        context,
        templates,
        target: target.clone(),
        stranger: stranger.clone(),
        settings: settings(),
        clock,
        exception,
        schedules: &schedules,
    };
    let mut made = Vec::new();
    let (on, off, hours) = (stage(Clock::ON, false), stage(Clock::OFF, false), stage(Clock::HOURS, false));
    made.extend(on.test("causes ticket, and just below they are silent", on.all(false), true)?);
    made.extend(off.test("causes one second off the grid ticket in time", off.all(true), true)?);
    let fills = [hours.plain(Check::Filling, "disk", "struck"), hours.plain(Check::Filling, PROCESS.0, PROCESS.1)];
    made.extend(hours.test("what fills up tickets before it is full", fills.into_iter().flatten().collect(), true)?);
    let (fine, hours) = (stage(Clock::ON, true), stage(Clock::HOURS, true));
    for it in &context.service.resources {
        for (stage, set) in [
            (&fine, &[(Check::Saturated, it.saturated_for.is_some()), (Check::NearLimit, it.near_limit.is_some())][..]),
            (&fine, &[(Check::Lagging, it.lag.is_some())]),
            (&hours, &[(Check::Filling, it.fills_within.is_some())]),
        ] {
            made.extend(stage.exceptions(it, set)?);
        }
        made.extend(fine.off(it, |check| check != Check::Filling)?);
        made.extend(hours.off(it, |check| check == Check::Filling)?);
    }
    Ok(made)
}

struct Stage<'a> {
    context: &'a Context<'a>,
    templates: &'a Templates,
    /// Labels of the service's series.
    target: Labels,
    /// Labels of those of another service, where the selector tells them apart.
    stranger: Option<Labels>,
    settings: &'a Settings,
    clock: Clock,
    /// Whether this is about one resource that the SLO file names: its neighbours are watched by default.
    exception: bool,
    schedules: &'a [Weekly],
}

fn named(kind: &str, name: &str) -> Resource {
    Resource {
        kind: kind.to_owned(),
        name: name.to_owned(),
        saturated_for: None,
        near_limit: None,
        fills_within: None,
        lag: None,
        off: vec![],
    }
}

/// What an alert says of which resource it is.
fn resource_labels(it: &Resource, name: &str) -> Vec<(&'static str, String)> {
    vec![(TYPE, it.kind.clone()), (NAME, name.to_owned())]
}

impl Stage<'_> {
    /// Every cause but what takes hours.
    fn all(&self, every_loss: bool) -> Vec<Scene> {
        let checks = [
            (Check::Saturated, "queue", "struck"),
            (Check::Saturated, DB_POOL, "struck"),
            (Check::NearLimit, "semaphore", "struck"),
            (Check::NearLimit, DB_POOL, "struck"),
            (Check::NearLimit, PROCESS.0, PROCESS.1),
            (Check::NearLimit, TOKIO.0, TOKIO.1),
            (Check::Erroring, "thread_pool", "struck"),
            (Check::Erroring, DB_POOL, "struck"),
            (Check::Lagging, "replica", "struck"),
        ];
        let mut all: Vec<Scene> =
            checks.iter().filter_map(|(check, kind, name)| self.plain(*check, kind, name)).collect();
        all.extend([resilience::breaker(self), resilience::restarts(self)]);
        // Each kind of loss goes on in one test, and one of them is a burst in the other.
        all.extend(resilience::LOSSES.iter().enumerate().map(|(number, (signal, problem))| {
            resilience::telemetry(self, *signal, problem, every_loss || number != 1)
        }));
        all
    }

    /// A resource of which the SLO file says nothing.
    fn plain(&self, check: Check, kind: &str, name: &str) -> Option<Scene> {
        let said = self.context.service.resources.iter().any(|it| it.kind == kind && it.name == name);
        (!said).then(|| self.scene(check, &named(kind, name)))
    }

    /// What the SLO file sets for a resource.
    fn exceptions(&self, it: &Resource, set: &[(Check, bool)]) -> Result<Vec<Made>, TemplateError> {
        let mut made = Vec::new();
        for scene in set.iter().filter(|(_, set)| *set).map(|(check, _)| self.scene(*check, it)) {
            if scene.told <= PATIENCE {
                let title = format!("{} ({}): {} as its threshold says", it.name, it.kind, scene.alert);
                made.extend(self.test(&title, vec![scene], true)?);
            }
        }
        Ok(made)
    }

    /// What the SLO file turns off for a resource stays silent.
    fn off(&self, it: &Resource, which: impl Fn(Check) -> bool) -> Result<Option<Made>, TemplateError> {
        let off = it.off.iter().filter(|check| which(**check));
        let scenes: Vec<Scene> = off.map(|check| self.scene(*check, &named(&it.kind, &it.name))).collect();
        if scenes.is_empty() {
            return Ok(None);
        }
        self.test(&format!("{} ({}): what is off is silent", it.name, it.kind), scenes, false)
    }

    /// A resource in one kind of trouble.
    fn scene(&self, check: Check, it: &Resource) -> Scene {
        match check {
            Check::Saturated => usage::saturated(self, it),
            Check::NearLimit => usage::near_limit(self, it),
            Check::Erroring => usage::erroring(self, it),
            Check::Filling => usage::filling(self, it),
            Check::Lagging => resilience::lagging(self, it),
        }
    }

    /// `None` when scheduled maintenance leaves no such time.
    fn test(&self, proves: &str, scenes: Vec<Scene>, fire: bool) -> Result<Option<Made>, TemplateError> {
        let Some(end) = scenes.iter().flat_map(|it| &it.moments).map(|(at, _)| at.plus(self.clock.eval())).max() else {
            return Ok(None);
        };
        let Some(lead) = schedule::lead(self.context, self.schedules, self.clock.eval().max(RATE), end) else {
            return Ok(None);
        };
        let away = lead.millis() / self.clock.step.millis();
        if !lead.millis().is_multiple_of(self.clock.step.millis()) {
            // A lead on the grid of the rules is none on that of the samples.
            return Ok(None);
        }
        let scaled = |real: Duration| self.context.estate.time_scale.apply(lead.plus(real));
        let title = format!("{}: {proves}", self.context.service.name);
        let (mut alerts, mut queries) = (Vec::new(), Vec::new());
        let mut ask = |query: &str, at: Duration, exp_samples: Vec<Sample>| {
            let expr = format!("{query} # {title}");
            queries.push(QueryTest { expr, eval_time: scaled(at), exp_samples });
        };
        for cause in &resources::causes(self.context) {
            let own: Vec<&Scene> = scenes.iter().filter(|it| it.alert == cause.alert).collect();
            let struck: Vec<&Struck> = own.iter().filter(|_| fire).flat_map(|it| &it.struck).collect();
            let Some(told) = own.iter().map(|it| it.told).max() else { continue };
            for scene in own.iter().filter(|_| fire) {
                for (it, (at, fires)) in scene.struck.iter().flat_map(|it| scene.moments.iter().map(move |m| (it, m))) {
                    let query = self.alert(cause, it);
                    let samples = fires.then(|| Sample { labels: query.clone(), value: 1.0 });
                    ask(&query, *at, samples.into_iter().collect());
                }
            }
            // Nothing else, ever.
            let ever = format!(
                "count(count_over_time(ALERTS{{alertname=\"{}\",alertstate=\"firing\"}}[{}]))",
                cause.alert,
                scaled(end)
            );
            let count = u32::try_from(struck.len()).ok().filter(|count| *count > 0);
            ask(
                &ever,
                end,
                count.map(|count| Sample { labels: "{}".to_owned(), value: count.into() }).into_iter().collect(),
            );
            if fire && self.clock.is_on() {
                let exp_alerts = struck.iter().map(|it| self.expected(cause, it)).collect::<Result<_, _>>()?;
                alerts.push(AlertTest { eval_time: scaled(told), alertname: cause.alert.to_owned(), exp_alerts });
            }
        }
        let series = scenes.into_iter().flat_map(|it| it.series);
        let test = Test {
            name: title.clone(),
            interval: self.context.estate.time_scale.apply(self.clock.step),
            input_series: series
                .map(|(metric, labels, values)| InputSeries {
                    series: selector(metric, &labels),
                    values: clock::after(away, &values),
                })
                .collect(),
            alert_rule_test: alerts,
            promql_expr_test: queries,
        };
        Ok(Some(Made { grid: self.clock.grid, test, measures: Vec::new() }))
    }

    /// The one alert.
    fn alert(&self, cause: &Cause, it: &Struck) -> String {
        let mut labels = self.labels(it);
        labels.insert("alertname".to_owned(), cause.alert.to_owned());
        labels.insert("alertstate".to_owned(), "firing".to_owned());
        selector("ALERTS", &labels)
    }

    fn labels(&self, it: &Struck) -> Labels {
        let mut labels = resources::labels(self.context);
        labels.extend(it.labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        labels
    }

    fn expected(&self, cause: &Cause, it: &Struck) -> Result<ExpectedAlert, TemplateError> {
        let value_of = |label: &str| it.labels.iter().find(|(key, _)| *key == label).map_or("", |(_, it)| it);
        let words = Words {
            subject: cause.subject.iter().map(|(before, label)| format!("{before}{}", value_of(label))).collect(),
            value: it.value.clone(),
            ..Words::of_service(self.context)
        };
        let links = resources::links(self.context, cause.alert);
        let exp_annotations = words::annotations(self.templates, cause.template, &words, links)?;
        Ok(ExpectedAlert { exp_labels: self.labels(it), exp_annotations })
    }

    /// The same of the service and of another one, which is in trouble from the beginning and stays so.
    fn own_and_stranger(&self, lasts: u64, make: impl Fn(&Labels, u64, u64) -> Vec<Series>) -> Vec<Series> {
        let mut series = make(&self.target, self.clock.quiet, lasts);
        series.extend(self.stranger.iter().flat_map(|it| make(it, 0, LONG)));
        series
    }

    /// One of several instances, by a label that the selector does not name.
    fn instance(&self, labels: &Labels, number: &str) -> Labels {
        let free = ["instance", "pod", "container"].into_iter().find(|it| !self.target.contains_key(*it));
        with(labels, &[(free.unwrap_or("replica_number"), number)])
    }

    /// Labels of a series of a resource, by its own name or that of its neighbour.
    fn of(&self, target: &Labels, it: &Resource, name: &str) -> Labels {
        match (it.kind.as_str(), it.name.as_str()) {
            (DB_POOL, _) => with(target, &[(db::POOL.key, name)]),
            PROCESS | TOKIO => self.instance(target, name),
            (kind, _) => with(target, &[(TYPE, kind), (NAME, name)]),
        }
    }
}

/// Labels, and these.
fn with(labels: &Labels, more: &[(&str, &str)]) -> Labels {
    let mut labels = labels.clone();
    labels.extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    labels
}
