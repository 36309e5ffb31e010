//! Keys of an SLO file.

use super::policy::{ANNOTATIONS, LABELS, MAINTENANCE_KEY, MIN_ERRORS, NO_DATA_KEY, TIER_NAME, TRAFFIC, WINDOWS};
use super::resource::RESOURCE;
use super::sli::SLI;
use super::{Kind, Object, optional, required};

/// One service's SLO file.
pub const SLO_FILE: Object = Object {
    name: "an SLO file",
    keys: &[
        required("apiVersion", Kind::Word(&["kilter/v1"]), "Version of this format.", "kilter/v1"),
        required("service", Kind::Text, "Name of the service: lower-case letters, digits and dashes.", "git-https"),
        required("team", Kind::Text, "The team that is told; kilter.yaml has its receivers.", "source-control"),
        optional(
            "runbook",
            Kind::Object(&RUNBOOK),
            "What the team adds to the generated runbooks.",
            "{mitigations: docs/git-https.md}",
        ),
        optional(
            "contract",
            Kind::Text,
            "File in which the service's own test keeps what its code has, relative to this one: SLOs are checked against it.",
            "kilter.contract.json",
        ),
        optional(
            "depends_on",
            Kind::List(&Kind::Object(&DEPENDENCY)),
            "Services of this estate without which this one cannot work: their outage silences its tickets.",
            "[{service: identity}]",
        ),
        TIER_NAME,
        MAINTENANCE_KEY,
        LABELS,
        ANNOTATIONS,
        required(
            "slos",
            Kind::List(&Kind::Object(&SLO)),
            "The service level objectives.",
            "[{name: clone-availability, description: Clones over HTTPS succeed., objective: 99.9%, sli: {http_server: {routes: [\"/{repo}/git-upload-pack\"]}}}]",
        ),
        optional(
            "resources",
            Kind::List(&Kind::Object(&RESOURCE)),
            "Resources that are watched otherwise than by default; all others are watched without a line.",
            "[{type: db_pool, name: main, saturated_for: 15m}]",
        ),
    ],
    one_of: false,
    later: &[],
};

const RUNBOOK: Object = Object {
    name: "a runbook",
    keys: &[optional(
        "mitigations",
        Kind::Text,
        "Markdown file, relative to this one, that the runbook includes.",
        "docs/git-https.md",
    )],
    one_of: false,
    later: &[],
};

const DEPENDENCY: Object = Object {
    name: "a dependency",
    keys: &[
        required("service", Kind::Text, "Name of the other service, which has an SLO file in this estate.", "identity"),
        optional(
            "silences",
            Kind::Word(&["tickets", "pages"]),
            "What a page about it silences here: tickets of burning budgets, or pages and tickets. Default tickets.",
            "tickets",
        ),
    ],
    one_of: false,
    later: &[],
};

const SLO: Object = Object {
    name: "an SLO",
    keys: &[
        required(
            "name",
            Kind::Text,
            "Unique within the service: lower-case letters, digits and dashes.",
            "clone-availability",
        ),
        required(
            "description",
            Kind::Text,
            "One sentence that a page can say to somebody who was asleep.",
            "Clones over HTTPS succeed.",
        ),
        optional(
            "impact",
            Kind::Text,
            "What users lose when this is missed: a sentence of its runbook.",
            "Nobody can deploy: every pipeline begins with a clone.",
        ),
        optional(
            "runbook",
            Kind::Object(&RUNBOOK),
            "What its own runbook includes beside that of the service.",
            "{mitigations: docs/clones.md}",
        ),
        required(
            "objective",
            Kind::Number,
            "The promised share of good events, between 0% and 100%. Exact: 99.95% stays 99.95%.",
            "99.9%",
        ),
        optional("window", Kind::Text, "Compliance window, 7d to 90d. Default 30d.", "30d"),
        required(
            "sli",
            Kind::Object(&SLI),
            "What is measured: exactly one kind.",
            "{http_server: {routes: [\"/users/{id}\"]}}",
        ),
        optional(
            "by",
            Kind::List(&Kind::Text),
            "One SLO per value of these labels, with its own budget and alerts.",
            "[region]",
        ),
        TRAFFIC,
        MIN_ERRORS,
        NO_DATA_KEY,
        TIER_NAME,
        WINDOWS,
        MAINTENANCE_KEY,
        LABELS,
        ANNOTATIONS,
    ],
    one_of: false,
    later: &[],
};
