//! Keys of `kilter.yaml`.

use super::policy::{
    ANNOTATIONS, LABELS, MAINTENANCE_KEY, PATCHES, RETENTION, SCRAPE_INTERVAL, SEVERITIES_KEY, TEMPLATES, TIERS,
    WINDOWS,
};
use super::{Kind, Object, optional, required};

/// The estate: what every service shares.
pub const ESTATE: Object = Object {
    name: "kilter.yaml",
    keys: &[
        optional("version", Kind::Number, "Version of the command (major.minor); another one refuses to run.", "0.1"),
        required(
            "services",
            Kind::List(&Kind::Text),
            "SLO files, as globs relative to this file.",
            "[\"services/*/slo.yaml\"]",
        ),
        optional(
            "selector",
            Kind::Text,
            "PromQL matchers that find a service's series. Default job=\"{{service}}\".",
            "job=\"{{service}}\"",
        ),
        optional(
            "identity",
            Kind::Map(&Kind::Text),
            "Labels that tell this estate from others in the same Prometheus.",
            "{environment: production}",
        ),
        optional(
            "target",
            Kind::Text,
            "What the rules run on: prometheus=2.42 to prometheus=3.x, operator, mimir, thanos or vmalert. Default prometheus=2.42.",
            "prometheus=3.x",
        ),
        optional(
            "targets",
            Kind::Object(&TARGETS),
            "What the targets need to know.",
            "{operator: {labels: {release: kube-prometheus-stack}}}",
        ),
        optional(
            "links",
            Kind::Object(&LINKS),
            "Base addresses for the links of alerts, runbooks and dashboards.",
            "{grafana: https://grafana.example}",
        ),
        optional(
            "dashboards",
            Kind::List(&Kind::Word(&["grafana", "perses"])),
            "What dashboards are made for. Default [grafana].",
            "[grafana, perses]",
        ),
        optional(
            "datasources",
            Kind::Object(&DATASOURCES),
            "Addresses of data sources as the dashboards' server reaches them, for its provisioning files.",
            "{prometheus: http://prometheus:9090, tempo: http://tempo:3200}",
        ),
        optional(
            "teams",
            Kind::Map(&Kind::Object(&TEAM)),
            "Alertmanager receivers per team.",
            "{store: {page: store-pager, ticket: store-tickets}}",
        ),
        optional(
            "leadership",
            Kind::Object(&LEADERSHIP),
            "Who hears of pages that last, and of outages larger than one team.",
            "{receiver: leadership, after: 1h, teams: 2}",
        ),
        optional(
            "compat",
            Kind::List(&Kind::Word(&["sloth"])),
            "Tools whose series are recorded too, so that their dashboards go on working.",
            "[sloth]",
        ),
        optional(
            "alertmanager",
            Kind::Object(&ALERTMANAGER),
            "What the routing tree is built on.",
            "{base: alertmanager.base.yaml}",
        ),
        SCRAPE_INTERVAL,
        RETENTION,
        WINDOWS,
        TIERS,
        MAINTENANCE_KEY,
        SEVERITIES_KEY,
        LABELS,
        ANNOTATIONS,
        TEMPLATES,
        PATCHES,
    ],
    one_of: false,
    later: &[],
};

const TARGETS: Object = Object {
    name: "targets",
    keys: &[
        optional(
            "operator",
            Kind::Object(&OPERATOR),
            "Metadata of the PrometheusRule objects.",
            "{namespace: monitoring, labels: {release: kube-prometheus-stack}}",
        ),
        optional(
            "mimir",
            Kind::Object(&MIMIR),
            "Limits of the tenant where they are not Mimir's defaults.",
            "{max_rules_per_group: 100, max_groups: 500}",
        ),
        optional("thanos", Kind::Object(&THANOS), "How Thanos Ruler reads data.", "{partial_response: warn}"),
    ],
    one_of: false,
    later: &[],
};

const OPERATOR: Object = Object {
    name: "operator",
    keys: &[
        optional("namespace", Kind::Text, "Their namespace. Default: that of kubectl's context.", "monitoring"),
        optional(
            "labels",
            Kind::Map(&Kind::Text),
            "Their labels, which the ruleSelector of the Prometheus object must match.",
            "{release: kube-prometheus-stack}",
        ),
    ],
    one_of: false,
    later: &[],
};

