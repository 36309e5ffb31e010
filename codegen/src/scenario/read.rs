//! A scenario from a file or from the command line.

use super::text::{self, Flaw};
use super::{Scenario, Scrape, Step, Traffic};
use crate::diagnostic::{Code, Findings};
use crate::model::Duration;
use crate::spec::{self, check};
use crate::yaml::{self, Node, Range, Value};

/// A rate needs two scrapes, and one may be lost.
const LONGEST_SCRAPE: Duration = Duration::from_mins(2);

/// The longest time before and behind the steps.
const LONGEST: Duration = Duration::from_mins(120 * 24 * 60);

/// Reads the short form; `None` when anything is wrong, which is told.
pub fn inline(findings: &mut Findings<'_>) -> Option<Scenario> {
    let text = findings.source();
    steps(text, 0, findings).map(Scenario::of)
}

/// Reads the traffic of the command line.
pub fn traffic(findings: &mut Findings<'_>) -> Option<Traffic> {
    let text = findings.source();
    traffic_in(text, 0, findings)
}

/// Reads a file.
pub fn read(findings: &mut Findings<'_>) -> Option<Scenario> {
    let document = match yaml::parse(findings.source()) {
        Ok(document) => document,
        Err(error) => {
            findings.error(Code::Yaml, error.range, error.message, error.help);
            return None;
        }
    };
    let mut fine = document.duplicates.is_empty();
    for it in document.duplicates {
        findings.error(Code::Yaml, it.range, it.message, it.help);
    }
    let root = document.root;
    let before = findings.count();
    check::check(&root, &spec::SCENARIO, findings);
    let mut all = Vec::new();
    if let Some(Value::List(items)) = root.get("steps").map(|it| &it.value) {
        for item in items {
            // What is no text is told already.
            let Value::Scalar { text, string: true } = &item.value else { continue };
            all.extend(steps(text, within(item, findings.source(), text), findings).unwrap_or_default());
        }
        if items.is_empty() {
            let help = "add a step, such as `- 100% for 20m`";
            findings.error(Code::Scenario, item_range(&root), "there are no steps", help);
        }
    }
    let mut scenario = Scenario::of(all);
    let duration = |key: &str, least: Duration, most: Duration, node: &Node, findings: &mut Findings<'_>| {
        let Value::Scalar { text, .. } = &node.get(key)?.value else { return None };
        if let Some(it) = Duration::or_zero(text).ok().filter(|it| *it >= least && *it <= most) {
            return Some(it);
        }
        let from = if least == Duration::ZERO { "up".to_owned() } else { format!("from {least}") };
        let message = format!("`{}` is no duration {from} to {most}", check::printable(text));
        let place = node.get(key).map_or(node.range, |it| it.range);
        findings.error(Code::BadValue, place, message, "a duration is a number and a unit: 15s, 5m, 6h, 30d");
        None
    };
    if let Some(scrape) = root.get("scrape") {
        let least = Duration::from_secs(1);
        let usual = Scrape::default();
        scenario.scrape = Scrape {
            interval: duration("interval", least, LONGEST_SCRAPE, scrape, findings).unwrap_or(usual.interval),
            phase: duration("phase", Duration::ZERO, LONGEST_SCRAPE, scrape, findings).unwrap_or(usual.phase),
        };
        let Scrape { interval, phase } = scenario.scrape;
        if phase >= interval
            && let Some(place) = scrape.get("phase")
        {
            let message = format!("a scrape every {interval} cannot come {phase} late");
            findings.error(Code::BadValue, place.range, message, format!("a phase is shorter than {interval}"));
        }
    }
    scenario.history = duration("history", Duration::ZERO, LONGEST, &root, findings);
    scenario.after = duration("after", Duration::ZERO, LONGEST, &root, findings);
    if let Some(node) = root.get("traffic")
        && let Value::Scalar { text, .. } = &node.value
    {
        let at = within(node, findings.source(), text);
        scenario.traffic = traffic_in(text, at, findings).unwrap_or_default();
    }
    if let Some(node) = root.get("background")
        && let Value::Scalar { text, .. } = &node.value
    {
        if let Some(share) = text::share(text) {
            scenario.background = share;
        } else {
            let message = format!("`{}` is no percentage from 0% to 100%", check::printable(text));
            findings.error(Code::BadValue, node.range, message, "for example: `background: 0.02%`");
        }
    }
    fine &= findings.count() == before;
    fine.then_some(scenario)
}

fn steps(text: &str, at: usize, findings: &mut Findings<'_>) -> Option<Vec<Step>> {
    let flaws = match text::steps(text) {
        Ok(steps) => return Some(steps),
        Err(flaws) => flaws,
    };
    flaws.into_iter().for_each(|it| tell(it, at, findings));
    None
}

fn traffic_in(text: &str, at: usize, findings: &mut Findings<'_>) -> Option<Traffic> {
    match text::traffic(text) {
        Ok(traffic) => Some(traffic),
        Err(flaw) => {
            tell(flaw, at, findings);
            None
        }
    }
}

fn tell(flaw: Flaw, at: usize, findings: &mut Findings<'_>) {
    let length = findings.source().len();
    let place = |it: usize| (it + at).min(length);
    let range = Range { start: place(flaw.range.start), end: place(flaw.range.end) };
    findings.error(Code::Scenario, range, flaw.message, flaw.help);
}

/// Where the text of a scalar begins: behind its quote, where it has one.
fn within(node: &Node, source: &str, text: &str) -> usize {
    let written = source.get(node.range.start..node.range.end).unwrap_or_default();
    node.range.start + written.find(text).unwrap_or(0)
}

fn item_range(root: &Node) -> Range {
    root.get("steps").map_or(root.range, |it| it.range)
}
