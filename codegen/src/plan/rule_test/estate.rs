//! Proofs of the estate's own rules: the dead-man's switch, the rules' health, escalation. Their names begin with
//! `the estate: `.

use kilter_contract::slo as names;

use super::super::{RuleGroup, escalation as rules, windows};
use super::file::{InputSeries, Labels, QueryTest, Sample, Test, TestFile, selector};
use crate::model::{Duration, Estate, Name};

/// Where the estate's rules are.
const RULES: &str = "kilter.rules.yaml";
/// Distance of what is fed: the evaluation interval.
pub(super) const STEP: Duration = Duration::from_secs(30);

/// The tests of the estate, against its rule file beside them, which holds these groups.
pub fn estate_tests(estate: &Estate, groups: &[RuleGroup]) -> TestFile {
    let mut tests = vec![alive(estate), health(estate), health_off_the_grid(estate)];
    tests.extend(rules::escalating(estate).map(|team| escalation(estate, team)));
    tests.extend(super::leadership::tests(estate));
    TestFile {
        source: estate.source.clone(),
        rule_files: vec![RULES.to_owned()],
        evaluation_interval: estate.time_scale.apply(STEP),
        group_eval_order: groups.iter().map(|group| group.name.clone()).collect(),
        tests,
        part: "",
        measures: Vec::new(),
    }
}

fn alive(estate: &Estate) -> Test {
    let mut it = Proof::new(estate, "the dead-man's switch always fires");
    for minutes in [0, 10] {
        it.fires(names::WATCHDOG, &[], minutes, true);
    }
    it.test
}

/// Minutes at which so many pages and tickets about the rules fire.
type Told = (u64, u32, u32);

/// One failure pages at once and is told for as long as it is remembered; a late group and a slow one ticket.
fn health(estate: &Estate) -> Test {
    let it = Proof::new(estate, "rules that fail page, rules that are late or slow ticket");
    failing(it, 21, &[(9, 0, 1), (12, 1, 2), (19, 1, 2), (21, 0, 1), (35, 0, 1)])
}

/// The same one second after an evaluation.
fn health_off_the_grid(estate: &Estate) -> Test {
    let mut it = Proof::new(estate, "rules that fail one second off the grid page, rules that are late or slow ticket");
    // The 31st sample.
    it.test.interval = estate.time_scale.apply(Duration::from_secs(31));
    failing(it, 31, &[(15, 0, 1), (18, 1, 2), (25, 1, 2), (27, 0, 1), (35, 0, 1)])
}

/// What fails or is late at a sample, once.
fn failing(mut it: Proof<'_>, at: u64, told: &[Told]) -> Test {
    let estate = it.estate;
    let of = estate.target.health();
    let group = |name: &str| Labels::from([(of.label.to_owned(), format!("{}{name}", of.before.1))]);
    let before = at - 1;
    let (fails, idle) = (format!("0+0x{before} 1+0x59"), format!("0+0x{}", before + 60));
    let (fails, idle) = (fails.as_str(), idle.as_str());
    for (name, failures, missed, seconds) in [
        ("slo-fails", fails, idle, "0.1"),
        ("slo-late", idle, fails, "0.1"),
        ("slo-slow", idle, idle, "16"),
        ("other", fails, fails, "60"),
    ] {
        // A gauge is up while a rule fails; a counter keeps what it has counted.
        let once = format!("0+0x{before} 1 0+0x59");
        let gauge = if failures == fails { &once } else { idle };
        let mut duration = group(name);
        duration.extend(of.quantile.map(|(label, value)| (label.to_owned(), value.to_owned())));
        let own = group(name);
        let mut feed =
            |metric: &str, labels: &Labels, values: &str| it.feed(selector(metric, labels), values.to_owned());
        of.failures.iter().for_each(|metric| feed(metric, &own, failures));
        // One kind of rule fails, the other does not.
        of.failing.iter().take(1).for_each(|metric| feed(metric, &own, gauge));
        feed(of.missed, &own, missed);
        feed(of.duration, &duration, &format!("{seconds}+0x{}", before + 60));
        feed(of.interval, &own, &format!("30+0x{}", before + 60));
    }
    let severity = |severity: &str| [(names::SEVERITY_LABEL, severity.to_owned())];
    for (minutes, pages, tickets) in told {
        it.counts(names::RULES_FAILING, &severity(&estate.policy.severities.page), *minutes, *pages);
        it.counts(names::RULES_FAILING, &severity(&estate.policy.severities.ticket), *minutes, *tickets);
    }
    it.test
}

/// What is recorded of how fast a budget burns now: over the shortest window.
pub(super) fn burn_now(estate: &Estate) -> String {
    let shortest = rules::shortest_windows(estate).first().map_or_else(|| "5m".to_owned(), ToString::to_string);
    names::burn_rate(&shortest)
}