const MIMIR: Object = Object {
    name: "mimir",
    keys: &[
        optional("max_rules_per_group", Kind::Number, "ruler_max_rules_per_rule_group. Default 20.", "100"),
        optional("max_groups", Kind::Number, "ruler_max_rule_groups_per_tenant. Default 70.", "500"),
    ],
    one_of: false,
    later: &[],
};

const THANOS: Object = Object {
    name: "thanos",
    keys: &[optional(
        "partial_response",
        Kind::Word(&["abort", "warn"]),
        "What happens when a part of the data cannot be read: the rules fail (abort, the default), or run on the rest.",
        "warn",
    )],
    one_of: false,
    later: &[],
};

const LINKS: Object = Object {
    name: "links",
    keys: &[
        optional("grafana", Kind::Text, "Address of Grafana.", "https://grafana.example"),
        optional("runbooks", Kind::Text, "Where rules/runbooks is published.", "https://runbooks.example"),
        optional("prometheus", Kind::Text, "Address of Prometheus.", "https://prometheus.example"),
        optional(
            "traces",
            Kind::Text,
            "Address of a service's traces, with {{service}} in its place.",
            "\"https://traces.example/search?service={{service}}\"",
        ),
        optional(
            "logs",
            Kind::Text,
            "Address of a service's logs, with {{service}} in its place.",
            "\"https://logs.example/?service={{service}}\"",
        ),
    ],
    one_of: false,
    later: &[],
};

const DATASOURCES: Object = Object {
    name: "datasources",
    keys: &[
        optional("prometheus", Kind::Text, "Prometheus. Default: that of links.", "http://prometheus:9090"),
        optional("tempo", Kind::Text, "Tempo: exemplars lead to its traces.", "http://tempo:3200"),
        optional("jaeger", Kind::Text, "Jaeger: exemplars lead to its traces.", "http://jaeger:16686"),
        optional("loki", Kind::Text, "Loki: traces lead to their logs.", "http://loki:3100"),
    ],
    one_of: false,
    later: &[],
};

const TEAM: Object = Object {
    name: "a team",
    keys: &[
        required("page", Kind::Text, "Receiver of pages.", "store-pager"),
        required("ticket", Kind::Text, "Receiver of tickets.", "store-tickets"),
        optional(
            "escalation",
            Kind::Text,
            "Receiver of pages that nobody has ended within 30 minutes.",
            "engineering-leads",
        ),
        optional(
            "office_hours",
            Kind::Object(&OFFICE_HOURS),
            "When tickets are delivered; others wait until then. Default: that of alertmanager, or at any time.",
            "{days: [monday:friday], from: 09:00, to: 17:00, location: Europe/Berlin}",
        ),
    ],
    one_of: false,
    later: &[],
};

const LEADERSHIP: Object = Object {
    name: "leadership",
    keys: &[
        required("receiver", Kind::Text, "Its receiver.", "leadership"),
        optional(
            "after",
            Kind::Text,
            "It hears of a page of any team that has fired for so long while errors go on. Default 1h.",
            "1h",
        ),
        optional("teams", Kind::Number, "It hears when pages of so many teams go on at once. Default 2.", "2"),
    ],
    one_of: false,
    later: &[],
};

const OFFICE_HOURS: Object = Object {
    name: "office_hours",
    keys: &[
        optional("days", Kind::List(&Kind::Text), "Days or ranges of them. Default monday:friday.", "[monday:friday]"),
        required("from", Kind::Text, "Start of the day, HH:MM.", "09:00"),
        required("to", Kind::Text, "End of the day, HH:MM.", "17:00"),
        optional("location", Kind::Text, "Time zone, as the IANA database names it. Default UTC.", "Europe/Berlin"),
    ],
    one_of: false,
    later: &[],
};

const ALERTMANAGER: Object = Object {
    name: "alertmanager",
    keys: &[
        optional(
            "base",
            Kind::Text,
            "Alertmanager file with receivers and their secrets, relative to this one. Routes that it has stay.",
            "alertmanager.base.yaml",
        ),
        optional("default", Kind::Text, "Receiver of alerts that belong to no team. Default default.", "default"),
        optional(
            "deadmans_switch",
            Kind::Text,
            "Receiver of the alert that always fires: it must complain when it hears nothing. Default watchdog.",
            "watchdog",
        ),
        optional(
            "office_hours",
            Kind::Object(&OFFICE_HOURS),
            "When tickets are delivered, for teams without hours of their own. Default: at any time.",
            "{days: [monday:friday], from: 09:00, to: 17:00, location: Europe/Berlin}",
        ),
    ],
    one_of: false,
    later: &[],
};
