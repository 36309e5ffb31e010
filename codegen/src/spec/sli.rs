//! Keys of an SLI, by kind.

use super::{Key, Kind, Object, optional, required};

pub(super) const SLI: Object = Object {
    name: "an SLI",
    keys: &[
        optional(
            "http_server",
            Kind::Object(&HTTP_SERVER),
            "Requests that the service serves, from the contract.",
            "{routes: [\"/users/{id}\"]}",
        ),
        optional(
            "http_client",
            Kind::Object(&HTTP_CLIENT),
            "HTTP calls to a dependency; those that an open breaker rejected are errors.",
            "{dependency: identity}",
        ),
        optional(
            "rpc_server",
            Kind::Object(&RPC_SERVER),
            "RPC calls that the service serves.",
            "{methods: [users.v1.Users/Get]}",
        ),
        optional(
            "rpc_client",
            Kind::Object(&RPC_CLIENT),
            "RPC calls to a dependency; those that an open breaker rejected are errors.",
            "{dependency: identity}",
        ),
        optional("db", Kind::Object(&DB), "Database operations.", "{namespace: main, role: primary}"),
        optional(
            "messaging",
            Kind::Object(&MESSAGING),
            "Messages that the service processes.",
            "{destination: orders}",
        ),
        optional(
            "job",
            Kind::Object(&JOB),
            "Runs of a background job: whether they succeed, how long they take, or when the last one succeeded.",
            "{name: repository-gc, succeeded_within: 26h}",
        ),
        optional("cache", Kind::Object(&CACHE), "Reads of a cache: bad is what it did not have.", "{name: sessions}"),
        optional(
            "events",
            Kind::Object(&EVENTS),
            "Any counters, in PromQL with $window as the range.",
            "{errors: 'rate(failed_total[$window])', total: 'rate(all_total[$window])'}",
        ),
        optional(
            "ratio",
            Kind::Object(&RATIO),
            "A ratio that is no pair of counters, in PromQL with $window as the range; every moment weighs the same.",
            "{error: 'avg_over_time(probe_loss_ratio[$window])'}",
        ),
        optional(
            "latency",
            Kind::Object(&LATENCY),
            "Values of any histogram, classic or native: bad is slower than a threshold.",
            "{histogram: 'hook_duration_seconds{job=\"hooks\"}', slower_than: 250ms}",
        ),
        optional(
            "uptime",
            Kind::Object(&UPTIME),
            "A gauge that is 1 while something works and 0 while it does not; every moment weighs the same.",
            "{up: 'probe_success{job=\"blackbox\"}'}",
        ),
        optional(
            "slices",
            Kind::Object(&SLICES),
            "Good minutes among all minutes.",
            "{good: 'sum(rate(sold_total[$window])) > bool 1'}",
        ),
    ],
    one_of: true,
    later: &[],
};

const SLOWER_THAN: Key =
    optional("slower_than", Kind::Text, "Makes it a latency SLI: slower than this bucket bound is bad.", "250ms");

const HTTP_METHODS: Key = optional("methods", Kind::List(&Kind::Text), "Methods. Default: all.", "[GET]");

const DEPENDENCY: Key =
    required("dependency", Kind::Text, "The dependency's configured name, as the code gives it.", "identity");

