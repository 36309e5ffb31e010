//! One game day: calm, a cause, what is told of it, the cause mended, and then the complete list.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::sleep;
use std::time::{Duration, Instant};

use kilter_harness::{Fleet, Load, ReceivedAlert, Watch, get, until};

use super::queries;

/// Every window and interval is divided by it: an hour is a minute, five minutes are five seconds.
pub(super) const DIVISOR: u32 = 60;

/// Traffic before the cause, in which nothing may be told.
const CALM: Duration = Duration::from_secs(12);

/// What a shared machine may add to what the rules promise.
const SLACK: Duration = Duration::from_secs(25);

/// Bad events of an SLO that are enough for its alerts without luck: the guard against little traffic asks for five.
const ENOUGH: f64 = 10.0;

/// How long nothing more may come once everything has, which is longer than any notification waits in Alertmanager.
const QUIET: Duration = Duration::from_secs(8);

/// A Prometheus that evaluates 60 times as often as usual, on a machine that others use too, is late now and then, and says
/// so. That is about this machine, not about the fleet. A rule that fails is another alert, and a page.
const LATE: &str = "default: SLORulesFailing ticket";

/// Labels that tell notifications apart.
const LABELS: [&str; 9] =
    ["alertname", "severity", "service", "slo", "resource_type", "resource_name", "replica", "dependency", "problem"];

