//! A test in the making: what is fed to which SLOs, and what must hold.

use kilter_contract::slo as names;

use super::super::context::Context;
use super::super::maintenance::has_measured;
use super::cases::schedule;
use super::file::{AlertTest, ExpectedAlert, InputSeries, Labels, QueryTest, Sample, Test, selector};
use super::inputs::{Fed, Inputs, Raw, Samples, identity};
use super::measure::{Measure, Row};
use super::subject::Subject;
use super::text::Told;
use super::tracks::{Driven, INSTANCE, Track, mark};
use super::traffic::{self, Flow, SAMPLE_SECONDS, Timeline};
use crate::model::{Duration, Weekly};

/// Where tests begin: multiples of the rate window.
const RATE: Duration = Duration::from_mins(5);

/// How often rules are evaluated in a test, which promtool asks for per file. Long windows need no fine one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grid {
    /// As in production: every 30 s.
    Fine,
    /// Every 5 minutes, for windows of hours.
    Hours,
    /// Every hour, for windows of days.
    Days,
}

impl Grid {
    pub(super) const ALL: [Self; 3] = [Self::Fine, Self::Hours, Self::Days];

    /// Distance of evaluations.
    pub(super) const fn step(self) -> Duration {
        match self {
            Self::Fine => Duration::from_secs(30),
            Self::Hours => Duration::from_mins(5),
            Self::Days => Duration::from_mins(60),
        }
    }

    /// Distance of samples.
    pub(super) const fn samples(self) -> Duration {
        match self {
            Self::Fine => Duration::from_secs(SAMPLE_SECONDS),
            Self::Hours | Self::Days => Duration::from_mins(1),
        }
    }

    /// What it adds to the name of a test file.
    pub(super) const fn part(self) -> &'static str {
        match self {
            Self::Fine => "",
            Self::Hours => "hours.",
            Self::Days => "days.",
        }
    }
}

/// A test in the making.
pub(super) struct Stage<'a> {
    context: &'a Context<'a>,
    pub(super) grid: Grid,
    name: String,
    proves: String,
    samples: Duration,
    /// The beginning, in a time without scheduled maintenance; what is asked for is counted from here.
    pub(super) lead: Duration,
    input: Vec<InputSeries>,
    alerts: Vec<AlertTest>,
    queries: Vec<QueryTest>,
    measures: Vec<Measure>,
}

/// A test, on the grid that it needs.
pub(super) struct Made {
    pub(super) grid: Grid,
    pub(super) test: Test,
    pub(super) measures: Vec<Measure>,
}

impl Made {
    /// Adds to the name of the test.
    pub(super) fn rename(&mut self, more: &str) {
        self.test.name.push_str(more);
        for it in &mut self.measures {
            it.test.push_str(more);
        }
    }
}

impl<'a> Stage<'a> {
    /// A test of a track; `None` when the schedules of its SLOs leave no time of this length.
    pub(super) fn on(
        context: &'a Context<'a>,
        track: &Track<'_, '_>,
        grid: Grid,
        proves: &str,
        length: Duration,
    ) -> Option<Self> {
        Self::between(context, track.0.first().map_or(&[], |it| schedule::of(it.subject.slo)), grid, proves, length)
    }

    /// A test between scheduled maintenances.
    pub(super) fn between(
        context: &'a Context<'a>,
        schedule: &[Weekly],
        grid: Grid,
        proves: &str,
        length: Duration,
    ) -> Option<Self> {
        Some(Self {
            context,
            grid,
            name: format!("{}: {proves}", context.service.name),
            proves: proves.to_owned(),
            samples: grid.samples(),
            lead: schedule::lead(context, schedule, grid.step().max(RATE), length)?,
            input: vec![],
            alerts: vec![],
            queries: vec![],
            measures: vec![],
        })
    }

    /// Samples of another distance.
    pub(super) fn sampled(mut self, samples: Duration) -> Self {
        self.samples = samples;
        self
    }

