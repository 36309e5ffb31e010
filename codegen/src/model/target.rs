//! What the rules run on: an engine and its version. A table says what each accepts; nothing else asks which it is.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::spec::check::{help, printable};

/// An engine that evaluates rules, and the oldest version of it that must accept them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    engine: &'static Engine,
    version: Version,
}

/// `2.42`; of `3.x` the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: u32,
    /// Behind it.
    pub minor: u32,
}

/// What an engine accepts, and how it evaluates.
#[derive(Debug, PartialEq, Eq)]
pub struct Engine {
    /// As users name it.
    pub name: &'static str,
    /// Versions that are supported, by major version: the first and the last minor version. No last one: it goes on.
    pub versions: &'static [(u32, u32, Option<u32>)],
    /// The version when none is named.
    pub usual: Version,
    /// The first version that knows `keep_firing_for`.
    pub keep_firing_for: Version,
    /// Fields of a group that a patch may set beside `limit`, and the first version that knows each.
    pub group_fields: &'static [(&'static str, Version)],
    /// Whether a rule reads what an earlier rule of its group has just recorded; else it reads the previous evaluation's.
    pub reads_own: bool,
    /// Whether it has native histograms.
    pub native_histograms: bool,
    /// What it takes, unless the estate says otherwise.
    pub limits: Limits,
    /// The form in which it takes rules.
    pub form: Form,
    /// Its own metrics, by the version from which they hold.
    pub health: &'static [(Version, Health)],
}

/// How much an engine takes; `None` is as much as one likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Rules of a group.
    pub rules_per_group: Option<usize>,
    /// Groups of a tenant.
    pub groups: Option<usize>,
    /// Bytes of an object as JSON.
    pub bytes: Option<usize>,
}

/// The form in which an engine takes rules. Proofs always read plain rule files, so these are always written too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Rule files of Prometheus.
    Plain,
    /// Custom resources of the Prometheus Operator.
    PrometheusRule,
    /// Rule files whose groups say what happens when a part of the data cannot be read.
    PartialResponse,
}

/// Metrics in which an engine tells how its rules are, each for itself and each by group.
#[derive(Debug, PartialEq, Eq)]
pub struct Health {
    /// The label that holds a group's name.
    pub label: &'static str,
    /// What stands in it before the name, as a regex, and as an example.
    pub before: (&'static str, &'static str),
    /// Counters of evaluations that failed.
    pub failures: &'static [&'static str],
    /// Gauges that are 1 while a rule fails.
    pub failing: &'static [&'static str],
    /// The counter of evaluations that did not take place.
    pub missed: &'static str,
    /// The gauge of seconds that an evaluation took.
    pub duration: &'static str,
    /// A label of `duration` that its interval does not have.
    pub quantile: Option<(&'static str, &'static str)>,
    /// The gauge of seconds between evaluations.
    pub interval: &'static str,
}

/// What an estate says about its targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Namespace of the operator's objects.
    pub namespace: Option<String>,
    /// Labels of the operator's objects, by which a `ruleSelector` finds them.
    pub labels: BTreeMap<String, String>,
    /// A tenant's limits in Mimir where they are not the usual ones.
    pub mimir: Limits,
    /// Whether rules run on a part of the data when Thanos cannot read all of it.
    pub partial: bool,
}

const fn version(major: u32, minor: u32) -> Version {
    Version { major, minor }
}

const UNLIMITED: Limits = Limits { rules_per_group: None, groups: None, bytes: None };

/// As Prometheus exposes them since 2.0; Thanos runs the same code.
const PROMETHEUS: Health = Health {
    label: "rule_group",
    before: (".*;", "/etc/rules/x.rules.yaml;"),
    failures: &["prometheus_rule_evaluation_failures_total"],
    failing: &[],
    missed: "prometheus_rule_group_iterations_missed_total",
    duration: "prometheus_rule_group_last_duration_seconds",
    quantile: None,
    interval: "prometheus_rule_group_interval_seconds",
};

/// The same, as Mimir's ruler exposes them (`operations/mimir-mixin`).
const MIMIR: Health = Health {
    failures: &["cortex_prometheus_rule_evaluation_failures_total"],
    missed: "cortex_prometheus_rule_group_iterations_missed_total",
    duration: "cortex_prometheus_rule_group_last_duration_seconds",
    interval: "cortex_prometheus_rule_group_interval_seconds",
    ..PROMETHEUS
};

