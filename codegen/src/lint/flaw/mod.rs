//! Flaws of one expression, whoever wrote it: those of SLO files and those of rule files of others have the same.

mod bucket;
mod rate_first;
mod regex;

pub(super) use bucket::missing_le;
pub(super) use rate_first::RATES;
pub(crate) use rate_first::rate_of_aggregate;
pub(super) use regex::regexes;

use crate::diagnostic::Code;
use crate::promql::{Part, Tree};
use crate::yaml::Range;

/// What is wrong with a part of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Its code.
    pub(crate) code: Code,
    /// Bytes of the expression.
    pub(crate) at: Range,
    /// One sentence.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
    /// The mechanical change of the expression, when there is one.
    pub(crate) edits: Vec<(Range, String)>,
}

impl Flaw {
    pub(crate) fn new(code: Code, at: Range, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, at, message: message.into(), help: help.into(), edits: Vec::new() }
    }

    pub(crate) fn mended(mut self, at: Range, text: impl Into<String>) -> Self {
        self.edits.push((at, text.into()));
        self
    }
}

/// A part of an expression as it is written, in one line.
pub(super) fn written(text: &str, range: Range) -> String {
    text.get(range.start..range.end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a part stands where only its being there counts: behind `and` and `unless`, or in `absent`.
pub(crate) fn only_exists(tree: &Tree, above: &[&Tree]) -> bool {
    let mut below = tree;
    above.iter().rev().any(|it| {
        let exists = match &it.part {
            Part::Binary { sign, sides, .. } => {
                ["and", "unless"].contains(&sign.as_str()) && sides[1].range == below.range
            }
            Part::Call { name, .. } => name.starts_with("absent") || name == "timestamp",
            Part::Aggregation { name, .. } => ["count", "group"].contains(&name.as_str()),
            _ => false,
        };
        below = it;
        exists
    })
}
