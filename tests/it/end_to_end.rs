//! The whole loop with the real programs: git clients, the example service, Prometheus, Alertmanager, a webhook.
//!
//! What runs is the generator's own output at a time scale of 1/20: an hour is three minutes, five minutes are 15 s.
//! Deadlines are several times what the rules promise, because the machine is shared; what must not happen is watched
//! for as long as it could.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use kilter_harness::{Loop, LoopOptions, ReceivedAlert, Signal, Traffic, get, until};
use serde_json::Value;

const SERVICE_FAULT: &str = "upload-pack-missing";
const SLO: &str = "clone-availability";
/// For what the rules promise within seconds.
const SOON: Duration = Duration::from_mins(1);
/// For what has to leave a half-hour window first.
const LATER: Duration = Duration::from_mins(4);

struct Stage {
    stack: Loop,
    folder: tempfile::TempDir,
}

impl Stage {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stack = Loop::start(folder.path(), LoopOptions::default()).expect("the loop starts");
        Self { stack, folder }
    }

    /// Real git clients, and enough time that the service counts as one with traffic.
    fn traffic(&self, clients: usize, every: Duration, warm: Duration) -> Traffic {
        let traffic = Traffic::start(&self.stack.service.clone_url(), self.folder.path(), clients, every).expect("git");
        self.nothing_for(warm);
        traffic
    }

    /// Nothing fires and nothing but the dead-man's switch is delivered in this time; no rule errs.
    fn nothing_for(&self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            let firing: Vec<_> = self.firing().into_iter().filter(|it| it != "Watchdog").collect();
            assert!(firing.is_empty(), "fires without a fault: {firing:?}");
            let noise = self.stack.webhook.received().into_iter().any(|it| it.path != "/watchdog");
            assert!(!noise, "delivered without a fault:{}", self.stack.webhook.summary());
            std::thread::sleep(Duration::from_millis(500));
        }
        self.stack.prometheus.no_rule_errs().expect("no rule errs");
    }

    /// `alertname severity slo team` of what fires; of the dead-man's switch its name.
    fn firing(&self) -> BTreeSet<String> {
        let alerts = self.stack.prometheus.alerts().expect("alerts");
        let text =
            |key: &[&str], of: &dyn Fn(&str) -> String| key.iter().map(|it| of(it)).collect::<Vec<_>>().join(" ");
        let firing = alerts.iter().filter(|it| it.state == "firing");
        let names = ["alertname", "severity", "slo", "team"];
        firing.map(|it| text(&names, &|key| it.label(key).to_owned()).trim().to_owned()).collect()
    }

    /// Waits until a page of the SLO with this status has arrived for the team.
    fn delivered(&self, status: &str, team: &str, deadline: Duration) -> ReceivedAlert {
        let wanted = |it: &&ReceivedAlert| it.status == status && described(it) == page(team);
        until(&format!("the {status} page of {team}"), deadline, || {
            Ok(self.stack.webhook.of("page").iter().find_map(|it| it.alerts.iter().find(wanted).cloned()))
        })
        .unwrap_or_else(|error| panic!("{error:#}; arrived so far:{}", self.stack.webhook.summary()))
    }

    /// The page stays for this long, and no rule errs meanwhile.
    fn stays(&self, team: &str, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            assert!(self.firing().contains(&page(team)), "the page is gone; what fires: {:?}", self.firing());
            self.stack.prometheus.no_rule_errs().expect("no rule errs");
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn resolved(&self) -> Vec<String> {
        let all = self.stack.webhook.of("page").into_iter().flat_map(|it| it.alerts);
        all.filter(|it| it.status == "resolved").map(|it| described(&it)).collect()
    }
}

fn page(team: &str) -> String {
    format!("ErrorBudgetBurn page {SLO} {team}")
}

fn described(alert: &ReceivedAlert) -> String {
    ["alertname", "severity", "slo", "team"].map(|key| alert.label(key)).join(" ")
}

