//! Keys of a scenario file, for `kilter simulate`.

use super::{Kind, Object, optional, required};

/// What happens to a service.
pub const SCENARIO: Object = Object {
    name: "a scenario",
    keys: &[
        required(
            "steps",
            Kind::List(&Kind::Text),
            "What happens, one after the other, in the words of the short form.",
            "[100% for 20m, healthy for 1h]",
        ),
        optional(
            "traffic",
            Kind::Text,
            "Events, which are whole then: 50/s, 30/h, or daily 10/s to 100/s. Default 100/s, and parts of events count too.",
            "30/h",
        ),
        optional(
            "background",
            Kind::Number,
            "The share of events that is bad when nothing happens. Default 0%.",
            "0.02%",
        ),
        optional(
            "scrape",
            Kind::Object(&SCRAPE),
            "How counters are scraped. Default every 15s, at full intervals.",
            "{interval: 15s, phase: 7s}",
        ),
        optional(
            "history",
            Kind::Text,
            "Healthy time before the steps. Default: the compliance window, so that every window is full.",
            "1h",
        ),
        optional("after", Kind::Text, "Healthy time behind the steps. Default: until alerts resolve.", "1d"),
    ],
    one_of: false,
    later: &[],
};

const SCRAPE: Object = Object {
    name: "a scrape",
    keys: &[
        optional("interval", Kind::Text, "From one scrape to the next, 1s to 2m.", "15s"),
        optional("phase", Kind::Text, "How long after a full interval.", "7s"),
    ],
    one_of: false,
    later: &[],
};
