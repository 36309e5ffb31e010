//! What is measured, checked against the contract. One file per shape of SLI.

mod by;
pub(super) mod exposed;
mod histogram;
pub(super) mod red;
mod time;

pub(super) use by::{OWNED, by};

use super::known::Known;
use super::{Code, Findings, events, items, printable, scalar, text, unknown};
use crate::model::{Duration, Family, Sli};
use crate::yaml::Node;

/// Reads one kind of SLI from its node.
type Reader = fn(&Node, &Known, &mut Findings<'_>) -> Option<Sli>;

/// Reads the one kind that is there.
pub(super) fn read(node: Option<&Node>, known: &Known, findings: &mut Findings<'_>) -> Option<Sli> {
    let node = node?;
    if let Some((family, it)) = Family::ALL.iter().find_map(|family| Some((*family, node.get(family.key())?))) {
        exposed::check(it, family, known, findings);
        return red::read(it, family, known, findings);
    }
    let kinds: [(&str, Reader); 5] = [
        ("events", events::read),
        ("ratio", time::ratio),
        ("latency", histogram::read),
        ("uptime", time::uptime),
        ("slices", time::slices),
    ];
    kinds.iter().find_map(|(key, read)| Some(read(node.get(key)?, known, findings))).flatten()
}

/// A duration, or why it is none.
fn duration(node: &Node, key: &str, example: &str, findings: &mut Findings<'_>) -> Option<Duration> {
    let (text, place) = text(node, key)?;
    let parsed = text.parse::<Duration>();
    if let Err(error) = parsed {
        let message = format!("`{}` is {error}", printable(text));
        findings.error(Code::BadValue, place.range, message, format!("for example: {key}: {example}"));
    }
    parsed.ok()
}

/// Keys that cannot stand beside each other.
fn exclusive(node: &Node, [one, other]: [&str; 2], why: &str, help: &str, findings: &mut Findings<'_>) {
    if let (Some(_), Some(place)) = (node.get(one), node.get(other)) {
        findings.error(Code::Conflict, place.range, format!("`{one}` and `{other}` are both here: {why}"), help);
    }
}
