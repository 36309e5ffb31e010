//! Proofs of the alerts on causes: each fires when it must and is silent just below.

use kilter_contract::{db, http_client, process, resilience, resource, slo, telemetry};

use super::super::context::Context;
use super::super::resources::{self, Cause, DB_POOL, NAME, PROCESS, Settings, TOKIO, TYPE, settings};
use super::super::words::{self, Words};
use super::file::{AlertTest, ExpectedAlert, InputSeries, Labels, Test, selector};
use super::inputs::Inputs;
use super::text::{duration, percentage};
use super::traffic::SAMPLE_SECONDS;
use crate::model::{Check, Decimal, Duration, Resource};
use crate::render::engine::{TemplateError, Templates};

const STEP: Duration = Duration::from_secs(30);
/// When trouble begins, in samples.
const QUIET: u64 = 40;
/// Samples in which a series shows what it has to show.
const LONG: u64 = 1_500;
/// What takes longer is not awaited.
const PATIENCE: Duration = Duration::from_mins(6 * 60);

/// Something in trouble, beside something that is nearly so.
struct Scene {
    alert: &'static str,
    series: Vec<(String, Labels, String)>,
    /// Nothing fires then.
    quiet: Duration,
    /// It fires then.
    fires: Duration,
    labels: Vec<(&'static str, String)>,
    value: String,
}

/// The tests of a service.
pub(super) fn tests(context: &Context<'_>, templates: &Templates) -> Result<Vec<Test>, TemplateError> {
    let Some(target) = Inputs::target(context.estate, context.service) else { return Ok(vec![]) };
    let stage = Stage { context, templates, target, settings: settings() };
    let said = |kind: &str, name: &str| context.service.resources.iter().any(|it| it.kind == kind && it.name == name);
    let mut scenes: Vec<Scene> = Vec::new();
    for (check, kind, name) in [
        (Check::Saturated, "queue", "struck"),
        (Check::Saturated, DB_POOL, "struck"),
        (Check::NearLimit, "semaphore", "struck"),
        (Check::NearLimit, DB_POOL, "struck"),
        (Check::NearLimit, PROCESS.0, PROCESS.1),
        (Check::NearLimit, TOKIO.0, TOKIO.1),
        (Check::Erroring, "thread_pool", "struck"),
        (Check::Erroring, DB_POOL, "struck"),
        (Check::Filling, "disk", "struck"),
        (Check::Lagging, "replica", "struck"),
    ] {
        scenes.extend((!said(kind, name)).then(|| stage.scene(check, &plain(kind, name))));
    }
    scenes.extend([stage.breaker(), stage.restarts(), stage.telemetry()]);
    let mut tests = vec![stage.test("causes ticket, and just below they are silent", scenes, true)?];
    for exception in &context.service.resources {
        tests.extend(stage.exception(exception)?);
    }
    Ok(tests)
}

struct Stage<'a> {
    context: &'a Context<'a>,
    templates: &'a Templates,
    target: Labels,
    settings: &'a Settings,
}

