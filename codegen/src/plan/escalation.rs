//! What goes one level up: a page that nobody ends, to the team's leads and then to the leadership of all teams; and pages of
//! several teams at once, of which each sees its own part only. Who is on call, and in which order, is the paging
//! provider's work.

use std::collections::{BTreeMap, BTreeSet};

use kilter_contract::slo;

use super::expr::{equal, one_of, quote, select};
use super::windows::{Timing, pairs};
use super::words::{Words, annotations};
use super::{Rule, links};
use crate::model::{Duration, Estate, Leadership, Name, Slo};
use crate::render::engine::{TemplateError, Templates};

/// The label that names the page that escalates.
pub const PAGE_LABEL: &str = "page";

/// All of them.
pub(super) fn rules(estate: &Estate, timing: &Timing, templates: &Templates) -> Result<Vec<Rule>, TemplateError> {
    let maker = Maker { estate, timing, templates };
    let mut all = Vec::new();
    for team in escalating(estate) {
        all.push(maker.unanswered(&[team], slo::ESCALATION, timing.escalation_hold)?);
    }
    if let Some(leadership) = &estate.leadership {
        let teams: Vec<&Name> = paged(estate).into_iter().collect();
        if !teams.is_empty() {
            all.push(maker.unanswered(&teams, slo::LEADERSHIP, estate.time_scale.apply(leadership.after))?);
        }
        if can_spread(estate, leadership) {
            all.push(maker.widespread(&teams, leadership)?);
        }
    }
    Ok(all)
}

/// Teams with receivers that own a service.
pub fn paged(estate: &Estate) -> BTreeSet<&Name> {
    let owners: BTreeSet<&Name> = estate.services.iter().map(|it| &it.team).collect();
    estate.teams.keys().filter(|it| owners.contains(it)).collect()
}

/// Teams with an escalation receiver that own a service.
pub fn escalating(estate: &Estate) -> impl Iterator<Item = &Name> {
    paged(estate).into_iter().filter(|it| estate.teams.get(*it).is_some_and(|team| team.escalation.is_some()))
}

/// The shortest window whose burn each service records; shortest first.
pub fn shortest_windows(estate: &Estate) -> BTreeSet<Duration> {
    let shortest = |slos: &[Slo]| slos.iter().flat_map(pairs).flat_map(|it| [it.long, it.short]).min();
    estate.services.iter().filter_map(|it| shortest(&it.slos)).collect()
}

/// Whether so many teams can be paged at once at all.
pub fn can_spread(estate: &Estate, leadership: &Leadership) -> bool {
    paged(estate).len() >= leadership.teams as usize
}

struct Maker<'a> {
    estate: &'a Estate,
    timing: &'a Timing,
    templates: &'a Templates,
}