const HTTP_SERVER: Object = Object {
    name: "an http_server SLI",
    keys: &[
        optional(
            "routes",
            Kind::List(&Kind::Text),
            "Route templates as written in the code. Default: every matched route.",
            "[\"/users/{id}\"]",
        ),
        HTTP_METHODS,
        optional("bad", Kind::Object(&HTTP_BAD), BAD, "{status_codes: [5xx, 429]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const HTTP_CLIENT: Object = Object {
    name: "an http_client SLI",
    keys: &[
        DEPENDENCY,
        HTTP_METHODS,
        optional("bad", Kind::Object(&HTTP_BAD), BAD, "{status_codes: [5xx, 429]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const RPC_METHODS: Key = optional(
    "methods",
    Kind::List(&Kind::Text),
    "Full names, package.Service/Method. Default: every known one.",
    "[users.v1.Users/Get]",
);

const RPC_SERVER: Object = Object {
    name: "an rpc_server SLI",
    keys: &[
        RPC_METHODS,
        optional("bad", Kind::Object(&RPC_BAD), BAD, "{status_codes: [UNAVAILABLE, INTERNAL]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const RPC_CLIENT: Object = Object {
    name: "an rpc_client SLI",
    keys: &[
        DEPENDENCY,
        RPC_METHODS,
        optional("bad", Kind::Object(&RPC_BAD), BAD, "{status_codes: [UNAVAILABLE, INTERNAL]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const DB: Object = Object {
    name: "a db SLI",
    keys: &[
        optional("namespace", Kind::Text, "The database's configured name. Default: all.", "main"),
        optional(
            "role",
            Kind::Word(kilter_contract::db::ROLES),
            "The role of the server that answered. Default: both.",
            "replica",
        ),
        optional(
            "operations",
            Kind::List(&Kind::Text),
            "Operations as the code names them. Default: all.",
            "[load_repository]",
        ),
        optional("bad", Kind::Object(&ERROR_TYPES), BAD, "{error_types: [timeout]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const MESSAGING: Object = Object {
    name: "a messaging SLI",
    keys: &[
        optional("destination", Kind::Text, "The queue's or topic's configured name. Default: all.", "orders"),
        optional("consumer_group", Kind::Text, "The consumer group's configured name. Default: all.", "billing"),
        optional("bad", Kind::Object(&ERROR_TYPES), BAD, "{error_types: [timeout]}"),
        SLOWER_THAN,
    ],
    one_of: false,
    later: &[],
};

const JOB: Object = Object {
    name: "a job SLI",
    keys: &[
        required("name", Kind::Text, "The job's name, as the code gives it.", "repository-gc"),
        optional(
            "succeeded_within",
            Kind::Text,
            "Makes it a freshness SLI: bad is every moment whose last success is longer ago.",
            "26h",
        ),
        optional("bad", Kind::Object(&ERROR_TYPES), BAD, "{error_types: [timeout]}"),
        optional("slower_than", Kind::Text, "Makes it a latency SLI: runs that take longer are bad.", "15m"),
    ],
    one_of: false,
    later: &[],
};

const CACHE: Object = Object {
    name: "a cache SLI",
    keys: &[
        required("name", Kind::Text, "The cache's configured name.", "sessions"),
        optional(
            "operations",
            Kind::List(&Kind::Word(&["get", "set", "delete", "_OTHER"])),
            "What the cache was asked for. Default: get.",
            "[get, set]",
        ),
        optional("bad", Kind::Object(&OUTCOMES), "What is bad. Default: misses and errors.", "{outcomes: [error]}"),
        optional("slower_than", Kind::Text, "Makes it a latency SLI: slower than this bucket bound is bad.", "5ms"),
    ],
    one_of: false,
    later: &[],
};

const BAD: &str = "Your own definition of bad: any of these. Default: every error, but not a client that left.";

const STATUS_CODES: Key =
    optional("status_codes", Kind::List(&Kind::Number), "Status codes, or whole classes such as 5xx.", "[5xx, 429]");

const ERROR_TYPE_KEY: Key = optional(
    "error_types",
    Kind::List(&Kind::Number),
    "Values of error_type: a status of a server error, a kind of the contract, or one that the service declares.",
    "[timeout, panic]",
);

const HTTP_BAD: Object =
    Object { name: "a definition of bad", keys: &[STATUS_CODES, ERROR_TYPE_KEY], one_of: false, later: &[] };

const RPC_BAD: Object = Object {
    name: "a definition of bad",
    keys: &[
        optional("status_codes", Kind::List(&Kind::Text), "Status codes of gRPC.", "[UNAVAILABLE, INTERNAL]"),
        ERROR_TYPE_KEY,
    ],
    one_of: false,
    later: &[],
};

const ERROR_TYPES: Object = Object { name: "a definition of bad", keys: &[ERROR_TYPE_KEY], one_of: false, later: &[] };

const OUTCOMES: Object = Object {
    name: "a definition of bad",
    keys: &[required(
        "outcomes",
        Kind::List(&Kind::Word(&["hit", "miss", "error"])),
        "Outcomes that are bad.",
        "[error]",
    )],
    one_of: false,
    later: &[],
};

const EVENTS: Object = Object {
    name: "an events SLI",
    keys: &[
        optional("errors", Kind::Text, "Bad events per second. This or `good`.", "rate(hooks_failed_total[$window])"),
        optional("good", Kind::Text, "Good events per second. This or `errors`.", "rate(hooks_ok_total[$window])"),
        required("total", Kind::Text, "All events per second.", "rate(hooks_total[$window])"),
    ],
    one_of: false,
    later: &[],
};

const RATIO: Object = Object {
    name: "a ratio SLI",
    keys: &[
        optional(
            "error",
            Kind::Text,
            "Share of what is bad, from 0 to 1. This or `good`.",
            "avg_over_time(probe_loss_ratio[$window])",
        ),
        optional(
            "good",
            Kind::Text,
            "Share of what is good, from 0 to 1. This or `error`.",
            "avg_over_time(probe_success_ratio[$window])",
        ),
    ],
    one_of: false,
    later: &[],
};

const LATENCY: Object = Object {
    name: "a latency SLI",
    keys: &[
        required(
            "histogram",
            Kind::Text,
            "The histogram: its name without _bucket, with matchers.",
            "hook_duration_seconds{job=\"hooks\"}",
        ),
        required(
            "slower_than",
            Kind::Text,
            "Slower than this is bad; for a classic histogram it is one of its bucket bounds.",
            "250ms",
        ),
        optional("type", Kind::Word(&["classic", "native"]), "Kind of histogram. Default classic.", "native"),
        optional(
            "unit",
            Kind::Word(&["seconds", "milliseconds"]),
            "Unit of the histogram's values. Default seconds.",
            "milliseconds",
        ),
    ],
    one_of: false,
    later: &[],
};

const UPTIME: Object = Object {
    name: "an uptime SLI",
    keys: &[required(
        "up",
        Kind::Text,
        "PromQL of the gauge, without a range. Of several series it is their average.",
        "probe_success{job=\"blackbox\"}",
    )],
    one_of: false,
    later: &[],
};

const SLICES: Object = Object {
    name: "a slices SLI",
    keys: &[required(
        "good",
        Kind::Text,
        "PromQL that is 1 in a good minute and 0 in a bad one; $window is that minute. Of several series all must be good.",
        "sum(rate(sold_total[$window])) > bool 1",
    )],
    one_of: false,
    later: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Family;

    #[test]
    fn every_family_has_its_keys() {
        for family in Family::ALL {
            let key = SLI.keys.iter().find(|it| it.name == family.key()).unwrap();
            let Kind::Object(object) = key.kind else { panic!("a mapping") };
            let has = |object: &Object, name: &str| object.keys.iter().any(|it| it.name == name);
            let filters = family.filters().iter().map(|it| it.key);
            for name in filters.chain(["bad", "slower_than"]) {
                assert!(has(object, name), "{} has no `{name}`", object.name);
            }
            let Some(Key { kind: Kind::Object(bad), .. }) = object.keys.iter().find(|it| it.name == "bad") else {
                panic!("bad is a mapping")
            };
            for outcome in family.outcomes() {
                assert!(has(bad, outcome.key), "bad of {} has no `{}`", object.name, outcome.key);
            }
        }
    }

    /// An example that somebody pastes must be one that works.
    #[test]
    fn examples_of_kinds_are_mappings() {
        for key in SLI.keys {
            let parsed = crate::yaml::parse(&format!("{}: {}", key.name, key.example)).unwrap();
            assert_eq!(parsed.root.get(key.name).unwrap().kind(), "a mapping", "{}", key.name);
        }
    }
}
