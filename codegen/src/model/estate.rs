//! The estate: every service with what they share.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Alertmanager, Dependency, Duration, EstatePolicy, Extra, Limits, Name, OfficeHours, Resource, Settings, Severity,
    Slo, Target, TimeScale,
};

/// `kilter.yaml` and every SLO file, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// Where it comes from, as shown in banners: the config, or the SLO files when there is none.
    pub source: String,
    /// PromQL matchers that find a service's series, with the placeholder `{{service}}`; default `job="{{service}}"`.
    pub selector: String,
    /// Static labels on every recorded series, selector, join, alert and `equal`.
    pub identity: BTreeMap<String, String>,
    /// Base addresses for links.
    pub links: Links,
    /// Receivers per team.
    pub teams: BTreeMap<Name, Team>,
    /// Who hears of what is larger than a team.
    pub leadership: Option<Leadership>,
    /// What the Alertmanager tree is built on.
    pub alertmanager: Alertmanager,
    /// Services, by name.
    pub services: Vec<Service>,
    /// Scale of every window and interval.
    pub time_scale: TimeScale,
    /// What its alerts share.
    pub policy: EstatePolicy,
    /// Other tools whose series are recorded too.
    pub compat: BTreeSet<Compat>,
    /// What dashboards are made for.
    pub boards: BTreeSet<Board>,
    /// Where their data come from.
    pub datasources: Datasources,
    /// What the rules run on.
    pub target: Target,
    /// What the targets need to know.
    pub settings: Settings,
}

impl Estate {
    /// What the target takes of it.
    pub fn limits(&self) -> Limits {
        // Only one engine has limits that an estate can change.
        let usual = self.target.engine().limits;
        if usual.rules_per_group.is_some() { self.settings.mimir.or(usual) } else { usual }
    }

    /// Who receives a team's alerts of a severity: the default receiver when `teams` does not have it.
    pub fn receiver(&self, team: &Name, severity: Severity) -> &str {
        match (self.teams.get(team), severity) {
            (Some(team), Severity::Page) => &team.page,
            (Some(team), Severity::Ticket) => &team.ticket,
            (None, _) => &self.alertmanager.default,
        }
    }
}

/// A tool whose dashboards go on working: its series are recorded from ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Compat {
    /// Sloth.
    Sloth,
}

/// Base addresses without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// Grafana.
    pub grafana: Option<String>,
    /// Where the runbooks folder is published.
    pub runbooks: Option<String>,
    /// Prometheus.
    pub prometheus: Option<String>,
    /// Traces, with `{{service}}` for the service.
    pub traces: Option<String>,
    /// Logs, with `{{service}}` for the service.
    pub logs: Option<String>,
}

/// What draws dashboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Board {
    /// Grafana.
    Grafana,
    /// Perses.
    Perses,
}

/// Addresses of data sources, as the server of the dashboards reaches them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Datasources {
    /// Prometheus, or what speaks its API.
    pub prometheus: Option<String>,
    /// Tempo or Jaeger: where an exemplar's trace is.
    pub traces: Option<(TraceStore, String)>,
    /// Loki.
    pub loki: Option<String>,
}

/// What keeps traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceStore {
    /// Grafana Tempo.
    Tempo,
    /// Jaeger.
    Jaeger,
}

impl TraceStore {
    /// Its name, as Grafana and `kilter.yaml` have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tempo => "tempo",
            Self::Jaeger => "jaeger",
        }
    }
}

/// Who is told, by severity: names of Alertmanager receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Receiver of pages.
    pub page: String,
    /// Receiver of tickets.
    pub ticket: String,
    /// Receiver of pages that nobody has ended within half an hour.
    pub escalation: Option<String>,
    /// When tickets are delivered; at any time when `None`.
    pub office_hours: Option<OfficeHours>,
}

/// One level above all teams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leadership {
    /// Its receiver.
    pub receiver: String,
    /// It hears of a page that has fired for so long while errors go on.
    pub after: Duration,
    /// It hears when pages of so many teams go on at once.
    pub teams: u32,
}

/// One SLO file, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Unique within the estate.
    pub name: Name,
    /// Who owns it.
    pub team: Name,
    /// Path of the SLO file as shown in banners: relative to the config, forward slashes.
    pub source: String,
    /// Text of the team's own mitigations file (Markdown), when one is named.
    pub mitigations: Option<String>,
    /// Services that it cannot work without.
    pub depends_on: Vec<Dependency>,
    /// Its SLOs, in the order of the file.
    pub slos: Vec<Slo>,
    /// What its alerts carry, the estate's included.
    pub extra: Extra,
    /// Resources that are watched otherwise than by default.
    pub resources: Vec<Resource>,
    /// Bucket bounds that its latency SLOs need beyond those that a histogram declares, in nanoseconds, by signal.
    pub bounds: BTreeMap<String, BTreeSet<u64>>,
    /// Signals that it has, as its contract says; of others it is not known.
    pub signals: BTreeSet<String>,
}