impl Maker<'_> {
    /// A page of the teams that fired so long ago and still does, unless its errors have ended.
    fn unanswered(&self, teams: &[&Name], severity: &str, hold: Duration) -> Result<Rule, TemplateError> {
        let page = self.pages(teams);
        let group = self.group();
        let by = if severity == slo::LEADERSHIP { format!("{}, {group}", slo::TEAM_LABEL) } else { group };
        let lasting = self.going_on(&format!("max by (alertname, {by}) ({page} and {page} offset {hold})"));
        let mut labels = self.labels(severity);
        if severity == slo::ESCALATION {
            labels.extend(teams.iter().map(|it| (slo::TEAM_LABEL.to_owned(), it.to_string())));
        }
        let words = Words {
            service: format!("{{{{ $labels.{} }}}}", slo::SERVICE_LABEL),
            slo: format!("{{{{ with $labels.{} }}}}/{{{{ . }}}}{{{{ end }}}}", slo::SLO_LABEL),
            page: format!("{{{{ $labels.{PAGE_LABEL} }}}}"),
            held: hold.to_string(),
            ..Words::default()
        };
        Ok(Rule::Alerting {
            alert: slo::PAGE_UNANSWERED.to_owned(),
            // The alert's own name becomes a label: the rule's takes its place.
            expr: format!("label_replace(\n  {lasting},\n  \"{PAGE_LABEL}\", \"$1\", \"alertname\", \"(.+)\"\n)"),
            hold: None,
            keep_firing_for: Some(self.timing.page_keep_firing),
            labels,
            annotations: self.texts("escalation", &words, [("runbook_url", links::runbook_of_alert(self.estate))])?,
        })
    }

    /// Pages of several teams that go on at once: whoever leads decides who leads, and what users are told.
    fn widespread(&self, teams: &[&Name], leadership: &Leadership) -> Result<Rule, TemplateError> {
        let now = self.going_on(&self.pages(teams));
        let count = leadership.teams;
        let services = format!("count by ({}, {}) ({})", slo::TEAM_LABEL, slo::SERVICE_LABEL, now.replace("\n  ", " "));
        let one = format!("{{{{ .Labels.{} }}}}", slo::SERVICE_LABEL);
        let words = Words {
            // Sorted, so that a text does not change by itself.
            subject: format!(
                "{{{{ range query {} | sortByLabel \"{}\" }}}} {one}{{{{ end }}}}",
                quote(&services),
                slo::SERVICE_LABEL
            ),
            value: "{{ $value }}".to_owned(),
            ..Words::default()
        };
        let dashboard = links::overview_now(self.estate).map(|it| ("dashboard_url", it));
        Ok(Rule::Alerting {
            alert: slo::OUTAGE_WIDESPREAD.to_owned(),
            expr: format!("count(\n  count by ({}) (\n  {now}\n  )\n) >= {count}", slo::TEAM_LABEL),
            hold: Some(self.timing.widespread_hold),
            keep_firing_for: Some(self.timing.page_keep_firing),
            labels: self.labels(slo::LEADERSHIP),
            annotations: self.texts("widespread", &words, dashboard)?,
        })
    }

    /// Pages of the teams that fire.
    fn pages(&self, teams: &[&Name]) -> String {
        let names: Vec<&str> = teams.iter().map(|it| it.as_str()).collect();
        let mut matchers = vec![
            equal("alertstate", "firing"),
            equal(slo::SEVERITY_LABEL, &self.estate.policy.severities.page),
            one_of(slo::TEAM_LABEL, &names),
        ];
        matchers.extend(self.own());
        select("ALERTS", &matchers)
    }

    /// Those whose errors go on: a half-hour window remembers them for as long as that, and nobody needs to hear of what
    /// is mended.
    fn going_on(&self, pages: &str) -> String {
        let burns = shortest_windows(self.estate);
        let burns: Vec<String> = burns.iter().map(|it| select(&slo::burn_rate(&it.to_string()), &self.own())).collect();
        match burns.as_slice() {
            [] => pages.to_owned(),
            [burn] => format!("{pages}\n  unless on ({}) ({burn} <= 1)", self.group()),
            // What has two of them is judged by the shorter.
            all => format!("{pages}\n  unless on ({}) (({}) <= 1)", self.group(), all.join(" or ")),
        }
    }

    fn own(&self) -> Vec<String> {
        self.estate.identity.iter().map(|(key, value)| equal(key, value)).collect()
    }

    /// What tells a group of an SLO from another.
    fn group(&self) -> String {
        let slos = self.estate.services.iter().flat_map(|it| &it.slos);
        let by: BTreeSet<&str> = slos.flat_map(|it| &it.by).map(String::as_str).collect();
        let identity = self.estate.identity.keys().map(String::as_str);
        let all: Vec<&str> = [slo::SERVICE_LABEL, slo::SLO_LABEL].into_iter().chain(identity).chain(by).collect();
        all.join(", ")
    }

    fn labels(&self, severity: &str) -> BTreeMap<String, String> {
        let mut labels = self.estate.identity.clone();
        labels.extend(self.estate.policy.extra.labels.clone());
        labels.insert(slo::SEVERITY_LABEL.to_owned(), severity.to_owned());
        labels
    }

    fn texts(
        &self,
        template: &str,
        words: &Words,
        link: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<BTreeMap<String, String>, TemplateError> {
        let mut links = self.estate.policy.extra.annotations.clone();
        links.extend(link.into_iter().map(|(key, address)| (key.to_owned(), address)));
        annotations(self.templates, template, words, links)
    }
}