    /// Feeds an SLO. Incidents strike its first group; the others have traffic without errors.
    pub(super) fn plays(&mut self, driven: &Driven<'_, '_>, timeline: &Timeline) {
        let subject = driven.subject;
        let length = timeline.iter().fold(Duration::ZERO, |sum, (length, _)| sum.plus(*length));
        let healthy: Timeline = vec![(length, Flow::Events(0.0))];
        // What never has traffic, never has any in all its groups.
        let calm = if timeline.iter().all(|(_, flow)| *flow == Flow::Idle) { timeline } else { &healthy };
        for Raw { metric, labels, samples, group, share, .. } in &subject.inputs.series {
            let mut timeline = if *group == 0 { timeline.clone() } else { calm.clone() };
            if self.lead > Duration::ZERO {
                // Series without events: they are there, and in no ratio.
                timeline.insert(0, (self.lead, Flow::Idle));
            }
            if !matches!(samples, Samples::Counter(_) | Samples::Rate(_)) {
                for (_, flow) in &mut timeline {
                    // Nothing presses time together.
                    *flow = if matches!(flow, Flow::Crowd(_)) { Flow::Events(0.0) } else { *flow };
                }
            }
            let (step, volume) = (self.samples, driven.volume.every(self.samples).share(*share));
            let values = match *samples {
                Samples::Counter(counts) => traffic::counter(&timeline, step, volume, counts),
                Samples::Rate(counts) => traffic::rate(&timeline, step, volume, counts),
                Samples::Time(counts) => traffic::rate(&timeline, step, traffic::Volume::of_time(step), counts),
                Samples::Up => traffic::up(&timeline, step),
            };
            let mut labels = labels.clone();
            labels.extend(mark(driven));
            self.input.push(InputSeries { series: selector(metric, &labels), values });
        }
    }

    /// Feeds an SLO of counters twice: they begin again at zero, and then others join that show what they counted before.
    pub(super) fn restarts(&mut self, driven: &Driven<'_, '_>, timeline: &Timeline) {
        let length = timeline.iter().fold(Duration::ZERO, |sum, (length, _)| sum.plus(*length));
        let healthy: Timeline = vec![(length, Flow::Events(0.0))];
        for Raw { metric, labels, samples, group, share, .. } in &driven.subject.inputs.series {
            let Samples::Counter(counts) = *samples else { continue };
            let (step, volume) = (self.samples, driven.volume.every(self.samples).share(*share));
            let own = if *group == 0 { timeline } else { &healthy };
            let part = |flow: &[(Duration, Flow)]| traffic::counter(flow, step, volume, counts);
            let before = if self.lead > Duration::ZERO { vec![(self.lead, Flow::Idle)] } else { vec![] };
            let values = format!("{} {}", part(&[before, own.clone()].concat()), part(own));
            let mut labels = labels.clone();
            labels.extend(mark(driven));
            self.input.push(InputSeries { series: selector(metric, &labels), values });
            if !labels.contains_key(INSTANCE) || driven.apart {
                labels.insert(INSTANCE.to_owned(), format!("{}, joined", driven.subject.slo.name));
                let away = self.count(self.lead.plus(length));
                let values = format!("_x{away} {}", traffic::joined(own, step, volume, counts));
                self.input.push(InputSeries { series: selector(metric, &labels), values });
            }
        }
    }

