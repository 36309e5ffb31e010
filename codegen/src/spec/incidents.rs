//! Keys of a list of incidents, which `kilter backtest` judges alerts by.

use super::{Kind, Object, optional, required};

/// A list of incidents.
pub const INCIDENTS: Object = Object {
    name: "a list of incidents",
    keys: &[required(
        "incidents",
        Kind::List(&Kind::Object(&INCIDENT)),
        "What happened, and when.",
        "[{name: The database failed over., start: 2026-11-03T09:12:00Z, end: 2026-11-03T10:05:00Z}]",
    )],
    one_of: false,
    later: &[],
};

/// One incident. A column of a CSV file has the name of its key.
pub const INCIDENT: Object = Object {
    name: "an incident",
    keys: &[
        required("name", Kind::Text, "What it is called.", "The database failed over."),
        required(
            "start",
            Kind::Text,
            "When users first noticed, as RFC 3339; without an offset it is that of --utc-offset.",
            "2026-11-03T09:12:00Z",
        ),
        required("end", Kind::Text, "When it was over for users.", "2026-11-03T10:05:00Z"),
        optional("service", Kind::Text, "The service that should have paged. Default: any.", "shop"),
        optional("slo", Kind::Text, "The SLO that should have paged. Default: any of the service.", "checkout"),
    ],
    one_of: false,
    later: &[],
};