/// A page of the team that lasts is escalated, and so is one whose errors are nearly within the budget; one that ends in
/// time, one that does not fire yet, one whose errors have ended, tickets and pages of other teams are not.
fn escalation(estate: &Estate, team: &Name) -> Test {
    let mut it = Proof::new(estate, &format!("a page that nobody ends escalates to the leads of {team}"));
    let hold = windows::timing().escalation_hold;
    let after = hold.millis() / STEP.millis();
    let severities = &estate.policy.severities;
    let (lasts, ends) = (after + 20, after - 10);
    for (slo, of_team, state, severity, samples, burn) in [
        ("lasts", team.as_str(), "firing", &severities.page, lasts, "20"),
        ("nearly", team.as_str(), "firing", &severities.page, lasts, "1.5"),
        ("ends", team.as_str(), "firing", &severities.page, ends, "20"),
        ("waits", team.as_str(), "pending", &severities.page, lasts, "20"),
        ("mended", team.as_str(), "firing", &severities.page, lasts, "0.8"),
        ("ticket", team.as_str(), "firing", &severities.ticket, lasts, "20"),
        ("theirs", "no-team-of-ours", "firing", &severities.page, lasts, "20"),
    ] {
        let mut labels: Labels = estate.identity.clone();
        let mut label = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
        label(names::SERVICE_LABEL, "any");
        label(names::SLO_LABEL, slo);
        it.feed(selector(&burn_now(estate), &labels), format!("{burn}+0x{}", after + 40));
        let mut label = |key: &str, value: &str| labels.insert(key.to_owned(), value.to_owned());
        label("alertname", names::ERROR_BUDGET_BURN);
        label("alertstate", state);
        label(names::SEVERITY_LABEL, severity);
        label(names::TEAM_LABEL, of_team);
        it.feed(selector("ALERTS", &labels), format!("1+0x{samples} stale"));
    }
    // An SLO of the same name of another service has no errors.
    let mut another: Labels = estate.identity.clone();
    another.insert(names::SERVICE_LABEL.to_owned(), "another".to_owned());
    another.insert(names::SLO_LABEL.to_owned(), "lasts".to_owned());
    it.feed(selector(&burn_now(estate), &another), format!("0+0x{}", after + 40));
    let of = |slo: &str| {
        [
            (names::SEVERITY_LABEL, names::ESCALATION.to_owned()),
            (names::TEAM_LABEL, team.to_string()),
            (names::SLO_LABEL, slo.to_owned()),
            (rules::PAGE_LABEL, names::ERROR_BUDGET_BURN.to_owned()),
        ]
    };
    let minutes = hold.millis() / 60_000;
    it.counts(names::PAGE_UNANSWERED, &of("lasts"), minutes - 1, 0);
    it.counts(names::PAGE_UNANSWERED, &of("lasts"), minutes + 1, 1);
    it.counts(names::PAGE_UNANSWERED, &of("nearly"), minutes + 1, 1);
    it.counts(names::PAGE_UNANSWERED, &[], minutes + 1, 2);
    // Both end after ten minutes more, and are told for five more.
    it.counts(names::PAGE_UNANSWERED, &[], minutes + 14, 2);
    it.counts(names::PAGE_UNANSWERED, &[], minutes + 17, 0);
    it.test
}

/// A test in the making.
pub(super) struct Proof<'a> {
    estate: &'a Estate,
    pub(super) test: Test,
}

impl<'a> Proof<'a> {
    pub(super) fn new(estate: &'a Estate, what: &str) -> Self {
        let test = Test {
            name: format!("the estate: {what}"),
            interval: estate.time_scale.apply(STEP),
            input_series: Vec::new(),
            alert_rule_test: Vec::new(),
            promql_expr_test: Vec::new(),
        };
        Self { estate, test }
    }

    pub(super) fn feed(&mut self, series: String, values: String) {
        self.test.input_series.push(InputSeries { series, values });
    }

    /// Whether the alert with exactly these labels, and the identity, fires so many minutes after the beginning.
    fn fires(&mut self, alert: &str, labels: &[(&str, String)], minutes: u64, yes: bool) {
        let query = self.alert(alert, labels);
        let samples = yes.then(|| Sample { labels: query.clone(), value: 1.0 });
        self.ask(&query, minutes, samples.into_iter().collect());
    }

    /// How many alerts of a name with these labels, among others, fire.
    pub(super) fn counts(&mut self, alert: &str, labels: &[(&str, String)], minutes: u64, count: u32) {
        let query = format!("count({})", self.alert(alert, labels));
        let samples = (count > 0).then(|| Sample { labels: "{}".to_owned(), value: count.into() });
        self.ask(&query, minutes, samples.into_iter().collect());
    }

    fn alert(&self, alert: &str, labels: &[(&str, String)]) -> String {
        let mut all: Labels = self.estate.identity.clone();
        all.extend([("alertname".to_owned(), alert.to_owned()), ("alertstate".to_owned(), "firing".to_owned())]);
        all.extend(labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        selector("ALERTS", &all)
    }

    fn ask(&mut self, query: &str, minutes: u64, exp_samples: Vec<Sample>) {
        let expr = format!("{query} # {}", self.test.name);
        let eval_time = self.estate.time_scale.apply(Duration::from_mins(minutes));
        self.test.promql_expr_test.push(QueryTest { expr, eval_time, exp_samples });
    }
}