#[test]
fn a_fault_pages_through_reload_and_restart_and_resolves_once_mended() {
    let mut it = Stage::start();
    // Less than would make the hooks, which only run after a clone, lose steady traffic for as long as clones fail.
    let _traffic = it.traffic(2, Duration::from_millis(1_500), Duration::from_secs(25));

    it.stack.service.fault(SERVICE_FAULT, true).expect("a fault");
    the_page_says_what_to_do(&it.delivered("firing", "source-control", SOON));
    every_query_of_dashboard_and_runbook_finds_something(&it.stack);

    it.stack.prometheus.reload().expect("a reload");
    it.stays("source-control", Duration::from_secs(10));

    // The team changes while the page runs: rules and routes are generated again, and Prometheus restarts.
    it.stack.change_team("platform").expect("another team");
    it.stack.alertmanager.process().signal(Signal::Hangup).expect("a reload of Alertmanager");
    it.stack.prometheus.restart().expect("a restart");
    it.stack.prometheus.rules_evaluated(SOON).expect("no rule errs");
    until("the page of the new team", SOON, || Ok(it.firing().contains(&page("platform")).then_some(()))).expect("it");
    it.stays("platform", Duration::from_secs(10));
    it.delivered("firing", "platform", SOON);

    it.stack.service.fault(SERVICE_FAULT, false).expect("no fault");
    it.delivered("resolved", "platform", LATER);
    let pages = it.stack.webhook.of("page");
    let firing = pages.iter().flat_map(|it| &it.alerts).filter(|it| it.status == "firing").map(described);
    let expected = ["source-control", "platform"].map(page);
    assert_eq!(firing.collect::<BTreeSet<_>>(), BTreeSet::from(expected), "one outage is one page of one SLO");
}

/// All a person at night has is this text.
fn the_page_says_what_to_do(page: &ReceivedAlert) {
    for (name, words) in [
        ("summary", vec!["git-https/clone-availability"]),
        ("description", vec!["99.9%", "30d", "burned", "times as fast", "Budget left"]),
        ("dashboard_url", vec!["https://grafana.example/d/", "var-slo=clone-availability", "from=now-6h"]),
        ("runbook_url", vec!["/git-https/clone-availability.md#errorbudgetburn-page"]),
    ] {
        let text = page.annotation(name);
        let missing: Vec<_> = words.into_iter().filter(|it| !text.contains(it)).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}: {text}");
        assert!(!text.contains("NaN") && !text.contains("<no value>") && !text.contains("{{"), "{name}: {text}");
    }
    let (url, _) = page.annotation("runbook_url").split_once('#').expect("an anchor");
    let runbook = get(url).expect("the runbook");
    assert_eq!(runbook.status, 200, "{url}");
    assert!(runbook.text().contains("## ErrorBudgetBurn (page)"), "{}", runbook.text());
}

/// Each panel of both dashboards, as Grafana would ask it while the page fires: no query errs, one of them finds a number
/// unless the panel says that there may be none, and every number is on the panel's axis. And each query of the runbook.
fn every_query_of_dashboard_and_runbook_finds_something(stack: &Loop) {
    let estate = stack.folder().join("estate");
    let mut left: Vec<Asked> = Vec::new();
    for name in ["git-https", "slo-overview"] {
        let board = fs::read_to_string(estate.join(format!("dashboards/{name}.json"))).expect("a dashboard");
        left.extend(asked(&serde_json::from_str(&board).expect("JSON")));
    }
    let from_boards = left.len();
    let runbook = fs::read_to_string(estate.join(format!("rules/runbooks/git-https/{SLO}.md"))).expect("a runbook");
    let blocks: Vec<&str> = runbook.split("```promql").collect();
    // The text above a query ends the block before it; one that may be empty says so.
    let queries = blocks.windows(2).filter(|it| !it[0].contains("none when there is no line"));
    let queries = queries.filter(|it| !it[1].contains("http_client_"));
    let one = |it: &str| Asked { queries: vec![it.trim().to_owned()], ..Asked::default() };
    left.extend(queries.filter_map(|it| Some(one(it[1].split("```").next()?))));
    assert!(from_boards >= 45 && left.len() >= from_boards + 6, "{from_boards} of {} panels", left.len());

    // Series of the budget's group are evaluated less often than the page arrives.
    let found = until("every panel to show something", SOON, || {
        let mut found = Vec::new();
        for it in &left {
            found.push(it.finds(stack)?);
        }
        let mut found = found.into_iter();
        left.retain(|_| found.next() == Some(false));
        anyhow::ensure!(left.is_empty(), "still empty:\n{left:#?}");
        Ok(Some(()))
    });
    found.expect("a number for every panel");
}