    /// Feeds an SLO of counters with one event in two seconds; those that are born join after the first timeline, at zero.
    pub(super) fn plays_few(
        &mut self,
        driven: &Driven<'_, '_>,
        before: &Timeline,
        after: &Timeline,
        born: impl Fn(&Raw) -> bool,
    ) {
        let length = |timeline: &Timeline| timeline.iter().fold(Duration::ZERO, |sum, it| sum.plus(it.0));
        let lead: Timeline = if self.lead > Duration::ZERO { vec![(self.lead, Flow::Idle)] } else { vec![] };
        for raw in &driven.subject.inputs.series {
            let Samples::Counter(counts) = raw.samples else { continue };
            let (step, volume) = (self.samples, traffic::Volume::of_time(self.samples).share(2 * raw.share));
            let values = match (raw.group, born(raw)) {
                (0, true) => {
                    let away = self.count(self.lead.plus(length(before)));
                    format!("_x{away} {}", traffic::counter(after, step, volume, counts))
                }
                (0, false) => traffic::counter(&[&lead[..], before, after].concat(), step, volume, counts),
                _ => {
                    let healthy = (length(before).plus(length(after)), Flow::Events(0.0));
                    traffic::counter(&[&lead[..], &[healthy]].concat(), step, volume, counts)
                }
            };
            let mut labels = raw.labels.clone();
            labels.extend(mark(driven));
            self.input.push(InputSeries { series: selector(&raw.metric, &labels), values });
        }
    }

    /// Beside an SLO of a histogram, as many events as in `plays_few` of an older instance whose buckets end elsewhere: nobody
    /// knows how many of them were good.
    pub(super) fn plays_older(&mut self, driven: &Driven<'_, '_>, length: Duration) {
        let all = &driven.subject.inputs.series;
        if all.iter().all(|raw| !raw.labels.contains_key("le")) {
            return;
        }
        let events: Timeline = vec![(self.lead.plus(length), Flow::Events(0.0))];
        for raw in all.iter().filter(|raw| !raw.labels.contains_key("le") && !raw.labels.contains_key(INSTANCE)) {
            let Samples::Counter(counts) = raw.samples else { continue };
            let volume = traffic::Volume::of_time(self.samples).share(2 * raw.share);
            let mut labels = raw.labels.clone();
            labels.insert(INSTANCE.to_owned(), format!("{}, older", driven.subject.slo.name));
            let values = traffic::counter(&events, self.samples, volume, counts);
            self.input.push(InputSeries { series: selector(&raw.metric, &labels), values });
        }
    }

    /// What the SLO does not ask for, for as long as its test: a thousand times its traffic fails at another service, on
    /// another route. The same is recorded for an SLO of the same name.
    pub(super) fn neighbours(&mut self, driven: &Driven<'_, '_>, length: Duration) {
        const TIMES: u64 = 1_000;
        let (subject, step) = (driven.subject, self.samples);
        let length = self.lead.plus(length);
        let failing: Timeline = vec![(length, Flow::Events(1.0))];
        for raw in subject.inputs.series.iter().filter(|it| it.group == 0) {
            let volume = driven.volume.every(step).times(TIMES);
            let values = match raw.samples {
                Samples::Counter(counts) => traffic::counter(&failing, step, volume, counts),
                Samples::Up => traffic::up(&failing, step),
                Samples::Rate(_) | Samples::Time(_) => continue,
            };
            for by in &raw.refused {
                let Some(mut it) = Inputs::neighbour(self.context.service, subject.slo, raw, by) else { continue };
                it.labels.extend(mark(driven));
                let series = selector(&it.metric, &it.labels);
                // Two SLOs may have one neighbour.
                if self.input.iter().all(|it| it.series != series) {
                    self.input.push(InputSeries { series, values: values.clone() });
                }
            }
        }
        let own = identity(self.context.estate, self.context.service, subject.slo);
        for key in self.context.estate.identity.keys().map(String::as_str).chain([names::SERVICE_LABEL]) {
            let mut labels = own.clone();
            labels.insert(key.to_owned(), "another".to_owned());
            // What was measured comes later than the total, so that the rule of the errors meets each of them alone.
            let measured = has_measured(subject.slo).then_some((names::MEASURED_RATE, self.count(RATE)));
            for (metric, absent) in [(names::TOTAL_RATE, 0), (names::ERROR_RATE, 0)].into_iter().chain(measured) {
                let before = if absent > 0 { format!("_x{absent} ") } else { String::new() };
                let values = format!("{before}{TIMES}+0x{}", self.count(length) - absent);
                self.input.push(InputSeries { series: selector(metric, &labels), values });
            }
        }
    }