/// `app/vmalert` of VictoriaMetrics; counters took the place of gauges in 1.96.
const VMALERT: Health = Health {
    label: "group",
    before: ("", ""),
    failures: &[],
    failing: &["vmalert_alerting_rules_error", "vmalert_recording_rules_error"],
    missed: "vmalert_iteration_missed_total",
    duration: "vmalert_iteration_duration_seconds",
    quantile: Some(("quantile", "0.99")),
    interval: "vmalert_iteration_interval_seconds",
};

/// Every engine, the usual one first.
///
/// Sources: the engines' own documentation and changelogs. Prometheus: `keep_firing_for` came in
/// 2.42, `query_offset` in 2.53, labels of a group in 3.0. Operator: the CRD
/// `prometheusrules.monitoring.coreos.com`, which has `keep_firing_for` since 0.64; an object must fit into half a
/// mebibyte of a ConfigMap, and `kubectl apply` keeps a copy of it in an annotation, which holds 256 KiB: the least of
/// these counts, with a margin for the metadata. Mimir: `ruler_max_rules_per_rule_group` and
/// `ruler_max_rule_groups_per_tenant`. Thanos: rules are read through a querier, and without a store of its own the ruler
/// sends what it records away, so that it is not read in the same evaluation. vmalert: "persistence of execution results
/// to remote storage is asynchronous", `keep_firing_for` came in 1.92.
pub const ENGINES: &[Engine] = &[
    Engine {
        name: "prometheus",
        versions: &[(2, 42, Some(55)), (3, 0, None)],
        usual: version(2, 42),
        keep_firing_for: version(2, 42),
        group_fields: &[("query_offset", version(2, 53)), ("labels", version(3, 0))],
        reads_own: true,
        native_histograms: true,
        limits: UNLIMITED,
        form: Form::Plain,
        health: &[(version(0, 0), PROMETHEUS)],
    },
    Engine {
        name: "operator",
        versions: &[(0, 64, None)],
        usual: version(0, 64),
        keep_firing_for: version(0, 64),
        group_fields: &[],
        reads_own: true,
        native_histograms: true,
        limits: Limits { bytes: Some(240_000), ..UNLIMITED },
        form: Form::PrometheusRule,
        health: &[(version(0, 0), PROMETHEUS)],
    },
    Engine {
        name: "mimir",
        versions: &[(2, 7, None), (3, 0, None)],
        usual: version(2, 7),
        keep_firing_for: version(2, 7),
        group_fields: &[],
        reads_own: true,
        native_histograms: true,
        limits: Limits { rules_per_group: Some(20), groups: Some(70), ..UNLIMITED },
        form: Form::Plain,
        health: &[(version(0, 0), MIMIR)],
    },
    Engine {
        name: "thanos",
        versions: &[(0, 31, None)],
        usual: version(0, 31),
        keep_firing_for: version(0, 31),
        group_fields: &[],
        reads_own: false,
        native_histograms: true,
        limits: UNLIMITED,
        form: Form::PartialResponse,
        health: &[(version(0, 0), PROMETHEUS)],
    },
    Engine {
        name: "vmalert",
        versions: &[(1, 79, None)],
        usual: version(1, 96),
        keep_firing_for: version(1, 92),
        group_fields: &[],
        reads_own: false,
        native_histograms: false,
        limits: UNLIMITED,
        form: Form::Plain,
        health: &[
            (version(0, 0), VMALERT),
            (
                version(1, 96),
                Health {
                    failures: &["vmalert_alerting_rules_errors_total", "vmalert_recording_rules_errors_total"],
                    failing: &[],
                    ..VMALERT
                },
            ),
        ],
    },
];

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No engine has this name.
    #[error("no engine is called `{0}`")]
    Engine(String),
    /// The engine has no such version, or rules for it cannot be made.
    #[error("there are no rules for version `{version}` of {}; supported are {}", engine.name, engine.supported())]
    Version {
        /// The engine.
        engine: &'static Engine,
        /// What was written.
        version: String,
    },
}

