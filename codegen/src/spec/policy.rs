//! Keys of policies: alert windows, tiers, maintenance. The same on an SLO, on a service and on the estate.

use super::{Key, Kind, Object, optional, required};

/// What missing data can mean.
const NO_DATA: Kind = Kind::Word(&["page", "ticket", "ignore", "bad"]);

/// Alert windows.
pub(super) const WINDOWS: Key = optional(
    "windows",
    Kind::List(&Kind::Object(&PAIR)),
    "Alert windows in place of the table for the compliance window.",
    "[{severity: page, share: 2%, long: 1h, short: 5m}]",
);

/// The tier of a service or an SLO.
pub(super) const TIER_NAME: Key = optional(
    "tier",
    Kind::Text,
    "Preset of policies: critical, high, low, background, or one of `tiers` in kilter.yaml.",
    "critical",
);

/// Low-traffic guard.
pub(super) const MIN_ERRORS: Key = optional(
    "min_errors",
    Kind::Number,
    "Low-traffic guard: fewer errors than this in the long alert window never alert. Default 5; 0 turns it off.",
    "5",
);

/// No-data policy.
pub(super) const NO_DATA_KEY: Key = optional(
    "no_data",
    NO_DATA,
    "What missing data mean: page, ticket, ignore, or bad (they count as errors against the budget). Default page.",
    "page",
);

/// Maintenance.
pub(super) const MAINTENANCE_KEY: Key = optional(
    "maintenance",
    Kind::Object(&MAINTENANCE),
    "Times that count neither for the budget nor for alerts.",
    "{schedule: [{days: [sunday], from: \"02:00\", to: \"04:00\"}]}",
);

/// Labels of alerts.
pub(super) const LABELS: Key =
    optional("labels", Kind::Map(&Kind::Text), "Labels that every alert carries beside Kilter's own.", "{tenant: eu}");

/// Annotations of alerts.
pub(super) const ANNOTATIONS: Key = optional(
    "annotations",
    Kind::Map(&Kind::Text),
    "Annotations that every alert carries beside Kilter's own.",
    "{chat: \"#store-oncall\"}",
);

/// Presets of the estate's own.
pub(super) const TIERS: Key = optional(
    "tiers",
    Kind::Map(&Kind::Object(&TIER)),
    "Tiers of your own, or in place of Kilter's.",
    "{gold: {no_data: bad, min_errors: 1}}",
);

/// Names of severities.
pub(super) const SEVERITIES_KEY: Key = optional(
    "severities",
    Kind::Object(&SEVERITIES),
    "Values of the label `severity`. Default page and ticket.",
    "{page: critical, ticket: warning}",
);

/// Templates of the estate's own.
pub(super) const TEMPLATES: Key = optional(
    "templates",
    Kind::Text,
    "Folder of Handlebars templates that replace Kilter's, such as alerts/burn.summary.hbs.",
    "templates",
);

/// Patches.
pub(super) const PATCHES: Key = optional(
    "patches",
    Kind::List(&Kind::Object(&PATCH)),
    "JSON merge patches (RFC 7396) for dashboards and rule groups.",
    "[{dashboard: git-https, patch: patches/dashboard.json}]",
);

/// Distance of scrapes.
pub(super) const SCRAPE_INTERVAL: Key = optional(
    "scrape_interval",
    Kind::Text,
    "The longest distance of two scrapes of a service. Rates need four scrapes in five minutes.",
    "15s",
);

/// How long Prometheus remembers.
pub(super) const RETENTION: Key = optional(
    "retention",
    Kind::Text,
    "How long Prometheus keeps its data; a longer compliance window is warned of.",
    "35d",
);

/// Traffic.
pub(super) const TRAFFIC: Key = optional(
    "traffic",
    Kind::Text,
    "Events that the SLO usually counts, per s, m, h or d. Only used to warn of promises that so few events cannot keep.",
    "50/h",
);

/// A preset.
pub const TIER: Object = Object {
    name: "a tier",
    keys: &[
        WINDOWS,
        optional(
            "pages",
            Kind::Word(&["page", "ticket"]),
            "How what would page is delivered. Default page; with ticket nobody is woken.",
            "ticket",
        ),
        NO_DATA_KEY,
        MIN_ERRORS,
    ],
    one_of: false,
    later: &[],
};

const PAIR: Object = Object {
    name: "a pair of alert windows",
    keys: &[
        required("severity", Kind::Word(&["page", "ticket"]), "How it is delivered.", "page"),
        required("share", Kind::Number, "Share of the error budget that is spent when it fires.", "2%"),
        required("long", Kind::Text, "The window that decides: a multiple of 5m.", "1h"),
        required("short", Kind::Text, "The window that resets: a multiple of 5m, shorter than `long`.", "5m"),
    ],
    one_of: false,
    later: &[],
};

const MAINTENANCE: Object = Object {
    name: "maintenance",
    keys: &[
        optional(
            "while",
            Kind::Text,
            "PromQL: maintenance is while it has a value that is above zero.",
            "maintenance_mode{service=\"git-https\"}",
        ),
        optional(
            "schedule",
            Kind::List(&Kind::Object(&WEEKLY)),
            "Times of the week in UTC.",
            "[{days: [sunday], from: \"02:00\", to: \"04:00\"}]",
        ),
    ],
    one_of: false,
    later: &[],
};

const WEEKLY: Object = Object {
    name: "a time of maintenance",
    keys: &[
        optional(
            "days",
            Kind::List(&Kind::Word(&["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])),
            "Days on which it begins. Default: every day.",
            "[sunday]",
        ),
        required("from", Kind::Text, "When it begins, UTC.", "\"02:00\""),
        required("to", Kind::Text, "When it ends, UTC; before `from` means on the next day.", "\"04:00\""),
    ],
    one_of: false,
    later: &[],
};

const SEVERITIES: Object = Object {
    name: "severities",
    keys: &[
        optional("page", Kind::Text, "The value for pages.", "critical"),
        optional("ticket", Kind::Text, "The value for tickets.", "warning"),
    ],
    one_of: false,
    later: &[],
};

const PATCH: Object = Object {
    name: "a patch",
    keys: &[
        optional("dashboard", Kind::Text, "The service whose dashboard is changed. This or `group`.", "git-https"),
        optional("group", Kind::Text, "The rule group that is changed. This or `dashboard`.", "slo-git-https"),
        optional("panel", Kind::Text, "Title of the one panel of the dashboard that is changed.", "Budget left"),
        optional(
            "rule",
            Kind::Text,
            "Name of the alerts or recorded series of the group that are changed.",
            "SLOTrafficLost",
        ),
        required("patch", Kind::Text, "JSON file with the merge patch, relative to kilter.yaml.", "patches/quiet.json"),
    ],
    one_of: false,
    later: &[],
};