/// What must be told: by which receiver, of what, and how soon after the cause by the rules at real time.
pub(super) type Expected = (&'static str, Duration);

/// `receiver: labels`, as in `scm-pager: ErrorBudgetBurn page git-https clone-availability`.
pub(super) const fn within(told: &'static str, minutes: u64) -> Expected {
    (told, Duration::from_secs(minutes * 60))
}

/// A day that runs.
#[derive(Debug)]
pub(super) struct Day {
    name: &'static str,
    pub(super) watch: Watch,
    load: Load,
    /// When the cause began.
    zero: Instant,
    /// What may be told.
    expected: BTreeSet<&'static str>,
}

impl Day {
    /// Starts what watches, with an empty past, and the load; nothing may be told for a while.
    pub(super) fn begin(fleet: &Fleet, name: &'static str, load: &[&str]) -> Self {
        let watch = Watch::start(fleet, &fleet.folder().join(name), DIVISOR).expect("what watches starts");
        let load = Load::start(fleet, &format!("{name}/load"), load).expect("the load starts");
        let day = Self { name, watch, load, zero: Instant::now(), expected: BTreeSet::new() };
        day.nothing_for(CALM);
        day
    }

    /// The cause, as a person or a machine would bring it about. What is expected is all that may be told until the end.
    pub(super) fn cause(&mut self, expected: &[&'static [Expected]], bring_about: impl FnOnce() -> anyhow::Result<()>) {
        self.expected.extend(expected.iter().copied().flatten().map(|(told, _)| *told));
        self.zero = Instant::now();
        bring_about().expect("the cause is brought about");
    }

    /// Waits until each of these has been told, in time.
    pub(super) fn told(&self, expected: &[Expected]) -> Vec<ReceivedAlert> {
        let find = |(told, promise): &Expected| {
            let deadline = self.watch.scaled(*promise) + SLACK;
            self.holds(until(told, deadline.saturating_sub(self.zero.elapsed()), || {
                self.check();
                Ok(self.firing().remove(*told))
            }))
        };
        expected.iter().map(find).collect()
    }

    /// It lasts until the rules have seen this many bad events of an SLO, twice what they need to tell of it: with few, as
    /// these users have, the ticket that is told after the page would be a matter of luck.
    pub(super) fn lasts(&self, service: &str, slo: &str) {
        let [rate, hour] = [5, 60].map(|it| self.watch.scaled(Duration::from_mins(it)).as_secs());
        let series = format!("slo:error:rate5m{{service=\"{service}\",slo=\"{slo}\"}}");
        let seen = format!("sum_over_time({series}[{hour}s:{rate}s]) * {rate}");
        self.holds(until(&format!("{ENOUGH} bad events of {slo}"), SLACK, || {
            self.check();
            let seen = self.watch.prometheus.value(&seen)?.unwrap_or_default();
            anyhow::ensure!(seen >= ENOUGH, "{seen:.1}");
            Ok(Some(()))
        }));
    }

    /// The text says what to do, and its links lead somewhere; `words` are those that name the cause.
    pub(super) fn says(&self, told: &ReceivedAlert, words: &[&str]) {
        let text = format!("{}\n{}", told.annotation("summary"), told.annotation("description"));
        let missing: Vec<_> = words.iter().filter(|it| !text.contains(**it)).collect();
        assert!(missing.is_empty(), "{}: the text lacks {missing:?}: {text}", self.name);
        assert!(!text.contains("NaN") && !text.contains("<no value>") && !text.contains("{{"), "{}: {text}", self.name);
        assert!(told.annotation("dashboard_url").starts_with("https://grafana.example/d/"), "{told:?}");
        let (url, anchor) = told.annotation("runbook_url").split_once('#').expect("a section of a runbook");
        let runbook = get(url).expect("a runbook");
        let heading = format!("## {} ({})", told.label("alertname"), told.label("severity"));
        assert!(runbook.status == 200 && runbook.text().contains(&heading), "{}: no {anchor} at {url}", self.name);
    }

    /// While it lasts, each query of the SLO's runbook and these of the service's panels find something.
    pub(super) fn shows(&self, service: &str, slo: &str, panels: &[&str]) {
        self.holds(queries::find_something(&self.watch, service, slo, panels));
    }

    /// While it lasts, these of a dashboard's panels find something, with this SLO chosen: of what has no SLO, or of one
    /// whose series end with what counts them.
    pub(super) fn draws(&self, board: &str, slo: &str, panels: &[&str]) {
        self.holds(queries::panels_find_something(&self.watch, board, slo, panels));
    }

    /// The cause is gone. Everything of this has been told by then, or soon is; every page resolves; and then nothing more
    /// comes.
    pub(super) fn mended(self, expected: &[&'static [Expected]]) {
        let all: Vec<Expected> = expected.concat();
        self.told(&all);
        // The six-hour window forgets with the half-hour one; then the page is kept for five minutes, and told in five.
        let deadline = self.watch.scaled(Duration::from_mins(70)) + SLACK;
        self.holds(until("every page to resolve", deadline, || {
            self.check();
            let open = self.open_pages();
            anyhow::ensure!(open.is_empty(), "{open:?}");
            Ok(Some(()))
        }));
        self.nothing_for(QUIET);
        let told: BTreeSet<String> = self.firing().into_keys().collect();
        let wanted: BTreeSet<String> = all.iter().map(|(told, _)| (*told).to_owned()).collect();
        let missing: Vec<_> = wanted.difference(&told).collect();
        assert!(missing.is_empty(), "{}: not told: {missing:#?}{}", self.name, self.so_far());
    }

    /// Nothing is told but what is expected, and no rule errs, for this long.
    pub(super) fn nothing_for(&self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            self.check();
            sleep(Duration::from_millis(250));
        }
        self.watch.prometheus.no_rule_errs().expect("no rule errs");
    }

    /// Fails when anything was told that is not expected.
    fn check(&self) {
        let told = self.firing();
        let odd: Vec<_> = told.keys().filter(|it| !self.expected.contains(it.as_str())).collect();
        assert!(odd.is_empty(), "{}: told without a reason: {odd:#?}{}", self.name, self.so_far());
    }

    /// What was told as firing, with the last of its notifications.
    fn firing(&self) -> BTreeMap<String, ReceivedAlert> {
        self.all().into_iter().filter(|(_, it)| it.status == "firing").collect()
    }

    /// Pages that were not told as resolved after they were told as firing.
    fn open_pages(&self) -> Vec<String> {
        let last: BTreeMap<String, ReceivedAlert> = self.all().into_iter().collect();
        let open = last.into_iter().filter(|(_, it)| it.status == "firing" && it.label("severity") == "page");
        open.map(|(told, _)| told).collect()
    }

    /// Every alert in every notification but those of the dead-man's switch, in order.
    fn all(&self) -> Vec<(String, ReceivedAlert)> {
        let notifications = self.watch.webhook.received().into_iter().filter(|it| it.path != "/watchdog");
        let lines = notifications.flat_map(|it| {
            let receiver = it.path.trim_start_matches('/').to_owned();
            it.alerts.into_iter().map(move |alert| (line(&receiver, &alert), alert))
        });
        lines.filter(|(told, _)| told != LATE).collect()
    }

    /// What a day is about; where it is not so, all that was told until then is told too.
    fn holds<T>(&self, found: anyhow::Result<T>) -> T {
        found.unwrap_or_else(|error| panic!("{}: {error:#}{}", self.name, self.so_far()))
    }

    fn so_far(&self) -> String {
        format!("; told so far:\n{}\n{}", self.watch.told(self.zero).join("\n"), self.load.said())
    }
}

fn line(receiver: &str, alert: &ReceivedAlert) -> String {
    let words: Vec<&str> = LABELS.iter().map(|it| alert.label(it)).filter(|it| !it.is_empty()).collect();
    format!("{receiver}: {}", words.join(" "))
}