/// What a panel asks, and what it can show.
#[derive(Debug, Default)]
struct Asked {
    title: String,
    queries: Vec<String>,
    may_be_empty: bool,
    axis: (Option<f64>, Option<f64>),
}

fn asked(board: &Value) -> Vec<Asked> {
    let panels = board["panels"].as_array().expect("panels").iter().filter(|it| it["type"] != "row");
    panels
        .map(|it| {
            let (defaults, targets) = (&it["fieldConfig"]["defaults"], it["targets"].as_array().expect("targets"));
            Asked {
                title: it["title"].to_string(),
                queries: targets.iter().map(|it| it["expr"].as_str().expect("an expr").to_owned()).collect(),
                // It runs alone here and calls nobody: its calls are asked for where the fleet runs.
                may_be_empty: defaults["noValue"] != "no data" || it["targets"].to_string().contains("http_client_"),
                axis: (defaults["min"].as_f64(), defaults["max"].as_f64()),
            }
        })
        .collect()
}

impl Asked {
    fn finds(&self, stack: &Loop) -> anyhow::Result<bool> {
        let mut found = self.may_be_empty;
        for query in &self.queries {
            let all = [("$slo", SLO), ("$__rate_interval", "15s"), ("$instance", ".*")];
            let query = all.iter().fold(query.clone(), |text, (name, value)| text.replace(name, value));
            for value in stack.prometheus.query(&query)?.iter().map(|it| it.value).filter(|it| it.is_finite()) {
                let (low, high) = (self.axis.0.unwrap_or(f64::MIN), self.axis.1.unwrap_or(f64::MAX));
                let beyond = value < low - 1e-9 || value > high + 1e-9;
                anyhow::ensure!(!beyond, "{}: {value} is beyond its axis: {query}", self.title);
                found = true;
            }
        }
        Ok(found)
    }
}

#[test]
fn a_killed_service_pages_and_no_page_resolves_because_its_data_vanished() {
    let mut it = Stage::start();
    let traffic = it.traffic(2, Duration::from_millis(400), Duration::from_secs(20));
    it.stack.service.fault(SERVICE_FAULT, true).expect("a fault");
    it.delivered("firing", "source-control", SOON);

    // The outage gets worse: the process dies, and with it every series.
    it.stack.service.process().kill();
    let killed = Instant::now();
    it.stack.webhook.wait_for("page", "firing", "ServiceDown", SOON).expect("the page");
    // The five-minute windows are empty after 15 s, an alert of them alone would resolve within 35 s.
    while killed.elapsed() < Duration::from_mins(1) {
        assert_eq!(it.resolved(), Vec::<String>::new(), "resolved although nobody mended anything");
        it.stack.prometheus.no_rule_errs().expect("no rule errs");
        std::thread::sleep(Duration::from_millis(500));
    }

    // It comes back, as it was configured: without the fault.
    it.stack.service.start_again().expect("a start");
    it.stack.webhook.wait_for("page", "resolved", "ServiceDown", SOON).expect("the end of the page");
    drop(traffic);
}

#[test]
fn a_restart_and_twenty_idle_minutes_are_silent() {
    let mut it = Stage::start();
    // Little traffic: steady traffic that ceases is an outage in front of the service, and alerts.
    let traffic = it.traffic(1, Duration::from_secs(3), Duration::from_secs(20));
    it.stack.service.stop().expect("a good end");
    it.stack.service.start_again().expect("a start");
    it.nothing_for(Duration::from_secs(10));
    drop(traffic);
    it.nothing_for(it.stack.scaled(Duration::from_mins(20)));
}