    /// One series more; with what it shows for as long as the lead, such as `1+0`, when it does not hold that itself.
    pub(super) fn feeds(&mut self, series: String, before: Option<&str>, values: &str) {
        let ahead = self.lead.millis() / self.samples.millis();
        let before = before.filter(|_| ahead > 0).map_or(String::new(), |it| format!("{it}x{} ", ahead - 1));
        self.input.push(InputSeries { series, values: format!("{before}{values}") });
    }

    /// So many samples fit into this time.
    pub(super) const fn count(&self, length: Duration) -> u64 {
        length.millis() / self.samples.millis()
    }

    /// A selector of one alert has this value at this time, or no sample.
    pub(super) fn asks(&mut self, of: &Subject<'_>, query: &str, at: Duration, value: Option<f64>) {
        let samples = value.map(|value| Sample { labels: query.to_owned(), value });
        self.ask(of, query, at, samples.into_iter().collect());
    }

    /// A query has one sample with these labels.
    pub(super) fn asks_with(&mut self, of: &Subject<'_>, query: &str, at: Duration, labels: &Labels, value: f64) {
        self.ask(of, query, at, vec![Sample { labels: selector("", labels), value }]);
    }

    fn ask(&mut self, of: &Subject<'_>, query: &str, at: Duration, exp_samples: Vec<Sample>) {
        let how = match of.inputs.fed {
            Fed::Series => "",
            Fed::Pair => " (fed at its recorded pair)",
            Fed::Total => " (fed at its recorded total)",
        };
        let expr = format!("{query} # {}: {}{how}", of.name(), self.proves);
        self.queries.push(QueryTest { expr, eval_time: of.time(self.lead.plus(at)), exp_samples });
    }

    /// Exactly these alerts of a name fire, with their texts.
    pub(super) fn pins(&mut self, alertname: &str, at: Duration, exp_alerts: Vec<ExpectedAlert>) {
        let eval_time = self.context.estate.time_scale.apply(self.lead.plus(at));
        self.alerts.push(AlertTest { eval_time, alertname: alertname.to_owned(), exp_alerts });
    }

    /// What is to be measured on the way: when an alert fires first and last.
    pub(super) fn measures(&mut self, of: &Subject<'_>, told: Told<'_>, row: &Row) {
        let time = |real: Duration| of.time(real).secs_f64();
        self.measures.push(Measure {
            slo: of.name(),
            burn: row.label.clone(),
            severity: told.severity.as_str().to_owned(),
            test: self.name.clone(),
            alert: of.alert(told),
            end: of.time(self.lead.plus(row.end)).to_string(),
            step: of.time(self.grid.step()).to_string(),
            began: time(self.lead.plus(row.began)),
            ended: time(self.lead.plus(row.ended)),
            detection: time(row.detection),
            reset: row.reset.map(time),
            spends: row.burn / of.time(of.slo.window).secs_f64(),
        });
    }

    pub(super) fn done(self) -> Option<Made> {
        if self.queries.is_empty() && self.alerts.is_empty() {
            return None;
        }
        let test = Test {
            name: self.name,
            interval: self.context.estate.time_scale.apply(self.samples),
            input_series: self.input,
            alert_rule_test: self.alerts,
            promql_expr_test: self.queries,
        };
        Some(Made { grid: self.grid, test, measures: self.measures })
    }
}

/// The first multiple of `unit` that is not before `duration`.
pub(super) fn up_to(duration: Duration, unit: Duration) -> Duration {
    unit.times(duration.millis().div_ceil(unit.millis()))
}

/// The last multiple of `unit` that is not after `duration`.
pub(super) fn down_to(duration: Duration, unit: Duration) -> Duration {
    unit.times(duration.millis() / unit.millis())
}
