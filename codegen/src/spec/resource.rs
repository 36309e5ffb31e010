//! Keys of a resource that is watched otherwise than by default.

use super::{Kind, Object, optional, required};
use crate::model::RESOURCE_TYPES;

pub(super) const RESOURCE: Object = Object {
    name: "a resource",
    keys: &[
        required("type", Kind::Word(RESOURCE_TYPES), "What kind of resource it is.", "db_pool"),
        required(
            "name",
            Kind::Text,
            "Its configured name. Of the process itself: `process` (file_descriptors) and `tokio` (thread_pool).",
            "main",
        ),
        optional(
            "saturated_for",
            Kind::Text,
            "Requests may wait so long without a pause before it alerts. Default 5m.",
            "15m",
        ),
        optional("near_limit", Kind::Number, "Share of its limit above which it alerts. Default 90%.", "80%"),
        optional(
            "fills_within",
            Kind::Text,
            "How far ahead a disk, memory, a queue or file descriptors are predicted. Default 4h.",
            "1d",
        ),
        optional("lag", Kind::Text, "How far a replica may be behind before it alerts. Default 30s.", "2m"),
        optional(
            "off",
            Kind::List(&Kind::Word(&["saturated", "near_limit", "erroring", "filling", "lagging"])),
            "What is not watched.",
            "[near_limit]",
        ),
    ],
    one_of: false,
    later: &[],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Check;

    #[test]
    fn every_check_can_be_turned_off() {
        let off = RESOURCE.keys.iter().find(|it| it.name == "off").unwrap();
        let Kind::List(Kind::Word(words)) = off.kind else { panic!("a list of words") };
        assert_eq!(words, &Check::WORDS.iter().map(|(word, _)| *word).collect::<Vec<_>>());
    }
}