impl TargetError {
    /// What to write instead.
    pub fn help(&self) -> String {
        match self {
            Self::Engine(name) => {
                let names: Vec<&str> = ENGINES.iter().map(|it| it.name).collect();
                let name = name.split('=').next().unwrap_or_default();
                format!("{}, such as {}", help(name, &names), Target::EXAMPLES.join(", "))
            }
            Self::Version { engine, .. } => {
                format!("for example: {}={}.{}", engine.name, engine.usual.major, engine.usual.minor)
            }
        }
    }
}

impl Target {
    /// Ways of writing a target, for help and suggestions.
    pub const EXAMPLES: &'static [&'static str] =
        &["prometheus=2.42", "prometheus=3.x", "operator", "mimir", "thanos", "vmalert"];

    /// The engine.
    pub const fn engine(self) -> &'static Engine {
        self.engine
    }

    /// The oldest version that must accept the rules.
    pub const fn version(self) -> Version {
        self.version
    }

    /// Whether the engine keeps alerts firing by itself.
    pub fn keeps_firing(self) -> bool {
        self.version >= self.engine.keep_firing_for
    }

    /// Fields that a group may have in a plain rule file.
    pub fn group_fields(self) -> Vec<&'static str> {
        let newer = self.engine.group_fields.iter().filter(|(_, since)| self.version >= *since).map(|(name, _)| *name);
        ["name", "interval", "limit", "rules"].into_iter().chain(newer).collect()
    }

    /// The engine's metrics about its rules.
    pub fn health(self) -> &'static Health {
        let known = self.engine.health.iter().rev().find(|(since, _)| self.version >= *since);
        known.map_or(&PROMETHEUS, |(_, health)| health)
    }
}

impl Limits {
    /// These, where they say something, else the others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            rules_per_group: self.rules_per_group.or(other.rules_per_group),
            groups: self.groups.or(other.groups),
            bytes: self.bytes.or(other.bytes),
        }
    }
}

impl Default for Target {
    fn default() -> Self {
        Self { engine: &ENGINES[0], version: ENGINES[0].usual }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (name, wanted) = text.split_once('=').map_or((text, None), |(name, wanted)| (name, Some(wanted)));
        let engine = ENGINES.iter().find(|it| it.name == name).ok_or_else(|| TargetError::Engine(printable(name)))?;
        let Some(wanted) = wanted else { return Ok(Self { engine, version: engine.usual }) };
        let version = engine.version(wanted);
        let version = version.ok_or_else(|| TargetError::Version { engine, version: printable(wanted) })?;
        Ok(Self { engine, version })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}.{}", self.engine.name, self.version.major, self.version.minor)
    }
}

impl Engine {
    /// `2.42`, or `3.x` for the oldest of a major version.
    fn version(&self, text: &str) -> Option<Version> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "x"));
        let number =
            |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let major = number(major)?;
        let (_, first, last) = *self.versions.iter().find(|it| it.0 == major)?;
        let minor = if minor == "x" { first } else { number(minor)? };
        (minor >= first && last.is_none_or(|last| minor <= last)).then_some(Version { major, minor })
    }

    /// `2.42 to 2.55, 3.0 and later`.
    fn supported(&self) -> String {
        let one = |(major, first, last): &(u32, u32, Option<u32>)| match last {
            Some(last) => format!("{major}.{first} to {major}.{last}"),
            None => format!("{major}.{first} and later"),
        };
        self.versions.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_versions() {
        let read = |text: &str| text.parse::<Target>().map(|it| it.to_string()).map_err(|it| it.to_string());
        assert_eq!(read("prometheus"), Ok("prometheus=2.42".to_owned()));
        assert_eq!(read("prometheus=2.55"), Ok("prometheus=2.55".to_owned()));
        assert_eq!(read("prometheus=3.x"), Ok("prometheus=3.0".to_owned()));
        assert_eq!(read("prometheus=3"), Ok("prometheus=3.0".to_owned()));
        assert_eq!(read("prometheus=3.11"), Ok("prometheus=3.11".to_owned()));
        for text in
            ["prometheus=2.41", "prometheus=2.56", "prometheus=1.8", "prometheus=", "prometheus=3.", "vmalert=1.+79"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(
            read("prometheus=2.41").unwrap_err(),
            "there are no rules for version `2.41` of prometheus; supported are 2.42 to 2.55, 3.0 and later"
        );
        assert_eq!(read("cortex").unwrap_err(), "no engine is called `cortex`");
        for text in Target::EXAMPLES {
            assert!(read(text).is_ok(), "{text}");
        }
    }
}