fn plain(kind: &str, name: &str) -> Resource {
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

impl Stage<'_> {
    /// What the SLO file says of a resource: its own thresholds hold, and what is off stays silent.
    fn exception(&self, it: &Resource) -> Result<Vec<Test>, TemplateError> {
        let title = |what: &str| format!("{} ({}): {what}", it.name, it.kind);
        let set = [
            (Check::Saturated, it.saturated_for.is_some()),
            (Check::NearLimit, it.near_limit.is_some()),
            (Check::Filling, it.fills_within.is_some()),
            (Check::Lagging, it.lag.is_some()),
        ];
        let set: Vec<Scene> = set.iter().filter(|(_, set)| *set).map(|(check, _)| self.scene(*check, it)).collect();
        let off: Vec<Scene> = it.off.iter().map(|check| self.scene(*check, &plain(&it.kind, &it.name))).collect();
        let mut tests = Vec::new();
        for scene in set.into_iter().filter(|it| it.fires <= PATIENCE) {
            tests.push(self.test(&title(&format!("{} as its threshold says", scene.alert)), vec![scene], true)?);
        }
        if !off.is_empty() {
            tests.push(self.test(&title("what is off is silent"), off, false)?);
        }
        Ok(tests)
    }

    fn test(&self, proves: &str, scenes: Vec<Scene>, fire: bool) -> Result<Test, TemplateError> {
        let causes = resources::causes(self.context);
        let scaled = |real: Duration| self.context.estate.time_scale.apply(real);
        let mut alerts = Vec::new();
        for cause in &causes {
            let own: Vec<&Scene> = scenes.iter().filter(|it| it.alert == cause.alert).collect();
            let Some(first) = own.first() else { continue };
            let at = |eval_time, exp_alerts| AlertTest {
                eval_time: scaled(eval_time),
                alertname: cause.alert.to_owned(),
                exp_alerts,
            };
            alerts.push(at(first.quiet, vec![]));
            let firing = own.iter().filter(|_| fire).map(|scene| self.expected(cause, scene));
            alerts.push(at(first.fires, firing.collect::<Result<_, _>>()?));
        }
        let series = scenes.into_iter().flat_map(|it| it.series);
        Ok(Test {
            name: format!("{}: {proves}", self.context.service.name),
            interval: scaled(Duration::from_secs(SAMPLE_SECONDS)),
            input_series: series
                .map(|(metric, labels, values)| InputSeries { series: selector(&metric, &labels), values })
                .collect(),
            alert_rule_test: alerts,
            promql_expr_test: vec![],
        })
    }

    fn expected(&self, cause: &Cause, scene: &Scene) -> Result<ExpectedAlert, TemplateError> {
        let value_of = |label: &str| scene.labels.iter().find(|(key, _)| *key == label).map_or("", |(_, it)| it);
        let words = Words {
            subject: cause.subject.iter().map(|(before, label)| format!("{before}{}", value_of(label))).collect(),
            value: scene.value.clone(),
            ..Words::of_service(self.context)
        };
        let links = resources::links(self.context, cause.alert);
        let mut exp_labels = resources::labels(self.context);
        exp_labels.extend(scene.labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        let exp_annotations = words::annotations(self.templates, cause.template, &words, links)?;
        Ok(ExpectedAlert { exp_labels, exp_annotations })
    }

    /// A resource in one kind of trouble, and its neighbour that is not quite.
    fn scene(&self, check: Check, it: &Resource) -> Scene {
        match check {
            Check::Saturated => self.saturated(it),
            Check::NearLimit => self.near_limit(it),
            Check::Erroring => self.erroring(it),
            Check::Filling => self.filling(it),
            Check::Lagging => self.lagging(it),
        }
    }

    fn saturated(&self, it: &Resource) -> Scene {
        let held = it.saturated_for.unwrap_or(self.settings.saturated_for);
        let metric = if it.kind == DB_POOL { db::CONNECTION_PENDING } else { resource::PENDING };
        // A pause of one scrape, and then none. One neighbour pauses again and again, another has just come.
        let young = QUIET + (held.millis() / (SAMPLE_SECONDS * 1_000)).saturating_sub(4);
        let pause = self.settings.saturated_for.millis().div_ceil(SAMPLE_SECONDS * 1_000).saturating_sub(2);
        let rests = vec![format!("3+0x{pause} 0"); usize::try_from(LONG / (pause + 2)).unwrap_or(1)].join(" ");
        let series = vec![
            (metric.name.to_owned(), self.of(it, &it.name), format!("3+0x{} 0 3+0x{LONG}", QUIET - 2)),
            (metric.name.to_owned(), self.of(it, "calm"), rests),
            (metric.name.to_owned(), self.of(it, "young"), format!("_x{young} 3+0x{LONG}")),
        ];
        timed(slo::RESOURCE_SATURATED, it, series, held, "3".to_owned())
    }

    fn near_limit(&self, it: &Resource) -> Scene {
        let share = it.near_limit.unwrap_or(self.settings.near_limit);
        let at = share.times(Decimal::new(1_000, 0));
        // Just at the threshold, then a thousandth above it. A neighbour stays at the threshold of all others.
        let (at, above) = (at.to_f64(), at.to_f64() + 1.0);
        let from = |value: f64| format!("{at}+0x{} {value}+0x{LONG}", QUIET - 1);
        let own = [PROCESS, TOKIO].contains(&(it.kind.as_str(), it.name.as_str()));
        let others = self.settings.near_limit.times(Decimal::new(1_000, 0)).to_f64();
        let mut series = Vec::new();
        for (name, value) in [(it.name.as_str(), above), ("calm", if own { at } else { others })] {
            let labels = self.of(it, name);
            let limit = "1000+0x".to_owned() + &LONG.to_string();
            match (it.kind.as_str(), it.name.as_str()) {
                (DB_POOL, _) => {
                    let mut used = labels.clone();
                    used.insert(db::CONNECTION_STATE.key.to_owned(), "used".to_owned());
                    let value = if name == "calm" { format!("{value}+0x{LONG}") } else { from(value) };
                    series.push((db::CONNECTION_COUNT.name.to_owned(), used, value));
                    series.push((db::CONNECTION_MAX.name.to_owned(), labels, limit));
                }
                PROCESS => {
                    series.push((process::OPEN_FDS.name.to_owned(), labels.clone(), from(value)));
                    series.push((process::MAX_FDS.name.to_owned(), labels, limit));
                }
                TOKIO => {
                    // A counter that rises as fast; at the threshold itself the rate's rounding would decide.
                    let value = if name == "calm" { value - 1.0 } else { value };
                    let interval = self.context.estate.time_scale.apply(Duration::from_secs(SAMPLE_SECONDS));
                    let rise = value * interval.secs_f64();
                    let busy = format!("0+0x{} {rise}+{rise}x{LONG}", QUIET - 1);
                    series.push((process::TOKIO_BUSY.name.to_owned(), labels.clone(), busy));
                    series.push((process::TOKIO_WORKERS.name.to_owned(), labels, limit));
                }
                _ => {
                    let value = if name == "calm" { format!("{value}+0x{LONG}") } else { from(value) };
                    series.push((resource::USAGE.name.to_owned(), labels.clone(), value));
                    series.push((resource::LIMIT.name.to_owned(), labels, limit));
                }
            }
        }
        let hold = self.settings.near_limit_hold;
        let mut scene = timed(slo::RESOURCE_NEAR_LIMIT, it, series, hold, percentage(above / 1_000.0));
        // A rate needs its window to be full.
        scene.fires = scene.fires.plus(Duration::from_mins(5));
        scene
    }

    fn erroring(&self, it: &Resource) -> Scene {
        let metric = if it.kind == DB_POOL { db::CONNECTION_TIMEOUTS } else { resource::ERRORS };
        let series = vec![
            (metric.name.to_owned(), self.of(it, &it.name), format!("0+0x{} 1+1x{LONG}", QUIET - 1)),
            // One burst.
            (metric.name.to_owned(), self.of(it, "calm"), format!("0+0x{} 5+0x{LONG}", QUIET - 1)),
        ];
        timed(slo::RESOURCE_ERRORS, it, series, self.settings.erroring_hold, "20".to_owned())
    }

    fn filling(&self, it: &Resource) -> Scene {
        let within = it.fills_within.unwrap_or(self.settings.fills_within);
        // One unit a sample, so that half the limit is used up within the time that is looked ahead.
        let ahead = within.millis().div_ceil(SAMPLE_SECONDS * 1_000);
        let limit = 2 * ahead;
        let start = Decimal::new(u128::from(12 * ahead), 1);
        let (used, most) = match (it.kind.as_str(), it.name.as_str()) {
            PROCESS => (process::OPEN_FDS.name, process::MAX_FDS.name),
            _ => (resource::USAGE.name, resource::LIMIT.name),
        };
        let mut series = Vec::new();
        for (name, values) in [(it.name.as_str(), format!("{start}+1x{LONG}")), ("calm", format!("{start}+0x{LONG}"))] {
            series.push((used.to_owned(), self.of(it, name), values));
            series.push((most.to_owned(), self.of(it, name), format!("{limit}+0x{LONG}")));
        }
        let hold = self.settings.filling_hold;
        // It grows from the beginning.
        let (quiet, fires) = (hold.minus(STEP), hold.plus(Duration::from_mins(5)));
        let samples = fires.millis() / (SAMPLE_SECONDS * 1_000);
        let share = (start.to_f64() + samples as f64) / limit as f64;
        Scene { quiet, fires, ..timed(slo::RESOURCE_FILLING, it, series, hold, percentage(share)) }
    }

    fn lagging(&self, it: &Resource) -> Scene {
        let lag = it.lag.unwrap_or(self.settings.lag).secs_f64();
        let labels = |replica: &str| {
            let mut labels = self.target.clone();
            labels.insert(resilience::REPLICA.key.to_owned(), replica.to_owned());
            labels.insert(db::NAMESPACE.key.to_owned(), "main".to_owned());
            labels
        };
        let from = |value: f64| format!("{lag}+0x{} {value}+0x{LONG}", QUIET - 1);
        let metric = resilience::REPLICA_LAG.name.to_owned();
        // The neighbour has no exception of its own.
        let calm = self.settings.lag.secs_f64();
        let series = vec![
            (metric.clone(), labels(&it.name), from(lag + 1.0)),
            (metric, labels("calm"), format!("{calm}+0x{LONG}")),
        ];
        let own = vec![(resilience::REPLICA.key, it.name.clone()), (db::NAMESPACE.key, "main".to_owned())];
        let scene = timed(slo::REPLICA_LAGGING, it, series, self.settings.lag_hold, duration(lag + 1.0));
        Scene { labels: own, ..scene }
    }

    fn breaker(&self) -> Scene {
        let labels = |dependency: &str| {
            let mut labels = self.target.clone();
            labels.insert(http_client::DEPENDENCY.key.to_owned(), dependency.to_owned());
            labels.insert(resilience::STATE.key.to_owned(), resilience::OPEN.to_owned());
            labels
        };
        let metric = resilience::CIRCUIT_BREAKER_STATE.name.to_owned();
        let series = vec![
            (metric.clone(), labels("struck"), format!("0+0x{} 1+0x{LONG}", QUIET - 1)),
            // Two minutes.
            (metric, labels("calm"), format!("0+0x{} 1+0x7 0+0x{LONG}", QUIET - 1)),
        ];
        let began = began();
        Scene {
            alert: slo::CIRCUIT_BREAKER_OPEN,
            series,
            quiet: began.plus(Duration::from_mins(2)),
            fires: began.plus(self.settings.breaker_range).plus(self.settings.breaker_hold).plus(STEP.times(2)),
            labels: vec![(http_client::DEPENDENCY.key, "struck".to_owned())],
            value: percentage(1.0),
        }
    }

    fn restarts(&self) -> Scene {
        let labels = |instance: &str| {
            let mut labels = self.target.clone();
            labels.insert("instance".to_owned(), instance.to_owned());
            labels
        };
        let metric = process::START_TIME.name.to_owned();
        let quiet = QUIET - 1;
        let often: Vec<String> = (1..=self.settings.restarts).map(|it| format!("{}+0x11", 100 + it)).collect();
        let series = vec![
            (metric.clone(), labels("struck"), format!("100+0x{quiet} {} 900+0x{LONG}", often.join(" "))),
            (metric, labels("calm"), format!("100+0x{quiet} {}+0x{LONG}", often.join(" ").trim_end_matches("+0x11"))),
        ];
        let last = began().plus(Duration::from_mins(3).times(u64::from(self.settings.restarts)));
        Scene {
            alert: slo::PROCESS_RESTARTING,
            series,
            quiet: last.minus(STEP),
            fires: last.plus(STEP),
            labels: vec![],
            value: (self.settings.restarts + 1).to_string(),
        }
    }

    fn telemetry(&self) -> Scene {
        let mut dropped = self.target.clone();
        dropped.insert(telemetry::DROP_REASON.key.to_owned(), "queue_full".to_owned());
        let quiet = QUIET - 1;
        let series = vec![
            (telemetry::SPANS_DROPPED.name.to_owned(), dropped, format!("0+0x{quiet} 1+1x{LONG}")),
            // One burst.
            (telemetry::EXPORT_FAILURES.name.to_owned(), self.target.clone(), format!("0+0x{quiet} 5+0x{LONG}")),
        ];
        let (range, hold) = (self.settings.telemetry_range, self.settings.telemetry_hold);
        let in_range = range.millis() / (SAMPLE_SECONDS * 1_000);
        Scene {
            alert: slo::TELEMETRY_DEGRADED,
            series,
            quiet: began().plus(hold).minus(STEP),
            fires: began().plus(range.max(hold)).plus(STEP.times(3)),
            labels: vec![("problem", "spans_dropped".to_owned())],
            value: in_range.to_string(),
        }
    }

    /// Labels of a series of a resource, by its own name or that of its neighbour.
    fn of(&self, it: &Resource, name: &str) -> Labels {
        let mut labels = self.target.clone();
        match (it.kind.as_str(), it.name.as_str()) {
            (DB_POOL, _) => drop(labels.insert(db::POOL.key.to_owned(), name.to_owned())),
            PROCESS | TOKIO => drop(labels.insert("instance".to_owned(), name.to_owned())),
            (kind, _) => {
                labels.insert(TYPE.to_owned(), kind.to_owned());
                labels.insert(NAME.to_owned(), name.to_owned());
            }
        }
        labels
    }
}

/// Trouble that fires after a hold.
fn timed(
    alert: &'static str,
    it: &Resource,
    series: Vec<(String, Labels, String)>,
    hold: Duration,
    value: String,
) -> Scene {
    let labels = vec![(TYPE, it.kind.clone()), (NAME, it.name.clone())];
    let (quiet, fires) = (began().plus(hold).minus(STEP), began().plus(hold).plus(STEP.times(3)));
    Scene { alert, series, quiet, fires, labels, value }
}

/// When trouble begins.
fn began() -> Duration {
    Duration::from_secs(SAMPLE_SECONDS).times(QUIET)
}
